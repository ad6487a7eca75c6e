//! One-hot encoding of categorical columns, by the categories of the training data.

use ndarray::{Array2, ArrayBase, Data, Ix2};

use crate::error::{Error, ExpectedShape, Result};
use crate::scalar::Element;

/// One-hot encodes some columns, as scikit-learn's `OneHotEncoder`; the others stay unchanged and in order.
///
/// An encoded column becomes one column per category, 1 for its own category and 0 otherwise.
///
/// # Shapes
/// `(samples, columns)` → `(samples, columns − encoded + categories)`.
///
/// # Example
/// ```
/// use cornu::data::OneHotEncoder;
/// use cornu::ndarray::array;
/// let encoder = OneHotEncoder::fit(&array![[0.5, 2.0], [0.7, 0.0], [0.1, 2.0]], [1])?;
/// assert_eq!(encoder.transform(&array![[0.9, 2.0]])?, array![[0.9, 0.0, 1.0]]);
/// assert!(encoder.transform(&array![[0.9, 1.0]]).is_err());
/// assert_eq!(encoder.ignore_unknown(true).transform(&array![[0.9, 1.0]])?, array![[0.9, 0.0, 0.0]]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Index`] for a column that does not exist, [`Error::NonFinite`] for NaN and infinities. From `transform`:
/// [`Error::SampleShape`] for another number of columns, [`Error::UnseenLabel`] for an unknown category.
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.OneHotEncoder.html>
#[derive(Debug, Clone, PartialEq)]
pub struct OneHotEncoder {
    /// The sorted categories of each column; none for a column that stays unchanged.
    categories: Vec<Option<Vec<f64>>>,
    ignores: bool,
}

impl OneHotEncoder {
    /// Learns the categories of these columns.
    ///
    /// # Errors
    /// Those of [`OneHotEncoder`].
    pub fn fit<T, S>(x: &ArrayBase<S, Ix2>, columns: impl IntoIterator<Item = usize>) -> Result<Self>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
    {
        crate::samples::check_not_empty::<f64>("x", x)?;
        crate::samples::check_finite::<f64>("x", x)?;
        let mut categories = vec![None; x.ncols()];
        for (row, column) in columns.into_iter().enumerate() {
            let Some(place) = categories.get_mut(column) else {
                let (argument, found, count) = ("columns".into(), column as f64, x.ncols());
                return Err(Error::Index { argument, row, found, count });
            };
            let mut known: Vec<f64> = x.column(column).iter().map(|value| value.cast()).collect();
            known.sort_by(f64::total_cmp);
            known.dedup();
            *place = Some(known);
        }
        Ok(OneHotEncoder { categories, ignores: false })
    }

    /// Whether an unknown category is encoded as zeros instead of refused. Default: false.
    pub fn ignore_unknown(mut self, ignores: bool) -> Self {
        self.ignores = ignores;
        self
    }

    /// The sorted categories of a column; none for a column that stays unchanged.
    ///
    /// # Example
    /// ```
    /// let encoder = cornu::data::OneHotEncoder::fit(&cornu::ndarray::array![[3], [1]], [0])?;
    /// assert_eq!(encoder.categories(0), Some(&[1.0, 3.0][..]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn categories(&self, column: usize) -> Option<&[f64]> {
        self.categories.get(column)?.as_deref()
    }

    /// Encodes the columns by the learned categories.
    ///
    /// # Errors
    /// Those of [`OneHotEncoder`].
    pub fn transform<T, S>(&self, x: &ArrayBase<S, Ix2>) -> Result<Array2<f64>>
    where
        T: Element<f64>,
        S: Data<Elem = T>,
    {
        if x.ncols() != self.categories.len() {
            let expected = ExpectedShape::exactly(&[self.categories.len()]);
            let found = vec![x.ncols()];
            return Err(Error::SampleShape { argument: "x".into(), expected, found });
        }
        let width = self.categories.iter().map(|known| known.as_ref().map_or(1, Vec::len)).sum();
        let mut encoded = Array2::zeros((x.nrows(), width));
        for (row, (mut to, from)) in encoded.rows_mut().into_iter().zip(x.rows()).enumerate() {
            let mut start = 0;
            for (value, categories) in from.iter().zip(&self.categories) {
                let value: f64 = value.cast();
                let Some(known) = categories else {
                    to[start] = value;
                    start += 1;
                    continue;
                };
                match known.iter().position(|category| *category == value) {
                    Some(place) => to[start + place] = 1.0,
                    None if self.ignores => {}
                    None => return Err(Error::UnseenLabel { row, found: value.to_string() }),
                }
                start += known.len();
            }
        }
        Ok(encoded)
    }
}
