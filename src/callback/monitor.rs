//! The monitored value of a callback: its key in the logs, its direction, and the best value so far.

use super::keys::{LogKeys, Mode, goal};
use super::{CallbackContext, State};
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::scalar::Scalar;

/// A monitored value.
#[derive(Debug, Clone)]
pub(super) struct MonitoredValue {
    pub(super) key: String,
    pub(super) mode: Mode,
    pub(super) min_delta: f64,
    /// The best value so far; `None` before the first.
    pub(super) best: Option<f64>,
    /// Whether the training or a built-in callback writes the key to the logs.
    pub(super) is_known: bool,
    /// Whether a warning was printed that no callback has set the key.
    pub(super) is_reported: bool,
}

impl MonitoredValue {
    pub(super) fn new() -> Self {
        MonitoredValue {
            key: "val_loss".into(),
            mode: Mode::Auto,
            min_delta: 0.0,
            best: None,
            is_known: false,
            is_reported: false,
        }
    }

    /// Checks the settings before the first step, given the keys that the logs can have.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key that cannot occur, or whose direction is unknown; [`Error::Argument`] for a
    /// `min_delta` of NaN.
    pub(super) fn start<F: Scalar>(&mut self, at: &CallbackContext<F>, keys: &LogKeys) -> Result<()> {
        if self.min_delta.is_nan() {
            return Err(Error::argument("min_delta", "a number", self.min_delta));
        }
        keys.check("metric to monitor", &self.key)?;
        self.goal(at)?;
        (self.is_known, self.is_reported) = (keys.has(&self.key), false);
        Ok(())
    }

    /// The direction in which the value improves.
    fn goal<F: Scalar>(&self, at: &CallbackContext<F>) -> Result<Goal> {
        goal(at.model.compiled.as_ref(), "metric to monitor without a `mode`", &self.key, self.mode)
    }

    /// Returns the current value and its direction, or `None` if this epoch did not measure it.
    ///
    /// Warns once if the key is expected from a callback that has not set it.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a key whose direction is unknown.
    pub(super) fn read<F: Scalar>(&mut self, at: &CallbackContext<F>) -> Result<Option<(f64, Goal)>> {
        let goal = self.goal(at)?;
        let value = at.logs.get(&self.key);
        if value.is_none() && !self.is_known && !self.is_reported {
            self.is_reported = true;
            let keys: Vec<&str> = at.logs.iter().map(|(key, _)| key).collect();
            let (key, epoch) = (&self.key, at.epoch + 1);
            at.warn(format_args!(
                "epoch {epoch}: no callback has set the monitored key `{key}`; the logs have: {}",
                keys.join(", ")
            ));
        }
        Ok(value.map(|value| (value, goal)))
    }

    /// Returns whether `value` is better than `than` by more than `min_delta`; NaN never is.
    pub(super) fn improves(&self, value: f64, than: f64, goal: Goal) -> bool {
        match goal {
            Goal::Low => value + self.min_delta.abs() < than,
            Goal::High => value - self.min_delta.abs() > than,
        }
    }

    /// Returns whether the value is the best so far. Before the first best value, all but the worst infinity are; NaN
    /// never is.
    pub(super) fn is_best(&self, value: f64, goal: Goal) -> bool {
        match (self.best, goal) {
            (Some(best), _) => self.improves(value, best, goal),
            (None, Goal::Low) => value < f64::INFINITY,
            (None, Goal::High) => value > f64::NEG_INFINITY,
        }
    }

    /// The settings of what is monitored.
    pub(super) fn settings(&self) -> [(&'static str, String); 3] {
        [
            ("monitor", self.key.clone()),
            ("mode", format!("{:?}", self.mode)),
            ("min_delta", self.min_delta.to_string()),
        ]
    }

    /// Saves or restores the best value so far.
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
        ///
        /// The key is `loss`, a metric, one of these with the prefix `val_` if epochs are validated, or a key that an earlier
        /// callback adds, see [`CallbackContext::declare_keys`](crate::callback::CallbackContext::declare_keys). `fit`
        /// refuses any other key before the first step. If the key is expected from a callback that has not set it by the
        /// end of an epoch, `fit` prints one warning.
        pub fn monitor(mut self, key: impl Into<String>) -> Self {
            self.monitor.key = key.into();
            self
        }

        /// The direction in which the value improves. Default: [`Mode::Auto`], which is refused for a key that is neither
        /// the loss nor a metric.
        pub fn mode(mut self, mode: Mode) -> Self {
            self.monitor.mode = mode;
            self
        }
    };
}

pub(super) use monitor_setters;
