//! Adam: m += (g − m)(1 − β₁), v += (g² − v)(1 − β₂), w −= α·m / (√v + ε), α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ).

use super::{Optimizer, Update, check_decay, check_range};
use crate::error::Result;
use crate::kernel::wide;
use crate::scalar::Scalar;

/// Adam, as Keras computes it: ε is added to the root of the uncorrected `v`.
///
/// ```text
/// m ← m + (g − m)·(1 − β₁)    v ← v + (g² − v)·(1 − β₂)
/// w ← w − α·m / (√v + ε)      α = η·√(1 − β₂ᵗ) / (1 − β₁ᵗ)
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
/// use cornu::optimizer::{Adam, Optimizer, Update};
/// let (mut w, mut m, mut v) = ([1.0f64], [0.0], [0.0]);
/// Adam::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut m, &mut v]);
/// assert!((w[0] - 0.999).abs() < 1e-8);
/// ```
///
/// # Errors
/// At `compile`: a learning rate below 0 or not finite, a beta outside [0, 1), a negative epsilon.
///
/// # References
/// Kingma and Ba (2014), *Adam: a method for stochastic optimization*; <https://keras.io/api/optimizers/adam/>.
#[derive(Debug, Clone)]
pub struct Adam {
    learning_rate: f64,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Adam {
    /// Adam at this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: f64) -> Self {
        Adam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    /// How slowly the mean of the gradients moves. Default: 0.9.
    pub fn beta_1(mut self, beta_1: f64) -> Self {
        self.beta_1 = beta_1;
        self
    }

    /// How slowly the mean of their squares moves. Default: 0.999.
    pub fn beta_2(mut self, beta_2: f64) -> Self {
        self.beta_2 = beta_2;
        self
    }

    /// Keeps the divisor from 0. Default: 1e-7.
    pub fn epsilon(mut self, epsilon: f64) -> Self {
        self.epsilon = epsilon;
        self
    }
}

impl<F: Scalar> Optimizer<F> for Adam {
    fn name(&self) -> &str {
        "adam"
    }

    fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    fn check(&self) -> Result<()> {
        check_range("learning_rate", self.learning_rate, 0.0, f64::MAX)?;
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn slots(&self) -> usize {
        2
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [m, v] = slots else { return };
        let power = |beta: f64| 1.0 - beta.powi(at.t.min(i32::MAX as u64) as i32);
        let alpha = F::of(at.learning_rate * power(self.beta_2).sqrt() / power(self.beta_1));
        let (a, b, epsilon) = (F::of(1.0 - self.beta_1), F::of(1.0 - self.beta_2), F::of(self.epsilon));
        let moved = value.iter_mut().zip(grad).zip(m.iter_mut()).zip(v.iter_mut());
        wide(|| {
            for (((w, &g), m), v) in moved {
                *m += (g - *m) * a;
                *v += (g * g - *v) * b;
                *w -= alpha * *m / (v.sqrt() + epsilon);
            }
        });
    }
}
