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
    /// The epoch, from 0, whose weights a callback restored at the end of the fit. The history reports the first one that is set.
    pub restored_epoch: Option<usize>,
    pub(crate) verbose: Verbose,
    /// The keys that the logs can have; set in [`Callback::on_fit_begin`](super::Callback::on_fit_begin) only.
    pub(crate) keys: LogKeys,
    /// The keys that the callback adds; `None` if it does not declare them.
    pub(crate) added: Option<Vec<String>>,
}

impl<F: Scalar> CallbackContext<'_, F> {
    /// Declares which keys the callback adds to the logs at the end of an epoch; for use in
    /// [`Callback::on_fit_begin`](super::Callback::on_fit_begin).
    ///
    /// A key to [monitor](super::EarlyStopping::monitor) is refused before the first step if the training does not measure it
    /// and no earlier callback adds it. A callback that declares nothing may add any key.
    ///
    /// # Example
    /// ```
    /// use cornu::callback::{Callback, CallbackContext, Mode};
    /// use cornu::prelude::*;
    /// struct Gap;
    /// impl Callback<f32> for Gap {
    ///     fn on_fit_begin(&mut self, at: &mut CallbackContext<f32>) -> Result<()> {
    ///         at.declare_keys(["gap"]);
    ///         Ok(())
    ///     }
    ///     fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
    ///         if let (Some(training), Some(validation)) = (at.logs.get("loss"), at.logs.get("val_loss")) {
    ///             at.logs.set("gap", validation - training);
    ///         }
    ///         Ok(Flow::Continue)
    ///     }
    /// }
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let x = ndarray::array![[0.0], [1.0], [2.0]];
    /// let mut fit = |key: &str| {
    ///     let stopping = EarlyStopping::new().monitor(key).mode(Mode::Min);
    ///     let fit = Fit::new().validation_split(0.4).callback(Gap).callback(stopping);
    ///     model.fit(&x, &x, &fit.verbose(Verbose::Silent))
    /// };
    /// assert!(fit("gap").is_ok());
    /// assert!(matches!(fit("gab"), Err(Error::Unknown { .. })));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn declare_keys<'k>(&mut self, keys: impl IntoIterator<Item = &'k str>) {
        self.added = Some(keys.into_iter().map(String::from).collect());
    }

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
            terminal::print_line(text);
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
