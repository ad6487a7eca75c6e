//! Saving and loading of models, weights and settings.
//!
//! | content | file | feature | written by | read by |
//! |---|---|---|---|---|
//! | a whole model | `.keras`, Keras 3's own | `keras` | [`Sequential::save`](crate::Sequential::save), Keras | [`Sequential::load`](crate::Sequential::load), [`Loader`], Keras |
//! | | `.safetensors` | `safetensors` | `Sequential::save` | `Sequential::load`, [`Loader`] |
//! | a model for inference | `.onnx` | `onnx` | [`Sequential::save`](crate::Sequential::save), `export_onnx` | ONNX Runtime, tract and others |
//! | weights | `.npz` | `npy` | [`Sequential::save_weights`](crate::Sequential::save_weights) | [`Sequential::load_weights`](crate::Sequential::load_weights), NumPy |
//! | | `.safetensors` | `safetensors` | `Sequential::save_weights`, any tool | `Sequential::load_weights`; for PyTorch files `load_torch_weights` |
//! | | `.weights.h5` | `keras` | `Sequential::save_weights`, Keras | `Sequential::load_weights`, Keras |
//! | an architecture | JSON | `json` | `Sequential::to_json`, Keras | `Sequential::from_json`, Keras |
//!
//! Loading never runs code, never opens another file, and never allocates more than twice the file's size plus 1 MiB.
//! A file that would need more is refused, unless [`Loader::memory_limit`] allows it.

mod format;
mod loader;

pub(crate) mod atomic;
pub(crate) mod backup;
#[cfg(any(feature = "keras", feature = "safetensors"))]
mod build;
mod checkpoint;
#[cfg(feature = "json")]
mod json;
#[cfg(feature = "keras")]
mod keras;
#[cfg(feature = "npy")]
mod npz;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(feature = "safetensors")]
mod safetensors;
mod weights;

pub(crate) use checkpoint::Content;
pub use format::Format;
pub use loader::Loader;

#[cfg(any(feature = "files", feature = "json"))]
use crate::files::budget;
use crate::files::checksum;
#[cfg(feature = "keras")]
use crate::files::hdf5;
#[cfg(any(feature = "npy", feature = "keras"))]
use crate::files::zip;
#[cfg(feature = "files")]
use crate::files::{array, input};
/// Writes these bytes to a file atomically.
#[cfg(any(feature = "plot", feature = "report"))]
pub(crate) fn write_bytes(path: &std::path::Path, bytes: &[u8]) -> crate::error::Result<()> {
    let written = atomic::replace(path, |file| std::io::Write::write_all(file, bytes));
    written.map_err(|error| {
        let (path, message) = (path.display().to_string(), error.to_string());
        crate::error::FileError::Io { path, kind: error.kind(), message }.into()
    })
}
