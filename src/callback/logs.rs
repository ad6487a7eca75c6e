//! The loss and the metrics as named values in a fixed order.

use std::fmt;

use crate::error::Result;
use crate::state::State;

/// The loss and the metrics by name, in the order in which they were first set.
///
/// # Example
/// ```
/// let mut logs = cornu::callback::Logs::default();
/// logs.set("loss", 0.25);
/// logs.set("accuracy", 1.0);
/// assert_eq!(logs.get("loss"), Some(0.25));
/// assert_eq!(logs.to_string(), "loss: 0.2500 - accuracy: 1.0000");
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logs(Vec<(String, f64)>);

impl Logs {
    /// Returns the value with this name.
    pub fn get(&self, name: &str) -> Option<f64> {
        self.0.iter().find(|(known, _)| known == name).map(|(_, value)| *value)
    }

    /// Sets the value with this name.
    pub fn set(&mut self, name: &str, value: f64) {
        match self.0.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => entry.1 = value,
            None => self.0.push((name.into(), value)),
        }
    }

    /// Iterates over names and values in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, f64)> {
        self.0.iter().map(|(name, value)| (&**name, *value))
    }

    /// The values as text, such as `loss: 0.2500`.
    pub(super) fn parts(&self) -> impl Iterator<Item = String> {
        self.iter().map(|(name, value)| match value {
            v if v != 0.0 && v.abs() <= 1e-3 => format!("{name}: {v:.4e}"),
            v => format!("{name}: {v:.4}"),
        })
    }

    /// Saves or restores all names and values.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("logs", &mut self.0)
    }

    /// Removes all names and values.
    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}

impl fmt::Display for Logs {
    /// Formats like Keras: four decimals, or an exponent for values up to 0.001.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.parts()
            .enumerate()
            .try_for_each(|(i, part)| write!(f, "{}{part}", if i > 0 { " - " } else { "" }))
    }
}
