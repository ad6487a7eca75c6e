//! Calibration: whether of all that is predicted at 70 % some 70 % come true.

use super::super::share;
use super::check_bins;
use super::pairs::{read_binary, rows};
use crate::error::{Error, Result};
use crate::samples::Samples;

/// One of the equal parts of the probabilities from 0 to 1.
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
    /// The mean of the predicted probabilities in it; 0 of none.
    pub predicted: f64,
    /// The share of them that came true; 0 of none.
    pub observed: f64,
    /// How many there are.
    pub count: usize,
}

/// What was predicted against what came true, in equal parts of the probabilities: the numbers of a reliability diagram.
///
/// Part `i` of `n` holds the probabilities above `i/n` and up to `(i + 1)/n`, the first also 0.
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
    /// Of a truth of zeros and others (true), and the probability that was predicted for each.
    ///
    /// # Errors
    /// [`Error::Length`], [`Error::SampleShape`], [`Error::NonFinite`], [`Error::Empty`], [`Error::Probability`], and
    /// [`Error::Argument`] for no bins.
    pub fn new(y_true: &impl Samples<f64>, y_prob: &impl Samples<f64>, bins: usize) -> Result<Self> {
        CalibrationCurve::of(read_binary(y_true, y_prob)?, bins)
    }

    /// Of the most likely class of each row: its probability, and whether it was right.
    ///
    /// # Shapes
    /// Probabilities `(samples, classes)`; the truth as class indices, or as rows of that width whose largest is the class.
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

    /// The parts, from the lowest probability up.
    pub fn bins(&self) -> &[CalibrationBin] {
        &self.bins
    }

    /// The mean distance of what was predicted from what came true, each part counting as what is in it.
    pub fn expected_calibration_error(&self) -> f64 {
        let total: usize = self.bins.iter().map(|bin| bin.count).sum();
        let off = |bin: &CalibrationBin| bin.count as f64 * (bin.predicted - bin.observed).abs();
        share(self.bins.iter().map(off).sum(), total as f64)
    }
}
