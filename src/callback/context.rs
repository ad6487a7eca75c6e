//! The view of a training that a callback gets.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::{LogKeys, Logs, Verbose, terminal};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// Writes a warning to standard error, unless the training is silent.
pub(super) fn warn(verbose: Verbose, text: impl fmt::Display) {
    if verbose == Verbose::Silent {
        return;
    }
    terminal::print(|coloured| {
        let style = if coloured { AnsiColor::Yellow.on_default().bold() } else { Style::new() };
        format!("{style}warning{style:#}: {text}\n")
    });
}

/// The state of a training when a callback is called.
///
/// # Example
/// ```
/// use cornu::callback::{CallbackContext, Flow, LambdaCallback};
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut places = Vec::new();
/// let record = LambdaCallback::new().on_epoch_end(|at: &mut CallbackContext<f32>| {
///     places.push((at.epoch, at.batch, at.batches));
///     Ok(Flow::Continue)
/// });
/// model.fit(&x, &x, &Fit::new().epochs(2).batch_size(1).callback(record).verbose(Verbose::Silent))?;
/// assert_eq!(places, [(0, 2, 2), (1, 2, 2)]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct CallbackContext<'a, F: Scalar> {
    /// The model with its current weights.
    pub model: &'a mut Sequential<F>,
    /// The loss and the metrics and, after validation, the same with the prefix `val_`.
    pub logs: &'a mut Logs,
    /// The epoch, from 0.
    pub epoch: usize,
    /// The number of epochs after which the training ends.
    pub epochs: usize,
    /// The number of finished batches of this epoch.
    pub batch: usize,
    /// The number of batches per epoch.
    pub batches: usize,
    /// The epoch, from 0, whose weights a callback restored at the end of the fit. The first one set is reported in the history.
    pub restored_epoch: Option<usize>,
    pub(crate) verbose: Verbose,
    /// The keys that the logs can have; set in [`Callback::on_fit_begin`](super::Callback::on_fit_begin) only.
    pub(crate) keys: LogKeys,
}

impl<F: Scalar> CallbackContext<'_, F> {
    /// Prints a line to standard output above all progress bars, unless the training is silent.
    ///
    /// Output of `println!` may instead appear behind a bar.
    ///
    /// # Example
    /// ```
    /// use cornu::callback::Flow;
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let x = ndarray::array![[0.0], [1.0]];
    /// let mut printed = 0;
    /// let print = LambdaCallback::new().on_batch_end(|at| {
    ///     at.println(format_args!("batch {} of {}", at.batch, at.batches));
    ///     printed += 1;
    ///     Ok(Flow::Continue)
    /// });
    /// model.fit(&x, &x, &Fit::new().batch_size(1).callback(print).verbose(Verbose::Lines))?;
    /// assert_eq!(printed, 2);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn println(&self, text: impl fmt::Display) {
        if self.verbose != Verbose::Silent {
            terminal::say(text);
        }
    }

    /// Writes a warning to standard error, unless the training is silent.
    ///
    /// Use it for failures that need not end the training.
    pub fn warn(&self, text: impl fmt::Display) {
        warn(self.verbose, text);
    }

    /// The optimizer's learning rate for the next batch.
    pub fn learning_rate(&self) -> f64 {
        self.model
            .compiled
            .as_ref()
            .map_or(0.0, |compiled| compiled.optimizer.learning_rate().at(compiled.steps))
    }

    /// Sets the optimizer's learning rate, starting with the next batch.
    ///
    /// # Errors
    /// [`Error::Argument`](crate::Error::Argument) if the optimizer has a schedule, or if the rate is negative or not
    /// finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        match &mut self.model.compiled {
            Some(compiled) => compiled.optimizer.learning_rate_mut().set(learning_rate),
            None => Ok(()),
        }
    }
}
