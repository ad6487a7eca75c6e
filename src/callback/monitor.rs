//! The monitored value of a callback: its key in the logs, its direction, and the best value so far.

use super::{CallbackContext, State};
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::scalar::Scalar;

/// The direction in which a monitored value improves.
///
/// # Example
/// ```
/// use cornu::callback::Mode;
/// assert_eq!(Mode::default(), Mode::Auto);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Losses improve downwards, metrics according to their [`Goal`].
    #[default]
    Auto,
    /// Lower is better.
    Min,
    /// Higher is better.
    Max,
}

/// A monitored value.
#[derive(Debug, Clone)]
pub(super) struct MonitoredValue {
    pub(super) key: String,
    pub(super) mode: Mode,
    pub(super) min_delta: f64,
    pub(super) best: Option<f64>,
}

impl MonitoredValue {
    pub(super) fn new() -> Self {
        MonitoredValue { key: "val_loss".into(), mode: Mode::Auto, min_delta: 0.0, best: None }
    }

    /// Returns the current value and its direction; none if this epoch did not measure it.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key that cannot occur, or whose direction is unknown.
    pub(super) fn read<F: Scalar>(&self, at: &CallbackContext<F>) -> Result<Option<(f64, Goal)>> {
        let name = self.key.strip_prefix("val_").unwrap_or(&self.key);
        let compiled = at.model.compiled.as_ref();
        let keys = compiled.map_or(&[][..], |compiled| &compiled.keys);
        let goal = match self.mode {
            Mode::Min => Some(Goal::Low),
            Mode::Max => Some(Goal::High),
            Mode::Auto if name == "loss" => Some(Goal::Low),
            Mode::Auto => {
                compiled.zip(keys.iter().position(|key| key == name)).map(|(c, i)| c.metrics[i].goal())
            }
        };
        let Some(goal) = goal else {
            let known = std::iter::once("loss".into()).chain(keys.iter().cloned()).collect();
            return Err(Error::Unknown { what: "metric to monitor", name: self.key.clone(), known });
        };
        Ok(at.logs.get(&self.key).map(|value| (value, goal)))
    }

    /// Refuses a `min_delta` of NaN.
    ///
    /// # Errors
    /// [`Error::Argument`] for NaN.
    pub(super) fn check(&self) -> Result<()> {
        match self.min_delta.is_nan() {
            true => Err(Error::argument("min_delta", "a number", self.min_delta)),
            false => Ok(()),
        }
    }

    /// Returns whether `value` is better than `than` by more than `min_delta`.
    pub(super) fn improves(&self, value: f64, than: f64, goal: Goal) -> bool {
        match goal {
            Goal::Low => value + self.min_delta.abs() < than,
            Goal::High => value - self.min_delta.abs() > than,
        }
    }

    /// Returns whether the value is the best so far; the first one always is, NaN never after that.
    pub(super) fn is_best(&self, value: f64, goal: Goal) -> bool {
        self.best.is_none_or(|best| self.improves(value, best, goal))
    }

    /// Saves or restores the best value so far; the rest are settings.
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("best", &mut self.best)
    }

    /// Keeps the value if it is the best, and returns whether it is.
    pub(super) fn take(&mut self, value: f64, goal: Goal) -> bool {
        let better = self.is_best(value, goal);
        if better {
            self.best = Some(value);
        }
        better
    }
}

/// The setters of a field `monitor`.
macro_rules! monitor_setters {
    () => {
        /// The key of the logs to monitor. Default: `val_loss`.
        pub fn monitor(mut self, key: impl Into<String>) -> Self {
            self.monitor.key = key.into();
            self
        }

        /// The direction in which the value improves. Default: [`Mode::Auto`].
        pub fn mode(mut self, mode: Mode) -> Self {
            self.monitor.mode = mode;
            self
        }
    };
}

pub(super) use monitor_setters;
