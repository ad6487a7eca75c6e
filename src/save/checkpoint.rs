//! The content of a checkpoint: a whole model, or weights.

use std::path::Path;

use super::{format, weights};
use crate::error::{FileError, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;

const ENDS: &str = ".keras, .safetensors, .onnx, .npz or .weights.h5";
const ENDS_OF_WEIGHTS: &str = ".safetensors, .npz or .weights.h5 for `save_weights_only`";

/// The content of a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Content {
    Model(format::Format),
    Weights,
}

impl Content {
    /// Returns the content by the name of the file; `.safetensors` may hold either.
    ///
    /// # Errors
    /// [`FileError::Extension`], and [`FileError::Feature`] for a format whose feature is disabled.
    pub(crate) fn of(path: &Path, weights_only: bool) -> Result<Self> {
        let name = path.to_string_lossy();
        let refused = |expected| Err(FileError::Extension { path: name.to_string(), expected }.into());
        let whole = match path.extension().and_then(|end| end.to_str()) {
            Some("keras" | "onnx") if weights_only => return refused(ENDS_OF_WEIGHTS),
            Some("keras" | "onnx") => true,
            Some("safetensors") => !weights_only,
            Some("npz") => false,
            Some("h5") if name.ends_with(weights::HDF5) => false,
            _ => return refused(ENDS),
        };
        match whole {
            true => Ok(Content::Model(format::to_save(path)?)),
            false => weights::to_save(path).map(|()| Content::Weights),
        }
    }
}

impl<F: Scalar> Sequential<F> {
    /// Refuses a model that cannot be written, as far as this is known before training.
    ///
    /// # Errors
    /// As [`Sequential::save`].
    pub(crate) fn check_content(&self, content: Content) -> Result<()> {
        match content {
            #[cfg(feature = "onnx")]
            Content::Model(format::Format::Onnx) => super::onnx::bytes(self).map(drop),
            #[cfg(feature = "keras")]
            Content::Model(format::Format::Keras) => {
                self.config().and(self.compile_config_of_keras()).map(drop)
            }
            Content::Model(_) => self.config().and(self.compile_config()).map(drop),
            Content::Weights => Ok(()),
        }
    }

    /// Writes the content to a file.
    ///
    /// # Errors
    /// As [`Sequential::save`] and [`Sequential::save_weights`].
    pub(crate) fn save_content(&self, path: &Path, content: Content) -> Result<()> {
        match content {
            Content::Model(_) => self.save(path),
            Content::Weights => self.save_weights(path),
        }
    }
}
