//! Cosine decay: η·((1 − α)·½(1 + cos(π·s/D)) + α), with an optional warm-up.

use std::f64::consts::PI;

use super::{super::check_range, MODULE, Schedule, check_steps};
use crate::config::{saved, settings};
use crate::error::Result;

/// Cosine decay from `η` to `α·η` over `D` steps.
///
/// ```text
/// η · ((1 − α)·½·(1 + cos(π·s/D)) + α)    s = min(step, D)
/// ```
/// With a warm-up of `W` steps, the rate first grows linearly from `η` to the target of the warm-up. The cosine
/// starts there, and `D` counts from step `W`.
///
/// | setter | default |
/// |---|---|
/// | `alpha` α | 0 |
/// | `warm_up` | none |
///
/// # Example
/// ```
/// use cornu::optimizer::{CosineDecay, Schedule};
/// let schedule = CosineDecay::new(0.0, 900).warm_up(0.1, 100);
/// assert_eq!((schedule.at(50), schedule.at(100), schedule.at(1000)), (0.05, 0.1, 0.0));
/// assert!((CosineDecay::new(0.1, 900).alpha(0.5).at(900) - 0.05).abs() < 1e-12);
/// ```
///
/// # References
/// Loshchilov and Hutter (2016), *SGDR: stochastic gradient descent with warm restarts*;
/// <https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay/>
#[derive(Debug, Clone, PartialEq)]
pub struct CosineDecay {
    initial: f64,
    decay_steps: u64,
    alpha: f64,
    /// The rate at the end of the warm-up, and its steps.
    warm_up: WarmUp,
}

/// A linear warm-up to `target` in `steps` steps.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
struct WarmUp {
    target: Option<f64>,
    steps: u64,
}

impl CosineDecay {
    /// Creates a decay from `initial` to 0 over `decay_steps` steps.
    pub fn new(initial: f64, decay_steps: u64) -> Self {
        CosineDecay { initial, decay_steps, alpha: 0.0, warm_up: WarmUp::default() }
    }

    /// The share α of the rate that remains at the end. Default: 0.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// Adds a linear warm-up from the initial rate to `target` over `steps` steps. Default: none.
    pub fn warm_up(mut self, target: f64, steps: u64) -> Self {
        self.warm_up = WarmUp { target: Some(target), steps };
        self
    }
}

impl Schedule for CosineDecay {
    saved!(MODULE, "CosineDecay");

    fn at(&self, step: u64) -> f64 {
        let (top, start) =
            self.warm_up.target.map_or((self.initial, 0), |target| (target, self.warm_up.steps));
        if step < start {
            return self.initial + (top - self.initial) * step as f64 / start as f64;
        }
        let s = (step - start).min(self.decay_steps) as f64 / self.decay_steps as f64;
        top * ((1.0 - self.alpha) * 0.5 * (1.0 + libm::cos(PI * s)) + self.alpha)
    }

    fn check(&self) -> Result<()> {
        check_steps("decay_steps", self.decay_steps)?;
        check_range("alpha", self.alpha, 0.0, f64::MAX)?;
        check_range("target", self.warm_up.target.unwrap_or(0.0), 0.0, f64::MAX)
    }
}

settings!([] CosineDecay {
    "initial_learning_rate" required: initial, "decay_steps" required: decay_steps, "alpha": alpha,
    "warmup_target": warm_up.target, "warmup_steps": warm_up.steps,
} ignore { "name" });
