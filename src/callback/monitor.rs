//! What a callback watches: a key of the logs, which way is better, and the best so far.

use super::{CallbackContext, State};
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::scalar::Scalar;

/// Which way a monitored number gets better.
///
/// # Example
/// ```
/// use cornu::callback::{EarlyStopping, Mode};
/// let callback: EarlyStopping = EarlyStopping::new().monitor("my_score").mode(Mode::Max);
/// # let _ = callback;
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Mode {
    /// Losses low; metrics as their [`Goal`] says.
    #[default]
    Auto,
    /// Lower is better.
    Min,
    /// Higher is better.
    Max,
}

/// A watched number.
#[derive(Debug, Clone)]
pub(super) struct Monitor {
    pub(super) key: String,
    pub(super) mode: Mode,
    pub(super) min_delta: f64,
    pub(super) best: Option<f64>,
}

impl Monitor {
    pub(super) fn new() -> Self {
        Monitor { key: "val_loss".into(), mode: Mode::Auto, min_delta: 0.0, best: None }
    }

    /// The number now and which way is better; nothing where this epoch has not measured it.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key that no epoch can have, or whose direction nobody knows.
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

    /// Refuses a least difference that compares with nothing.
    ///
    /// # Errors
    /// [`Error::Argument`] for a NaN.
    pub(super) fn check(&self) -> Result<()> {
        match self.min_delta.is_nan() {
            true => Err(Error::argument("min_delta", "a number", self.min_delta)),
            false => Ok(()),
        }
    }

    /// Whether `value` is better than `than` by more than the least difference.
    pub(super) fn improves(&self, value: f64, than: f64, goal: Goal) -> bool {
        match goal {
            Goal::Low => value + self.min_delta.abs() < than,
            Goal::High => value - self.min_delta.abs() > than,
        }
    }

    /// Whether the value is the best: the first always is, NaN never else.
    pub(super) fn is_best(&self, value: f64, goal: Goal) -> bool {
        self.best.is_none_or(|best| self.improves(value, best, goal))
    }

    /// The best so far; the rest are settings.
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("best", &mut self.best)
    }

    /// Takes the value as the best where it is.
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
        /// The key of the logs to watch. Default: `val_loss`.
        pub fn monitor(mut self, key: impl Into<String>) -> Self {
            self.monitor.key = key.into();
            self
        }

        /// Which way is better. Default: [`Mode::Auto`].
        pub fn mode(mut self, mode: Mode) -> Self {
            self.monitor.mode = mode;
            self
        }
    };
}

pub(super) use monitor_setters;
