//! Errors of a loss or gradient that is not finite, as they pass from one rank to another.

use super::Error;

/// What can diverge.
pub(crate) const LOSS: &str = "the loss";
pub(crate) const GRADIENT: &str = "the gradient";

/// Epoch and batch; whether the gradient diverged and not the loss; the value and where it occurred.
pub(crate) type Divergence = ((usize, usize), (bool, (f64, String)));

impl Error {
    /// Returns the details of an error of diverged training.
    pub(crate) fn divergence(&self) -> Option<Divergence> {
        match self {
            Error::Diverged { epoch, batch, what, value, place } => {
                Some(((*epoch, *batch), (*what == GRADIENT, (*value, place.clone()))))
            }
            _ => None,
        }
    }

    /// Constructs the error from its details.
    pub(crate) fn diverged(((epoch, batch), (gradient, (value, place))): Divergence) -> Self {
        Error::Diverged { epoch, batch, what: if gradient { GRADIENT } else { LOSS }, value, place }
    }
}
