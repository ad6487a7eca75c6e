//! The keys that the logs of a training can have, and the directions in which their values improve.

use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::model::Compiled;
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

/// The keys that a callback can find in the logs.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogKeys {
    /// The loss and the metrics. Only these are in the logs of a batch.
    measured: Vec<String>,
    /// The keys of the validation, and those that earlier callbacks add.
    at_epoch_end: Vec<String>,
    /// Whether an earlier callback may add other keys.
    any: bool,
}

impl LogKeys {
    /// The keys that the training itself measures.
    pub(crate) fn new<F: Scalar>(compiled: Option<&Compiled<F>>, validates: bool) -> Self {
        let measured = measured(compiled);
        let validated = measured.iter().filter(|_| validates).map(|key| format!("val_{key}"));
        LogKeys { at_epoch_end: validated.collect(), measured, any: false }
    }

    /// Adds the [declared keys](super::CallbackContext::declare_keys) of a callback, or all if it declares none.
    pub(crate) fn add(&mut self, keys: Option<Vec<String>>) {
        self.any |= keys.is_none();
        self.at_epoch_end.extend(keys.into_iter().flatten());
    }

    /// The keys in the logs of a batch.
    pub(super) fn of_batch(self) -> Self {
        LogKeys { at_epoch_end: Vec::new(), ..self }
    }

    /// The known keys.
    pub(super) fn known(&self) -> impl Iterator<Item = &str> {
        self.measured.iter().chain(&self.at_epoch_end).map(String::as_str)
    }

    /// Whether this key is known.
    pub(super) fn has(&self, key: &str) -> bool {
        self.known().any(|known| known == key)
    }

    /// Whether a callback may add keys that are not known.
    pub(super) fn may_have_others(&self) -> bool {
        self.any
    }

    /// Refuses a key that the logs cannot have.
    ///
    /// # Errors
    /// [`Error::Unknown`].
    pub(crate) fn check(&self, what: &'static str, key: &str) -> Result<()> {
        if self.any || self.has(key) {
            return Ok(());
        }
        let known = self.known().map(String::from).collect();
        Err(Error::Unknown { what, name: key.into(), known })
    }
}

/// The keys of the loss and the metrics.
fn measured<F: Scalar>(compiled: Option<&Compiled<F>>) -> Vec<String> {
    let metrics = compiled.into_iter().flat_map(|compiled| compiled.keys.iter().cloned());
    std::iter::once("loss".into()).chain(metrics).collect()
}

/// Returns the direction in which the value of a key improves.
///
/// # Errors
/// [`Error::Unknown`] in [`Mode::Auto`] for a key that is neither the loss nor a metric.
pub(crate) fn goal<F: Scalar>(
    compiled: Option<&Compiled<F>>,
    what: &'static str,
    key: &str,
    mode: Mode,
) -> Result<Goal> {
    let place = |name: &str| compiled?.keys.iter().position(|known| known == name);
    let name = key.strip_prefix("val_").unwrap_or(key);
    match (mode, compiled.zip(place(key).or_else(|| place(name)))) {
        (Mode::Min, _) => Ok(Goal::Low),
        (Mode::Max, _) => Ok(Goal::High),
        (Mode::Auto, Some((compiled, place))) => Ok(compiled.metrics[place].goal()),
        (Mode::Auto, None) if name == "loss" => Ok(Goal::Low),
        (Mode::Auto, None) => Err(Error::Unknown { what, name: key.into(), known: measured(compiled) }),
    }
}
