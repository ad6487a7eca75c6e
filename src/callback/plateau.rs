//! Reduction of the learning rate when training no longer improves.

use super::monitor::{MonitoredValue, monitor_setters};
use super::{Callback, CallbackContext, Flow, Mode, State};
use crate::config::setters;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Multiplies the learning rate by `factor` when a monitored value has not improved for `patience` epochs.
///
/// Epochs are counted as in Keras. NaN and the worst infinity never count as an improvement, not even as the first value. The learning
/// rate of the epoch is written to the logs as `learning_rate`.
///
/// | setter | default |
/// |---|---|
/// | `monitor`, `mode` | `val_loss`, [`Mode::Auto`] |
/// | `factor` | 0.1 |
/// | `patience` | 10 |
/// | `min_delta`: the minimum improvement | 1e-4 |
/// | `cooldown`: epochs to skip after a reduction | 0 |
/// | `min_learning_rate` | 0 |
///
/// # Example
/// ```
/// use cornu::callback::ReduceLearningRateOnPlateau;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// // No epoch improves by 100, so the rate is halved after every second one.
/// let plateau = ReduceLearningRateOnPlateau::new().monitor("loss").min_delta(100.0).factor(0.5).patience(2);
/// let plateau = plateau.cooldown(0).min_learning_rate(1e-4);
/// let history = model.fit(&x, &x, &Fit::new().epochs(6).callback(plateau).verbose(Verbose::Silent))?;
/// assert_eq!(history.get("learning_rate"), Some(&[0.1, 0.1, 0.1, 0.05, 0.05, 0.025][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `fit`, before the first step: [`Error::Argument`] for a factor outside [0, 1), a setting of NaN, or an optimizer
/// with a schedule; [`Error::Unknown`] for a monitored key that cannot occur, or whose direction is unknown.
///
/// # References
/// <https://keras.io/api/callbacks/reduce_lr_on_plateau/>
#[derive(Debug, Clone)]
pub struct ReduceLearningRateOnPlateau {
    monitor: MonitoredValue,
    factor: f64,
    patience: usize,
    cooldown: usize,
    min_learning_rate: f64,
    wait: usize,
    cooling: usize,
}

impl ReduceLearningRateOnPlateau {
    /// Creates a callback that monitors `val_loss`, with Keras's defaults.
    pub fn new() -> Self {
        let monitor = MonitoredValue { min_delta: 1e-4, ..MonitoredValue::new() };
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

    setters! {
        /// The minimum improvement. Default: 1e-4.
        min_delta: f64 => monitor.min_delta;
        /// The factor by which the learning rate is multiplied. Default: 0.1.
        factor: f64;
        /// The number of epochs in a row without improvement after which to reduce. Default: 10.
        patience: usize;
        /// The number of epochs to skip after a reduction. Default: 0.
        cooldown: usize;
        /// The lower bound of the learning rate. Default: 0.
        min_learning_rate: f64;
    }
}

impl Default for ReduceLearningRateOnPlateau {
    fn default() -> Self {
        ReduceLearningRateOnPlateau::new()
    }
}

impl<F: Scalar> Callback<F> for ReduceLearningRateOnPlateau {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys(["learning_rate"]);
        if !(0.0..1.0).contains(&self.factor) {
            return Err(Error::argument("factor", "a number of at least 0 and below 1", self.factor));
        }
        if self.min_learning_rate.is_nan() {
            return Err(Error::argument("min_learning_rate", "a number", self.min_learning_rate));
        }
        // An optimizer with a schedule refuses this.
        at.set_learning_rate(at.learning_rate())?;
        self.monitor.start(at, &at.keys)?;
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
        let own = [
            ("patience", self.patience.to_string()),
            ("factor", self.factor.to_string()),
            ("cooldown", self.cooldown.to_string()),
            ("min_learning_rate", self.min_learning_rate.to_string()),
        ];
        state.settings("ReduceLearningRateOnPlateau", self.monitor.settings().into_iter().chain(own))?;
        self.monitor.state(state)?;
        state.count("wait", &mut self.wait)?;
        state.count("cooling", &mut self.cooling)
    }
}
