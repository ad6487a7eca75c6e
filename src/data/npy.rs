//! NumPy files that are read where and when a batch needs them.

use std::fs::File;
use std::path::{Path, PathBuf};

use super::source::BatchSource;
use crate::error::{Error, Result};
use crate::files::input::{Input, failed};
use crate::files::npy::{self, Npy};
use crate::files::read_at::read_at;
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
/// `open` gives an [`Error::File`] for a file that is not there, no NumPy file, cut off or of another type,
/// [`Error::Argument`] for one in Fortran order, [`Error::Length`] where the files' numbers of samples differ.
#[derive(Debug)]
pub struct NpySource {
    x: NpyFile,
    y: NpyFile,
}

#[derive(Debug)]
struct NpyFile {
    path: PathBuf,
    file: File,
    npy: Npy,
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
        let input = Input::open(path)?;
        let npy = npy::header(&input, "its header")?;
        let shape = &npy.array.shape;
        if npy.in_columns || shape.is_empty() {
            let found = if npy.in_columns { "Fortran's order" } else { "a single number" };
            let found = format!("{}: {found}", path.display());
            return Err(Error::argument("npy", "samples in C order", found));
        }
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| failed(&name, &error))?;
        Ok(NpyFile { path: path.into(), file, npy })
    }

    fn count(&self) -> usize {
        self.npy.array.shape[0]
    }

    fn width(&self) -> usize {
        self.npy.array.shape[1..].iter().product()
    }

    fn sample_shape(&self) -> Vec<usize> {
        match &self.npy.array.shape[1..] {
            [] => vec![1],
            shape => shape.to_vec(),
        }
    }

    /// Reads the samples of these indices.
    fn read<F: Scalar>(&self, indices: &[usize], to: &mut [F]) -> Result<()> {
        let (width, number) = (self.width(), self.npy.array.number);
        let mut bytes = vec![0; width * number.size()];
        for (&index, to) in indices.iter().zip(to.chunks_exact_mut(width.max(1))) {
            let place = self.npy.array.start + (index * bytes.len()) as u64;
            read_at(&self.file, place, &mut bytes)
                .map_err(|error| failed(&format!("{}, sample {index}", self.path.display()), &error))?;
            number.read_ordered(&bytes, self.npy.big_endian, to);
        }
        Ok(())
    }
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
