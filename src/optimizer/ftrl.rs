//! FTRL: n' = n + g², z += g − (n'^q − n^q)/η·w, w = (clip(z, ±l1) − z) / (n'^q/η + 2·l2).

use super::{
    LearningRate, Optimizer, OptimizerTraits, StepScale, Update, check_positive, check_range, default_rate,
    named,
};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel::simd;
use crate::scalar::Scalar;

/// *Follow the regularized leader*: weights recomputed at each step from the sum of all gradients.
///
/// A weight is exactly 0 as long as `|z| ≤ l1`.
///
/// ```text
/// l2' = l2 + beta/(2η)    g' = g + 2·l2_shrinkage·w    n' = n + g²    q = −learning_rate_power
/// z ← z + g' − (n'^q − n^q)/η · w
/// w ← (clip(z, −l1, l1) − z) / (n'^q/η + 2·l2')    n ← n'
/// ```
/// `z` starts at 0, so the first step forgets the initial weights, as in Keras.
///
/// | setter | default |
/// |---|---|
/// | `learning_rate_power` | −0.5 |
/// | `initial_accumulator_value` of `n` | 0.1 |
/// | `l1`, `l2`, `l2_shrinkage`, `beta` | 0 |
///
/// # Example
/// ```
/// use cornu::optimizer::{Ftrl, Optimizer, Update};
/// let (mut w, mut n, mut z) = ([1.0f64], [0.1], [0.0]);
/// Ftrl::new(0.001).update(Update::new(1, 0.001), &mut w, &[0.5], &mut [&mut n, &mut z]);
/// assert!((w[0] - 0.4646324).abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`](crate::Error::Argument) for a learning rate of 0, a power above 0, or another setting below 0 or not
/// finite.
///
/// # References
/// McMahan et al. (2013), *Ad click prediction: a view from the trenches*;
/// <https://keras.io/api/optimizers/ftrl/>.
#[derive(Debug, Clone)]
pub struct Ftrl {
    learning_rate: LearningRate,
    learning_rate_power: f64,
    initial_accumulator_value: f64,
    l1: f64,
    l2: f64,
    l2_shrinkage: f64,
    beta: f64,
}

impl Ftrl {
    /// Creates FTRL with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        Ftrl {
            learning_rate: learning_rate.into(),
            learning_rate_power: -0.5,
            initial_accumulator_value: 0.1,
            l1: 0.0,
            l2: 0.0,
            l2_shrinkage: 0.0,
            beta: 0.0,
        }
    }

    setters! {
        /// The exponent by which the rate falls as squared gradients add up, at most 0; 0 keeps it. Default: −0.5.
        learning_rate_power: f64;
        /// The start value of the sums of squares `n`. Default: 0.1.
        initial_accumulator_value: f64;
        /// The L1 penalty. Default: 0.
        l1: f64;
        /// The L2 penalty. Default: 0.
        l2: f64;
        /// The L2 penalty that acts on the gradient alone. Default: 0.
        l2_shrinkage: f64;
        /// The paper's β. Default: 0.
        beta: f64;
    }
}

default_rate!(Ftrl, 0.001);

impl Ftrl {
    /// Whether the divisor stays above 0 and no power overflows.
    fn is_bounded(&self) -> bool {
        let Ftrl { learning_rate_power, initial_accumulator_value, l1, l2, l2_shrinkage, beta, .. } = *self;
        let largest = [initial_accumulator_value, l1, l2, l2_shrinkage, beta].into_iter().fold(0.0, f64::max);
        learning_rate_power == -0.5 && initial_accumulator_value >= 1e-12 && largest <= 1e3
    }
}

impl<F: Scalar> Optimizer<F> for Ftrl {
    named!("Ftrl");

    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits::new("ftrl")
            .slots([self.initial_accumulator_value, 0.0])
            .step(StepScale::Accumulated)
            .bounded(self.is_bounded())
    }

    fn check(&self) -> Result<()> {
        check_positive("learning_rate", self.learning_rate.at(0))?;
        check_range("learning_rate_power", self.learning_rate_power, -f64::MAX, 0.0)?;
        for (argument, value) in [
            ("initial_accumulator_value", self.initial_accumulator_value),
            ("l1", self.l1),
            ("l2", self.l2),
            ("l2_shrinkage", self.l2_shrinkage),
            ("beta", self.beta),
        ] {
            check_range(argument, value, 0.0, f64::MAX)?;
        }
        Ok(())
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let [n, z] = slots else { return };
        let (rate, q, l1) = (F::of(at.learning_rate), F::of(-self.learning_rate_power), F::of(self.l1));
        let l2 = F::of(2.0 * self.l2 + self.beta / at.learning_rate);
        let shrinkage = F::of(2.0 * self.l2_shrinkage);
        let power = |n: F| if q == F::of(0.5) { n.sqrt() } else { n.power(q) };
        let moved = value.iter_mut().zip(grad).zip(n.iter_mut()).zip(z.iter_mut());
        simd!(|| {
            for (((w, &g), n), z) in moved {
                let next = *n + g * g;
                *z += g + shrinkage * *w - (power(next) - power(*n)) / rate * *w;
                *w = (z.max(-l1).min(l1) - *z) / (power(next) / rate + l2);
                *n = next;
            }
        });
    }
}

settings!([] Ftrl {
    "learning_rate_power": learning_rate_power, "initial_accumulator_value": initial_accumulator_value,
    "l1_regularization_strength": l1, "l2_regularization_strength": l2,
    "l2_shrinkage_regularization_strength": l2_shrinkage, "beta": beta,
});
