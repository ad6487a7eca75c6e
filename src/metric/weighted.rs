//! A metric that weighs each row.

use super::{Goal, Metric, forwarded};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// Passes the weights of the rows to a metric, as Keras's `weighted_metrics` does.
///
/// The weight of a row is its sample weight times its class weight. The metric keeps its name, with the prefix
/// `weighted_` if that name is taken.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([1]).add(Rescaling::new(1.0));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), [Weighted::new(Accuracy::new())])?;
/// let (x, y) = (ndarray::array![[1.0], [0.0]], ndarray::array![1.0, 1.0]);
/// let weights = ndarray::array![3.0, 1.0];
/// let scores = model.evaluate(&x, &y, &Evaluate::new().sample_weight(&weights))?;
/// assert_eq!(scores.get("accuracy"), Some(0.75));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Weighted<M>(M);

impl<M> Weighted<M> {
    /// Creates the weighted version of a metric.
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

    fn is_weighted(&self) -> bool {
        true
    }

    forwarded!(self, self.0);
}
