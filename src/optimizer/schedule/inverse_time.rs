//! Inverse time decay: η / (1 + rate·s/D).

use super::{super::check_range, MODULE, Schedule, check_steps};
use crate::config::{saved, settings};
use crate::error::Result;

/// Inverse time decay, `η / (1 + rate·s/D)` at step `s`.
///
/// | setter | default |
/// |---|---|
/// | `staircase` | false: falls at every step; true: only at multiples of `D` |
///
/// # Example
/// ```
/// use cornu::optimizer::{InverseTimeDecay, Schedule};
/// assert_eq!(InverseTimeDecay::new(0.1, 10, 1.0).at(10), 0.05);
/// assert_eq!(InverseTimeDecay::new(0.1, 10, 1.0).staircase(true).at(9), 0.1);
/// ```
///
/// # References
/// <https://keras.io/api/optimizers/learning_rate_schedules/inverse_time_decay/>
#[derive(Debug, Clone, PartialEq)]
pub struct InverseTimeDecay {
    initial: f64,
    decay_steps: u64,
    rate: f64,
    staircase: bool,
}

impl InverseTimeDecay {
    /// Creates a decay from `initial` to `initial / (1 + rate)` over the first `decay_steps` steps.
    pub fn new(initial: f64, decay_steps: u64, rate: f64) -> Self {
        InverseTimeDecay { initial, decay_steps, rate, staircase: false }
    }

    /// Whether the rate falls only at multiples of `decay_steps`. Default: false.
    pub fn staircase(mut self, staircase: bool) -> Self {
        self.staircase = staircase;
        self
    }
}

impl Schedule for InverseTimeDecay {
    saved!(MODULE, "InverseTimeDecay");

    fn at(&self, step: u64) -> f64 {
        let s = step as f64 / self.decay_steps as f64;
        self.initial / (1.0 + self.rate * if self.staircase { s.floor() } else { s })
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)?;
        check_range("rate", self.rate, 0.0, f64::MAX)
    }
}

settings!([] InverseTimeDecay {
    "initial_learning_rate" required: initial, "decay_steps" required: decay_steps,
    "decay_rate" required: rate, "staircase": staircase,
} ignore { "name" });
