//! Reduce on plateau: a smaller learning rate when a training no longer gets better.

use super::monitor::{Mode, Monitor, monitor_setters};
use super::{Callback, CallbackContext, Flow, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Multiplies the learning rate by `factor` when a monitored number has not improved for `patience` epochs, counted as
/// Keras counts them. Writes `learning_rate`, as it was in the epoch, to the logs.
///
/// | setter | default |
/// |---|---|
/// | `monitor`, `mode` | `val_loss`, [`Mode::Auto`] |
/// | `factor` | 0.1 |
/// | `patience` | 10 |
/// | `min_delta`: what an improvement must exceed | 1e-4 |
/// | `cooldown`: epochs after a reduction that are not counted | 0 |
/// | `min_learning_rate` | 0 |
///
/// # Example
/// ```
/// use cornu::callback::ReduceLearningRateOnPlateau;
/// use cornu::prelude::*;
/// let fit = Fit::<f32>::new()
///     .epochs(100)
///     .callback(ReduceLearningRateOnPlateau::new().monitor("loss").factor(0.5).patience(5).min_learning_rate(1e-4));
/// # let _ = fit;
/// ```
///
/// # Errors
/// In `fit`: [`Error::Argument`] for a factor outside [0, 1) or an optimizer with a schedule,
/// [`Error::Unknown`] for a key that is no metric of the model, without a mode.
///
/// # References
/// <https://keras.io/api/callbacks/reduce_lr_on_plateau/>
#[derive(Debug, Clone)]
pub struct ReduceLearningRateOnPlateau {
    monitor: Monitor,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_learning_rate: f64,
    wait: usize,
    cooling: usize,
}

impl ReduceLearningRateOnPlateau {
    /// Watches `val_loss`, with Keras's defaults.
    pub fn new() -> Self {
        let monitor = Monitor { min_delta: 1e-4, ..Monitor::new() };
        ReduceLearningRateOnPlateau {
            monitor,
            factor: 0.1,
            patience: 10,
            cooldown: 0,
            min_learning_rate: 0.0,
            wait: 0,
            cooling: 0,
        }
    }

    monitor_setters!();

    /// What an improvement must exceed. Default: 1e-4.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta;
        self
    }

    /// What the learning rate is multiplied by. Default: 0.1.
    pub fn factor(mut self, factor: f64) -> Self {
        self.factor = factor;
        self
    }

    /// How many epochs in a row may bring no improvement. Default: 10.
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// How many epochs after a reduction are not counted. Default: 0.
    pub fn cooldown(mut self, cooldown: usize) -> Self {
        self.cooldown = cooldown;
        self
    }

    /// The smallest learning rate. Default: 0.
    pub fn min_learning_rate(mut self, rate: f64) -> Self {
        self.min_learning_rate = rate;
        self
    }
}

impl Default for ReduceLearningRateOnPlateau {
    fn default() -> Self {
        ReduceLearningRateOnPlateau::new()
    }
}

impl<F: Scalar> Callback<F> for ReduceLearningRateOnPlateau {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<F>) -> Result<()> {
        self.monitor.check()?;
        if !(0.0..1.0).contains(&self.factor) {
            return Err(Error::argument("factor", "a number of at least 0 and below 1", self.factor));
        }
        (self.wait, self.cooling, self.monitor.best) = (0, 0, None);
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let rate = at.learning_rate();
        at.logs.set("learning_rate", rate);
        let Some((value, goal)) = self.monitor.read(at)? else { return Ok(Flow::Continue) };
        if self.cooling > 0 {
            self.cooling -= 1;
            self.wait = 0;
        }
        if self.monitor.take(value, goal) {
            self.wait = 0;
        } else if self.cooling == 0 {
            self.wait += 1;
            if self.wait >= self.patience && rate > self.min_learning_rate {
                at.set_learning_rate((rate * self.factor).max(self.min_learning_rate))?;
                (self.cooling, self.wait) = (self.cooldown, 0);
            }
        }
        Ok(Flow::Continue)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.monitor.state(state)?;
        state.count("wait", &mut self.wait)?;
        state.count("cooling", &mut self.cooling)
    }
}
