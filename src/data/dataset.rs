//! The result of the file readers: samples, targets, and the names of both.

use ndarray::{ArrayD, Axis};

use crate::error::{Error, Result};

/// Samples and targets read from a file, with the names of their columns and classes.
///
/// Numbers are `f64` whatever type the network computes in, so that standardizing large numbers loses no precision;
/// `fit` and `predict` convert them batch by batch. Class labels are class indices from 0;
/// [`classes`](Dataset::classes) has their names.
///
/// # Shapes
/// `x`: `(samples, columns)` from a table, `(samples, ..)` from arrays. `y`: `(samples)` for one label or target column,
/// `(samples, targets)` for several, `(samples, ..)` from arrays.
///
/// # Example
/// ```
/// use cornu::data::Dataset;
/// use cornu::ndarray::array;
/// let data = Dataset::new(array![[0.0, 1.0], [1.0, 0.0], [1.0, 1.0]]).with_y(array![0.0, 1.0, 1.0])?;
/// assert_eq!((data.count(), data.x().shape(), data.y()?.shape()), (3, &[3, 2][..], &[3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone, PartialEq)]
pub struct Dataset {
    pub(super) x: ArrayD<f64>,
    pub(super) y: Option<ArrayD<f64>>,
    pub(super) columns: Vec<String>,
    pub(super) targets: Vec<String>,
    /// `None` if `y` is not a label.
    pub(super) classes: Option<Vec<String>>,
    pub(super) learned: Vec<Learned>,
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(super) settings: super::table::ReadSettings,
}

/// What a reader learned about a column of `x`, to read further files in the same way.
#[derive(Debug, Clone, PartialEq, Default)]
pub(super) struct Learned {
    /// The categories of the column, by number.
    pub(super) categories: Option<Vec<String>>,
    /// The number that replaces missing values.
    pub(super) fill: Option<f64>,
}

impl Dataset {
    /// Creates a dataset without targets; the first axis counts the samples.
    ///
    /// An array without axes becomes one sample.
    ///
    /// # Example
    /// ```
    /// let data = cornu::data::Dataset::new(cornu::ndarray::array![[0.5, 1.0], [0.2, 2.0]]);
    /// assert!(data.y().is_err());
    /// ```
    pub fn new<D: ndarray::Dimension>(x: ndarray::Array<f64, D>) -> Self {
        let x = x.into_dyn();
        let x = if x.ndim() == 0 { x.insert_axis(Axis(0)) } else { x };
        let (y, columns, targets) = (None, Vec::new(), Vec::new());
        Dataset {
            x,
            y,
            columns,
            targets,
            classes: None,
            learned: Vec::new(),
            #[cfg(any(feature = "csv", feature = "parquet"))]
            settings: Default::default(),
        }
    }

    /// Adds targets to the samples.
    ///
    /// # Errors
    /// [`Error::Length`] if the number of targets differs from the number of samples.
    pub fn with_y<D: ndarray::Dimension>(self, y: ndarray::Array<f64, D>) -> Result<Self> {
        let y = y.into_dyn();
        let found = y.shape().first().copied().unwrap_or(0);
        if found != self.count() {
            return Err(Error::Length { x: self.count(), argument: "y".into(), found });
        }
        Ok(Dataset { y: Some(y), ..self })
    }

    /// The samples.
    pub fn x(&self) -> &ArrayD<f64> {
        &self.x
    }

    /// The targets.
    ///
    /// # Errors
    /// [`Error::Argument`] if the file was read without a label or target.
    pub fn y(&self) -> Result<&ArrayD<f64>> {
        let none = || Error::argument("label", "a label or target, named before the file is read", "none");
        self.y.as_ref().ok_or_else(none)
    }

    /// The number of samples.
    pub fn count(&self) -> usize {
        self.x.len_of(Axis(0))
    }

    /// The names of the columns of `x`; empty if the file has none.
    ///
    /// # Example
    /// ```
    /// assert!(cornu::data::Dataset::new(cornu::ndarray::array![[1.0]]).columns().is_empty());
    /// ```
    pub fn columns(&self) -> &[String] {
        &self.columns
    }

    /// The names of the columns, or of the array, from which `y` was read.
    ///
    /// # Example
    /// ```
    /// assert!(cornu::data::Dataset::new(cornu::ndarray::array![[1.0]]).targets().is_empty());
    /// ```
    pub fn targets(&self) -> &[String] {
        &self.targets
    }

    /// The name of each class, by class index.
    ///
    /// # Errors
    /// [`Error::Argument`] if `y` is not a label.
    ///
    /// # Example
    /// ```
    /// assert!(cornu::data::Dataset::new(cornu::ndarray::array![[1.0]]).classes().is_err());
    /// ```
    pub fn classes(&self) -> Result<&[String]> {
        known_classes(&self.classes)
    }

    /// The categories of a column, by their number in `x`; `None` if the column is not categorical.
    ///
    /// # Example
    /// ```
    /// assert_eq!(cornu::data::Dataset::new(cornu::ndarray::array![[1.0]]).categories("sex"), None);
    /// ```
    pub fn categories(&self, column: &str) -> Option<&[String]> {
        let place = self.columns.iter().position(|name| name == column)?;
        self.learned.get(place)?.categories.as_deref()
    }

    /// Selects these samples, in this order.
    ///
    /// # Example
    /// ```
    /// use cornu::data::Dataset;
    /// use cornu::ndarray::array;
    /// let data = Dataset::new(array![[0.0], [1.0], [2.0]]).with_y(array![0.0, 1.0, 0.0])?;
    /// assert_eq!(data.select(&[2, 0])?.x(), &array![[2.0], [0.0]].into_dyn());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    ///
    /// # Errors
    /// [`Error::Index`] for a sample that does not exist.
    pub fn select(&self, rows: &[usize]) -> Result<Dataset> {
        let count = self.count();
        if let Some((row, &found)) = rows.iter().enumerate().find(|(_, found)| **found >= count) {
            return Err(Error::Index { argument: "rows".into(), row, found: found as f64, count });
        }
        Ok(Dataset {
            x: self.x.select(Axis(0), rows),
            y: self.y.as_ref().map(|y| y.select(Axis(0), rows)),
            columns: self.columns.clone(),
            targets: self.targets.clone(),
            classes: self.classes.clone(),
            learned: self.learned.clone(),
            #[cfg(any(feature = "csv", feature = "parquet"))]
            settings: self.settings.clone(),
        })
    }

    /// The names of columns and classes, without samples.
    #[cfg(any(feature = "csv", feature = "parquet"))]
    pub(super) fn head(&self) -> Dataset {
        let x = ArrayD::zeros(ndarray::IxDyn(&[0, self.learned.len()]));
        Dataset {
            x,
            y: None,
            columns: self.columns.clone(),
            targets: self.targets.clone(),
            classes: self.classes.clone(),
            learned: self.learned.clone(),
            settings: self.settings.clone(),
        }
    }

    /// Splits the dataset into samples and targets.
    ///
    /// # Example
    /// ```
    /// let (x, y) = cornu::data::Dataset::new(cornu::ndarray::array![[1.0]]).into_parts();
    /// assert!(x.len() == 1 && y.is_none());
    /// ```
    pub fn into_parts(self) -> (ArrayD<f64>, Option<ArrayD<f64>>) {
        (self.x, self.y)
    }
}

/// Returns the classes, or the error that there is no label.
pub(super) fn known_classes(classes: &Option<Vec<String>>) -> Result<&[String]> {
    let none = || Error::argument("label", "a label, named before the file is read", "none");
    classes.as_deref().ok_or_else(none)
}

impl std::fmt::Debug for Dataset {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "Dataset(x {:?}", self.x.shape())?;
        if let Some(y) = &self.y {
            write!(f, ", y {:?}", y.shape())?;
        }
        if let Some(classes) = &self.classes {
            write!(f, ", {} classes", classes.len())?;
        }
        f.write_str(")")
    }
}
