//! The classification report: precision, recall and F1 of each class, and their averages.

use std::fmt;

use ndarray::Array2;

use super::share;

/// The scores of one class, or their average.
///
/// # Example
/// ```
/// use cornu::metric::ConfusionMatrix;
/// let scores = ConfusionMatrix::new([0, 0, 1], [0, 1, 1], 2)?.report().classes()[0];
/// assert_eq!((scores.precision, scores.recall, scores.support), (1.0, 0.5, 2.0));
///
/// let report = ConfusionMatrix::new([0, 0, 1], [0, 1, 1], 2)?.report();
/// assert_eq!((report.macro_average().recall, report.weighted_average().recall), (0.75, 2.0 / 3.0));
/// assert_eq!(report.accuracy(), 2.0 / 3.0);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct ClassScores {
    /// `TP / (TP + FP)`, or 0 if nothing was predicted as the class.
    pub precision: f64,
    /// `TP / (TP + FN)`, or 0 if the class does not occur.
    pub recall: f64,
    /// `2·TP / (2·TP + FP + FN)`, or 0 if the divisor is 0.
    pub f1: f64,
    /// `TP + FN`, the number of samples of the class, or of all classes.
    pub support: f64,
}

/// Precision, recall and F1 of each class and their averages, created by [`ConfusionMatrix::report`].
///
/// It prints in the layout of scikit-learn's `classification_report`.
///
/// [`ConfusionMatrix::report`]: super::ConfusionMatrix::report
///
/// # Example
/// ```
/// use cornu::metric::ConfusionMatrix;
/// let matrix = ConfusionMatrix::new([0, 1, 2, 2, 2], [0, 0, 2, 2, 1], 3)?;
/// let report = matrix.names(["class 0", "class 1", "class 2"])?.report();
/// assert_eq!(report.to_string(), "\x20             precision    recall  f1-score   support
///
///      class 0       0.50      1.00      0.67         1
///      class 1       0.00      0.00      0.00         1
///      class 2       1.00      0.67      0.80         3
///
///     accuracy                           0.60         5
///    macro avg       0.50      0.56      0.49         5
/// weighted avg       0.70      0.60      0.61         5
/// ");
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.classification_report.html>
#[derive(Debug, Clone, PartialEq)]
pub struct ClassificationReport {
    names: Vec<String>,
    classes: Vec<ClassScores>,
    accuracy: f64,
    weighted: bool,
}

impl ClassificationReport {
    pub(super) fn new(counts: &Array2<f64>, names: Vec<String>, weighted: bool) -> Self {
        let scores = |class: usize| {
            let hits = counts[[class, class]];
            let (support, called) = (counts.row(class).sum(), counts.column(class).sum());
            ClassScores {
                precision: share(hits, called),
                recall: share(hits, support),
                f1: share(2.0 * hits, support + called),
                support,
            }
        };
        let accuracy = share(counts.diag().sum(), counts.sum());
        ClassificationReport { names, classes: (0..counts.nrows()).map(scores).collect(), accuracy, weighted }
    }

    /// The scores of each class.
    pub fn classes(&self) -> &[ClassScores] {
        &self.classes
    }

    /// The share of correct predictions.
    pub fn accuracy(&self) -> f64 {
        self.accuracy
    }

    /// The unweighted mean over the classes.
    pub fn macro_average(&self) -> ClassScores {
        self.average(|_| 1.0)
    }

    /// The mean over the classes, weighted by their support.
    pub fn weighted_average(&self) -> ClassScores {
        self.average(|class| class.support)
    }

    fn average(&self, weight: impl Fn(&ClassScores) -> f64) -> ClassScores {
        let total: f64 = self.classes.iter().map(&weight).sum();
        let mean = |of: fn(&ClassScores) -> f64| {
            share(self.classes.iter().map(|class| of(class) * weight(class)).sum(), total)
        };
        ClassScores {
            precision: mean(|class| class.precision),
            recall: mean(|class| class.recall),
            f1: mean(|class| class.f1),
            support: self.classes.iter().map(|class| class.support).sum(),
        }
    }
}

impl fmt::Display for ClassificationReport {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let names = self.names.iter().map(|name| name.chars().count());
        let width = names.fold("weighted avg".len(), usize::max);
        let support = |x: f64| if self.weighted { format!("{x:?}") } else { x.to_string() };
        let row = |f: &mut fmt::Formatter, name: &str, scores: &ClassScores| {
            let ClassScores { precision, recall, f1, support: count } = *scores;
            writeln!(f, "{name:>width$}  {precision:>9.2} {recall:>9.2} {f1:>9.2} {:>9}", support(count))
        };
        writeln!(
            f,
            "{:>width$}  {:>9} {:>9} {:>9} {:>9}\n",
            "", "precision", "recall", "f1-score", "support"
        )?;
        for (name, scores) in self.names.iter().zip(&self.classes) {
            row(f, name, scores)?;
        }
        let all = self.macro_average();
        let (accuracy, count) = (self.accuracy, support(all.support));
        writeln!(f, "\n{:>width$}  {:>9} {:>9} {accuracy:>9.2} {count:>9}", "accuracy", "", "")?;
        row(f, "macro avg", &all)?;
        row(f, "weighted avg", &self.weighted_average())
    }
}

#[cfg(test)]
mod tests {
    use crate::metric::ConfusionMatrix;

    const TRUTH: [usize; 8] = [0, 1, 2, 2, 2, 1, 0, 0];
    const PREDICTED: [usize; 8] = [0, 0, 2, 2, 1, 1, 0, 2];

    /// Compares with the text that scikit-learn 1.9.1 prints.
    #[track_caller]
    fn check(matrix: ConfusionMatrix, expected: &str) {
        assert_eq!(matrix.report().to_string(), expected.trim_start_matches('\n'));
    }

    #[test]
    fn the_report_handles_long_names_and_missing_classes() {
        let names = ["rest", "spike", "a class of long name", "never"];
        check(
            ConfusionMatrix::new(TRUTH, PREDICTED, 4).unwrap().names(names).unwrap(),
            "
                      precision    recall  f1-score   support

                rest       0.67      0.67      0.67         3
               spike       0.50      0.50      0.50         2
a class of long name       0.67      0.67      0.67         3
               never       0.00      0.00      0.00         0

            accuracy                           0.62         8
           macro avg       0.46      0.46      0.46         8
        weighted avg       0.62      0.62      0.62         8
",
        );
    }

    #[test]
    fn the_report_uses_row_weights() {
        let weights = [0.5, 2.0, 1.0, 0.25, 4.0, 1.0, 1.0, 0.5];
        check(
            ConfusionMatrix::weighted(TRUTH, PREDICTED, weights, 3).unwrap(),
            "
              precision    recall  f1-score   support

           0       0.43      0.75      0.55       2.0
           1       0.20      0.33      0.25       3.0
           2       0.71      0.24      0.36      5.25

    accuracy                           0.37     10.25
   macro avg       0.45      0.44      0.38     10.25
weighted avg       0.51      0.37      0.36     10.25
",
        );
    }
}
