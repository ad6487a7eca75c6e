//! A loss or a gradient that is not finite, on its way from one rank to another.

use super::Error;

/// What can diverge.
pub(crate) const LOSS: &str = "the loss";
pub(crate) const GRADIENT: &str = "the gradient";

/// The epoch and the batch; whether it was the gradient and not the loss, which number was there, and where.
pub(crate) type Divergence = ((usize, usize), (bool, (f64, String)));

impl Error {
    /// Of a training that has diverged, what went wrong.
    pub(crate) fn divergence(&self) -> Option<Divergence> {
        match self {
            Error::Diverged { epoch, batch, what, value, place } => {
                Some(((*epoch, *batch), (*what == GRADIENT, (*value, place.clone()))))
            }
            _ => None,
        }
    }

    /// The same error again.
    pub(crate) fn diverged(((epoch, batch), (gradient, (value, place))): Divergence) -> Self {
        Error::Diverged { epoch, batch, what: if gradient { GRADIENT } else { LOSS }, value, place }
    }
}
