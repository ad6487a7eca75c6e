//! Cosine similarity: ℓ = −Σ t̂·ŷ, x̂ = x/max(‖x‖, ε). ∂ℓ/∂y = (ŷ·Σ t̂·ŷ − t̂) / ‖y‖.

use super::{EPSILON, Loss};
use crate::config::{saved, settings};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The negative cosine similarity of output and target: −1 for equal directions, 1 for opposite ones.
///
/// A row of zeros has loss 0 and gradient 0.
///
/// ```text
/// ℓ = −Σ t̂·ŷ    x̂ = x / max(‖x‖, 1e-7)
/// ```
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape.
///
/// # Example
/// ```
/// use cornu::loss::{CosineSimilarity, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// CosineSimilarity::new().values(Batch::new(&[2.0, 0.0], 2), Batch::new(&[3.0, 4.0], 2), &mut value);
/// assert!((value[0] + 0.6).abs() < 1e-12);
/// ```
///
/// # References
/// <https://keras.io/api/losses/regression_losses/#cosinesimilarity-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CosineSimilarity;

impl CosineSimilarity {
    /// Creates the loss; it has no settings.
    pub fn new() -> Self {
        CosineSimilarity
    }
}

/// max(‖x‖, ε).
fn length<F: Scalar>(x: &[F]) -> F {
    x.iter().map(|&x| x * x).sum::<F>().sqrt().max(F::of(EPSILON))
}

/// Σ x·y.
fn dot<F: Scalar>(x: &[F], y: &[F]) -> F {
    x.iter().zip(y).map(|(&x, &y)| x * y).sum()
}

impl<F: Scalar> Loss<F> for CosineSimilarity {
    fn name(&self) -> &str {
        "cosine_similarity"
    }

    saved!("keras.losses", "CosineSimilarity");

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            *value = -dot(y, t) / (length(y) * length(t));
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            let (long, target) = (length(y), length(t));
            if y.iter().all(|y| *y == F::zero()) {
                dy.fill(F::zero());
                continue;
            }
            // Below ε the length is the constant ε.
            let turned = if long > F::of(EPSILON) { dot(y, t) / (long * target * long) } else { F::zero() };
            for ((dy, &y), &t) in dy.iter_mut().zip(y).zip(t) {
                *dy = scale * (y * turned - t / target) / long;
            }
        }
    }
}

settings!([] CosineSimilarity {} only { "axis": -1 });
