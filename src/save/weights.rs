//! Weights in files: `.npz`, `.safetensors`, and Keras's `.weights.h5`.

use std::path::Path;

#[cfg(any(feature = "npy", feature = "safetensors", feature = "keras"))]
use super::Loader;
use crate::error::{Error, FileError, Result};
#[cfg(any(feature = "npy", feature = "safetensors", feature = "keras"))]
use crate::files::input::Input;
use crate::model::Sequential;
use crate::scalar::Scalar;

const ENDS: &str = ".npz, .safetensors or .weights.h5";
/// The extension of Keras's weight files; Keras reads no other.
pub(super) const HDF5: &str = ".weights.h5";

/// A file format of weights.
#[derive(Debug, Clone, Copy, PartialEq)]
enum WeightsFormat {
    Npz,
    SafeTensors,
    Hdf5,
}

impl WeightsFormat {
    fn of(path: &Path) -> Result<Self> {
        match path.extension().and_then(|end| end.to_str()) {
            Some("npz") => Ok(WeightsFormat::Npz),
            Some("safetensors") => Ok(WeightsFormat::SafeTensors),
            Some("h5") => Ok(WeightsFormat::Hdf5),
            _ => Err(FileError::Extension { path: path.display().to_string(), expected: ENDS }.into()),
        }
    }

    fn missing<T>(self, path: &Path) -> Result<T> {
        let (format, feature) = match self {
            WeightsFormat::Npz => (".npz", "npy"),
            WeightsFormat::SafeTensors => (".safetensors", "safetensors"),
            WeightsFormat::Hdf5 => (HDF5, "keras"),
        };
        Err(FileError::Feature { path: path.display().to_string(), format, feature }.into())
    }
}

/// Refuses a file name that is not of an enabled weight format.
///
/// # Errors
/// [`FileError::Extension`], [`FileError::Feature`].
pub(super) fn to_save(path: &Path) -> Result<()> {
    let format = WeightsFormat::of(path)?;
    let is_on = match format {
        WeightsFormat::Npz => cfg!(feature = "npy"),
        WeightsFormat::SafeTensors => cfg!(feature = "safetensors"),
        WeightsFormat::Hdf5 => cfg!(feature = "keras"),
    };
    if is_on { Ok(()) } else { format.missing(path) }
}

impl<F: Scalar> Sequential<F> {
    /// Saves all weights to a file; the extension selects the format.
    ///
    /// `.npz` (feature `npy`, read by `numpy.load`) and `.safetensors` (feature `safetensors`) name each weight by
    /// its path, such as `F1/kernel`. `.weights.h5` (feature `keras`, read by Keras's `load_weights`) orders weights
    /// by layer and includes the optimizer's state. The file is replaced atomically.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`FileError::Extension`], [`FileError::Feature`]; [`FileError::Io`] if the system refuses.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "npy")] {
    /// use cornu::prelude::*;
    /// let path = std::env::temp_dir().join("cornu-example-weights.npz");
    /// let mut model = Sequential::new().seed(1).input([3]).add(Dense::new(2).name("F1"));
    /// model.build()?;
    /// model.save_weights(&path)?;
    /// let mut other = Sequential::new().seed(2).input([3]).add(Dense::new(2).name("F1"));
    /// other.build()?;
    /// other.load_weights(&path)?;
    /// assert_eq!(other.weight("F1/kernel")?, model.weight("F1/kernel")?);
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn save_weights(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if !self.is_built() {
            return Err(Error::NotBuilt);
        }
        match WeightsFormat::of(path)? {
            #[cfg(feature = "npy")]
            WeightsFormat::Npz => super::atomic::save(path, |file| super::npz::write(self, file)),
            #[cfg(feature = "safetensors")]
            WeightsFormat::SafeTensors => {
                let prepared = super::safetensors::prepare_weights(self)?;
                super::atomic::save(path, |file| prepared.write(file))
            }
            #[cfg(feature = "keras")]
            WeightsFormat::Hdf5 if !path.to_string_lossy().ends_with(HDF5) => {
                Err(FileError::Extension { path: path.display().to_string(), expected: ENDS }.into())
            }
            #[cfg(feature = "keras")]
            WeightsFormat::Hdf5 => {
                let prepared = super::keras::WeightsFile::of(self);
                super::atomic::save(path, |file| prepared.emit(&mut |piece| file.write_all(piece)))
            }
            #[allow(unreachable_patterns)] // if all features are on
            other => other.missing(path),
        }
    }

    /// Loads all weights from a file of either precision.
    ///
    /// Files of [`Sequential::save_weights`] are matched by path, Keras's `.weights.h5` (feature `keras`) by the
    /// order of the layers; the optimizer's state in such a file is not read. For PyTorch files use `Sequential::load_torch_weights` (feature `safetensors`).
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`FileError::Damaged`] for a truncated or corrupt file; [`Error::Unknown`] for a weight
    /// that only the model or only the file has; [`Error::WeightShape`] for another shape; [`FileError::Extension`],
    /// [`FileError::Feature`], [`FileError::Io`]. The model is then unchanged.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2));
    /// model.build()?;
    /// assert!(matches!(model.load_weights("missing.npz"), Err(Error::File(_))));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn load_weights(&mut self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        if !self.is_built() {
            return Err(Error::NotBuilt);
        }
        match WeightsFormat::of(path)? {
            #[cfg(feature = "npy")]
            WeightsFormat::Npz => {
                let input = Input::open(path)?;
                super::npz::read(self, &input, &Loader::<F>::with_scalar().budget(input.len()))
            }
            #[cfg(feature = "safetensors")]
            WeightsFormat::SafeTensors => {
                let input = Input::open(path)?;
                super::safetensors::read_weights(
                    self,
                    &input,
                    &Loader::<F>::with_scalar().budget(input.len()),
                )
            }
            #[cfg(feature = "keras")]
            WeightsFormat::Hdf5 => {
                let input = Input::open(path)?;
                super::keras::read_weights(self, &input, &Loader::<F>::with_scalar().budget(input.len()))
            }
            #[allow(unreachable_patterns)] // if all features are on
            other => other.missing(path),
        }
    }
}
