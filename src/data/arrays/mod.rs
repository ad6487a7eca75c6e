//! Files of arrays by name: NumPy's, MATLAB's and HDF5.

#[cfg(feature = "hdf5")]
mod hdf5;
#[cfg(feature = "mat")]
mod mat;
#[cfg(feature = "npy")]
mod numpy;
mod open;
mod targets;

use std::path::{Path, PathBuf};

use ndarray::{ArrayD, Axis};

use super::Dataset;
use crate::error::{FileError, Result};
use open::Opened;

/// What stands under a name in a file.
#[derive(Debug)]
#[allow(dead_code, reason = "each format makes some of them")]
enum Value {
    Numbers(ArrayD<f64>),
    /// Texts, such as class names.
    Words(Vec<String>),
    /// What it is, and what would do.
    Other(&'static str),
}

/// Reads samples and targets from a file of arrays: `.npy` and `.npz`, MATLAB's `.mat`, HDF5; what it is, the file's
/// first bytes tell.
///
/// | file | feature | names |
/// |---|---|---|
/// | `.npy` | `npy` | `x` is the file's own array; `label` and `target` take the path of another `.npy` file |
/// | `.npz` | `npy` | those of its members, without `.npy` |
/// | `.mat`, versions 5 to 7 | `mat` | those of its variables; `s.data` for a field of a structure |
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
/// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/readers/stored.npz");
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
/// [`FileError::Column`] names an array that is not there, and those that are;
/// [`Array`](FileError::Array) one whose shape or kind does not do; [`Damaged`](FileError::Damaged) tells where a file is
/// cut or broken; [`Feature`](FileError::Feature) the feature that a format needs.
#[doc(alias("mat", "matlab", "npz", "hdf5", "h5"))]
#[derive(Debug, Clone)]
pub struct Arrays {
    path: PathBuf,
    x: Option<String>,
    label: Option<String>,
    target: Option<String>,
    axis: usize,
}

impl Arrays {
    /// For the file at this path.
    pub fn new(path: impl AsRef<Path>) -> Self {
        Arrays { path: path.as_ref().into(), x: None, label: None, target: None, axis: 0 }
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
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/readers/cube.mat");
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
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/readers/columns.mat");
    /// let data = cornu::data::Arrays::new(path).x("data").label("labels").sample_axis(1).read()?;
    /// assert_eq!(data.x().shape(), [6, 5]); // 5 × 6 in the file
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn sample_axis(mut self, axis: usize) -> Self {
        self.axis = axis;
        self
    }

    /// The names of all arrays in the file.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "npy")] {
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/readers/stored.npz");
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
    /// # let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/files/readers/stored.npz");
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
        if self.axis >= x.ndim() {
            let expected = format!("an axis {}, which counts the samples", self.axis);
            return Err(self.fault(&name, expected, format!("shape {:?}", x.shape())));
        }
        let mut order: Vec<usize> = (0..x.ndim()).collect();
        order.remove(self.axis);
        order.insert(0, self.axis);
        let x = x.permuted_axes(order).as_standard_layout().into_owned();
        let count = x.len_of(Axis(0));
        let mut data = Dataset::new(x);
        if let Some(name) = &self.label {
            let labels = match file.value(name)? {
                Value::Numbers(labels) => targets::classes(labels, count),
                Value::Words(words) => targets::words(&words, count),
                Value::Other(kind) => Err(kind.into()),
            };
            let (y, classes) = labels.map_err(|found| self.fault(name, targets::expected(count), found))?;
            (data.y, data.classes, data.targets) = (Some(y), classes, vec![name.clone()]);
        } else if let Some(name) = &self.target {
            let y = targets::aligned(self.numbers(&file, name)?, count);
            let y = y.map_err(|found| self.fault(name, targets::expected(count), found))?;
            (data.y, data.targets) = (Some(y), vec![name.clone()]);
        }
        Ok(data)
    }

    fn numbers(&self, file: &Opened, name: &str) -> Result<ArrayD<f64>> {
        match file.value(name)? {
            Value::Numbers(array) => Ok(array),
            Value::Words(_) => Err(self.fault(name, "real numbers".into(), "texts".into())),
            Value::Other(kind) => Err(self.fault(name, "real numbers".into(), kind.into())),
        }
    }

    fn x_name(&self, file: &Opened) -> Result<String> {
        if let Some(name) = &self.x {
            return Ok(name.clone());
        }
        let known = file.names()?;
        let taken =
            |name: &&String| [&self.label, &self.target].iter().any(|used| used.as_ref() == Some(*name));
        let free: Vec<&String> = known.iter().filter(|name| !taken(name)).collect();
        match free[..] {
            [one] => Ok(one.clone()),
            _ => {
                let usual = ["x", "X", "data"].iter().find(|usual| free.iter().any(|name| name == *usual));
                let path = self.path.display().to_string();
                let (what, name) = ("array, named by `Arrays::x`,", "x".into());
                let none = FileError::Column { path, what, name, known: open::some(known.clone()) };
                usual.map(|usual| usual.to_string()).ok_or(none.into())
            }
        }
    }

    fn fault(&self, name: &str, expected: String, found: String) -> crate::Error {
        FileError::Array { path: self.path.display().to_string(), name: name.into(), expected, found }.into()
    }
}
