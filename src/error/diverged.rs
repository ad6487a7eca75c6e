//! Divergence as plain data, to send it from one rank to another.

use super::Error;

/// The quantities that can diverge.
pub(crate) const LOSS: &str = "the loss";
pub(crate) const GRADIENT: &str = "the gradient";

/// `((epoch, batch), (is_gradient, (value, place)))`.
pub(crate) type Divergence = ((usize, usize), (bool, (f64, String)));

impl Error {
    /// Returns the parts of [`Error::Diverged`].
    pub(crate) fn divergence(&self) -> Option<Divergence> {
        match self {
            Error::Diverged { epoch, batch, what, value, place } => {
                Some(((*epoch, *batch), (*what == GRADIENT, (*value, place.clone()))))
            }
            _ => None,
        }
    }

    /// Creates an [`Error::Diverged`] from its parts.
    pub(crate) fn diverged(((epoch, batch), (gradient, (value, place))): Divergence) -> Self {
        Error::Diverged { epoch, batch, what: if gradient { GRADIENT } else { LOSS }, value, place }
    }
}
