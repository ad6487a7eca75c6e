//! Conversions between labels, class indices and one-hot rows.

use ndarray::{Array1, Array2, ArrayBase, Data, Ix1};

use crate::config::settings;
use crate::error::{Error, Result};
use crate::scalar::{Element, Scalar};

/// Converts class indices to one-hot rows: row `i` is 1 in column `labels[i]` and 0 elsewhere.
///
/// If `classes` is `None`, the number of columns is the largest label plus 1.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let rows = to_categorical::<f32, _, _>(&array![2, 0], None)?;
/// assert_eq!(rows, array![[0.0, 0.0, 1.0], [1.0, 0.0, 0.0]]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Label`] for a label that is negative, not an integer, or not below `classes`.
///
/// # References
/// <https://keras.io/api/utils/python_utils/#tocategorical-function>
pub fn to_categorical<F, T, S>(labels: &ArrayBase<S, Ix1>, classes: Option<usize>) -> Result<Array2<F>>
where
    F: Scalar,
    T: Element<f64>,
    S: Data<Elem = T>,
{
    let largest = labels.iter().map(|label| label.cast()).fold(-1.0f64, f64::max);
    let classes = classes.unwrap_or((largest + 1.0).min(u32::MAX.into()) as usize);
    crate::tensor::elements::<F>(&[labels.len(), classes])?;
    for (row, label) in labels.iter().enumerate() {
        let found: f64 = label.cast();
        if found < 0.0 || found.fract() != 0.0 || found >= classes as f64 || found.is_nan() {
            return Err(Error::Label { argument: "labels".into(), row, found, classes });
        }
    }
    let mut rows = Array2::zeros((labels.len(), classes));
    for (row, label) in labels.iter().enumerate() {
        rows[[row, label.cast() as usize]] = F::one();
    }
    Ok(rows)
}

/// Maps labels of any ordered type, such as strings, to class indices 0, 1 ... in sorted order.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let encoder = LabelEncoder::fit(["spike", "noise", "spike"]);
/// assert_eq!(encoder.classes(), ["noise", "spike"]);
/// assert_eq!(encoder.encode(["spike", "noise"])?, ndarray::array![1, 0]);
/// assert_eq!(encoder.decode([1])?, ["spike"]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.preprocessing.LabelEncoder.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LabelEncoder<T = String> {
    classes: Vec<T>,
}

impl<T: Ord + Clone + std::fmt::Display> LabelEncoder<T> {
    /// Learns the distinct labels.
    pub fn fit(labels: impl IntoIterator<Item = T>) -> Self {
        let mut classes: Vec<T> = labels.into_iter().collect();
        classes.sort();
        classes.dedup();
        LabelEncoder { classes }
    }

    /// The distinct labels, by class index.
    pub fn classes(&self) -> &[T] {
        &self.classes
    }

    /// Returns the class index of each label.
    ///
    /// # Errors
    /// [`Error::UnseenLabel`] for a label that was not among those of `fit`.
    pub fn encode(&self, labels: impl IntoIterator<Item = T>) -> Result<Array1<usize>> {
        let index = |(row, label): (usize, T)| {
            self.classes
                .binary_search(&label)
                .map_err(|_| Error::UnseenLabel { row, found: label.to_string() })
        };
        labels.into_iter().enumerate().map(index).collect()
    }

    /// Returns the label of each class index.
    ///
    /// # Errors
    /// [`Error::Label`] for an index that is not a class.
    pub fn decode(&self, indices: impl IntoIterator<Item = usize>) -> Result<Vec<T>> {
        let label = |(row, index): (usize, usize)| {
            let unknown = || Error::Label {
                argument: "indices".into(),
                row,
                found: index as f64,
                classes: self.classes.len(),
            };
            self.classes.get(index).cloned().ok_or_else(unknown)
        };
        indices.into_iter().enumerate().map(label).collect()
    }
}

settings!([] LabelEncoder { "classes" required: classes });

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn a_label_outside_the_classes_is_refused() {
        for (labels, row) in
            [(array![0.0, 1.5], 1), (array![-1.0, 0.0], 0), (array![0.0, 3.0], 1), (array![0.0, f64::NAN], 1)]
        {
            let found = to_categorical::<f32, _, _>(&labels, Some(3));
            assert!(matches!(found, Err(Error::Label { row: r, classes: 3, .. }) if r == row), "{found:?}");
        }
        assert_eq!(to_categorical::<f32, _, _>(&Array1::<usize>::zeros(0), None).unwrap().dim(), (0, 0));
    }

    #[test]
    fn an_unseen_label_is_refused() {
        let encoder = LabelEncoder::fit(["a".to_string(), "b".into()]);
        let found = encoder.encode(["b".to_string(), "c".into()]);
        assert!(matches!(found, Err(Error::UnseenLabel { row: 1, ref found }) if found == "c"));
        assert!(matches!(encoder.decode([2]), Err(Error::Label { row: 0, classes: 2, .. })));
    }
}
