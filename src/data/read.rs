//! Reading a file of any known format in one call.

use std::path::Path;

use super::Dataset;
use crate::error::{FileError, Result};

const ENDS: &str = ".csv, .tsv (or these with .gz), .parquet, .npy, .npz, .mat, .h5 or .hdf5";

impl Dataset {
    /// Reads samples and the labels in this column or array; the file extension selects the format.
    ///
    /// Tables are read as by `Csv`, with a header, and `Parquet`, arrays as by `Arrays`. Use these types for any
    /// other settings.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "csv")] {
    /// use cornu::data::Dataset;
    /// let path = std::env::temp_dir().join("cornu-read.csv");
    /// std::fs::write(&path, "length,species\n5.1,setosa\n7.0,versicolor\n").unwrap();
    /// let iris = Dataset::read(&path, "species")?;
    /// assert_eq!(iris.classes()?, ["setosa", "versicolor"]);
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`FileError::Extension`] for an unknown extension, [`FileError::Feature`] for a format whose feature is
    /// disabled, and the errors of the reader.
    pub fn read(path: impl AsRef<Path>, label: &str) -> Result<Self> {
        let path = path.as_ref();
        let name = path.to_string_lossy().to_lowercase();
        let _ = label;
        match name.trim_end_matches(".gz").rsplit('.').next() {
            #[cfg(feature = "csv")]
            Some("csv" | "tsv" | "tab") => super::Csv::new(path).label(label).read(),
            #[cfg(not(feature = "csv"))]
            Some("csv" | "tsv" | "tab") => Err(feature(path, ".csv", "csv")),
            #[cfg(feature = "parquet")]
            Some("parquet" | "pq") => super::Parquet::new(path).label(label).read(),
            #[cfg(not(feature = "parquet"))]
            Some("parquet" | "pq") => Err(feature(path, ".parquet", "parquet")),
            #[cfg(any(feature = "npy", feature = "mat", feature = "hdf5"))]
            Some("npy" | "npz" | "mat" | "h5" | "hdf5") => super::Arrays::new(path).label(label).read(),
            #[cfg(not(any(feature = "npy", feature = "mat", feature = "hdf5")))]
            Some("npy" | "npz") => Err(feature(path, ".npz", "npy")),
            #[cfg(not(any(feature = "npy", feature = "mat", feature = "hdf5")))]
            Some("mat") => Err(feature(path, ".mat", "mat")),
            #[cfg(not(any(feature = "npy", feature = "mat", feature = "hdf5")))]
            Some("h5" | "hdf5") => Err(feature(path, "HDF5", "hdf5")),
            _ => Err(FileError::Extension { path: path.display().to_string(), expected: ENDS }.into()),
        }
    }
}

#[allow(dead_code, reason = "for a format whose feature is off")]
fn feature(path: &Path, format: &'static str, feature: &'static str) -> crate::Error {
    FileError::Feature { path: path.display().to_string(), format, feature }.into()
}
