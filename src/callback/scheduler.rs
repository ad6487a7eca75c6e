//! A learning rate for each epoch.

use std::fmt;

use super::{Callback, CallbackContext, Flow};
use crate::config::Config;
use crate::error::Result;
use crate::scalar::Scalar;

/// Sets the learning rate before each epoch to `schedule(epoch, rate)`, with the epoch from 0 and the current rate.
///
/// The rate is written to the logs as `learning_rate`. A backup holds the rate, but not what the closure captures.
///
/// # Example
/// ```
/// use cornu::callback::LearningRateScheduler;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let halved = LearningRateScheduler::new(|epoch, rate| if epoch < 2 { rate } else { rate / 2.0 });
/// let history = model.fit(&x, &x, &Fit::new().epochs(4).callback(halved).verbose(Verbose::Silent))?;
/// assert_eq!(history.get("learning_rate"), Some(&[0.1, 0.1, 0.05, 0.025][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `fit`: [`Error::Argument`](crate::Error::Argument) for a rate that is negative or not finite and, before the first
/// step, for an optimizer with its own schedule.
///
/// # References
/// <https://keras.io/api/callbacks/learning_rate_scheduler/>
#[derive(Clone)]
pub struct LearningRateScheduler<S> {
    schedule: S,
}

impl<S: FnMut(usize, f64) -> f64> LearningRateScheduler<S> {
    /// Creates a callback from a closure `schedule(epoch, rate)`.
    pub fn new(schedule: S) -> Self {
        LearningRateScheduler { schedule }
    }
}

impl<S> fmt::Debug for LearningRateScheduler<S> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("LearningRateScheduler")
    }
}

impl<F: Scalar, S: FnMut(usize, f64) -> f64> Callback<F> for LearningRateScheduler<S> {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys(["learning_rate"]);
        // An optimizer with a schedule refuses this.
        at.set_learning_rate(at.learning_rate())
    }

    fn on_epoch_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        let rate = (self.schedule)(at.epoch, at.learning_rate());
        at.set_learning_rate(rate)
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        at.logs.set("learning_rate", at.learning_rate());
        Ok(Flow::Continue)
    }

    fn config(&self) -> Option<Config> {
        Some(Config::of("keras.callbacks", "LearningRateScheduler"))
    }
}
