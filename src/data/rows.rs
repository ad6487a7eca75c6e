//! Samples stored contiguously in a file, read on demand; and scratch files for samples that are not.

use std::fs::File;
use std::io::{self, BufWriter, Read, Seek, Write};
use std::path::Path;

use crate::error::{Error, Result};
use crate::files::array::Number;
use crate::files::input::failed;
use crate::files::read_at::read_at;
use crate::scalar::Scalar;

/// The location of samples in a file.
#[derive(Debug)]
pub(super) struct StoredRows {
    /// The name of the file in messages.
    pub(super) name: String,
    pub(super) file: File,
    pub(super) number: Number,
    pub(super) big_endian: bool,
    pub(super) start: u64,
    pub(super) count: usize,
    /// The shape of each sample.
    pub(super) shape: Vec<usize>,
}

impl StoredRows {
    /// The number of values per sample.
    pub(super) fn width(&self) -> usize {
        self.shape.iter().product()
    }

    /// The shape of a sample; a single number has one axis.
    pub(super) fn sample_shape(&self) -> Vec<usize> {
        if self.shape.is_empty() { vec![1] } else { self.shape.clone() }
    }

    /// Reads numbers starting at number `first`, regardless of samples.
    pub(super) fn run(&self, first: usize, to: &mut [f64]) -> Result<()> {
        let size = self.number.size();
        let mut bytes = vec![0; to.len().min(1 << 16) * size];
        for (piece, to) in to.chunks_mut(1 << 16).enumerate() {
            let place = self.start + ((first + (piece << 16)) * size) as u64;
            let bytes = &mut bytes[..to.len() * size];
            read_at(&self.file, place, bytes).map_err(|error| failed(&self.name, &error))?;
            self.number.read_ordered(bytes, self.big_endian, to);
        }
        Ok(())
    }

    /// Reads the samples with these indices.
    pub(super) fn read<F: Scalar>(&self, indices: &[usize], to: &mut [F]) -> Result<()> {
        let width = self.width();
        let mut bytes = vec![0; width * self.number.size()];
        for (&index, to) in indices.iter().zip(to.chunks_exact_mut(width.max(1))) {
            let place = self.start + index as u64 * bytes.len() as u64;
            read_at(&self.file, place, &mut bytes)
                .map_err(|error| failed(&format!("{}, sample {index}", self.name), &error))?;
            self.number.read_ordered(&bytes, self.big_endian, to);
        }
        Ok(())
    }
}

/// An unnamed temporary file of numbers.
#[derive(Debug)]
pub(super) struct ScratchFile {
    name: String,
    file: BufWriter<File>,
    bytes: Vec<u8>,
}

impl ScratchFile {
    /// In this folder, or in that for temporary files. The crate `tempfile` creates the file without a name where the
    /// system supports it, and readable by its owner only.
    pub(super) fn new(folder: Option<&Path>) -> Result<Self> {
        let temporary = std::env::temp_dir();
        let folder = folder.unwrap_or(&temporary);
        let name = format!("a scratch file in {}", folder.display());
        let file = tempfile::tempfile_in(folder).map_err(|error| failed(&name, &error))?;
        Ok(ScratchFile { name, file: BufWriter::with_capacity(1 << 18, file), bytes: Vec::new() })
    }

    /// Appends numbers.
    pub(super) fn put(&mut self, values: &[f64]) -> Result<()> {
        for values in values.chunks(4096) {
            self.bytes.clear();
            values.iter().for_each(|value| self.bytes.extend(value.to_le_bytes()));
            self.file.write_all(&self.bytes).map_err(|error| failed(&self.name, &error))?;
        }
        Ok(())
    }

    /// Appends bytes.
    pub(super) fn bytes(&mut self, bytes: &[u8]) -> Result<()> {
        self.file.write_all(bytes).map_err(|error| failed(&self.name, &error))
    }

    /// Copies all of `from` to the file and rewinds it; `wrap` converts read errors.
    pub(super) fn fill(mut self, from: &mut dyn Read, wrap: &dyn Fn(&io::Error) -> Error) -> Result<File> {
        let mut piece = vec![0; 1 << 16];
        loop {
            match from.read(&mut piece).map_err(|error| wrap(&error))? {
                0 => break,
                read => self.bytes(&piece[..read])?,
            }
        }
        let name = self.name.clone();
        let mut file = self.file()?;
        file.rewind().map_err(|error| failed(&name, &error))?;
        Ok(file)
    }

    /// The file, written.
    pub(super) fn file(self) -> Result<File> {
        self.file.into_inner().map_err(|error| failed(&self.name, error.error()))
    }

    /// Returns the content as `count` samples of this shape; messages use the name of the original file.
    pub(super) fn rows(self, name: String, count: usize, shape: Vec<usize>) -> Result<StoredRows> {
        let file = self.file.into_inner().map_err(|error| failed(&self.name, error.error()))?;
        let len = file.metadata().map_err(|error| failed(&self.name, &error))?.len();
        let rows = StoredRows { name, file, number: Number::F64, big_endian: false, start: 0, count, shape };
        debug_assert_eq!(len, (rows.count * rows.width() * 8) as u64);
        Ok(rows)
    }
}
