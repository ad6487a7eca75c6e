//! A loss as the sum over the rows of a batch.

use super::{Loss, LossFamily, Target};
use crate::activation::Activation;
use crate::config::Config;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// A loss whose rows are summed, not averaged: `Σ wᵢ·ℓᵢ` over a batch, Keras's `reduction="sum"`.
///
/// For a batch of `n` rows, the gradient is `n` times the gradient of the mean, so a smaller learning rate is needed.
/// As in Keras, the loss of an epoch is still the mean over its batches, each weighted by its number of samples.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::loss::Summed;
/// let (x, y) = (ndarray::array![[1.0], [1.0]], ndarray::array![[1.0], [3.0]]);
/// let mut model = Sequential::new().input([1]).add(Dense::new(1).kernel_initializer(Initializer::Zeros));
/// model.compile(Sgd::new(0.1), Summed::new(MeanSquaredError::new()), ())?;
/// assert_eq!(model.evaluate(&x, &y, &Evaluate::new())?.get("loss"), Some(10.0));
/// # Ok::<(), Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/losses/>
#[derive(Debug, Clone)]
pub struct Summed<L> {
    loss: L,
}

impl<L> Summed<L> {
    /// Creates a loss that sums the rows of `loss`.
    pub fn new(loss: L) -> Self {
        Summed { loss }
    }
}

impl<F: Scalar, L: Loss<F> + Clone> Loss<F> for Summed<L> {
    fn name(&self) -> &str {
        self.loss.name()
    }

    fn config(&self) -> Option<Config> {
        Some(self.loss.config()?.with("reduction", "sum"))
    }

    fn takes_logits(&self) -> bool {
        self.loss.takes_logits()
    }

    fn link(&self) -> Option<Activation> {
        self.loss.link()
    }

    fn smoothing(&self) -> f64 {
        self.loss.smoothing()
    }

    fn target(&self) -> Target {
        self.loss.target()
    }

    fn family(&self) -> LossFamily {
        self.loss.family()
    }

    fn is_sum(&self) -> bool {
        true
    }

    fn couples_rows(&self) -> bool {
        self.loss.couples_rows()
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        self.loss.check(output)
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        self.loss.values(y_pred, y_true, values)
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        self.loss.gradient(y_pred, y_true, scale, dy);
    }
}
