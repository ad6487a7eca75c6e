//! A metric defined by a closure: the mean of one number per row.

use std::fmt;

use super::{Goal, Mean, Metric, of_mean, weight};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// Creates a metric that is the weighted mean of `row(y_pred, y_true)` over all rows, `Σ w·row / Σ w`.
///
/// # Shapes
/// The closure gets one row of outputs and one row of targets, or one class index if the targets are indices.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let worst = |p: &[f32], t: &[f32]| p.iter().zip(t).map(|(p, t)| f64::from((p - t).abs())).fold(0.0, f64::max);
/// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), [metric_fn("worst", Goal::Low, worst)])?;
/// let (x, y) = (ndarray::array![[1.0], [2.0]], ndarray::array![[2.0], [5.0]]);
/// assert_eq!(model.evaluate(&x, &y, &Evaluate::new())?.get("worst"), Some(0.5));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn metric_fn<F, C>(name: impl Into<String>, goal: Goal, row: C) -> MetricFn<C>
where
    F: Scalar,
    C: Fn(&[F], &[F]) -> f64 + Clone + Send + Sync,
{
    MetricFn { name: name.into(), goal, row, mean: Mean::default() }
}

/// The mean of a closure over all rows; [`metric_fn`] creates it.
///
/// # Example
/// ```
/// use cornu::metric::{Goal, Metric, metric_fn};
/// let first = metric_fn("first", Goal::High, |p: &[f32], _: &[f32]| p[0].into());
/// assert_eq!(Metric::<f32>::name(&first), "first");
/// ```
#[derive(Clone)]
pub struct MetricFn<C> {
    name: String,
    goal: Goal,
    row: C,
    mean: Mean,
}

impl<C> fmt::Debug for MetricFn<C> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.debug_struct("MetricFn").field("name", &self.name).field("goal", &self.goal).finish_non_exhaustive()
    }
}

impl<F, C> Metric<F> for MetricFn<C>
where
    F: Scalar,
    C: Fn(&[F], &[F]) -> f64 + Clone + Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn goal(&self) -> Goal {
        self.goal
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            self.mean.add((self.row)(p, t), weight(weights, row));
        }
    }

    of_mean!();
}
