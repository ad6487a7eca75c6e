//! Adamax: m += (g − m)(1 − β₁), u = max(β₂·u, |g|), w −= η·m / ((1 − β₁ᵗ)(u + ε)).

use super::{
    LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_decay, check_range, default_rate,
    named,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// Adam with the largest recent gradient in place of the root mean square.
///
/// ```text
/// m ← m + (g − m)·(1 − β₁)    u ← max(β₂·u, |g|)
/// w ← w − η·m / ((1 − β₁ᵗ)·(u + ε))
/// ```
///
/// | setter | default |
/// |---|---|
/// | `beta_1` | 0.9 |
/// | `beta_2` | 0.999 |
/// | `epsilon` | 1e-7 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Adamax, Optimizer, Update};
/// let (mut w, mut m, mut u) = ([1.0f64], [0.0], [0.0]);
/// Adamax::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut m, &mut u]);
/// assert!((w[0] - 0.999).abs() < 1e-8);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, a beta
/// outside [0, 1), or a negative epsilon.
///
/// # References
/// Kingma and Ba (2014), *Adam: a method for stochastic optimization*, section 7;
/// <https://keras.io/api/optimizers/adamax/>.
#[derive(Debug, Clone)]
pub struct Adamax {
    learning_rate: LearningRate,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Adamax {
    /// Creates Adamax with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Adamax { learning_rate: learning_rate.into(), beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    setters! {
        /// The decay rate β₁ of the mean of the gradients. Default: 0.9.
        beta_1: f64;
        /// The decay rate β₂ of the largest gradient. Default: 0.999.
        beta_2: f64;
        /// ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64;
    }
}

default_rate!(Adamax, 0.001);

impl<F: Scalar> Optimizer<F> for Adamax {
    named!("Adamax");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("adamax")
            .slots([0.0; 2])
            .step(StepScale::Normalized)
            // |m| ≤ 1e9 and η ≤ 1e3: a step is at most 1e12 / (ε·(1 − β₁)), which `f32` holds.
            .bounded(self.epsilon * (1.0 - self.beta_1) >= 1e-15)
    }

    fn check(&self) -> Result<()> {
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [m, u] = slots else { return };
        let rate = F::of(at.learning_rate / at.correction(self.beta_1));
        let (a, beta_2, epsilon) = (F::of(1.0 - self.beta_1), F::of(self.beta_2), F::of(self.epsilon));
        let moved = value.iter_mut().zip(grad).zip(m.iter_mut()).zip(u.iter_mut());
        simd!(|| {
            for (((w, &g), m), u) in moved {
                *m += (g - *m) * a;
                *u = (beta_2 * *u).max(g.abs());
                *w -= rate * *m / (*u + epsilon);
            }
        });
    }
}

settings!([] Adamax { "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon });
