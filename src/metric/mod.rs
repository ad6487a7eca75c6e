//! Metrics: measures reported in addition to the loss. They are exact over an epoch and are not trained on.

mod accuracy;
mod auc;
mod closure;
mod confusion;
mod correlation;
mod curves;
mod f1_score;
mod f_score;
mod into;
mod iou;
mod mean_loss;
mod operating_point;
mod precision;
mod r2;
mod registry;
mod regression;
mod report;
mod top_k;
mod weighted;

pub use accuracy::Accuracy;
pub(crate) use accuracy::accuracy_name;
pub use auc::{Auc, Curve, Summation};
pub use closure::{MetricFn, metric_fn};
pub use confusion::ConfusionMatrix;
pub use correlation::{ConcordanceCorrelation, PearsonCorrelation};
pub use curves::{CalibrationBin, CalibrationCurve, PrecisionRecallCurve, RocCurve};
pub use f_score::{Average, FBetaScore};
pub use f1_score::F1Score;
pub use into::IntoMetrics;
pub use iou::{BinaryIou, Iou, MeanIou, OneHotIou, OneHotMeanIou};
pub use mean_loss::MeanLoss;
pub use operating_point::{
    PrecisionAtRecall, RecallAtPrecision, SensitivityAtSpecificity, SpecificityAtSensitivity,
};
pub use precision::{Precision, Recall};
pub use r2::{Aggregation, R2Score};
pub(crate) use registry::{from_value, registry};
pub use regression::{
    CosineSimilarity, LogCoshError, MeanAbsoluteError, MeanAbsolutePercentageError, MeanSquaredError,
    MeanSquaredLogarithmicError, RootMeanSquaredError,
};
pub use report::{ClassScores, ClassificationReport};
pub use top_k::TopKAccuracy;
pub use weighted::Weighted;

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::activation::{Activation, sigmoid};
use crate::config::Config;
use crate::error::{Error, ExpectedOutput, ExpectedTarget, Result};
use crate::kernel;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::{Batch, BatchMut};

/// A measure over all batches of an epoch or an evaluation.
///
/// Each training and each evaluation measures with its own copy. A row is a sample. If the output has steps, as in
/// `(steps, classes)`, a row is one step of a sample.
///
/// # Example
/// ```
/// use cornu::callback::State;
/// use cornu::metric::Metric;
/// use cornu::prelude::*;
/// use cornu::tensor::Batch;
///
/// /// The largest absolute error.
/// #[derive(Debug, Clone, Default)]
/// struct WorstError(f64);
///
/// impl<F: Scalar> Metric<F> for WorstError {
///     fn name(&self) -> &str { "worst_error" }
///     fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, _: Option<&[F]>) {
///         for (p, t) in y_pred.data().iter().zip(y_true.data()) {
///             self.0 = self.0.max((*p - *t).abs().as_f64());
///         }
///     }
///     fn value(&self) -> f64 { self.0 }
///     fn reset(&mut self) { self.0 = 0.0 }
///     fn state(&mut self, state: &mut State) -> Result<()> { state.item("worst", &mut self.0) }
/// }
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), [WorstError::default()])?;
/// let (x, y) = (ndarray::Array2::<f32>::zeros((2, 3)), ndarray::array![1.0, -4.0]);
/// assert_eq!(model.evaluate(&x, &y, &Evaluate::new())?.get("worst_error"), Some(4.0));
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Metric<F: Scalar>: DynClone + Debug + Send + Sync {
    /// The name under which the metric is reported.
    fn name(&self) -> &str;

    /// The settings of the metric, for files. Default: none; a model with such a metric cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// Receives the activation that turns the outputs into probabilities, before `prepare`, if the loss is one of
    /// classification. Default: ignores it.
    fn outputs(&mut self, link: Activation) {
        let _ = link;
    }

    /// Prepares for outputs and targets of these shapes, each of one sample. Default: accepts all.
    ///
    /// # Errors
    /// [`Error::Argument`] or a similar error if the metric cannot measure such outputs or targets.
    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        let _ = (output, target);
        Ok(())
    }

    /// Whether higher or lower values are better. Default: [`Goal::Low`].
    fn goal(&self) -> Goal {
        Goal::Low
    }

    /// Whether `update` needs the weights of the rows. Default: false, as for Keras's `metrics`.
    fn is_weighted(&self) -> bool {
        false
    }

    /// Adds a batch; `weights` has one number per row.
    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>);

    /// Returns the measure over all batches since the last reset.
    fn value(&self) -> f64;

    /// Clears everything that was added.
    fn reset(&mut self);

    /// Saves or restores what was added since the last reset, so that an interrupted epoch can be resumed.
    ///
    /// Default: [`Error::Argument`]; `fit` then refuses backups within an epoch.
    ///
    /// # Errors
    /// The errors of [`State`].
    fn state(&mut self, state: &mut State) -> Result<()> {
        let _ = state;
        let expected = "metrics with `Metric::state`, for backups within an epoch";
        Err(Error::argument("metrics", expected, format!("`{}` without", self.name())))
    }
}

/// The value and the state of a metric that is the mean of its field `mean`, or a function of it.
macro_rules! of_mean {
    () => {
        of_mean!(std::convert::identity);
    };
    ($of_mean:expr) => {
        fn value(&self) -> f64 {
            $of_mean(self.mean.value())
        }

        fn reset(&mut self) {
            self.mean = Mean::default();
        }

        fn state(&mut self, state: &mut crate::state::State) -> crate::error::Result<()> {
            self.mean.state(state)
        }
    };
}
use of_mean;

/// The methods of a metric that are those of an inner one.
macro_rules! forwarded {
    ($self:ident, $inner:expr) => {
        fn outputs(&mut $self, link: crate::activation::Activation) {
            Metric::<F>::outputs(&mut $inner, link);
        }

        fn prepare(&mut $self, output: &[usize], target: &[usize]) -> Result<()> {
            Metric::<F>::prepare(&mut $inner, output, target)
        }

        fn goal(&$self) -> Goal {
            Metric::<F>::goal(&$inner)
        }

        fn update(&mut $self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
            Metric::<F>::update(&mut $inner, y_pred, y_true, weights);
        }

        fn value(&$self) -> f64 {
            Metric::<F>::value(&$inner)
        }

        fn reset(&mut $self) {
            Metric::<F>::reset(&mut $inner);
        }

        fn state(&mut $self, state: &mut State) -> Result<()> {
            Metric::<F>::state(&mut $inner, state)
        }
    };
}
use forwarded;

dyn_clone::clone_trait_object!(<F: Scalar> Metric<F>);

impl<F: Scalar> Metric<F> for Box<dyn Metric<F>> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn config(&self) -> Option<Config> {
        (**self).config()
    }

    fn is_weighted(&self) -> bool {
        (**self).is_weighted()
    }

    forwarded!(self, **self);
}

/// Whether higher or lower values of a metric are better.
///
/// # Example
/// ```
/// use cornu::metric::{Accuracy, Goal, Metric};
/// assert_eq!(Metric::<f32>::goal(&Accuracy::new()), Goal::High);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Goal {
    /// Higher is better, as for accuracy.
    High,
    /// Lower is better, as for a loss.
    Low,
}

/// A running weighted mean: `total / count`, or 0 if nothing was added.
#[derive(Debug, Clone, Copy, Default)]
struct Mean {
    total: f64,
    count: f64,
}

impl Mean {
    fn add(&mut self, value: f64, weight: f64) {
        self.total += value * weight;
        self.count += weight;
    }

    fn value(&self) -> f64 {
        share(self.total, self.count)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.numbers("mean", [&mut self.total, &mut self.count])
    }
}

/// Returns the weight of a row; 1 if there are no weights.
fn weight<F: Scalar>(weights: Option<&[F]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[row].as_f64())
}

/// `part / whole`, or 0 if `whole` is 0.
fn share(part: f64, whole: f64) -> f64 {
    if whole == 0.0 { 0.0 } else { part / whole }
}

/// Returns the index of the largest number, the first if several are equal.
fn argmax<F: Scalar>(row: &[F]) -> usize {
    row.iter().enumerate().fold(0, |best, (i, x)| if *x > row[best] { i } else { best })
}

/// Writes the probabilities of a row of outputs.
fn probabilities<F: Scalar>(link: &Activation, row: &[F], to: &mut Vec<f64>) {
    to.clear();
    let numbers = row.iter().map(|x| x.as_f64());
    match link {
        Activation::Linear => to.extend(numbers),
        Activation::Sigmoid => to.extend(numbers.map(sigmoid)),
        Activation::Softmax => {
            to.extend(numbers);
            kernel::softmax(BatchMut::new(to, row.len()));
        }
        // The link of a loss of another crate.
        link => {
            let mut row = row.to_vec();
            let width = row.len();
            link.apply(BatchMut::new(&mut row, width));
            to.extend(row.iter().map(|x| x.as_f64()));
        }
    }
}

/// Returns the target of a column: the number there, or, for a class index, 1 in its column and 0 elsewhere.
fn target_at<F: Scalar>(target: &[F], column: usize, width: usize) -> F {
    match *target {
        [class] if width > 1 => F::of(f64::from(u8::from(class == F::of(column as f64)))),
        _ => target[column],
    }
}

/// The most thresholds of a metric: a file may state any number.
const MAX_THRESHOLDS: usize = 1 << 20;

/// Refuses a threshold of probabilities outside [`low`, 1], and one of logits that is not finite.
fn check_threshold(threshold: Option<f64>, link: &Activation, low: f64) -> Result<()> {
    let Some(threshold) = threshold else { return Ok(()) };
    match *link {
        Activation::Linear if (low..=1.0).contains(&threshold) => Ok(()),
        Activation::Linear if low == 0.0 => {
            Err(Error::argument("threshold", "a number from 0 to 1", threshold))
        }
        Activation::Linear => Err(Error::argument("threshold", "a number above 0, up to 1", threshold)),
        _ if threshold.is_finite() => Ok(()),
        _ => Err(Error::argument("threshold", "a finite number", threshold)),
    }
}

/// Refuses targets that do not have one number per output.
fn check_as_wide(metric: &str, output: &[usize], target: &[usize]) -> Result<()> {
    if output.iter().product::<usize>() == target.iter().product::<usize>() {
        return Ok(());
    }
    Err(wrong_target(metric, output, ExpectedTarget::Output(output.to_vec()), target))
}

/// The error about targets that are not class indices.
fn no_class_indices(metric: &str, output: &[usize], target: &[usize]) -> Error {
    let rows = output.split_last().map_or(&[][..], |(_, rows)| rows);
    wrong_target(metric, output, ExpectedTarget::ClassIndices([rows, &[1]].concat()), target)
}

fn wrong_target(metric: &str, output: &[usize], expected: ExpectedTarget, target: &[usize]) -> Error {
    let (output, found) = (output.to_vec(), target.to_vec());
    Error::MetricTarget { metric: metric.into(), output, expected, found }
}

/// Refuses an output without at least two classes along its last axis.
fn check_classes(metric: &str, output: &[usize]) -> Result<()> {
    match output.last() {
        Some(2..) => Ok(()),
        _ => Err(Error::MetricOutput {
            metric: metric.into(),
            output: output.to_vec(),
            expected: ExpectedOutput::Classes(2),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regression_metrics_refuse_class_indices() {
        let metrics: [Box<dyn Metric<f32>>; 3] =
            [Box::new(MeanSquaredError::new()), Box::new(CosineSimilarity::new()), Box::new(R2Score::new())];
        for mut metric in metrics {
            let found = metric.prepare(&[4, 3], &[4, 1]);
            assert!(matches!(found, Err(Error::MetricTarget { .. })), "{found:?}");
            assert!(metric.prepare(&[4, 1], &[4]).is_ok());
        }
    }

    #[test]
    fn invalid_settings_are_refused() {
        for score in [F1Score::new(), F1Score::new().threshold(0.0)] {
            let mut score = score;
            let found = Metric::<f32>::prepare(&mut score, &[1], &[1]);
            assert!(matches!(found, Err(Error::Argument { argument: "threshold", .. })), "{found:?}");
        }
        let found = Metric::<f32>::prepare(&mut TopKAccuracy::new(), &[1], &[1]);
        assert!(matches!(found, Err(Error::MetricOutput { .. })), "{found:?}");
        assert!(Metric::<f32>::prepare(&mut FBetaScore::new(0.0), &[2], &[2]).is_err());
        assert!(Metric::<f32>::prepare(&mut Auc::new().num_thresholds(1), &[2], &[2]).is_err());
        assert!(Metric::<f32>::prepare(&mut Auc::new().num_thresholds(1 << 40), &[2], &[2]).is_err());
    }

    #[test]
    fn every_metric_is_0_without_rows() {
        let metrics: [Box<dyn Metric<f32>>; 8] = [
            Box::new(Precision::new()),
            Box::new(Recall::new()),
            Box::new(F1Score::new()),
            Box::new(F1Score::new().average(Average::Weighted)),
            Box::new(Auc::new().multi_label(true)),
            Box::new(TopKAccuracy::new()),
            Box::new(RootMeanSquaredError::new()),
            Box::new(R2Score::new()),
        ];
        for mut metric in metrics {
            assert_eq!(metric.value(), 0.0, "{}", metric.name());
            metric.update(Batch::new(&[0.5, 0.1], 2), Batch::new(&[1.0, 0.0], 2), Some(&[0.0]));
            assert_eq!(metric.value(), 0.0, "{} of a row with weight 0", metric.name());
        }
    }
}
