//! A metric that counts each row by its weight.

use super::{Goal, Metric};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// Gives a metric the rows' weights (sample weights times class weights), as Keras's `weighted_metrics`.
///
/// Its key is the metric's own, or with `weighted_` before it where that is taken.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), (Accuracy::new(), Weighted::new(Accuracy::new())))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Weighted<M>(M);

impl<M> Weighted<M> {
    /// The same metric, weighted.
    pub fn new(metric: M) -> Self {
        Weighted(metric)
    }
}

impl<F: Scalar, M: Metric<F> + Clone> Metric<F> for Weighted<M> {
    fn name(&self) -> &str {
        self.0.name()
    }

    fn config(&self) -> Option<crate::config::Config> {
        self.0.config()
    }

    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        self.0.prepare(output, target)
    }

    fn goal(&self) -> Goal {
        self.0.goal()
    }

    fn is_weighted(&self) -> bool {
        true
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        self.0.update(y_pred, y_true, weights);
    }

    fn value(&self) -> f64 {
        self.0.value()
    }

    fn reset(&mut self) {
        self.0.reset();
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.0.state(state)
    }
}
