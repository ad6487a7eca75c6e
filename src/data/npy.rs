//! NumPy files that are read where and when a batch needs them.

use std::fs::File;
#[cfg(not(unix))]
use std::io::Read;
use std::io::{BufReader, Seek};
use std::path::{Path, PathBuf};

use npyz::{DType, NpyHeader, Order, TypeChar};

use super::source::BatchSource;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Samples in one `.npy` file and their targets in another: a [`BatchSource`] that holds neither in memory.
///
/// The first axis counts the samples, as in memory. Numbers may be floating point of 4 or 8 bytes, integers of
/// 1, 2, 4 or 8 bytes, or booleans, of either byte order, in C order.
///
/// Each sample is read at its place in the file, with no memory beyond the batch's own; the operating system keeps
/// what it can of the file at hand. A file that gets shorter while it is used ends in an error, where mapped memory
/// would end the program.
///
/// # Example
/// ```no_run
/// use cornu::data::NpySource;
/// use cornu::prelude::*;
/// let source = NpySource::open("signals.npy", "labels.npy")?;
/// let mut model = Sequential::new().add(Flatten::new()).add(Dense::new(5).activation(Activation::Softmax));
/// model.compile(Adam::new(0.001), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
/// model.fit_source(&source, &Fit::new().epochs(10).batch_size(128))?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// `open` gives an [`Error::Outside`] for a file that is not there or no NumPy file, [`Error::Argument`] for one
/// in Fortran order or of another type, [`Error::Length`] where the files' numbers of samples differ.
#[derive(Debug)]
pub struct NpySource {
    x: NpyFile,
    y: NpyFile,
}

#[derive(Debug)]
struct NpyFile {
    path: PathBuf,
    file: File,
    /// Where the first number lies.
    start: u64,
    shape: Vec<usize>,
    kind: Kind,
}

/// How a number is stored.
#[derive(Debug, Clone, Copy)]
struct Kind {
    letter: TypeChar,
    size: usize,
    big_endian: bool,
}

impl NpySource {
    /// Opens the two files and reads their headers.
    ///
    /// # Errors
    /// See [`NpySource`].
    pub fn open(x: impl AsRef<Path>, y: impl AsRef<Path>) -> Result<Self> {
        let source = NpySource { x: NpyFile::open(x.as_ref())?, y: NpyFile::open(y.as_ref())? };
        if source.x.count() != source.y.count() {
            let (x, found) = (source.x.count(), source.y.count());
            return Err(Error::Length { x, argument: source.y.path.display().to_string(), found });
        }
        Ok(source)
    }
}

impl NpyFile {
    fn open(path: &Path) -> Result<Self> {
        let named = |error: std::io::Error| {
            Error::outside(std::io::Error::new(error.kind(), format!("{}: {error}", path.display())))
        };
        let file = File::open(path).map_err(named)?;
        let mut reader = BufReader::new(file);
        let header = NpyHeader::from_reader(&mut reader).map_err(named)?;
        let start = reader.stream_position().map_err(named)?;
        let shape = header.shape().iter().map(|&size| size as usize).collect::<Vec<_>>();
        let found =
            || format!("{}: {} in {:?} order", path.display(), header.dtype().descr(), header.order());
        let refused = || Error::argument("npy", "real numbers or booleans in C order", found());
        let DType::Plain(number) = header.dtype() else { return Err(refused()) };
        let kind = Kind {
            letter: number.type_char(),
            size: number.size_field() as usize,
            big_endian: number.endianness() == npyz::Endianness::Big,
        };
        let known = match kind.letter {
            TypeChar::Float => matches!(kind.size, 4 | 8),
            TypeChar::Int | TypeChar::Uint => matches!(kind.size, 1 | 2 | 4 | 8),
            TypeChar::Bool => kind.size == 1,
            _ => false,
        };
        if !known || (header.order() == Order::Fortran && shape.len() > 1) || shape.is_empty() {
            return Err(refused());
        }
        let npy = NpyFile { path: path.into(), file: reader.into_inner(), start, shape, kind };
        let needed = npy.start + (npy.count() * npy.width() * npy.kind.size) as u64;
        let found = npy.file.metadata().map_err(named)?.len();
        if found < needed {
            let found = format!("{}: {found} bytes", path.display());
            return Err(Error::argument("npy", format!("a file of {needed} bytes"), found));
        }
        Ok(npy)
    }

    fn count(&self) -> usize {
        self.shape[0]
    }

    fn width(&self) -> usize {
        self.shape[1..].iter().product()
    }

    fn sample_shape(&self) -> Vec<usize> {
        match &self.shape[1..] {
            [] => vec![1],
            shape => shape.to_vec(),
        }
    }

    /// Reads the samples of these indices.
    fn read<F: Scalar>(&self, indices: &[usize], to: &mut [F]) -> Result<()> {
        let (width, size) = (self.width(), self.kind.size);
        let mut bytes = vec![0; width * size];
        for (&index, to) in indices.iter().zip(to.chunks_exact_mut(width.max(1))) {
            let place = self.start + (index * width * size) as u64;
            read_at(&self.file, place, &mut bytes).map_err(|error| {
                let told = format!("{}, sample {index}: {error}", self.path.display());
                Error::outside(std::io::Error::new(error.kind(), told))
            })?;
            self.kind.convert(&mut bytes, to);
        }
        Ok(())
    }
}

impl Kind {
    /// Bytes to numbers; turns the bytes of each number round where they are stored the other way.
    fn convert<F: Scalar>(self, bytes: &mut [u8], to: &mut [F]) {
        if self.big_endian {
            bytes.chunks_exact_mut(self.size).for_each(<[u8]>::reverse);
        }
        macro_rules! numbers {
            ($($letter:pat, $size:literal => $number:ty;)*) => {
                match (self.letter, self.size) {
                    $(($letter, $size) => {
                        for (bytes, to) in bytes.chunks_exact($size).zip(to) {
                            let mut number = [0; $size];
                            number.copy_from_slice(bytes);
                            *to = F::of(<$number>::from_le_bytes(number) as f64);
                        }
                    })*
                    _ => {}
                }
            };
        }
        numbers! {
            TypeChar::Float, 4 => f32;
            TypeChar::Float, 8 => f64;
            TypeChar::Int, 1 => i8;
            TypeChar::Int, 2 => i16;
            TypeChar::Int, 4 => i32;
            TypeChar::Int, 8 => i64;
            TypeChar::Bool, 1 => u8;
            TypeChar::Uint, 1 => u8;
            TypeChar::Uint, 2 => u16;
            TypeChar::Uint, 4 => u32;
            TypeChar::Uint, 8 => u64;
        }
    }
}

/// Fills `to` from this place of the file.
#[cfg(unix)]
fn read_at(file: &File, place: u64, to: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, to, place)
}

/// Fills `to` from this place of the file.
#[cfg(not(unix))]
fn read_at(file: &File, place: u64, to: &mut [u8]) -> std::io::Result<()> {
    let mut file = file;
    file.seek(std::io::SeekFrom::Start(place))?;
    file.read_exact(to)
}

impl<F: Scalar> BatchSource<F> for NpySource {
    fn count(&self) -> usize {
        self.x.count()
    }

    fn input_shape(&self) -> Vec<usize> {
        self.x.sample_shape()
    }

    fn target_shape(&self) -> Vec<usize> {
        self.y.sample_shape()
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        self.x.read(indices, x)?;
        self.y.read(indices, y)
    }
}
