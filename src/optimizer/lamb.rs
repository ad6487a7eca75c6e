//! LAMB: Adam's step u = m̂ / (√v̂ + ε), scaled to the size of the parameter: w −= η·‖w‖/‖u‖·u.

use super::{
    LearningRate, Optimizer, OptimizerTraits, Update, check_decay, check_range, default_rate, named, norm,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// LAMB: Adam with steps in proportion to the norm of each parameter, for large batches.
///
/// ```text
/// m ← m + (g − m)·(1 − β₁)          v ← v + (g² − v)·(1 − β₂)
/// u = m/(1 − β₁ᵗ) / (√(v/(1 − β₂ᵗ)) + ε)
/// w ← w − η·‖w‖/‖u‖·u               without the ratio if a norm is 0
/// ```
/// The norms are those of a whole parameter.
///
/// | setter | default |
/// |---|---|
/// | `beta_1` | 0.9 |
/// | `beta_2` | 0.999 |
/// | `epsilon` | 1e-7 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Lamb, Optimizer, Update};
/// let (mut w, mut m, mut v) = ([3.0f64, 4.0], [0.0; 2], [0.0; 2]);
/// Lamb::new(0.1).update_whole(Update::new(1, 0.1), &[2], &mut w, &[2.0, 2.0], &mut [&mut m, &mut v]);
/// // A step of length 0.1·5 in the direction of (1, 1).
/// assert!((w[0] - (3.0 - 0.5 / 2f64.sqrt())).abs() < 1e-12);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate below 0 or not finite, a beta
/// outside [0, 1), or a negative epsilon.
///
/// # References
/// You et al. (2019), *Large batch optimization for deep learning: training BERT in 76 minutes*;
/// <https://keras.io/api/optimizers/lamb/>.
#[derive(Debug, Clone)]
pub struct Lamb {
    learning_rate: LearningRate,
    beta_1: f64,
    beta_2: f64,
    epsilon: f64,
}

impl Lamb {
    /// Creates LAMB with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Lamb { learning_rate: learning_rate.into(), beta_1: 0.9, beta_2: 0.999, epsilon: 1e-7 }
    }

    setters! {
        /// The decay rate β₁ of the mean of the gradients. Default: 0.9.
        beta_1: f64;
        /// The decay rate β₂ of the mean of the squared gradients. Default: 0.999.
        beta_2: f64;
        /// ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64;
    }
}

default_rate!(Lamb, 0.001);

impl<F: Scalar> Optimizer<F> for Lamb {
    named!("Lamb");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("lamb").slots([0.0; 2]).whole(true)
    }

    fn check(&self) -> Result<()> {
        check_decay("beta_1", self.beta_1)?;
        check_decay("beta_2", self.beta_2)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    /// Takes `value` for a whole parameter.
    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [m, v] = slots else { return };
        let (a, b, epsilon) = (F::of(1.0 - self.beta_1), F::of(1.0 - self.beta_2), F::of(self.epsilon));
        let (bias_m, bias_v) = (F::of(at.correction(self.beta_1)), F::of(at.correction(self.beta_2)));
        let step = move |m: F, v: F| m / bias_m / ((v / bias_v).sqrt() + epsilon);
        let moments = grad.iter().zip(m.iter_mut()).zip(v.iter_mut());
        simd!(|| {
            for ((&g, m), v) in moments {
                *m += (g - *m) * a;
                *v += (g * g - *v) * b;
            }
        });
        let size = norm(value.iter().copied());
        let step_size = norm(m.iter().zip(v.iter()).map(|(&m, &v)| step(m, v)));
        let ratio = if size > 0.0 && step_size > 0.0 { size / step_size } else { 1.0 };
        let rate = F::of(ratio * at.learning_rate);
        let moved = value.iter_mut().zip(m.iter()).zip(v.iter());
        simd!(|| moved.for_each(|((w, &m), &v)| *w -= rate * step(m, v)));
    }
}

settings!([] Lamb { "beta_1": beta_1, "beta_2": beta_2, "epsilon": epsilon });
