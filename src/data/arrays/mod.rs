//! Files of named arrays: NumPy, MATLAB and HDF5.

mod find;
#[cfg(feature = "hdf5")]
mod hdf5;
#[cfg(feature = "mat")]
mod mat;
#[cfg(feature = "npy")]
mod numpy;
mod open;
mod plain;
mod source;
mod targets;
mod value;

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Axis};

use super::Dataset;
use crate::error::Result;
use open::Opened;
pub use source::ArraySource;
use value::in_order;

/// Reads samples and targets from a file of arrays: NumPy `.npy` and `.npz`, MATLAB `.mat`, and HDF5.
///
/// The first bytes of the file determine its format.
///
/// | file | feature | names |
/// |---|---|---|
/// | `.npy` | `npy` | `x` is the array of the file; `label` and `target` take the path of another `.npy` file |
/// | `.npz` | `npy` | the members, without `.npy` |
/// | `.mat`, versions 4 to 7 | `mat` | the variables; `s.data` for a field of a structure |
/// | `.mat`, version 7.3 | `hdf5` | the same |
/// | `.h5`, `.hdf5` | `hdf5` | paths, such as `train/x` |
///
/// Integers, floats of 16, 32 and 64 bits and booleans are numbers. The first axis counts the samples. If the samples are columns, as often in MATLAB,
/// [`sample_axis(1)`](Arrays::sample_axis) moves them to the first axis.
///
/// # Example
/// ```
/// # #[cfg(feature = "npy")] {
/// use cornu::data::Arrays;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/stored.npz");
/// // numpy.savez("signals.npz", x=signals, y=labels)
/// let data = Arrays::new(path).x("x").label("y").read()?;
/// assert_eq!(data.x().shape(), [6, 4, 2]);
/// assert_eq!(data.classes()?, ["1", "2", "3"]);
/// assert_eq!(data.y()?.as_slice(), Some(&[2.0, 0.0, 0.0, 1.0, 2.0, 2.0][..]));
/// # }
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`FileError::Column`](crate::error::FileError::Column) for an array that does not exist;
/// [`Array`](crate::error::FileError::Array) for one whose shape or type cannot be used, such as complex numbers;
/// [`Damaged`](crate::error::FileError::Damaged) for a file that is truncated or corrupt, with the position;
/// [`Feature`](crate::error::FileError::Feature) for a format whose feature is disabled. A sparse MATLAB array is
/// read as a dense one.
///
/// # Memory
/// `read` holds the numbers, 8 bytes each, once for `.npy`, stored `.npz` and HDF5, twice for deflated `.npz` and for MATLAB's
/// 7.3, three times for its older files while the array is assembled; [`source`](Arrays::source) takes a few MB. For
/// 16.4 MB of numbers that is 1.0 to 1.2, 2.0 to 2.1 and 3.0 times their size, and at most 5.4 MB streamed, whatever
/// the files' size (4 to 16 MB): `cargo test --features full --test memory -- --nocapture`. The unpacked size is
/// limited to 1040 times the file's size plus 64 MiB.
#[doc(alias("mat", "matlab", "npz", "hdf5", "h5"))]
#[derive(Debug, Clone)]
pub struct Arrays {
    path: PathBuf,
    x: Option<String>,
    label: Option<String>,
    target: Option<String>,
    axis: usize,
    scratch: Option<PathBuf>,
}

impl Arrays {
    /// Creates a reader for the file at this path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Arrays { path: path.as_ref().into(), x: None, label: None, target: None, axis: 0, scratch: None }
    }

    /// The array of samples. Default: the only array that is not a label or target, or one named `x`, `X` or `data`.
    pub fn x(mut self, name: impl Into<String>) -> Self {
        self.x = Some(name.into());
        self
    }

    /// The array of class labels: one per sample, or one-hot rows.
    ///
    /// The distinct labels, sorted, become the classes 0, 1 ... Default: none.
    pub fn label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// The array of numbers to predict, one or more per sample. Default: none.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "mat")] {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/cube.mat");
    /// let data = cornu::data::Arrays::new(path).x("data").target("labels").read()?;
    /// assert_eq!(data.y()?.shape(), [6, 3]);
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn target(mut self, name: impl Into<String>) -> Self {
        self.target = Some(name.into());
        self
    }

    /// The axis that counts the samples. Default: 0, the first.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "mat")] {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/columns.mat");
    /// let data = cornu::data::Arrays::new(path).x("data").label("labels").sample_axis(1).read()?;
    /// assert_eq!(data.x().shape(), [6, 5]); // 5 × 6 in the file
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn sample_axis(mut self, axis: usize) -> Self {
        self.axis = axis;
        self
    }

    /// The folder to which [`source`](Arrays::source) decompresses, if needed. Default: [`std::env::temp_dir`].
    pub fn scratch(mut self, folder: impl AsRef<Path>) -> Self {
        self.scratch = Some(folder.as_ref().into());
        self
    }

    /// Returns the names of all arrays in the file.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "npy")] {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/stored.npz");
    /// assert_eq!(cornu::data::Arrays::new(path).names()?, ["x", "y"]);
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Arrays`].
    pub fn names(&self) -> Result<Vec<String>> {
        Opened::new(&self.path)?.names()
    }

    /// Reads one array by name, as the file holds it.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "npy")] {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/stored.npz");
    /// assert_eq!(cornu::data::Arrays::new(path).array("y")?.shape(), [6]);
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Arrays`].
    pub fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        self.numbers(&Opened::new(&self.path)?, name)
    }

    /// Reads the file.
    ///
    /// # Errors
    /// Those of [`Arrays`].
    pub fn read(&self) -> Result<Dataset> {
        let file = Opened::new(&self.path)?;
        let name = self.x_name(&file)?;
        let x = self.numbers(&file, &name)?;
        self.check_axis(&name, x.shape())?;
        let mut order: Vec<usize> = (0..x.ndim()).collect();
        order.remove(self.axis);
        order.insert(0, self.axis);
        let x = in_order(x.permuted_axes(order));
        let count = x.len_of(Axis(0));
        let mut data = Dataset::new(x);
        if let Some(name) = &self.label {
            let (y, classes) = self.classes(&file, name, count)?;
            (data.y, data.classes, data.targets) = (Some(y), Some(classes), vec![name.clone()]);
        } else if let Some(name) = &self.target {
            let y = targets::aligned(self.numbers(&file, name)?, count);
            let y = y.map_err(|found| self.fault(name, targets::expected(count), found))?;
            (data.y, data.targets) = (Some(y), vec![name.clone()]);
        }
        Ok(data)
    }

    /// Opens the file as a source that reads samples on demand, for files larger than memory.
    ///
    /// Labels are held in memory as numbers; samples and targets are not.
    ///
    /// Arrays that are stored sample by sample are read in place: `.npy` files, uncompressed members of `.npz`
    /// archives as written by `numpy.savez`, HDF5 arrays without chunks, and uncompressed MATLAB arrays with
    /// [`sample_axis(1)`](Arrays::sample_axis). All others are decompressed or reordered once, piece by piece, into
    /// an unnamed temporary file that disappears with the source: compressed members (`numpy.savez_compressed`),
    /// chunked arrays, and arrays whose samples are not contiguous, such as the rows of MATLAB arrays. The file lies
    /// in the folder of [`scratch`](Arrays::scratch) and takes up to 8 bytes per number, and twice as much during
    /// reordering.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "npy")] {
    /// use cornu::data::Arrays;
    /// use cornu::prelude::*;
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/stored.npz");
    /// let source = Arrays::new(path).x("x").label("y").source()?;
    /// let mut model = Sequential::new().add(Flatten::new()).add(Dense::new(3));
    /// model.compile(Adam::new(0.1), SparseCategoricalCrossentropy::new().from_logits(true), ())?;
    /// model.fit_source(&source, &Fit::new().epochs(2).verbose(Verbose::Silent))?;
    /// assert_eq!(source.classes()?, ["1", "2", "3"]);
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Arrays`]; sparse arrays are refused.
    pub fn source(&self) -> Result<ArraySource> {
        ArraySource::open(self)
    }
}
