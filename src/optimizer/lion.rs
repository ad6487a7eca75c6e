//! Lion: w −= η·sign(β₁·m + (1 − β₁)·g), then m = β₂·m + (1 − β₂)·g.

use super::{LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_decay, default_rate, named};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// Lion: steps of constant size in the direction of the sign of an averaged gradient.
///
/// Its learning rate should be about ten times smaller than Adam's.
///
/// ```text
/// w ← w − η·sign(β₁·m + (1 − β₁)·g)    m ← β₂·m + (1 − β₂)·g
/// ```
///
/// | setter | default |
/// |---|---|
/// | `beta_1` | 0.9 |
/// | `beta_2` | 0.99 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Lion, Optimizer, Update};
/// let (mut w, mut m) = ([1.0f64], [0.0]);
/// Lion::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut m]);
/// assert_eq!(w, [0.999]);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, or a beta
/// outside [0, 1).
///
/// # References
/// Chen et al. (2023), *Symbolic discovery of optimization algorithms*; <https://keras.io/api/optimizers/lion/>.
#[derive(Debug, Clone)]
pub struct Lion {
    learning_rate: LearningRate,
    beta_1: f64,
    beta_2: f64,
}

impl Lion {
    /// Creates Lion with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Lion { learning_rate: learning_rate.into(), beta_1: 0.9, beta_2: 0.99 }
    }

    setters! {
        /// The share β₁ of the mean in the direction of a step. Default: 0.9.
        beta_1: f64;
        /// The decay rate β₂ of the mean of the gradients. Default: 0.99.
        beta_2: f64;
    }
}

default_rate!(Lion, 0.001);

impl<F: Scalar> Optimizer<F> for Lion {
    named!("Lion");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("lion").slots([0.0]).step(StepScale::Sign).bounded(true)
    }

    fn check(&self) -> Result<()> {
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [m] = slots else { return };
        let (rate, zero) = (F::of(at.learning_rate), F::zero());
        let (b1, new1) = (F::of(self.beta_1), F::of(1.0 - self.beta_1));
        let (b2, new2) = (F::of(self.beta_2), F::of(1.0 - self.beta_2));
        let moved = value.iter_mut().zip(grad).zip(m.iter_mut());
        simd!(|| {
            for ((w, &g), m) in moved {
                let direction = b1 * *m + new1 * g;
                let step = if direction > zero { rate } else { -rate };
                *w -= if direction == zero { zero } else { step };
                *m = b2 * *m + new2 * g;
            }
        });
    }
}

settings!([] Lion { "beta_1": beta_1, "beta_2": beta_2 });
