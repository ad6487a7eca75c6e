//! What a callback sees of a training, and may change.

use std::fmt;

use anstyle::{AnsiColor, Style};

use super::{Logs, Verbose, terminal};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// Where a training stands when a callback is called.
///
/// # Example
/// See [`Callback`](super::Callback).
#[derive(Debug)]
#[non_exhaustive]
pub struct CallbackContext<'a, F: Scalar> {
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
    verbose: Verbose,
}

impl<'a, F: Scalar> CallbackContext<'a, F> {
    /// The context of a model; epoch and batch each come with their total.
    pub(crate) fn new(
        model: &'a mut Sequential<F>,
        logs: &'a mut Logs,
        (epoch, epochs): (usize, usize),
        (batch, batches): (usize, usize),
        verbose: Verbose,
    ) -> Self {
        CallbackContext { model, logs, epoch, epochs, batch, batches, verbose }
    }

    /// Prints a line to standard output, above the bars of all trainings under way, unless this one is silent. What `println!`
    /// prints may begin behind a bar.
    ///
    /// # Example
    /// ```
    /// use cornu::callback::Flow;
    /// use cornu::prelude::*;
    /// let print = LambdaCallback::<f32>::new().on_batch_end(|at| {
    ///     at.println(format_args!("batch {} of {}", at.batch, at.batches));
    ///     Ok(Flow::Continue)
    /// });
    /// # let _ = print;
    /// ```
    pub fn println(&self, text: impl fmt::Display) {
        if self.verbose != Verbose::Silent {
            terminal::say(text);
        }
    }

    /// Writes a warning to standard error, where findings are told too, unless the training is silent: for a callback that
    /// failed in something that need not end the training.
    pub fn warn(&self, text: impl fmt::Display) {
        if self.verbose == Verbose::Silent {
            return;
        }
        terminal::tell(|coloured| {
            let style = if coloured { AnsiColor::Yellow.on_default().bold() } else { Style::new() };
            format!("{style}warning{style:#}: {text}\n")
        });
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
    /// [`Error::Argument`](crate::Error::Argument) where the optimizer has a schedule, or the rate is negative
    /// or not finite.
    pub fn set_learning_rate(&mut self, learning_rate: f64) -> Result<()> {
        match &mut self.model.compiled {
            Some(compiled) => compiled.optimizer.learning_rate_mut().set(learning_rate),
            None => Ok(()),
        }
    }
}
