//! Calibration: whether events predicted with probability p occur with frequency p.

use super::super::share;
use super::check_bins;
use super::pairs::{read_binary, rows};
use crate::error::{Error, Result};
use crate::samples::Samples;

/// One of the bins of a [`CalibrationCurve`].
///
/// # Example
/// ```
/// use cornu::metric::CalibrationCurve;
/// let curve = CalibrationCurve::new(&ndarray::array![0, 1], &ndarray::array![0.6, 0.8], 2)?;
/// let bin = curve.bins()[1];
/// assert_eq!((bin.predicted, bin.observed, bin.count), (0.7, 0.5, 2));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[non_exhaustive]
pub struct CalibrationBin {
    /// The mean of the predicted probabilities in the bin; 0 if it is empty.
    pub predicted: f64,
    /// The observed frequency of positives in the bin; 0 if it is empty.
    pub observed: f64,
    /// The number of predictions in the bin.
    pub count: usize,
}

/// Predicted probabilities against observed frequencies in equal bins, as in a reliability diagram.
///
/// Bin `i` of `n` holds the probabilities above `i/n` up to and including `(i + 1)/n`; the first also holds 0.
///
/// # Example
/// ```
/// use cornu::metric::CalibrationCurve;
/// use ndarray::array;
/// let curve = CalibrationCurve::new(&array![0, 1, 1, 1], &array![0.2, 0.4, 0.9, 0.7], 2)?;
/// assert_eq!((curve.bins()[0].count, curve.bins()[0].observed), (2, 0.5));
/// assert!((curve.expected_calibration_error() - 0.2).abs() < 1e-12);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Guo, Pleiss, Sun and Weinberger (2017), *On calibration of modern neural networks*;
/// <https://scikit-learn.org/stable/modules/generated/sklearn.calibration.calibration_curve.html>
#[derive(Debug, Clone, PartialEq)]
pub struct CalibrationCurve {
    bins: Vec<CalibrationBin>,
}

impl CalibrationCurve {
    /// Computes the curve from targets, of which all but 0 are positive, and the predicted probabilities.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::SampleShape`], [`Error::NonFinite`], [`Error::Empty`], [`Error::Probability`], and
    /// [`Error::Argument`] for 0 bins.
    pub fn new(y_true: &impl Samples<f64>, y_prob: &impl Samples<f64>, bins: usize) -> Result<Self> {
        CalibrationCurve::of(read_binary(y_true, y_prob)?, bins)
    }

    /// Computes the curve of the most likely class of each row: its probability, and whether it is correct.
    ///
    /// # Shapes
    /// Probabilities `(samples, classes)`; targets as class indices, or as rows of the same width whose largest entry
    /// is the class.
    ///
    /// # Errors
    /// As [`CalibrationCurve::new`], and [`Error::Label`].
    ///
    /// # Example
    /// ```
    /// use cornu::metric::CalibrationCurve;
    /// use ndarray::array;
    /// let curve = CalibrationCurve::top_label(&array![0, 1], &array![[0.9, 0.1], [0.8, 0.2]], 10)?;
    /// assert_eq!(curve.bins()[8].count, 1);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn top_label(y_true: &impl Samples<f64>, y_prob: &impl Samples<f64>, bins: usize) -> Result<Self> {
        let (classes, truth, probabilities) = rows(y_true, y_prob)?;
        let pair = |(truth, row): (usize, &[f64])| {
            let called = super::super::argmax(row);
            (called == truth, row[called])
        };
        CalibrationCurve::of(
            truth.into_iter().zip(probabilities.chunks_exact(classes)).map(pair).collect(),
            bins,
        )
    }

    fn of(pairs: Vec<(bool, f64)>, bins: usize) -> Result<Self> {
        check_bins(bins)?;
        let wrong = |(_, (_, p)): &(usize, &(bool, f64))| !(0.0..=1.0).contains(p);
        if let Some((row, (_, found))) = pairs.iter().enumerate().find(wrong) {
            return Err(Error::Probability { argument: "y_prob".into(), row, found: *found });
        }
        let mut all = vec![CalibrationBin::default(); bins];
        for (truth, p) in pairs {
            let edges = (1..bins).map(|edge| edge as f64 / bins as f64);
            let bin = &mut all[edges.take_while(|edge| *edge < p).count()];
            bin.predicted += p;
            bin.observed += f64::from(u8::from(truth));
            bin.count += 1;
        }
        for bin in &mut all {
            bin.predicted = share(bin.predicted, bin.count as f64);
            bin.observed = share(bin.observed, bin.count as f64);
        }
        Ok(CalibrationCurve { bins: all })
    }

    /// The bins, from the lowest probability up.
    pub fn bins(&self) -> &[CalibrationBin] {
        &self.bins
    }

    /// The expected calibration error: the mean of `|predicted − observed|`, weighted by the size of the bins.
    pub fn expected_calibration_error(&self) -> f64 {
        let total: usize = self.bins.iter().map(|bin| bin.count).sum();
        let off = |bin: &CalibrationBin| bin.count as f64 * (bin.predicted - bin.observed).abs();
        share(self.bins.iter().map(off).sum(), total as f64)
    }
}
