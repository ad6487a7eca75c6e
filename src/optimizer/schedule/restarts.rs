//! Cosine decay with restarts, each run by default twice as long as the one before.

use std::f64::consts::PI;

use super::{super::check_positive, super::check_range, MODULE, Schedule, check_steps};
use crate::config::{saved, setters, settings};
use crate::error::Result;
use crate::scalar::Scalar;

/// Cosine decay from `η` to `α·η` over `D` steps, restarted over `t_mul·D` steps from `m_mul·η`, and so on.
///
/// ```text
/// η · ((1 − α)·½·m_mulⁱ·(1 + cos(π·f)) + α)    f: the completed share of run i
/// ```
///
/// | setter | default |
/// |---|---|
/// | `t_mul` | 2: each run is twice as long |
/// | `m_mul` | 1: each run starts at the same rate |
/// | `alpha` α | 0 |
///
/// # Example
/// ```
/// use cornu::optimizer::{CosineDecayRestarts, Schedule};
/// let schedule = CosineDecayRestarts::new(0.1, 10);
/// assert_eq!((schedule.at(10), schedule.at(30)), (0.1, 0.1));
/// let shrinking = CosineDecayRestarts::new(0.1, 10).t_mul(1.0).m_mul(0.5).alpha(0.0);
/// assert!((shrinking.at(10) - 0.05).abs() < 1e-12 && (shrinking.at(20) - 0.025).abs() < 1e-12);
/// ```
///
/// # References
/// Loshchilov and Hutter (2016), *SGDR: stochastic gradient descent with warm restarts*;
/// <https://keras.io/api/optimizers/learning_rate_schedules/cosine_decay_restarts/>
#[derive(Debug, Clone, PartialEq)]
pub struct CosineDecayRestarts {
    initial: f64,
    first_decay_steps: u64,
    t_mul: f64,
    m_mul: f64,
    alpha: f64,
}

impl CosineDecayRestarts {
    /// Creates a decay from `initial` to 0 over `first_decay_steps` steps, with restarts.
    pub fn new(initial: f64, first_decay_steps: u64) -> Self {
        CosineDecayRestarts { initial, first_decay_steps, t_mul: 2.0, m_mul: 1.0, alpha: 0.0 }
    }

    setters! {
        /// The length of each run relative to the one before. Default: 2.
        t_mul: f64;
        /// The start of each run relative to the one before. Default: 1.
        m_mul: f64;
        /// The share α of the rate that remains at the end of a run. Default: 0.
        alpha: f64;
    }
}

impl Schedule for CosineDecayRestarts {
    saved!(MODULE, "CosineDecayRestarts");

    fn at(&self, step: u64) -> f64 {
        let done = step as f64 / self.first_decay_steps as f64;
        let (run, share) = if self.t_mul == 1.0 {
            (done.floor(), done.fract())
        } else {
            // The run is the largest i with (1 − t_mulⁱ)/(1 − t_mul) <= done; the logarithm may be off by a rounding
            // error.
            let start = |run: f64| (1.0 - self.t_mul.power(run)) / (1.0 - self.t_mul);
            let run = ((1.0 - done * (1.0 - self.t_mul)).logarithm() / self.t_mul.logarithm() + 1e-9).floor();
            (run, (done - start(run)) / self.t_mul.power(run))
        };
        let height = self.m_mul.power(run);
        self.initial * ((1.0 - self.alpha) * 0.5 * height * (1.0 + libm::cos(PI * share)) + self.alpha)
    }

    fn check(&self) -> Result<()> {
        check_steps("first_decay_steps", self.first_decay_steps)?;
        check_range("t_mul", self.t_mul, 1.0, f64::MAX)?;
        check_positive("m_mul", self.m_mul)?;
        check_range("alpha", self.alpha, 0.0, f64::MAX)
    }
}

settings!([] CosineDecayRestarts {
    "initial_learning_rate" required: initial, "first_decay_steps" required: first_decay_steps,
    "t_mul": t_mul, "m_mul": m_mul, "alpha": alpha,
} ignore { "name" });
