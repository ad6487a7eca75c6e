//! Losses of distributions: Kullback-Leibler, ℓ = Σ t·ln(t/y), and Poisson, ℓ = mean (y − t·ln(y + ε)).

use super::mean::{above, at_least, ln_ratio, mean_loss, mean_rows, mean_slopes};
use super::{EPSILON, Loss, LossFamily};
use crate::config::{saved, settings};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The Kullback-Leibler divergence of the targets from the outputs, `ℓ = Σ t·ln(t/y)`.
///
/// `t` and `y` are clipped to [1e-7, 1]; the gradient is 0 outside these bounds.
///
/// # Shapes
/// Output `(..., classes)`, targets of the same shape.
///
/// # Example
/// ```
/// use cornu::loss::{KlDivergence, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// KlDivergence::new().values(Batch::new(&[0.25, 0.75], 2), Batch::new(&[0.5, 0.5], 2), &mut value);
/// assert!((value[0] - (0.5 * 2f64.ln() + 0.5 * (2.0f64 / 3.0).ln())).abs() < 1e-12);
/// ```
///
/// # References
/// Kullback and Leibler (1951), *On information and sufficiency*;
/// <https://keras.io/api/losses/probabilistic_losses/#kldivergence-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct KlDivergence;

impl KlDivergence {
    /// Creates the loss; it has no settings.
    pub fn new() -> Self {
        KlDivergence
    }
}

/// Clips to [ε, 1].
fn clipped<F: Scalar>(x: F) -> F {
    -at_least(-at_least(x, F::of(EPSILON)), -F::one())
}

impl<F: Scalar> Loss<F> for KlDivergence {
    fn name(&self) -> &str {
        "kl_divergence"
    }

    saved!("keras.losses", "KLDivergence");

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            let each = y.iter().zip(t).map(|(&y, &t)| {
                let (y, t) = (clipped(y), clipped(t));
                t * ln_ratio(t - y, t, y)
            });
            *value = each.sum();
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            for ((dy, &y), &t) in dy.iter_mut().zip(y).zip(t) {
                let slope = above(y, F::of(EPSILON)) * above(-y, -F::one());
                *dy = -scale * slope * clipped(t) / clipped(y);
            }
        }
    }
}

mean_loss!(
    /// The Poisson loss of counts, `ℓ = mean (y − t·ln(y + 1e-7))`.
    ///
    /// The outputs must be at least 0, as after `Exponential` or `Softplus`.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
    ///
    /// # Example
    /// ```
    /// use cornu::loss::{Loss, Poisson};
    /// use cornu::tensor::Batch;
    /// let mut value = [0.0f64];
    /// Poisson::new().values(Batch::new(&[1.0], 1), Batch::new(&[3.0], 1), &mut value);
    /// assert!((value[0] - 1.0).abs() < 1e-6);
    /// ```
    ///
    /// # References
    /// <https://keras.io/api/losses/probabilistic_losses/#poisson-class>
    Poisson,
    "poisson",
    Other,
    |y, t| y - t * (y + F::of(EPSILON)).logarithm(),
    |y, t| F::one() - t / (y + F::of(EPSILON))
);

settings!([] KlDivergence {});
