//! Losses of distributions: ℓ = Σ t·ln(t/y) of Kullback and Leibler, and Poisson's ℓ = mean (y − t·ln(y + ε)).

use super::mean::{above, at_least, mean_loss, mean_rows, mean_slopes};
use super::{EPSILON, Loss, LossFamily, saved};
use crate::config::settings;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// How far the outputs are from the distribution of the targets: `ℓ = Σ t·ln(t/y)`, with `t` and `y` clipped to
/// [1e-7, 1]. The slope is 0 outside.
///
/// # Shapes
/// Output `(..., classes)`, targets alike.
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
    /// The loss; it has no arguments.
    pub fn new() -> Self {
        KlDivergence
    }
}

/// Within [ε, 1].
fn clipped<F: Scalar>(x: F) -> F {
    -at_least(-at_least(x, F::of(EPSILON)), -F::one())
}

impl<F: Scalar> Loss<F> for KlDivergence {
    fn name(&self) -> &str {
        "kl_divergence"
    }

    saved!("KLDivergence");

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            let each = y.iter().zip(t).map(|(&y, &t)| clipped(t) * (clipped(t) / clipped(y)).ln());
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
    /// The loss of counts, `ℓ = mean (y − t·ln(y + 1e-7))`, for outputs of at least 0, as of `Exponential` or
    /// `Softplus`.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets alike; for one output also `(...)`.
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
    |y, t| y - t * (y + F::of(EPSILON)).ln(),
    |y, t| F::one() - t / (y + F::of(EPSILON))
);

settings!([] KlDivergence {});
