//! Callbacks: hooks that observe or control training.

mod backup;
mod checkpoint;
mod context;
mod csv_logger;
mod early_stopping;
mod failures;
mod histograms;
mod keys;
mod lambda;
mod logs;
mod monitor;
mod plateau;
mod progress;
mod scheduler;
#[cfg(feature = "progress")]
mod screen;
#[cfg(feature = "tensorboard")]
mod tensorboard;
pub(crate) mod terminal;
mod terminate;
mod verbose;

pub use crate::state::{State, StateValue};
pub use backup::{BackupAndRestore, SaveFreq};
pub use checkpoint::ModelCheckpoint;
pub use context::CallbackContext;
pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use histograms::{Counted, Histogram, HistogramSeries, Histograms};
pub use keys::Mode;
pub(crate) use keys::{LogKeys, goal};
pub use lambda::LambdaCallback;
pub use logs::Logs;
pub use plateau::ReduceLearningRateOnPlateau;
pub use progress::Progress;
pub use scheduler::LearningRateScheduler;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
pub use terminate::TerminateOnNaN;
pub use verbose::Verbose;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Hooks that `fit` calls during training; every method does nothing by default.
///
/// An error returned by a method ends the training. Built-in callbacks return errors before the first step, for
/// example for an invalid pattern or a folder that cannot be created. A checkpoint, backup or log line that cannot be
/// written later, for example on a full disk, does not end the training. The callback warns on standard error once
/// per cause (unless the training is silent), retries at the next occasion, and keeps the errors in its `failures`.
///
/// [`BackupAndRestore`], a callback in Keras, is the setting [`Fit::backup`](crate::Fit::backup) here, because it saves
/// the state of all callbacks.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::callback::{Callback, Flow, CallbackContext};
///
/// /// Stops once the loss is low enough.
/// struct Enough(f64);
///
/// impl Callback<f32> for Enough {
///     fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
///         match at.logs.get("loss") {
///             Some(loss) if loss < self.0 => Ok(Flow::Stop(format!("the loss is below {}", self.0))),
///             _ => Ok(Flow::Continue),
///         }
///     }
/// }
///
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let history = model.fit(&x, &x, &Fit::new().epochs(1000).callback(Enough(0.01)).verbose(Verbose::Silent))?;
/// assert_eq!(history.stopped(), Some("the loss is below 0.01"));
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Callback<F: Scalar> {
    /// Called before the first epoch.
    ///
    /// # Errors
    /// Any error ends the training and is returned by `fit`; this holds for all methods.
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// Called before the first batch of an epoch.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_epoch_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// Called after each batch; the logs hold the means of the epoch so far. [`Flow::Stop`] ends training.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let _ = at;
        Ok(Flow::Continue)
    }

    /// Called after each epoch and its validation. Values set in the logs here become part of the history.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let _ = at;
        Ok(Flow::Continue)
    }

    /// Called if the loss or a gradient is no longer finite.
    ///
    /// [`Flow::Stop`] ends the training and keeps its history; if all callbacks return [`Flow::Continue`], `fit`
    /// returns the error.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_diverged(&mut self, at: &mut CallbackContext<F>, error: &Error) -> Result<Flow> {
        let _ = (at, error);
        Ok(Flow::Continue)
    }

    /// Called after the last epoch.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_fit_end(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// Saves or restores the state of the callback, so that an interrupted training can be resumed exactly; see
    /// [`State`].
    ///
    /// A [backup](crate::Fit::backup) calls it to save after a batch or epoch, and to restore after
    /// [`Callback::on_fit_begin`]. Default: nothing.
    ///
    /// # Errors
    /// The errors of [`State`].
    fn state(&mut self, state: &mut State) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// The settings of a callback that can stop a training, or change its learning rate or weights. Default: none, for a
    /// callback that only observes or writes.
    ///
    /// In a [distributed](crate::Fit::distributed) training the ranks compare these settings. A closure has none to compare.
    fn config(&self) -> Option<Config> {
        None
    }

    /// Called last, with the text of the diagnosis, if there are findings. Default: does nothing.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`]; the model is already trained.
    fn on_findings(&mut self, report: &str) -> Result<()> {
        let _ = report;
        Ok(())
    }
}

/// A callback behind a pointer, to keep it or to choose it at run time.
macro_rules! forwarded {
    ($pointer:ty) => {
        impl<F: Scalar, C: Callback<F> + ?Sized> Callback<F> for $pointer {
            fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
                (**self).on_fit_begin(at)
            }
            fn on_epoch_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
                (**self).on_epoch_begin(at)
            }
            fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
                (**self).on_batch_end(at)
            }
            fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
                (**self).on_epoch_end(at)
            }
            fn on_diverged(&mut self, at: &mut CallbackContext<F>, error: &Error) -> Result<Flow> {
                (**self).on_diverged(at, error)
            }
            fn on_fit_end(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
                (**self).on_fit_end(at)
            }
            fn state(&mut self, state: &mut State) -> Result<()> {
                (**self).state(state)
            }
            fn config(&self) -> Option<Config> {
                (**self).config()
            }
            fn on_findings(&mut self, report: &str) -> Result<()> {
                (**self).on_findings(report)
            }
        }
    };
}

forwarded!(&mut C);
forwarded!(Box<C>);

/// Whether training continues.
///
/// # Example
/// ```
/// use cornu::callback::Flow;
/// assert_ne!(Flow::Continue, Flow::Stop("the loss is low enough".into()));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Continue.
    Continue,
    /// Stop, with a reason for the history.
    Stop(String),
}
