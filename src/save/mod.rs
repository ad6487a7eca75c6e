//! Models, weights and settings to and from files.

#[cfg(feature = "npy")]
mod atomic;
mod loader;
#[cfg(feature = "npy")]
mod npz;

pub use loader::Loader;
