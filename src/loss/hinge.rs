//! Margin losses: ℓ = mean max(1 − t·y, 0), its square, and max(max (1 − t)·y − Σ t·y + 1, 0) over classes.

use super::mean::{above, at_least, mean_rows, mean_slopes};
use super::{Loss, check_classes};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The hinge loss `ℓ = mean max(1 − t·y, 0)`, for targets −1 and 1.
///
/// If all targets of a batch are 0 or 1, 0 is read as −1. The slope at the margin is half that beside it, as in Keras
/// on JAX.
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Hinge, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0];
/// Hinge::new().values(Batch::new(&[0.25], 1), Batch::new(&[-1.0], 1), &mut value);
/// assert_eq!(value, [1.25]);
/// ```
///
/// # References
/// <https://keras.io/api/losses/hinge_losses/#hinge-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Hinge;

/// The squared hinge loss `ℓ = mean max(1 − t·y, 0)²`, for targets −1 and 1.
///
/// If all targets of a batch are 0 or 1, 0 is read as −1.
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, SquaredHinge};
/// use cornu::tensor::Batch;
/// let mut value = [0.0];
/// SquaredHinge::new().values(Batch::new(&[0.5], 1), Batch::new(&[-1.0], 1), &mut value);
/// assert_eq!(value, [2.25]);
/// ```
///
/// # References
/// <https://keras.io/api/losses/hinge_losses/#squaredhinge-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct SquaredHinge;

/// The multi-class hinge loss `ℓ = max(max (1 − t)·y − Σ t·y + 1, 0)`.
///
/// It is 0 once the score of the right class is at least 1 and exceeds all others by at least 1.
///
/// # Shapes
/// Output `(..., classes)`, targets one-hot rows of the same shape.
///
/// # Example
/// ```
/// use cornu::loss::{CategoricalHinge, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0];
/// CategoricalHinge::new().values(Batch::new(&[0.5, 2.0], 2), Batch::new(&[1.0, 0.0], 2), &mut value);
/// assert_eq!(value, [2.5]);
/// ```
///
/// # References
/// <https://keras.io/api/losses/hinge_losses/#categoricalhinge-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CategoricalHinge;

impl Hinge {
    /// Creates the loss; it has no settings.
    pub fn new() -> Self {
        Hinge
    }
}

impl SquaredHinge {
    /// Creates the loss; it has no settings.
    pub fn new() -> Self {
        SquaredHinge
    }
}

impl CategoricalHinge {
    /// Creates the loss; it has no settings.
    pub fn new() -> Self {
        CategoricalHinge
    }
}

/// Maps targets 0 and 1 to −1 and 1, if the batch has no others.
fn signed<F: Scalar>(y_true: Batch<F>) -> impl Fn(F) -> F + use<F> {
    let binary = y_true.data().iter().all(|&t| t == F::zero() || t == F::one());
    move |t| if binary { t + t - F::one() } else { t }
}

impl<F: Scalar> Loss<F> for Hinge {
    fn name(&self) -> &str {
        "hinge"
    }

    saved!("keras.losses", "Hinge");

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let signed = signed(y_true);
        mean_rows(y_pred, y_true, values, |y, t| at_least(F::one() - signed(t) * y, F::zero()))
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        let signed = signed(y_true);
        mean_slopes(y_pred, y_true, scale, dy, |y, t| {
            -signed(t) * above(F::one() - signed(t) * y, F::zero())
        });
    }
}

impl<F: Scalar> Loss<F> for SquaredHinge {
    fn name(&self) -> &str {
        "squared_hinge"
    }

    saved!("keras.losses", "SquaredHinge");

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let signed = signed(y_true);
        mean_rows(y_pred, y_true, values, |y, t| at_least(F::one() - signed(t) * y, F::zero()).powi(2))
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        let signed = signed(y_true);
        let slope = |y, t| F::of(-2.0) * signed(t) * at_least(F::one() - signed(t) * y, F::zero());
        mean_slopes(y_pred, y_true, scale, dy, slope);
    }
}

/// The largest (1 − t)·y, and Σ t·y.
fn rivals<F: Scalar>(y: &[F], t: &[F]) -> (F, F) {
    let each = || y.iter().zip(t);
    let largest = each().map(|(&y, &t)| (F::one() - t) * y).fold(-F::infinity(), F::max);
    (largest, each().map(|(&y, &t)| t * y).sum())
}

impl<F: Scalar> Loss<F> for CategoricalHinge {
    fn name(&self) -> &str {
        "categorical_hinge"
    }

    saved!("keras.losses", "CategoricalHinge");

    fn check(&self, output: &[usize]) -> Result<()> {
        check_classes(Loss::<F>::name(self), output)
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            let (wrong, right) = rivals(y, t);
            *value = at_least(wrong - right + F::one(), F::zero());
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            let (wrong, right) = rivals(y, t);
            let is_largest = |y: F, t: F| (F::one() - t) * y == wrong;
            // Equal rivals share the gradient.
            let count = y.iter().zip(t).filter(|&(&y, &t)| is_largest(y, t)).count();
            let share = F::one() / F::of(count.max(1) as f64);
            let scale = scale * above(wrong - right + F::one(), F::zero());
            for ((dy, &y), &t) in dy.iter_mut().zip(y).zip(t) {
                let wrong = if is_largest(y, t) { share * (F::one() - t) } else { F::zero() };
                *dy = scale * (wrong - t);
            }
        }
    }
}

settings!([] Hinge {});

settings!([] SquaredHinge {});

settings!([] CategoricalHinge {});
