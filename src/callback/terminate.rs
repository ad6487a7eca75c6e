//! A callback that ends a diverged run without an error.

use super::{Callback, CallbackContext, Flow, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Stops training when the loss or a gradient is no longer finite.
///
/// Without this callback, `fit` returns [`Error::Diverged`]. With it, `fit` returns the history, whose
/// [`stopped`](crate::History::stopped) states the reason and whose [`findings`](crate::History::findings) name the causes. In
/// both cases the model keeps the weights of the last
/// finite step, and a [backup](super::BackupAndRestore) stays.
///
/// # Example
/// ```
/// use cornu::callback::TerminateOnNaN;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(1e30), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[1.0], [2.0]];
/// let fit = Fit::new().epochs(50).callback(TerminateOnNaN::new()).verbose(Verbose::Silent);
/// let history = model.fit(&x, &x, &fit)?;
/// assert!(history.stopped().is_some());
/// assert!(history.findings().of("N0401").is_some());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/callbacks/terminate_on_nan/>
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct TerminateOnNaN;

impl TerminateOnNaN {
    /// Creates the callback; it has no settings.
    pub fn new() -> Self {
        TerminateOnNaN
    }
}

impl<F: Scalar> Callback<F> for TerminateOnNaN {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        Ok(())
    }

    fn on_diverged(&mut self, _: &mut CallbackContext<F>, error: &Error) -> Result<Flow> {
        Ok(Flow::Stop(error.to_string()))
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.settings("TerminateOnNaN", [])
    }
}
