//! Piecewise constant: one rate up to each boundary.

use super::{super::check_range, MODULE, Schedule};
use crate::config::{saved, settings};
use crate::error::{Error, Result};

/// A piecewise constant rate: `values[i]` up to and including step `boundaries[i]`.
///
/// After the last boundary, the rate is the last value.
///
/// # Example
/// ```
/// use cornu::optimizer::{PiecewiseConstantDecay, Schedule};
/// let schedule = PiecewiseConstantDecay::new([100], [0.1, 0.01]);
/// assert_eq!((schedule.at(100), schedule.at(101)), (0.1, 0.01));
/// ```
///
/// # References
/// <https://keras.io/api/optimizers/learning_rate_schedules/piecewise_constant_decay/>
#[derive(Debug, Clone, PartialEq)]
pub struct PiecewiseConstantDecay {
    boundaries: Vec<u64>,
    values: Vec<f64>,
}

impl PiecewiseConstantDecay {
    /// Creates a schedule from boundaries and values; there is one more value than there are boundaries.
    pub fn new(boundaries: impl Into<Vec<u64>>, values: impl Into<Vec<f64>>) -> Self {
        PiecewiseConstantDecay { boundaries: boundaries.into(), values: values.into() }
    }
}

impl Schedule for PiecewiseConstantDecay {
    saved!(MODULE, "PiecewiseConstantDecay");

    fn at(&self, step: u64) -> f64 {
        let place = self.boundaries.iter().position(|&boundary| step <= boundary);
        self.values.get(place.unwrap_or(self.boundaries.len())).copied().unwrap_or(f64::NAN)
    }

    fn check(&self) -> Result<()> {
        if self.values.len() != self.boundaries.len() + 1 {
            let expected = format!("{}, one more than boundaries", self.boundaries.len() + 1);
            return Err(Error::argument("values", expected, self.values.len()));
        }
        if !self.boundaries.is_sorted_by(|a, b| a < b) {
            let found = format!("{:?}", self.boundaries);
            return Err(Error::argument("boundaries", "steps in ascending order", found));
        }
        self.values.iter().try_for_each(|&value| check_range("values", value, 0.0, f64::MAX))
    }
}

settings!([] PiecewiseConstantDecay {
    "boundaries" required: boundaries, "values" required: values,
} ignore { "name" });
