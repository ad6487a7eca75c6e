//! Files of arrays by name: NumPy's, MATLAB's and HDF5.

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

/// Reads samples and targets from a file of arrays: `.npy` and `.npz`, MATLAB's `.mat`, HDF5; what it is, the file's
/// first bytes tell.
///
/// | file | feature | names |
/// |---|---|---|
/// | `.npy` | `npy` | `x` is the file's own array; `label` and `target` take the path of another `.npy` file |
/// | `.npz` | `npy` | those of its members, without `.npy` |
/// | `.mat`, versions 4 to 7 | `mat` | those of its variables; `s.data` for a field of a structure |
/// | `.mat`, version 7.3 | `hdf5` | likewise |
/// | `.h5`, `.hdf5` | `hdf5` | paths, such as `train/x` |
///
/// The first axis counts the samples. Recordings often stand in columns, as MATLAB's arrays do: then
/// [`sample_axis(1)`](Arrays::sample_axis) brings them to the front.
///
/// # Example
/// ```
/// # #[cfg(feature = "npy")] {
/// use cornu::data::Arrays;
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/readers/stored.npz");
/// // numpy.savez("signals.npz", x=signals, y=labels)
/// let data = Arrays::new(path).x("x").label("y").read()?;
/// assert_eq!(data.x().shape(), [6, 4, 2]);
/// assert_eq!(data.classes(), ["1", "2", "3"]);
/// assert_eq!(data.y()?.as_slice(), Some(&[2.0, 0.0, 0.0, 1.0, 2.0, 2.0][..]));
/// # }
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`FileError::Column`](crate::error::FileError::Column) names an array that is not there, and those that are;
/// [`Array`](crate::error::FileError::Array) one whose shape or kind does not do, such as complex numbers;
/// [`Damaged`](crate::error::FileError::Damaged) tells where a file is cut or broken;
/// [`Feature`](crate::error::FileError::Feature) the feature that a format needs. A MATLAB sparse array is read as a plain one.
///
/// # Memory
/// `read` holds the numbers, 8 bytes each, once for `.npy`, stored `.npz` and HDF5, twice for deflated `.npz` and for MATLAB's
/// 7.3, three times for its older files while the array is put together; [`source`](Arrays::source) takes some megabytes. For
/// 16.4 MB of numbers these are 1.0 to 1.2, 2.0 to 2.1 and 3.0 times their size, and at the most 5.4 MB streamed, whatever
/// the files' size (4 to 16 MB): `cargo test --features full --test memory -- --nocapture`. What a file may unpack to is
/// bound by 1040 times its size and 64 MiB.
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
    /// For the file at this path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Arrays { path: path.as_ref().into(), x: None, label: None, target: None, axis: 0, scratch: None }
    }

    /// The array of samples. Default: the only one that is no label or target, or one called `x`, `X` or `data`.
    ///
    /// # Example
    /// See [`Arrays`].
    pub fn x(mut self, name: impl Into<String>) -> Self {
        self.x = Some(name.into());
        self
    }

    /// The array of class labels: one for each sample, or one-hot rows. The distinct labels, in order, are the classes
    /// 0, 1 ...
    ///
    /// # Example
    /// See [`Arrays`].
    pub fn label(mut self, name: impl Into<String>) -> Self {
        self.label = Some(name.into());
        self
    }

    /// The array of numbers to be predicted, one or more for each sample.
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

    /// Which axis of the samples counts them. Default: the first, 0.
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

    /// The folder of the file that [`source`](Arrays::source) unpacks to, where it has to. Default:
    /// [`std::env::temp_dir`].
    ///
    /// # Example
    /// ```
    /// let arrays = cornu::data::Arrays::new("signals.npz").scratch("/var/tmp");
    /// ```
    pub fn scratch(mut self, folder: impl AsRef<Path>) -> Self {
        self.scratch = Some(folder.as_ref().into());
        self
    }

    /// The names of all arrays in the file.
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
    /// See [`Arrays`].
    pub fn names(&self) -> Result<Vec<String>> {
        Opened::new(&self.path)?.names()
    }

    /// One array by its name, as the file holds it.
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
    /// See [`Arrays`].
    pub fn array(&self, name: &str) -> Result<ArrayD<f64>> {
        self.numbers(&Opened::new(&self.path)?, name)
    }

    /// Reads the file.
    ///
    /// # Example
    /// See [`Arrays`].
    ///
    /// # Errors
    /// See [`Arrays`].
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
            (data.y, data.classes, data.targets) = (Some(y), classes, vec![name.clone()]);
        } else if let Some(name) = &self.target {
            let y = targets::aligned(self.numbers(&file, name)?, count);
            let y = y.map_err(|found| self.fault(name, targets::expected(count), found))?;
            (data.y, data.targets) = (Some(y), vec![name.clone()]);
        }
        Ok(data)
    }

    /// Opens the file and gives a source that reads each sample when a batch needs it: for files that do not fit memory.
    /// Labels are held, as numbers; samples and targets are not.
    ///
    /// What lies one sample after another is read where it lies: `.npy` files, members of `.npz` archives that are stored, as
    /// `numpy.savez` does, HDF5 arrays without chunks, and MATLAB's that are not packed with [`sample_axis(1)`](Arrays::sample_axis).
    /// All else is unpacked, or brought in order, once, piece by piece, to a file without a name that is gone with the source:
    /// deflated members (`numpy.savez_compressed`), chunked arrays, and those whose samples are no axis of their own in the
    /// file, as MATLAB's rows. [`scratch`](Arrays::scratch) puts it elsewhere than where temporary files are kept; it takes up
    /// to 8 bytes for each number, and while it is brought in order twice that.
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
    /// assert_eq!(source.classes(), ["1", "2", "3"]);
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`Arrays`]; sparse arrays are read whole, and refused here.
    pub fn source(&self) -> Result<ArraySource> {
        ArraySource::open(self)
    }
}
