//! Model files: those of earlier versions, those for other programs (Keras, PyTorch, NumPy, ONNX), and damaged or
//! malicious ones.

#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy", feature = "json"))]
mod deep;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy"))]
mod hostile;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy"))]
mod interop;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy"))]
mod interop_settings;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy", feature = "json"))]
mod keras_order;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy", feature = "json"))]
mod keras_settings;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy", feature = "json"))]
mod many_layers;
#[cfg(feature = "onnx")]
mod onnx;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy", feature = "json"))]
mod open_axes;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy"))]
mod optimizer_note;
#[cfg(all(feature = "keras", feature = "hdf5"))]
mod packed_weights;
#[cfg(any(feature = "onnx", all(feature = "keras", feature = "safetensors", feature = "npy")))]
#[path = "../support/roster.rs"]
mod roster;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy", feature = "json"))]
mod round_trip;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy"))]
mod versions;
#[cfg(all(feature = "keras", feature = "safetensors", feature = "npy"))]
#[path = "../support/zip.rs"]
mod zip;
