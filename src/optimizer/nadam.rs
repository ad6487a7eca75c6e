//! Nadam: Adam with Nesterov's look ahead. m̂ = μₜ₊₁·m / (1 − Π·μₜ₊₁) + (1 − μₜ)·g / (1 − Π), w −= η·m̂ / (√v̂ + ε).

use super::{
    LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_decay, check_range, default_rate,
    named,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;
use crate::state::State;

/// Adam with Nesterov momentum that grows during training.
///
/// ```text
/// μₜ = β₁·(1 − ½·0.96ᵗ)       Π = μ₁·μ₂ ⋯ μₜ
/// m ← m + (g − m)·(1 − β₁)    v ← v + (g² − v)·(1 − β₂)
/// m̂ = μₜ₊₁·m / (1 − Π·μₜ₊₁) + (1 − μₜ)·g / (1 − Π)    v̂ = v / (1 − β₂ᵗ)
/// w ← w − η·m̂ / (√v̂ + ε)
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
/// use cornu::optimizer::{Nadam, Optimizer, Update};
/// let (mut w, mut m, mut v) = ([1.0f64], [0.0], [0.0]);
/// let (mut nadam, first) = (Nadam::new(0.001), Update::new(1, 0.001));
/// Optimizer::<f64>::begin(&mut nadam, first);
/// nadam.update(first, &mut w, &[0.5], &mut [&mut m, &mut v]);
/// assert!((w[0] - 0.9989372).abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, a beta
/// outside [0, 1), or a negative epsilon.
///
/// # References
/// Dozat (2015), *Incorporating Nesterov momentum into Adam*; <https://keras.io/api/optimizers/Nadam/>.
#[derive(Debug, Clone)]
pub struct Nadam {
    learning_rate: LearningRate,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
    /// The last update that began, and its Π. Π is recomputed if updates are not consecutive.
    product: (u64, f64),
}

impl Nadam {
    /// Creates Nadam with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        let learning_rate = learning_rate.into();
        Nadam { learning_rate, beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7, product: (0, 1.0) }
    }

    setters! {
        /// The decay rate β₁ of the mean of the gradients. Default: 0.9.
        beta_1: f64;
        /// The decay rate β₂ of the mean of the squared gradients. Default: 0.999.
        beta_2: f64;
        /// ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64;
    }

    /// μ of update `t`.
    fn momentum(&self, t: u64) -> f64 {
        momentum(self.beta_1, t)
    }
}

/// From this update on, 0.96ᵗ no longer changes 1.
const SETTLED: u64 = 2000;
/// The most factors multiplied one by one, as a training does.
const MOST: u64 = 1 << 24;

fn momentum(beta_1: f64, t: u64) -> f64 {
    if t < SETTLED { beta_1 * (1.0 - 0.5 * 0.96f64.power(t as f64)) } else { beta_1 }
}

/// Extends the product Π μ from one update to update `t`, in bounded time for any `t` that a file may state.
pub(crate) fn momenta(beta_1: f64, last: u64, product: f64, t: u64) -> f64 {
    let near = t.min(last + MOST);
    let steps = (last + 1..=near)
        .try_fold(product, |product, t| (product != 0.0).then(|| product * momentum(beta_1, t)));
    steps.unwrap_or(0.0) * beta_1.power((t - near) as f64)
}

default_rate!(Nadam, 0.001);

impl<F: Scalar> Optimizer<F> for Nadam {
    named!("Nadam");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("nadam")
            .slots([0.0; 2])
            .step(StepScale::Normalized)
            // |m| ≤ 1e9 and η ≤ 1e3: a step is at most 1e12 / (ε·(1 − β₁)²), which `f32` holds.
            .bounded(self.epsilon * (1.0 - self.beta_1).powi(2) >= 1e-15 && self.beta_2 <= 1.0 - 1e-7)
    }

    fn check(&self) -> Result<()> {
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn begin(&mut self, at: Update) {
        let (last, product) = if self.product.0 < at.t { self.product } else { (0, 1.0) };
        self.product = (at.t, momenta(self.beta_1, last, product, at.t));
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("product", &mut self.product)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [m, v] = slots else { return };
        let (now, next, product) = (self.momentum(at.t), self.momentum(at.t + 1), self.product.1);
        let ahead = F::of(next / (1.0 - product * next));
        let here = F::of((1.0 - now) / (1.0 - product));
        let widen = F::of(1.0 / at.correction(self.beta_2));
        let (rate, epsilon) = (F::of(at.learning_rate), F::of(self.epsilon));
        let (a, b) = (F::of(1.0 - self.beta_1), F::of(1.0 - self.beta_2));
        let moved = value.iter_mut().zip(grad).zip(m.iter_mut()).zip(v.iter_mut());
        simd!(|| {
            for (((w, &g), m), v) in moved {
                *m += (g - *m) * a;
                *v += (g * g - *v) * b;
                *w -= rate * (ahead * *m + here * g) / ((*v * widen).sqrt() + epsilon);
            }
        });
    }
}

settings!([] Nadam { "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon });
