//! ROC and precision-recall curves over all thresholds.

mod calibration;
mod pairs;

pub use calibration::{CalibrationBin, CalibrationCurve};

use super::share;
use crate::error::{Error, Result};
use crate::samples::Samples;
use pairs::{Pairs, by_class};

/// The ROC curve: true positive rate `TP/(TP + FN)` over false positive rate `FP/(FP + TN)`.
///
/// Each score that occurs is a threshold, from the highest down; a score of at least the threshold is predicted
/// positive. Points on a straight segment are omitted, as in scikit-learn. The first threshold is infinite: nothing
/// is predicted positive.
///
/// # Example
/// ```
/// use cornu::metric::RocCurve;
/// use ndarray::array;
/// let curve = RocCurve::new(&array![0, 0, 1, 1], &array![0.1, 0.4, 0.35, 0.8])?;
/// assert_eq!(curve.false_positive_rate, [0.0, 0.0, 0.5, 0.5, 1.0]);
/// assert_eq!(curve.true_positive_rate, [0.0, 0.5, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.area(), 0.75);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.roc_curve.html>
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct RocCurve {
    /// The share of the negatives predicted positive, rising from 0 to 1.
    pub false_positive_rate: Vec<f64>,
    /// The share of the positives predicted positive, rising from 0 to 1.
    pub true_positive_rate: Vec<f64>,
    /// The thresholds, falling from infinity.
    pub thresholds: Vec<f64>,
}

impl RocCurve {
    /// Computes the curve from targets, of which all but 0 are positive, and a score per target.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::SampleShape`] for more than one number per row, [`Error::NonFinite`],
    /// [`Error::Empty`], and [`Error::Argument`] if there are only positives or only negatives.
    pub fn new(y_true: &impl Samples<f64>, y_score: &impl Samples<f64>) -> Result<Self> {
        Ok(RocCurve::of(&Pairs::new(y_true, y_score)?))
    }

    /// Computes one curve per class, against all other classes.
    ///
    /// # Shapes
    /// Scores `(samples, classes)`; targets as class indices, or as rows of the same width whose largest entry is the
    /// class.
    ///
    /// # Errors
    /// As [`RocCurve::new`], and [`Error::Label`]. Every class must occur.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::RocCurve;
    /// use ndarray::array;
    /// let scores = array![[0.7, 0.2, 0.1], [0.1, 0.6, 0.3], [0.2, 0.2, 0.6]];
    /// let curves = RocCurve::one_vs_rest(&array![0, 1, 2], &scores)?;
    /// assert!(curves.iter().all(|curve| curve.area() == 1.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn one_vs_rest(y_true: &impl Samples<f64>, y_score: &impl Samples<f64>) -> Result<Vec<Self>> {
        Ok(by_class(y_true, y_score)?.iter().map(RocCurve::of).collect())
    }

    fn of(pairs: &Pairs) -> Self {
        let counts = &pairs.counts;
        let corner = |i: usize| {
            let (before, at, after) = (counts[i - 1], counts[i], counts[i + 1]);
            let turns = |of: fn(&pairs::Count) -> f64| of(&after) - of(&at) != of(&at) - of(&before);
            turns(|count| count.false_positives) || turns(|count| count.true_positives)
        };
        let ends = counts.len() - 1;
        let kept = (0..=ends).filter(|&i| i == 0 || i == ends || corner(i)).map(|i| counts[i]);
        let points = kept.map(|count| (count.false_positives, count.true_positives, count.threshold));
        let kept: Vec<_> = std::iter::once((0.0, 0.0, f64::INFINITY)).chain(points).collect();
        RocCurve {
            false_positive_rate: kept.iter().map(|point| share(point.0, pairs.negatives)).collect(),
            true_positive_rate: kept.iter().map(|point| share(point.1, pairs.positives)).collect(),
            thresholds: kept.iter().map(|point| point.2).collect(),
        }
    }

    /// The area under the curve: the probability that a random positive scores higher than a random negative.
    pub fn area(&self) -> f64 {
        let points = self.false_positive_rate.iter().zip(&self.true_positive_rate).collect::<Vec<_>>();
        points.windows(2).map(|pair| (pair[1].0 - pair[0].0) * (pair[0].1 + pair[1].1) / 2.0).sum()
    }
}

/// The precision-recall curve: precision `TP/(TP + FP)` and recall `TP/(TP + FN)` at every threshold.
///
/// Each score that occurs is a threshold, from the lowest up; a score of at least the threshold is predicted
/// positive. A last point with precision 1 and recall 0 has no threshold.
///
/// # Example
/// ```
/// use cornu::metric::PrecisionRecallCurve;
/// use ndarray::array;
/// let curve = PrecisionRecallCurve::new(&array![0, 0, 1, 1], &array![0.1, 0.4, 0.35, 0.8])?;
/// assert_eq!(curve.precision, [0.5, 2.0 / 3.0, 0.5, 1.0, 1.0]);
/// assert_eq!(curve.recall, [1.0, 1.0, 0.5, 0.5, 0.0]);
/// assert_eq!(curve.thresholds, [0.1, 0.35, 0.4, 0.8]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://scikit-learn.org/stable/modules/generated/sklearn.metrics.precision_recall_curve.html>
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub struct PrecisionRecallCurve {
    /// The share of the predicted positives that are positive.
    pub precision: Vec<f64>,
    /// The share of the positives predicted positive, falling from 1 to 0.
    pub recall: Vec<f64>,
    /// The thresholds, rising; there is one fewer than there are points.
    pub thresholds: Vec<f64>,
    /// The share of positives, which is the precision of a random guess.
    pub base_rate: f64,
}

impl PrecisionRecallCurve {
    /// Computes the curve from targets, of which all but 0 are positive, and a score per target.
    ///
    /// # Errors
    /// As [`RocCurve::new`].
    pub fn new(y_true: &impl Samples<f64>, y_score: &impl Samples<f64>) -> Result<Self> {
        Ok(PrecisionRecallCurve::of(&Pairs::new(y_true, y_score)?))
    }

    /// Computes one curve per class, against all other classes.
    ///
    /// # Errors
    /// As [`RocCurve::one_vs_rest`].
    ///
    /// # Example
    /// ```
    /// use cornu::metric::PrecisionRecallCurve;
    /// use ndarray::array;
    /// let scores = array![[0.7, 0.3], [0.1, 0.9], [0.6, 0.4]];
    /// let curves = PrecisionRecallCurve::one_vs_rest(&array![0, 1, 0], &scores)?;
    /// assert_eq!(curves[1].average_precision(), 1.0);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn one_vs_rest(y_true: &impl Samples<f64>, y_score: &impl Samples<f64>) -> Result<Vec<Self>> {
        Ok(by_class(y_true, y_score)?.iter().map(PrecisionRecallCurve::of).collect())
    }

    fn of(pairs: &Pairs) -> Self {
        let called = |count: &pairs::Count| count.true_positives + count.false_positives;
        let rising = || pairs.counts.iter().rev();
        let precision = rising().map(|count| share(count.true_positives, called(count)));
        let recall = rising().map(|count| share(count.true_positives, pairs.positives));
        PrecisionRecallCurve {
            precision: precision.chain([1.0]).collect(),
            recall: recall.chain([0.0]).collect(),
            thresholds: rising().map(|count| count.threshold).collect(),
            base_rate: share(pairs.positives, pairs.positives + pairs.negatives),
        }
    }

    /// The average precision: the mean of the precisions, weighted by the gain in recall, `Σ (Rᵢ − Rᵢ₊₁)·Pᵢ`.
    pub fn average_precision(&self) -> f64 {
        self.recall.windows(2).zip(&self.precision).map(|(recall, p)| (recall[0] - recall[1]) * p).sum()
    }
}

/// Refuses 0 bins.
fn check_bins(bins: usize) -> Result<()> {
    if bins == 0 {
        return Err(Error::argument("bins", "at least 1", bins));
    }
    Ok(())
}
