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
#[cfg(feature = "hdf5")]
pub(crate) mod hdf5_library;
#[cfg(feature = "files")]
pub(crate) mod input;
#[cfg(feature = "npy")]
pub(crate) mod npy;
#[cfg(feature = "parquet")]
pub(crate) mod parquet;
#[cfg(feature = "files")]
pub(crate) mod read_at;
#[cfg(any(feature = "npy", feature = "keras"))]
pub(crate) mod zip;

/// A parsed value, or the fault; the caller knows its position.
#[cfg(feature = "files")]
pub(crate) type Parsed<T> = std::result::Result<T, String>;
