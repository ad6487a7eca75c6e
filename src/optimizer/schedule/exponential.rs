//! Exponential decay: η·rate^(s/D).

use super::{super::check_range, MODULE, Schedule, check_steps};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::scalar::Scalar;

/// Exponential decay, `η · rate^(s/D)` at step `s`.
///
/// | setter | default |
/// |---|---|
/// | `staircase` | false: falls at every step; true: only at multiples of `D` |
///
/// # Example
/// ```
/// use cornu::optimizer::{ExponentialDecay, Schedule};
/// let schedule = ExponentialDecay::new(0.1, 1000, 0.96).staircase(true);
/// assert_eq!((schedule.at(999), schedule.at(1000)), (0.1, 0.096));
/// ```
///
/// # References
/// <https://keras.io/api/optimizers/learning_rate_schedules/exponential_decay/>
#[derive(Debug, Clone, PartialEq)]
pub struct ExponentialDecay {
    initial: f64,
    decay_steps: u64,
    rate: f64,
    staircase: bool,
}

impl ExponentialDecay {
    /// Creates a decay from `initial`, by a factor of `rate` every `decay_steps` steps.
    pub fn new(initial: f64, decay_steps: u64, rate: f64) -> Self {
        ExponentialDecay { initial, decay_steps, rate, staircase: false }
    }

    /// Whether the rate falls only at multiples of `decay_steps`. Default: false.
    pub fn staircase(mut self, staircase: bool) -> Self {
        self.staircase = staircase;
        self
    }
}

impl Schedule for ExponentialDecay {
    saved!(MODULE, "ExponentialDecay");

    fn at(&self, step: u64) -> f64 {
        let s = step as f64 / self.decay_steps as f64;
        self.initial * self.rate.power(if self.staircase { s.floor() } else { s })
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)?;
        check_range("rate", self.rate, 0.0, f64::MAX)
    }
}

settings!([] ExponentialDecay {
    "initial_learning_rate" required: initial, "decay_steps" required: decay_steps,
    "decay_rate" required: rate, "staircase": staircase,
} ignore { "name" });
