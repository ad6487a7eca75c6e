//! Generalized cross-entropy: ℓ = (1 − p_t^q)/q. ∂ℓ/∂p_t = −p_t^(q − 1).

use super::{Loss, Target, check_classes};
use crate::config::{saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Generalized cross-entropy between softmax outputs and class indices, for noisy labels.
///
/// ```text
/// ℓ = (1 − p_t^q) / q
/// ```
/// It is about the cross-entropy for `q` near 0, and the absolute error for `q` near 1, which wrong labels affect less. The
/// slope grows without bound as `p_t` approaches 0, and nothing is clipped.
///
/// | setter | default |
/// |---|---|
/// | `q` | 0.5 |
///
/// # Shapes
/// Output `(..., classes)`, targets `(...)` or `(..., 1)`: indices from 0 to `classes − 1`.
///
/// # Example
/// ```
/// use cornu::loss::{CategoricalGeneralizedCrossEntropy, Loss};
/// use cornu::tensor::Batch;
/// let (mut value, y_pred) = ([0.0f64], Batch::new(&[0.25, 0.75], 2));
/// CategoricalGeneralizedCrossEntropy::new().values(y_pred, Batch::new(&[0.0], 1), &mut value);
/// assert!((value[0] - 1.0).abs() < 1e-15);
/// CategoricalGeneralizedCrossEntropy::new().q(0.75).values(y_pred, Batch::new(&[1.0], 1), &mut value);
/// assert!((value[0] - (1.0 - 0.75f64.powf(0.75)) / 0.75).abs() < 1e-15);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] for a `q` that is not between 0 and 1, [`Error::LossOutput`] for a single class.
///
/// # References
/// Zhang and Sabuncu (2018), *Generalized cross entropy loss for training deep neural networks with noisy labels*;
/// <https://keras.io/api/losses/probabilistic_losses/>
#[derive(Debug, Clone, PartialEq)]
pub struct CategoricalGeneralizedCrossEntropy {
    q: f64,
}

impl CategoricalGeneralizedCrossEntropy {
    /// Creates the loss with `q = ½`.
    pub fn new() -> Self {
        CategoricalGeneralizedCrossEntropy { q: 0.5 }
    }

    /// The exponent q, between 0 and 1. Default: 0.5.
    pub fn q(mut self, q: f64) -> Self {
        self.q = q;
        self
    }
}

impl Default for CategoricalGeneralizedCrossEntropy {
    fn default() -> Self {
        CategoricalGeneralizedCrossEntropy::new()
    }
}

impl<F: Scalar> Loss<F> for CategoricalGeneralizedCrossEntropy {
    fn name(&self) -> &str {
        "categorical_generalized_cross_entropy"
    }

    saved!("keras.losses", "CategoricalGeneralizedCrossEntropy");

    fn target(&self) -> Target {
        Target::Classes { ignored: None }
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        if !(self.q > 0.0 && self.q < 1.0) {
            return Err(Error::argument("q", "a number between 0 and 1", self.q));
        }
        check_classes(Loss::<F>::name(self), output)
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let q = F::of(self.q);
        for ((y, class), value) in y_pred.iter().zip(y_true.data()).zip(&mut *values) {
            let p = class.to_usize().and_then(|class| y.get(class)).copied();
            *value = (F::one() - p.unwrap_or_else(F::zero).power(q)) / q;
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        let exponent = F::of(self.q - 1.0);
        for (((y, class), &scale), dy) in y_pred.iter().zip(y_true.data()).zip(scale).zip(dy.iter_mut()) {
            dy.fill(F::zero());
            if let Some(class) = class.to_usize().filter(|class| *class < y.len()) {
                dy[class] = -scale * y[class].power(exponent);
            }
        }
    }
}

settings!([] CategoricalGeneralizedCrossEntropy { "q": q });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exponents_out_of_range_are_refused() {
        for q in [0.0, 1.0, f64::NAN, -0.5] {
            let found = Loss::<f32>::check(&CategoricalGeneralizedCrossEntropy::new().q(q), &[3]);
            assert!(matches!(found, Err(Error::Argument { argument: "q", .. })), "{q}: {found:?}");
        }
    }
}
