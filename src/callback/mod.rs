//! Callbacks: what looks on, or steps in, while a model trains.

#[cfg(feature = "npy")]
mod checkpoint;
mod csv_logger;
mod early_stopping;
mod lambda;
mod logs;
mod monitor;
mod plateau;
mod progress;
mod scheduler;
mod terminate;

#[cfg(feature = "npy")]
pub use checkpoint::ModelCheckpoint;
pub use csv_logger::CsvLogger;
pub use early_stopping::EarlyStopping;
pub use lambda::LambdaCallback;
pub use logs::Logs;
pub use monitor::Mode;
pub use plateau::ReduceLearningRateOnPlateau;
pub use progress::{Progress, Verbose};
pub use scheduler::LearningRateScheduler;
pub use terminate::TerminateOnNaN;

use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;

/// Called by `fit` as a training goes on. Every method has a default that does nothing.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::callback::{Callback, Flow, Moment};
///
/// /// Stops once the loss is low enough.
/// struct Enough(f64);
///
/// impl Callback<f32> for Enough {
///     fn on_epoch_end(&mut self, at: &mut Moment<f32>) -> Result<Flow> {
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
    fn on_fit_begin(&mut self, at: &mut Moment<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// Before the first batch of an epoch.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_epoch_begin(&mut self, at: &mut Moment<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }

    /// After each batch; the logs hold the means of the epoch so far. [`Flow::Stop`] ends the epoch here.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_batch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        let _ = at;
        Ok(Flow::Continue)
    }

    /// After each epoch and its validation. What is set in the logs here ends up in the history.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_epoch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        let _ = at;
        Ok(Flow::Continue)
    }

    /// The loss or a gradient is not finite any more. [`Flow::Stop`] ends the training with its history; where all
    /// callbacks say [`Flow::Continue`], `fit` ends in this error.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_diverged(&mut self, at: &mut Moment<F>, error: &Error) -> Result<Flow> {
        let _ = (at, error);
        Ok(Flow::Continue)
    }

    /// After the last epoch.
    ///
    /// # Errors
    /// As for [`Callback::on_fit_begin`].
    fn on_fit_end(&mut self, at: &mut Moment<F>) -> Result<()> {
        let _ = at;
        Ok(())
    }
}

impl<F: Scalar, C: Callback<F> + ?Sized> Callback<F> for &mut C {
    fn on_fit_begin(&mut self, at: &mut Moment<F>) -> Result<()> {
        (**self).on_fit_begin(at)
    }
    fn on_epoch_begin(&mut self, at: &mut Moment<F>) -> Result<()> {
        (**self).on_epoch_begin(at)
    }
    fn on_batch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        (**self).on_batch_end(at)
    }
    fn on_epoch_end(&mut self, at: &mut Moment<F>) -> Result<Flow> {
        (**self).on_epoch_end(at)
    }
    fn on_diverged(&mut self, at: &mut Moment<F>, error: &Error) -> Result<Flow> {
        (**self).on_diverged(at, error)
    }
    fn on_fit_end(&mut self, at: &mut Moment<F>) -> Result<()> {
        (**self).on_fit_end(at)
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

/// Where a training stands when a callback is called.
///
/// # Example
/// See [`Callback`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Moment<'a, F: Scalar> {
    /// The model, with its weights as they are now.
    pub model: &'a mut Sequential<F>,
    /// The loss, the metrics and, after validation, the same with `val_` before them.
    pub logs: &'a mut Logs,
    /// The epoch, from 0.
    pub epoch: usize,
    /// The epoch at which the training will end.
    pub epochs: usize,
    /// How many batches of this epoch are done.
    pub batch: usize,
    /// How many batches an epoch has.
    pub batches: usize,
}

impl<'a, F: Scalar> Moment<'a, F> {
    /// The moment of a model; epoch and batch each with the number at which they end.
    pub(crate) fn new(
        model: &'a mut Sequential<F>,
        logs: &'a mut Logs,
        (epoch, epochs): (usize, usize),
        (batch, batches): (usize, usize),
    ) -> Self {
        Moment { model, logs, epoch, epochs, batch, batches }
    }

    /// The optimizer's learning rate for the next batch.
    pub fn learning_rate(&self) -> f64 {
        self.model
            .compiled
            .as_ref()
            .map_or(0.0, |compiled| compiled.optimizer.learning_rate().at(compiled.steps))
    }

    /// Changes the optimizer's learning rate, from the next batch on.
    ///
    /// # Errors
    /// [`Error::Argument`] where the optimizer has a schedule, or the rate is negative
    /// or not finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        match &mut self.model.compiled {
            Some(compiled) => compiled.optimizer.learning_rate_mut().set(learning_rate),
            None => Ok(()),
        }
    }
}
