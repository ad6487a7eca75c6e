//! Data preparation: splits, scalers, windows, augmentation, batch sources, and the readers of data files.

#[cfg(feature = "npy")]
#[path = "../support/npy.rs"]
mod npy;
mod preparing;
#[cfg(all(feature = "csv", feature = "npy", feature = "mat", feature = "hdf5", feature = "parquet"))]
mod readers;
mod sources;
#[cfg(feature = "serde")] // reads the values of Keras by type
mod text;
