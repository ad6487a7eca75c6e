//! RMSprop: v = ρ·v + (1 − ρ)·g², w −= η·g / √(v + ε). Centered: v − a² with a = ρ·a + (1 − ρ)·g.

use super::{
    LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_decay, check_range, default_rate,
    named,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// RMSprop: each step is divided by the root of a moving mean of squared gradients.
///
/// ```text
/// v ← ρ·v + (1 − ρ)·g²    d = v + ε
/// centered:  a ← ρ·a + (1 − ρ)·g    d = v − a² + ε
/// μ = 0:     w ← w − η·g / √d
/// μ > 0:     m ← μ·m + η·g / √d     w ← w − m
/// ```
///
/// | setter | default |
/// |---|---|
/// | `rho` ρ | 0.9 |
/// | `momentum` μ | 0 |
/// | `epsilon` ε, inside the root | 1e-7 |
/// | `centered` | false |
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, RmsProp, Update};
/// let (mut w, mut v) = ([1.0f64], [0.0]);
/// RmsProp::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut v]);
/// assert!((w[0] - 0.9968377).abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, rho outside
/// [0, 1), a momentum outside [0, 1], or a negative epsilon.
///
/// # References
/// Tieleman and Hinton (2012), *Lecture 6.5: rmsprop*; <https://keras.io/api/optimizers/rmsprop/>.
#[derive(Debug, Clone)]
pub struct RmsProp {
    learning_rate: LearningRate,
    rho: f64,
    momentum: f64,
    epsilon: f64,
    centered: bool,
}

impl RmsProp {
    /// Creates RMSprop with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        let learning_rate = learning_rate.into();
        RmsProp { learning_rate, rho: 0.9, momentum: 0.0, epsilon: 1e-7, centered: false }
    }

    setters! {
        /// The decay rate ρ of the mean square. Default: 0.9.
        rho: f64;
        /// The momentum μ, the share of the last step that is repeated. Default: 0.
        momentum: f64;
        /// ε, added inside the root to keep the divisor above 0. Default: 1e-7.
        epsilon: f64;
        /// Whether to divide by the variance of the gradients, not by their mean square. Default: false.
        centered: bool;
    }
}

default_rate!(RmsProp, 0.001);

impl<F: Scalar> Optimizer<F> for RmsProp {
    named!("RMSprop");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("rmsprop")
            .slots(vec![0.0; 1 + usize::from(self.momentum > 0.0) + usize::from(self.centered)])
            .step(StepScale::Normalized)
            // |g| ≤ 1e9 and η ≤ 1e3: a step is at most 1e12 / √ε, which `f32` holds.
            .bounded(self.epsilon >= 1e-15 && !self.centered)
    }

    fn check(&self) -> Result<()> {
        check_decay("rho", self.rho)?;
        check_range("momentum", self.momentum, 0.0, 1.0)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let (rate, epsilon, mu) = (F::of(at.learning_rate), F::of(self.epsilon), F::of(self.momentum));
        let (rho, new) = (F::of(self.rho), F::of(1.0 - self.rho));
        let [v, others @ ..] = slots else { return };
        let (m, a) = others.split_at_mut(others.len().min(usize::from(self.momentum > 0.0)));
        // `move`: a loop that reads its constants through references does not vectorize.
        let squares = value.iter_mut().zip(grad).zip(v.iter_mut()).map(move |((w, &g), v)| {
            *v = rho * *v + new * g * g;
            (w, g, *v)
        });
        let step = move |g: F, variance: F| rate * g / (variance + epsilon).sqrt();
        simd!(|| match a {
            [] => descend(squares.map(move |(w, g, v)| (w, step(g, v))), m, mu),
            [a, ..] => {
                let steps = squares.zip(a.iter_mut()).map(move |((w, g, v), a)| {
                    *a = rho * *a + new * g;
                    (w, step(g, v - *a * *a))
                });
                descend(steps, m, mu);
            }
        });
    }
}

/// `w ← w − s` for each weight and its step; with momentum `m ← μ·m + s`, `w ← w − m`.
// Inlined, so that `simd` compiles the loops.
#[inline(always)]
fn descend<'a, F: Scalar>(steps: impl Iterator<Item = (&'a mut F, F)>, m: &mut [&mut [F]], mu: F) {
    match m {
        [] => steps.for_each(move |(w, step)| *w -= step),
        [m, ..] => steps.zip(m.iter_mut()).for_each(move |((w, step), m)| {
            *m = mu * *m + step;
            *w -= *m;
        }),
    }
}

settings!([] RmsProp { "rho": rho, "momentum": momentum, "epsilon": epsilon, "centered": centered });
