//! `save` and `load`: the extension of the file selects the format.

use std::path::Path;

use super::Loader;
use crate::error::{FileError, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;

const SAVED: &str = ".keras, .safetensors or .onnx";
const LOADED: &str = ".keras, .h5 or .safetensors";

/// A file format of whole models.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::save::{Format, Loader};
/// let loader: Loader = Loader::new();
/// assert!(loader.load_bytes(Format::Keras, b"not a zip file").is_err());
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Format {
    /// Keras 3's archive, `.keras`: feature `keras`.
    Keras,
    /// Keras's older format, `.h5`: feature `keras`. cornu only loads it.
    KerasH5,
    /// `.safetensors`: feature `safetensors`.
    SafeTensors,
    /// `.onnx`: feature `onnx`. For inference in other runtimes; cornu does not load it.
    Onnx,
}

impl Format {
    /// Returns the format of a file by its name; `expected` lists the accepted extensions.
    fn of(path: &Path, expected: &'static str) -> Result<Self> {
        match path.extension().and_then(|end| end.to_str()) {
            Some("keras") => Ok(Format::Keras),
            Some("h5") if expected == LOADED => Ok(Format::KerasH5),
            Some("safetensors") => Ok(Format::SafeTensors),
            Some("onnx") if expected == SAVED => Ok(Format::Onnx),
            _ => Err(FileError::Extension { path: path.display().to_string(), expected }.into()),
        }
    }

    /// Refuses a format whose feature is disabled.
    fn missing<T>(self, path: &str) -> Result<T> {
        let (format, feature) = match self {
            Format::Keras => (".keras", "keras"),
            Format::KerasH5 => (".h5", "keras"),
            Format::SafeTensors => (".safetensors", "safetensors"),
            Format::Onnx => (".onnx", "onnx"),
        };
        Err(FileError::Feature { path: path.into(), format, feature }.into())
    }
}

/// Returns the format in which a whole model is written to a file of this name.
///
/// # Errors
/// [`FileError::Extension`], [`FileError::Feature`].
pub(super) fn to_save(path: &Path) -> Result<Format> {
    let format = Format::of(path, SAVED)?;
    let is_on = match format {
        Format::Keras | Format::KerasH5 => cfg!(feature = "keras"),
        Format::SafeTensors => cfg!(feature = "safetensors"),
        Format::Onnx => cfg!(feature = "onnx"),
    };
    if is_on { Ok(format) } else { format.missing(&path.display().to_string()) }
}

impl<F: Scalar> Sequential<F> {
    /// Saves the whole model: architecture, weights, `compile` settings, and the optimizer's state.
    ///
    /// The extension selects the format: `.keras` (feature `keras`) or `.safetensors` (feature `safetensors`).
    /// `.onnx` (feature `onnx`) holds the model for inference in other runtimes, as `export_onnx` writes it. The file
    /// is replaced atomically: after a crash, the path holds the complete old or new file. A model that is not built is
    /// saved with its initial weights if the shape of its input is known, and without weights otherwise.
    ///
    /// # Errors
    /// [`FileError::NotSavable`] for a layer, loss, optimizer or metric without settings; [`FileError::NotExportable`] for
    /// what the format cannot hold; the errors of [`Sequential::build`] if the model is not built; [`FileError::Extension`],
    /// [`FileError::Feature`]; [`FileError::Io`] if the system refuses.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "keras")] {
    /// use cornu::prelude::*;
    /// let path = std::env::temp_dir().join("cornu-example-model.keras");
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2).name("F1"));
    /// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
    /// model.save(&path)?;
    /// let again = Sequential::load(&path)?;
    /// let x = ndarray::array![[1.0, 2.0, 3.0]];
    /// assert_eq!(again.predict(&x)?, model.predict(&x)?);
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        let path = path.as_ref();
        let format = Format::of(path, SAVED)?;
        if !self.is_built() && self.input_axes().is_some() {
            let mut built = self.clone();
            built.build()?;
            return built.save(path);
        }
        match format {
            #[cfg(feature = "keras")]
            Format::Keras => {
                let prepared = super::keras::prepare(self)?;
                super::atomic::save(path, |file| prepared.write(file))
            }
            #[cfg(feature = "safetensors")]
            Format::SafeTensors => {
                let prepared = super::safetensors::prepare(self)?;
                super::atomic::save(path, |file| prepared.write(file))
            }
            #[cfg(feature = "onnx")]
            Format::Onnx => self.export_onnx(path),
            #[allow(unreachable_patterns)] // if all features are on
            other => other.missing(&path.display().to_string()),
        }
    }
}

impl Sequential<f32> {
    /// Loads a whole model from a file written by [`Sequential::save`] or Keras; the extension selects the format.
    ///
    /// Use a [`Loader`] for custom layers, another precision or other limits.
    ///
    /// The formats are `.keras`, Keras's older `.h5` and `.safetensors`. An `.h5` file of Keras 2 loads if Keras 3 has
    /// the same names for its settings. If the saved state of the optimizer does not fit the model, the optimizer starts
    /// from its initial state, and [`Sequential::optimizer_note`] says why. If a file has unknown `compile` settings, load
    /// it without them by `Loader::new().compiled(false)`.
    ///
    /// Loading never runs code, never opens another file, and never allocates more than twice the file's size plus 16
    /// times the size of its settings (the JSON in the file) plus 1 MiB.
    ///
    /// # Errors
    /// [`FileError::Damaged`] for a file that is truncated, corrupt or malicious; [`FileError::Setting`] and
    /// [`FileError::UnknownKind`] for unknown settings or kinds; [`FileError::Extension`], [`FileError::Feature`],
    /// [`FileError::Io`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// assert!(matches!(Sequential::load("model.txt"), Err(Error::File(_))));
    /// ```
    pub fn load(path: impl AsRef<Path>) -> Result<Self> {
        Loader::new().load(path)
    }
}

impl<F: Scalar> Loader<F> {
    /// Loads a whole model like [`Sequential::load`], with the kinds and limits of this loader.
    ///
    /// # Errors
    /// As [`Sequential::load`].
    pub fn load(&self, path: impl AsRef<Path>) -> Result<Sequential<F>> {
        let path = path.as_ref();
        match Format::of(path, LOADED)? {
            #[cfg(feature = "keras")]
            Format::Keras => self.read_keras(&crate::files::input::Input::open(path)?),
            #[cfg(feature = "keras")]
            Format::KerasH5 => self.read_h5(&crate::files::input::Input::open(path)?),
            #[cfg(feature = "safetensors")]
            Format::SafeTensors => self.read_safetensors(&crate::files::input::Input::open(path)?),
            #[allow(unreachable_patterns)] // if all features are on
            other => other.missing(&path.display().to_string()),
        }
    }

    /// Loads a whole model from bytes in memory, such as those of `include_bytes!`.
    ///
    /// # Errors
    /// As [`Sequential::load`].
    pub fn load_bytes(&self, format: Format, bytes: &[u8]) -> Result<Sequential<F>> {
        let _ = bytes;
        match format {
            #[cfg(feature = "keras")]
            Format::Keras => self.read_keras(&crate::files::input::Input::bytes("bytes", bytes)),
            #[cfg(feature = "keras")]
            Format::KerasH5 => self.read_h5(&crate::files::input::Input::bytes("bytes", bytes)),
            #[cfg(feature = "safetensors")]
            Format::SafeTensors => self.read_safetensors(&crate::files::input::Input::bytes("bytes", bytes)),
            Format::Onnx => Err(FileError::Extension { path: "bytes".into(), expected: LOADED }.into()),
            #[allow(unreachable_patterns)] // if all features are on
            other => other.missing("bytes"),
        }
    }

    #[cfg(feature = "keras")]
    fn read_keras(&self, input: &crate::files::input::Input) -> Result<Sequential<F>> {
        super::keras::read(input, &self.budget(input.len()), self)
    }

    #[cfg(feature = "keras")]
    fn read_h5(&self, input: &crate::files::input::Input) -> Result<Sequential<F>> {
        super::keras::read_legacy(input, &self.budget(input.len()), self)
    }

    #[cfg(feature = "safetensors")]
    fn read_safetensors(&self, input: &crate::files::input::Input) -> Result<Sequential<F>> {
        super::safetensors::read(input, &self.budget(input.len()), self)
    }

    /// Returns the allocation limit for reading a file of this size.
    #[cfg(feature = "files")]
    pub(super) fn budget(&self, len: u64) -> crate::files::budget::Budget {
        // A file may hold numbers of half the model's width.
        let wider = len.saturating_mul(size_of::<F>() as u64 / 4);
        self.memory_limit
            .map_or_else(|| crate::files::budget::Budget::of(wider), crate::files::budget::Budget::bytes)
    }
}
