//! Adadelta: a = ρ·a + (1 − ρ)·g², δ = √(d + ε) / √(a + ε)·g, d = ρ·d + (1 − ρ)·δ², w −= η·δ.

use super::{
    LearningRate, Optimizer, OptimizerTraits, Update, check_decay, check_range, default_rate, named,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// Adadelta: steps scaled by the ratio of recent step sizes to recent gradient sizes.
///
/// ```text
/// a ← ρ·a + (1 − ρ)·g²    δ = √(d + ε) / √(a + ε) · g
/// d ← ρ·d + (1 − ρ)·δ²    w ← w − η·δ
/// ```
/// The paper's rule has η = 1.
///
/// | setter | default |
/// |---|---|
/// | `rho` ρ | 0.95 |
/// | `epsilon` ε | 1e-7 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Adadelta, Optimizer, Update};
/// let (mut w, mut a, mut d) = ([1.0f64], [0.0], [0.0]);
/// Adadelta::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut a, &mut d]);
/// assert!((w[0] - 0.99999857).abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, rho outside
/// [0, 1), or a negative epsilon.
///
/// # References
/// Zeiler (2012), *ADADELTA: an adaptive learning rate method*; <https://keras.io/api/optimizers/adadelta/>.
#[derive(Debug, Clone)]
pub struct Adadelta {
    learning_rate: LearningRate,
    rho: f64,
    epsilon: f64,
}

impl Adadelta {
    /// Creates Adadelta with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Adadelta { learning_rate: learning_rate.into(), rho: 0.95, epsilon: 1e-7 }
    }

    setters! {
        /// The decay rate ρ of the mean squares. Default: 0.95.
        rho: f64;
        /// ε, which keeps the divisor and the first steps above 0. Default: 1e-7.
        epsilon: f64;
    }
}

default_rate!(Adadelta, 0.001);

impl<F: Scalar> Optimizer<F> for Adadelta {
    named!("Adadelta");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("adadelta").slots([0.0; 2]).bounded(self.epsilon >= 1e-8)
    }

    fn check(&self) -> Result<()> {
        check_decay("rho", self.rho)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [a, d] = slots else { return };
        let (rate, epsilon) = (F::of(at.learning_rate), F::of(self.epsilon));
        let (rho, new) = (F::of(self.rho), F::of(1.0 - self.rho));
        let moved = value.iter_mut().zip(grad).zip(a.iter_mut()).zip(d.iter_mut());
        simd!(|| {
            for (((w, &g), a), d) in moved {
                *a = rho * *a + new * g * g;
                let delta = (*d + epsilon).sqrt() / (*a + epsilon).sqrt() * g;
                *d = rho * *d + new * delta * delta;
                *w -= rate * delta;
            }
        });
    }
}

settings!([] Adadelta { "rho": rho, "epsilon": epsilon });
