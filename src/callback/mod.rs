//! Callbacks: what looks on, or steps in, while a model trains.

mod backup;
mod checkpoint;
mod context;
mod csv_logger;
mod early_stopping;
mod failures;
mod histograms;
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
pub use lambda::LambdaCallback;
pub use logs::Logs;
pub use monitor::Mode;
pub use plateau::ReduceLearningRateOnPlateau;
pub use progress::Progress;
pub use scheduler::LearningRateScheduler;
#[cfg(feature = "tensorboard")]
pub use tensorboard::TensorBoard;
pub use terminate::TerminateOnNaN;
pub use verbose::Verbose;

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Called by `fit` as a training goes on. Every method has a default that does nothing.
///
/// What ends a training: an error that a method returns, and so what a built-in callback refuses before the first step, such
/// as a pattern that cannot be read or a folder that cannot be made. What does not: a checkpoint, a backup or a line of a
/// log that cannot be written later on, as on a disk that has become full. That is told on standard error, unless the
/// training is silent, once for each reason; it is tried again at the next, and the callback's `failures` hold the errors.
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
    /// Before the first epoch.
    ///
    /// # Errors
    /// Any error ends the training and comes back from `fit`; so for all methods.
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// Before the first batch of an epoch.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_epoch_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// After each batch; the logs hold the means of the epoch so far. [`Flow::Stop`] ends the epoch here.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let _ = at;
        Ok(Flow::Continue)
    }

    /// After each epoch and its validation. What is set in the logs here ends up in the history.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let _ = at;
        Ok(Flow::Continue)
    }

    /// The loss or a gradient is not finite any more. [`Flow::Stop`] ends the training with its history; where all
    /// callbacks say [`Flow::Continue`], `fit` ends in this error.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_diverged(&mut self, at: &mut CallbackContext<F>, error: &Error) -> Result<Flow> {
        let _ = (at, error);
        Ok(Flow::Continue)
    }

    /// After the last epoch.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_fit_end(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// What the callback counts and keeps, for a training that was killed to go on as if it had not been; see
    /// [`State`]. Called by a [`BackupAndRestore`] beside it: to write, after a batch or an epoch, and to read, after
    /// [`Callback::on_fit_begin`]. Default: nothing.
    ///
    /// # Errors
    /// What [`State`] returns.
    fn state(&mut self, state: &mut State) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// The epoch, from 0, whose weights it brought back at the end of the fit. Default: none.
    fn restored_epoch(&self) -> Option<usize> {
        None
    }

    /// Told what the diagnosis found, as a text: the last thing of a fit that found something. Default: does nothing.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`]; the model is trained by then.
    fn on_findings(&mut self, report: &str) -> Result<()> {
        let _ = report;
        Ok(())
    }

    /// The backup that this callback is, or wraps. Default: none.
    fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        None
    }
}

impl<F: Scalar, C: Callback<F> + ?Sized> Callback<F> for &mut C {
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
    fn restored_epoch(&self) -> Option<usize> {
        (**self).restored_epoch()
    }

    fn on_findings(&mut self, report: &str) -> Result<()> {
        (**self).on_findings(report)
    }

    fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        (**self).backup()
    }
}

/// Whether to go on training.
///
/// # Example
/// See [`Callback`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Flow {
    /// Go on.
    Continue,
    /// Stop, for this reason, which the history tells.
    Stop(String),
}
