//! The confusion matrix: how often each class was predicted as each class.

use std::borrow::Borrow;
use std::fmt;

use ndarray::Array2;

use super::ClassificationReport;
use crate::error::{Error, Result};

/// A confusion matrix: the entry at row `i`, column `j` counts samples of class `i` predicted as class `j`.
///
/// # Example
/// ```
/// use cornu::metric::ConfusionMatrix;
/// let matrix = ConfusionMatrix::new([0, 1, 2, 2, 2], [0, 0, 2, 2, 1], 3)?.names(["rest", "spike", "wave"])?;
/// assert_eq!(matrix.counts(), ndarray::array![[1.0, 0.0, 0.0], [1.0, 0.0, 0.0], [0.0, 1.0, 2.0]]);
/// assert_eq!(matrix.accuracy(), 0.6);
/// assert_eq!(matrix.to_string(), "\
/// true \\ predicted  rest  spike  wave
///             rest     1      0     0
///            spike     1      0     0
///             wave     0      1     2
/// ");
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.confusion_matrix.html>
#[derive(Debug, Clone, PartialEq)]
pub struct ConfusionMatrix {
    counts: Array2<f64>,
    names: Vec<String>,
    /// Whether samples were weighted, so that counts need not be integers.
    weighted: bool,
}

impl ConfusionMatrix {
    /// Counts pairs of true and predicted class indices below `classes`.
    ///
    /// The indices may be slices, vectors, arrays or iterators.
    ///
    /// # Errors
    /// [`Error::Label`] for a class that is not below `classes`; [`Error::Argument`] if the lengths differ or
    /// `classes` is 0.
    pub fn new(
        true_classes: impl IntoIterator<Item = impl Borrow<usize>>,
        predicted_classes: impl IntoIterator<Item = impl Borrow<usize>>,
        classes: usize,
    ) -> Result<Self> {
        ConfusionMatrix::count(owned(true_classes), owned(predicted_classes), None, classes)
    }

    /// Like [`ConfusionMatrix::new`], but adds the weight of each pair.
    ///
    /// # Errors
    /// As [`ConfusionMatrix::new`]; also [`Error::Weight`] for a weight that is negative or not finite, and
    /// [`Error::Argument`] if the number of weights differs from the number of pairs.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::ConfusionMatrix;
    /// let matrix = ConfusionMatrix::weighted([0, 1], [0, 0], [0.5, 2.0], 2)?;
    /// assert_eq!(matrix.counts(), ndarray::array![[0.5, 0.0], [2.0, 0.0]]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn weighted(
        true_classes: impl IntoIterator<Item = impl Borrow<usize>>,
        predicted_classes: impl IntoIterator<Item = impl Borrow<usize>>,
        weights: impl IntoIterator<Item = impl Borrow<f64>>,
        classes: usize,
    ) -> Result<Self> {
        ConfusionMatrix::count(owned(true_classes), owned(predicted_classes), Some(owned(weights)), classes)
    }

    fn count(
        truth: Vec<usize>,
        predicted: Vec<usize>,
        weights: Option<Vec<f64>>,
        classes: usize,
    ) -> Result<Self> {
        if classes == 0 {
            return Err(Error::argument("classes", "at least 1", classes));
        }
        let lengths = [
            ("predicted_classes", predicted.len()),
            ("weights", weights.as_ref().map_or(truth.len(), Vec::len)),
        ];
        if let Some(&(argument, found)) = lengths.iter().find(|(_, length)| *length != truth.len()) {
            return Err(Error::argument(
                argument,
                format!("{}, one for each true class", truth.len()),
                found,
            ));
        }
        for (argument, all) in [("true_classes", &truth), ("predicted_classes", &predicted)] {
            if let Some((row, &found)) = all.iter().enumerate().find(|&(_, &class)| class >= classes) {
                return Err(Error::Label { argument: argument.into(), row, found: found as f64, classes });
            }
        }
        let wrong = |(_, weight): &(usize, f64)| !weight.is_finite() || *weight < 0.0;
        if let Some((index, found)) = weights.iter().flatten().copied().enumerate().find(wrong) {
            return Err(Error::Weight { argument: "sample", index, found });
        }
        crate::tensor::elements::<f64>(&[classes, classes])?;
        let mut counts = Array2::zeros((classes, classes));
        for (row, (truth, predicted)) in truth.into_iter().zip(predicted).enumerate() {
            counts[[truth, predicted]] += weights.as_ref().map_or(1.0, |weights| weights[row]);
        }
        let names = (0..classes).map(|class| class.to_string()).collect();
        Ok(ConfusionMatrix { counts, names, weighted: weights.is_some() })
    }

    /// The class names that tables show. Default: the indices.
    ///
    /// # Errors
    /// [`Error::Argument`] if the number of names differs from the number of classes.
    pub fn names(mut self, names: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let names: Vec<String> = names.into_iter().map(Into::into).collect();
        if names.len() != self.names.len() {
            let expected = format!("{}, one for each class", self.names.len());
            return Err(Error::argument("names", expected, names.len()));
        }
        self.names = names;
        Ok(self)
    }

    /// The counts: row `i` holds the samples of class `i`, column `j` those predicted as `j`.
    pub fn counts(&self) -> &Array2<f64> {
        &self.counts
    }

    /// The class names.
    pub fn class_names(&self) -> &[String] {
        &self.names
    }

    /// The share of correct predictions, the sum of the diagonal over the sum of all entries; 0 if there are none.
    pub fn accuracy(&self) -> f64 {
        super::share(self.counts.diag().sum(), self.counts.sum())
    }

    /// Computes precision, recall and F1 of each class, and their averages.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::ConfusionMatrix;
    /// let report = ConfusionMatrix::new([0, 0, 1], [0, 1, 1], 2)?.report();
    /// assert_eq!((report.classes()[0].precision, report.classes()[0].recall), (1.0, 0.5));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn report(&self) -> ClassificationReport {
        ClassificationReport::new(&self.counts, self.names.clone(), self.weighted)
    }
}

fn owned<T: Copy>(items: impl IntoIterator<Item = impl Borrow<T>>) -> Vec<T> {
    items.into_iter().map(|item| *item.borrow()).collect()
}

/// Formats a table with a row per true class and a column per predicted class.
impl fmt::Display for ConfusionMatrix {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        const CORNER: &str = "true \\ predicted";
        let length = |text: &String| text.chars().count();
        let number = |count: &f64| if self.weighted { format!("{count:.2}") } else { count.to_string() };
        let first = self.names.iter().map(length).fold(CORNER.len(), usize::max);
        let widths: Vec<usize> = (self.names.iter().zip(self.counts.columns()))
            .map(|(name, column)| {
                column.iter().map(|count| length(&number(count))).fold(length(name), usize::max)
            })
            .collect();
        write!(f, "{CORNER:>first$}")?;
        for (name, width) in self.names.iter().zip(&widths) {
            write!(f, "  {name:>width$}")?;
        }
        writeln!(f)?;
        for (name, row) in self.names.iter().zip(self.counts.rows()) {
            write!(f, "{name:>first$}")?;
            for (count, width) in row.iter().zip(&widths) {
                write!(f, "  {:>width$}", number(count))?;
            }
            writeln!(f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_arguments_are_refused() {
        let argument = |result: Result<ConfusionMatrix>| match result {
            Err(Error::Argument { argument, .. }) => argument,
            found => panic!("{found:?}"),
        };
        assert_eq!(argument(ConfusionMatrix::new([0, 1], [0], 2)), "predicted_classes");
        assert_eq!(argument(ConfusionMatrix::weighted([0, 1], [0, 1], [1.0], 2)), "weights");
        assert_eq!(argument(ConfusionMatrix::new([0; 0], [0; 0], 0)), "classes");
        assert_eq!(argument(ConfusionMatrix::new([0], [0], 2).unwrap().names(["one"])), "names");
        let found = ConfusionMatrix::new(vec![0, 1], [0, 2].iter(), 2);
        assert!(matches!(found, Err(Error::Label { row: 1, classes: 2, .. })), "{found:?}");
        for wrong in [-1.0, f64::NAN, f64::INFINITY] {
            let found = ConfusionMatrix::weighted([0, 1], [0, 1], [1.0, wrong], 2);
            assert!(matches!(found, Err(Error::Weight { index: 1, .. })), "{found:?}");
        }
    }

    #[test]
    fn an_empty_matrix_has_scores_of_0() {
        let matrix = ConfusionMatrix::new([0; 0], [0; 0], 2).unwrap();
        assert_eq!((matrix.accuracy(), matrix.report().macro_average().f1), (0.0, 0.0));
    }
}
