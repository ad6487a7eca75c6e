//! Polynomial decay: (η − end)·(1 − s/D)^power + end.

use super::{super::check_range, MODULE, Schedule, check_steps};
use crate::config::{saved, setters, settings};
use crate::error::Result;
use crate::scalar::Scalar;

/// Polynomial decay, `(η − end)·(1 − s/D)^power + end` at step `s`, and `end` after step `D`.
///
/// | setter | default |
/// |---|---|
/// | `end` | 0.0001 |
/// | `power` | 1 |
/// | `cycle` | false; true replaces `D` by the next multiple of `D` beyond `s` |
///
/// # Example
/// ```
/// use cornu::optimizer::{PolynomialDecay, Schedule};
/// assert_eq!(PolynomialDecay::new(0.1, 10).end(0.0).at(5), 0.05);
/// let squared = PolynomialDecay::new(0.1, 10).end(0.0).power(2.0).cycle(true);
/// assert!((squared.at(5) - 0.025).abs() < 1e-12 && squared.at(11) > squared.at(9));
/// ```
///
/// # References
/// <https://keras.io/api/optimizers/learning_rate_schedules/polynomial_decay/>
#[derive(Debug, Clone, PartialEq)]
pub struct PolynomialDecay {
    initial: f64,
    decay_steps: u64,
    end: f64,
    power: f64,
    cycle: bool,
}

impl PolynomialDecay {
    /// Creates a linear decay from `initial` to 0.0001 over `decay_steps` steps.
    pub fn new(initial: f64, decay_steps: u64) -> Self {
        PolynomialDecay { initial, decay_steps, end: 1e-4, power: 1.0, cycle: false }
    }

    setters! {
        /// The rate at the end. Default: 0.0001.
        end: f64;
        /// The exponent. Default: 1.
        power: f64;
        /// Whether the rate rises again after each `decay_steps` steps, less each time. Default: false.
        cycle: bool;
    }
}

impl Schedule for PolynomialDecay {
    saved!(MODULE, "PolynomialDecay");

    fn at(&self, step: u64) -> f64 {
        let decay_steps = match self.cycle {
            true => self.decay_steps * step.div_ceil(self.decay_steps).max(1),
            false => self.decay_steps,
        };
        let s = step.min(decay_steps) as f64 / decay_steps as f64;
        (self.initial - self.end) * (1.0 - s).power(self.power) + self.end
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)?;
        check_range("end", self.end, 0.0, f64::MAX)?;
        check_range("power", self.power, 0.0, f64::MAX)
    }
}

settings!([] PolynomialDecay {
    "initial_learning_rate" required: initial, "decay_steps" required: decay_steps,
    "end_learning_rate": end, "power": power, "cycle": cycle,
} ignore { "name" });
