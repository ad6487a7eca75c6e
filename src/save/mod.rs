//! Saving and loading of models, weights and settings.
//!
//! | content | file | feature | written by | read by |
//! |---|---|---|---|---|
//! | a whole model | `.keras`, Keras 3's own | `keras` | [`Sequential::save`](crate::Sequential::save), Keras | [`Sequential::load`](crate::Sequential::load), [`Loader`], Keras |
//! | | `.h5`, Keras's older one | `keras` | Keras | `Sequential::load`, [`Loader`] |
//! | | `.safetensors` | `safetensors` | `Sequential::save` | `Sequential::load`, [`Loader`] |
//! | a model for inference | `.onnx` | `onnx` | [`Sequential::save`](crate::Sequential::save), `export_onnx` | ONNX Runtime, tract and others |
//! | weights | `.npz` | `npy` | [`Sequential::save_weights`](crate::Sequential::save_weights) | [`Sequential::load_weights`](crate::Sequential::load_weights), NumPy |
//! | | `.safetensors` | `safetensors` | `Sequential::save_weights`, any tool | `Sequential::load_weights`; for PyTorch files `load_torch_weights` |
//! | | `.weights.h5` | `keras` | `Sequential::save_weights`, Keras | `Sequential::load_weights`, Keras |
//! | an architecture | JSON | `json` | `Sequential::to_json`, Keras | `Sequential::from_json`, Keras |
//!
//! Nested Keras models, and functional models that are chains with residual connections or branches, load as one
//! [`Sequential`](crate::Sequential). For other models, the error names the layer that is not supported.
//!
//! Loading never runs code, never opens another file, and never allocates more than twice the file's size plus 16 times
//! the size of its settings (the JSON in the file) plus 1 MiB. A file that would need more is refused, unless
//! [`Loader::memory_limit`] allows it.

#[cfg(any(feature = "npy", feature = "safetensors", feature = "keras"))]
mod assign;
pub(crate) mod atomic;
pub(crate) mod backup;
#[cfg(any(feature = "keras", feature = "safetensors"))]
mod build;
mod checkpoint;
mod for_prediction;
mod format;
#[cfg(feature = "json")]
mod json;
mod keras;
mod loader;
#[cfg(feature = "npy")]
mod npz;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(any(feature = "keras", feature = "safetensors"))]
mod preparation;
mod registries;
#[cfg(feature = "safetensors")]
mod safetensors;
mod weights;

pub(crate) use checkpoint::Content;
pub use format::Format;
pub use loader::Loader;
