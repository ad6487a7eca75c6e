//! Adagrad: a += g², w −= η·g / √(a + ε).

use super::{LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_range, default_rate, named};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// Adagrad: the steps of each weight shrink as its squared gradients add up.
///
/// ```text
/// a ← a + g²    w ← w − η·g / √(a + ε)
/// ```
///
/// | setter | default |
/// |---|---|
/// | `initial_accumulator_value` of `a` | 0.1 |
/// | `epsilon` ε | 1e-7 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Adagrad, Optimizer, Update};
/// let (mut w, mut a) = ([1.0f64], [0.1]);
/// Adagrad::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut a]);
/// assert!((w[0] - 0.9991549).abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate, initial value or epsilon below 0 or
/// not finite.
///
/// # References
/// Duchi et al. (2011), *Adaptive subgradient methods*; <https://keras.io/api/optimizers/adagrad/>.
#[derive(Debug, Clone)]
pub struct Adagrad {
    learning_rate: LearningRate,
    initial_accumulator_value: f64,
    epsilon: f64,
}

impl Adagrad {
    /// Creates Adagrad with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Adagrad { learning_rate: learning_rate.into(), initial_accumulator_value: 0.1, epsilon: 1e-7 }
    }

    setters! {
        /// The start value of the sums of squares `a`. Default: 0.1.
        initial_accumulator_value: f64;
        /// ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64;
    }
}

default_rate!(Adagrad, 0.001);

impl<F: Scalar> Optimizer<F> for Adagrad {
    named!("Adagrad");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("adagrad")
            .slots([self.initial_accumulator_value])
            .step(StepScale::Accumulated)
            // |g| ≤ 1e9 and η ≤ 1e3: a step is at most 1e12 / √ε, which `f32` holds.
            .bounded(self.epsilon >= 1e-15)
    }

    fn check(&self) -> Result<()> {
        check_range("initial_accumulator_value", self.initial_accumulator_value, 0.0, f64::MAX)?;
        check_range("epsilon", self.epsilon, 0.0, f64::MAX)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [a] = slots else { return };
        let (rate, epsilon) = (F::of(at.learning_rate), F::of(self.epsilon));
        let moved = value.iter_mut().zip(grad).zip(a.iter_mut());
        simd!(|| {
            for ((w, &g), a) in moved {
                *a += g * g;
                *w -= rate * g / (*a + epsilon).sqrt();
            }
        });
    }
}

settings!([] Adagrad { "initial_accumulator_value": initial_accumulator_value, "epsilon": epsilon });
