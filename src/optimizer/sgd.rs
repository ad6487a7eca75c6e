//! SGD: w −= η·g. With momentum: v = μ·v − η·g, w += v; Nesterov: w += μ·v − η·g.

use super::{LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_range, default_rate, named};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// Stochastic gradient descent, optionally with momentum.
///
/// ```text
/// μ = 0:     w ← w − η·g
/// μ > 0:     v ← μ·v − η·g    w ← w + v
/// Nesterov:  v ← μ·v − η·g    w ← w + μ·v − η·g
/// ```
///
/// | setter | default |
/// |---|---|
/// | `momentum` μ | 0 |
/// | `nesterov` | false |
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, Sgd, Update};
/// let mut w = [1.0, 2.0];
/// Sgd::new(0.1).update(Update::new(1, 0.1), &mut w, &[0.5, -1.0], &mut []);
/// assert_eq!(w, [0.95, 2.1]);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, or a momentum
/// outside [0, 1].
///
/// # References
/// <https://keras.io/api/optimizers/sgd/>; Sutskever et al. (2013), *On the importance of initialization and
/// momentum in deep learning*.
#[derive(Debug, Clone)]
pub struct Sgd {
    learning_rate: LearningRate,
    momentum: f64,
    nesterov: bool,
}

impl Sgd {
    /// Creates plain gradient descent with this learning rate; Keras's default is 0.01.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Sgd { learning_rate: learning_rate.into(), momentum: 0.0, nesterov: false }
    }

    setters! {
        /// The momentum μ, the share of the last step that is repeated. Default: 0.
        momentum: f64;
        /// Whether to use Nesterov momentum. Default: false.
        nesterov: bool;
    }
}

default_rate!(Sgd, 0.01);

impl<F: Scalar> Optimizer<F> for Sgd {
    named!("SGD");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("sgd")
            .slots(vec![0.0; usize::from(self.momentum > 0.0)])
            .step(StepScale::Gradient)
            .momentum(self.momentum)
            .bounded(true)
    }

    fn check(&self) -> Result<()> {
        check_range("momentum", self.momentum, 0.0, 1.0)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let (rate, mu) = (F::of(at.learning_rate), F::of(self.momentum));
        let [v] = slots else {
            return simd!(|| value.iter_mut().zip(grad).for_each(|(w, &g)| *w -= rate * g));
        };
        let moved = value.iter_mut().zip(grad).zip(v.iter_mut());
        simd!(|| {
            for ((w, &g), v) in moved {
                *v = mu * *v - rate * g;
                *w += if self.nesterov { mu * *v - rate * g } else { *v };
            }
        });
    }
}

settings!([] Sgd { "momentum": momentum, "nesterov": nesterov });
