//! What `compile` adds to a model: how it is judged, and how it learns.

use crate::loss::Loss;
use crate::metric::Metric;
use crate::optimizer::Optimizer;
use crate::scalar::Scalar;

#[derive(Debug, Clone)]
pub(crate) struct Compiled<F: Scalar> {
    pub(crate) optimizer: Box<dyn Optimizer<F>>,
    pub(crate) loss: Box<dyn Loss<F>>,
    pub(crate) metrics: Vec<Box<dyn Metric<F>>>,
    /// The key under which each metric is reported.
    pub(crate) keys: Vec<String>,
    /// Batches trained on since `compile`.
    pub(crate) steps: u64,
}
