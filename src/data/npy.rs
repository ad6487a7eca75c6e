//! NumPy files that are read batch by batch.

use std::fs::File;
use std::path::Path;

use super::rows::StoredRows;
use super::source::BatchSource;
use crate::error::{Error, Result};
use crate::files::input::{Input, failed};
use crate::files::npy;
use crate::scalar::Scalar;

/// A [`BatchSource`] of samples in one `.npy` file and targets in another, without holding either in memory.
///
/// The first axis counts the samples. Numbers may be floating point of 4 or 8 bytes, integers of 1, 2, 4 or 8 bytes,
/// or booleans, in either byte order, in C order.
///
/// Each sample is read at its position in the file, with no memory beyond the batch; the operating system caches the
/// file. A file that shrinks during use causes an error, where a memory map would crash the program.
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
/// `open` returns [`Error::File`] for a file that is missing, truncated, of another type or not a NumPy file,
/// [`Error::Argument`] for Fortran order, and [`Error::Length`] if the numbers of samples differ.
#[derive(Debug)]
pub struct NpySource {
    x: StoredRows,
    y: StoredRows,
}

impl NpySource {
    /// Opens the two files and reads their headers.
    ///
    /// # Errors
    /// Those of [`NpySource`].
    pub fn open(x: impl AsRef<Path>, y: impl AsRef<Path>) -> Result<Self> {
        let source = NpySource { x: open(x.as_ref())?, y: open(y.as_ref())? };
        if source.x.count != source.y.count {
            let (x, found) = (source.x.count, source.y.count);
            return Err(Error::Length { x, argument: source.y.name, found });
        }
        Ok(source)
    }
}

fn open(path: &Path) -> Result<StoredRows> {
    let npy = npy::header(&Input::open(path)?, "its header")?;
    let [count, shape @ ..] = &npy.array.shape[..] else { return Err(unfit(path, "a single number")) };
    if npy.in_columns {
        return Err(unfit(path, "Fortran's order"));
    }
    let name = path.display().to_string();
    let file = File::open(path).map_err(|error| failed(&name, &error))?;
    let (number, big_endian, start) = (npy.array.number, npy.big_endian, npy.array.start);
    Ok(StoredRows { name, file, number, big_endian, start, count: *count, shape: shape.into() })
}

fn unfit(path: &Path, found: &str) -> Error {
    Error::argument("npy", "samples in C order", format!("{}: {found}", path.display()))
}

impl<F: Scalar> BatchSource<F> for NpySource {
    fn count(&self) -> usize {
        self.x.count
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
