//! Container formats for `data` and `save`: positions of arrays in files, with memory bounded by the size of the file.

#[cfg(feature = "files")]
pub(crate) mod array;
#[cfg(any(feature = "files", feature = "json"))]
pub(crate) mod budget;
pub(crate) mod checksum;
#[cfg(feature = "gzip")]
pub(crate) mod gzip;
#[cfg(feature = "keras")]
pub(crate) mod hdf5;
#[cfg(feature = "files")]
pub(crate) mod input;
#[cfg(feature = "npy")]
pub(crate) mod npy;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(any(feature = "npy", feature = "csv", feature = "mat", feature = "hdf5", feature = "parquet"))]
pub(crate) mod read_at;
#[cfg(any(feature = "npy", feature = "keras"))]
pub(crate) mod zip;
