//! The divergence of a training, as plain data that one rank can send to another.

use std::fmt;

use super::Error;

/// A quantity that can diverge.
///
/// # Example
/// ```
/// assert_eq!(cornu::error::Quantity::Gradient.to_string(), "the gradient");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quantity {
    /// The loss of a batch.
    Loss,
    /// The gradient of the loss.
    Gradient,
    /// A number that the optimizer changes: a weight, one of its slots, its moving average.
    Update,
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Quantity::Loss => "the loss",
            Quantity::Gradient => "the gradient",
            Quantity::Update => "the update",
        })
    }
}

/// The fields of [`Error::Diverged`].
pub(crate) struct Divergence {
    pub(crate) epoch: usize,
    pub(crate) batch: usize,
    pub(crate) quantity: Quantity,
    pub(crate) value: f64,
    pub(crate) place: String,
}

impl Error {
    /// Returns the fields of [`Error::Diverged`].
    pub(crate) fn divergence(&self) -> Option<Divergence> {
        match self {
            &Error::Diverged { epoch, batch, quantity, value, ref place } => {
                Some(Divergence { epoch, batch, quantity, value, place: place.clone() })
            }
            _ => None,
        }
    }
}

impl From<Divergence> for Error {
    fn from(Divergence { epoch, batch, quantity, value, place }: Divergence) -> Self {
        Error::Diverged { epoch, batch, quantity, value, place }
    }
}
