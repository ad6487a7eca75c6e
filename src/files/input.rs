//! Random access to a file, or to bytes in memory. All errors contain the file's name.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

use super::budget::{Budget, Spent};
use super::read_at::read_at;
use crate::error::{Error, FileError, Result};

/// The number of bytes to read if fewer are requested.
const PAGE: usize = 1 << 14;

/// The source of the bytes.
#[derive(Debug)]
pub(crate) struct Input<'a> {
    name: String,
    source: InputSource<'a>,
    len: u64,
}

#[derive(Debug)]
enum InputSource<'a> {
    /// A file, and its page that was read last.
    File(File, Mutex<(u64, Vec<u8>)>),
    Bytes(Cow<'a, [u8]>),
    /// A range of another input.
    Part(&'a Input<'a>, u64),
}

/// Opens a regular file; refuses folders, pipes and devices.
pub(crate) fn open(path: &Path) -> Result<File> {
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| failed(&name, &error))?;
    let about = file.metadata().map_err(|error| failed(&name, &error))?;
    if !about.is_file() {
        return Err(failed(&name, &io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")));
    }
    Ok(file)
}

impl Input<'static> {
    /// Opens a regular file; refuses folders, pipes and devices.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        Input::file(&path.display().to_string(), open(path)?)
    }

    /// Wraps an open file; error messages use this name.
    pub(crate) fn file(name: &str, file: File) -> Result<Self> {
        let about = file.metadata().map_err(|error| failed(name, &error))?;
        Ok(Input { name: name.into(), source: InputSource::File(file, Mutex::default()), len: about.len() })
    }
}

impl<'a> Input<'a> {
    /// Wraps bytes; error messages use this name.
    pub(crate) fn bytes(name: &str, bytes: impl Into<Cow<'a, [u8]>>) -> Self {
        let bytes = bytes.into();
        Input { name: name.into(), len: bytes.len() as u64, source: InputSource::Bytes(bytes) }
    }

    /// A range of this input; an error if the input is shorter.
    pub(crate) fn part(&'a self, place: &str, start: u64, len: u64) -> Result<Input<'a>> {
        if start.checked_add(len).is_none_or(|end| end > self.len) {
            return Err(self.damaged(place, "it exceeds the file"));
        }
        Ok(Input { name: self.name.clone(), source: InputSource::Part(self, start), len })
    }

    pub(crate) fn len(&self) -> u64 {
        self.len
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Fills `to` from offset `start` on.
    pub(crate) fn read(&self, place: &str, start: u64, to: &mut [u8]) -> Result<()> {
        if start.checked_add(to.len() as u64).is_none_or(|end| end > self.len) {
            return Err(self.damaged(place, format!("at byte {start}: it exceeds the file")));
        }
        match &self.source {
            InputSource::Bytes(bytes) => to.copy_from_slice(&bytes[start as usize..][..to.len()]),
            InputSource::Part(whole, first) => return whole.read(place, first + start, to),
            InputSource::File(file, page) => {
                self.read_file(file, page, start, to).map_err(|error| failed(&self.name, &error))?;
            }
        }
        Ok(())
    }

    fn read_file(
        &self,
        file: &File,
        page: &Mutex<(u64, Vec<u8>)>,
        start: u64,
        to: &mut [u8],
    ) -> io::Result<()> {
        if to.len() >= PAGE {
            return read_at(file, start, to);
        }
        let mut page = page.lock().unwrap_or_else(PoisonError::into_inner);
        let (first, bytes) = &mut *page;
        if start < *first || start + to.len() as u64 > *first + bytes.len() as u64 {
            bytes.resize((self.len - start).min(PAGE as u64) as usize, 0);
            *first = start;
            if let Err(error) = read_at(file, start, bytes) {
                bytes.clear();
                return Err(error);
            }
        }
        let from = (start - *first) as usize;
        to.copy_from_slice(&bytes[from..][..to.len()]);
        Ok(())
    }

    /// Reads a little-endian number of up to eight bytes.
    pub(crate) fn number(&self, place: &str, start: u64, bytes: usize) -> Result<u64> {
        let mut buffer = [0; 8];
        self.read(place, start, &mut buffer[..bytes])?;
        Ok(u64::from_le_bytes(buffer))
    }

    /// Copies a range of bytes, within the budget.
    pub(crate) fn take(&self, place: &str, start: u64, len: u64, budget: &Budget) -> Result<Vec<u8>> {
        self.part(place, start, len)?;
        budget.take(len as usize).map_err(|spent| self.spent(place, spent))?;
        let mut bytes = vec![0; len as usize];
        self.read(place, start, &mut bytes)?;
        Ok(bytes)
    }

    /// The CRC-32 of the whole input.
    pub(crate) fn checksum(&self, place: &str) -> Result<u32> {
        let mut hasher = crc32fast::Hasher::new();
        self.pieces(place, 0, self.len, &mut |piece| hasher.update(piece))?;
        Ok(hasher.finalize())
    }

    /// Passes a range to `f` in pieces.
    pub(crate) fn pieces(&self, place: &str, start: u64, len: u64, f: &mut dyn FnMut(&[u8])) -> Result<()> {
        if let InputSource::Bytes(bytes) = &self.source {
            let within = start.checked_add(len).is_some_and(|end| end <= self.len);
            let bytes = if within { &bytes[start as usize..][..len as usize] } else { &[] };
            bytes.chunks(1 << 16).for_each(&mut *f);
            return if within { Ok(()) } else { Err(self.damaged(place, "it exceeds the file")) };
        }
        let mut buffer = vec![0; len.min(1 << 16) as usize];
        let mut done = 0;
        while done < len {
            let piece = (len - done).min(buffer.len() as u64) as usize;
            self.read(place, start + done, &mut buffer[..piece])?;
            f(&buffer[..piece]);
            done += piece as u64;
        }
        Ok(())
    }

    /// An error with the place in the file and the problem.
    pub(crate) fn damaged(&self, place: impl Into<String>, problem: impl std::fmt::Display) -> Error {
        let problem = problem.to_string();
        FileError::Damaged { path: self.name.clone(), place: place.into(), problem }.into()
    }

    pub(crate) fn spent(&self, place: &str, spent: Spent) -> Error {
        self.damaged(place, spent)
    }
}

/// An error of the operating system.
pub(crate) fn failed(name: &str, error: &io::Error) -> Error {
    FileError::Io { path: name.into(), kind: error.kind(), message: error.to_string() }.into()
}
