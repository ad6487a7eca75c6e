//! Early stopping: ends training when it no longer improves, and restores its best weights.

use super::monitor::{MonitoredValue, monitor_setters};
use super::{Callback, CallbackContext, Flow, Mode, State};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// Stops training when a monitored value has not improved for `patience` epochs.
///
/// Epochs are counted as in Keras: training never stops after epoch 0 or after an epoch that improves the value, and
/// patience 0 and 1 are equivalent. NaN and the worst infinity never count as an improvement, not even as the first value. With
/// `restore_best_weights`, the first monitored epoch is the best one until a value improves.
///
/// | setter | default |
/// |---|---|
/// | `monitor`, `mode` | `val_loss`, [`Mode::Auto`] |
/// | `min_delta`: the minimum improvement | 0 |
/// | `patience` | 0 |
/// | `baseline`: the value to beat before the patience is reset | none |
/// | `restore_best_weights`: at the end of the fit, stopped early or not | false |
/// | `start_from_epoch`, from 0 | 0 |
///
/// # Example
/// ```
/// use cornu::callback::EarlyStopping;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut stopping = EarlyStopping::new()
///     .monitor("loss")
///     .min_delta(1e-3)
///     .patience(2)
///     .start_from_epoch(3)
///     .restore_best_weights(true);
/// let fit = Fit::new().epochs(1000).callback(&mut stopping).verbose(Verbose::Silent);
/// let history = model.fit(&x, &x, &fit)?;
/// drop(fit);
/// assert!(history.epochs().len() < 1000);
/// assert_eq!(stopping.best_epoch(), history.restored_epoch());
/// assert!(stopping.best().is_some_and(|best| best >= 0.0));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// From `fit`, before the first step: [`Error::Unknown`](crate::Error::Unknown) for a monitored key that cannot occur, or
/// whose direction is unknown; [`Error::Argument`] for a `min_delta` or a `baseline` of NaN.
///
/// # References
/// <https://keras.io/api/callbacks/early_stopping/>
#[derive(Debug, Clone)]
pub struct EarlyStopping<F = f32> {
    monitor: MonitoredValue,
    patience: usize,
    baseline: Option<f64>,
    restore_best_weights: bool,
    start_from_epoch: usize,
    wait: usize,
    best_epoch: Option<usize>,
    best_weights: Option<Vec<Vec<F>>>,
}

impl<F> EarlyStopping<F> {
    /// Creates a callback that monitors `val_loss` without patience.
    pub fn new() -> Self {
        EarlyStopping {
            monitor: MonitoredValue::new(),
            patience: 0,
            baseline: None,
            restore_best_weights: false,
            start_from_epoch: 0,
            wait: 0,
            best_epoch: None,
            best_weights: None,
        }
    }

    monitor_setters!();

    /// The minimum improvement. Default: 0.
    pub fn min_delta(mut self, min_delta: f64) -> Self {
        self.monitor.min_delta = min_delta;
        self
    }

    /// The number of epochs in a row without improvement after which to stop. Default: 0.
    pub fn patience(mut self, patience: usize) -> Self {
        self.patience = patience;
        self
    }

    /// The value to beat before the patience is reset. Default: none.
    pub fn baseline(mut self, baseline: f64) -> Self {
        self.baseline = Some(baseline);
        self
    }

    /// Whether the model gets the weights of its best epoch at the end of the fit. Default: false.
    pub fn restore_best_weights(mut self, restore: bool) -> Self {
        self.restore_best_weights = restore;
        self
    }

    /// The first epoch to monitor, from 0. Default: 0.
    pub fn start_from_epoch(mut self, epoch: usize) -> Self {
        self.start_from_epoch = epoch;
        self
    }

    /// The best epoch of the last training, from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best_epoch
    }

    /// The monitored value at the best epoch.
    pub fn best(&self) -> Option<f64> {
        self.monitor.best
    }
}

impl<F> Default for EarlyStopping<F> {
    fn default() -> Self {
        EarlyStopping::new()
    }
}

impl<F: Scalar> EarlyStopping<F> {
    fn keep_weights(&mut self, at: &CallbackContext<F>) {
        if self.restore_best_weights {
            let mut weights = Vec::new();
            at.model.walk(&mut |_, _, param| weights.push(param.value().to_vec()));
            self.best_weights = Some(weights);
        }
    }
}

impl<F: Scalar> Callback<F> for EarlyStopping<F> {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        if let Some(baseline) = self.baseline.filter(|baseline| baseline.is_nan()) {
            return Err(Error::argument("baseline", "a number", baseline));
        }
        self.monitor.start(at, &at.keys)?;
        (self.wait, self.best_epoch, self.best_weights, self.monitor.best) = (0, None, None, None);
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let Some((value, goal)) = self.monitor.read(at)? else { return Ok(Flow::Continue) };
        if at.epoch < self.start_from_epoch {
            return Ok(Flow::Continue);
        }
        self.wait += 1;
        let is_best = self.monitor.take(value, goal);
        if is_best || (self.restore_best_weights && self.best_weights.is_none()) {
            self.best_epoch = Some(at.epoch);
            self.keep_weights(at);
        }
        if is_best {
            if self.baseline.is_none_or(|baseline| self.monitor.improves(value, baseline, goal)) {
                self.wait = 0;
            }
            return Ok(Flow::Continue);
        }
        if self.wait >= self.patience && at.epoch > 0 {
            let reason = format!("{} has not improved for {} epochs", self.monitor.key, self.wait);
            return Ok(Flow::Stop(reason));
        }
        Ok(Flow::Continue)
    }

    fn on_fit_end(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        if let Some(weights) = self.best_weights.take() {
            at.restored_epoch = at.restored_epoch.or(self.best_epoch);
            let mut weights = weights.iter();
            at.model.walk_mut(&mut |_, param| {
                if let Some(best) = weights.next().filter(|best| best.len() == param.len()) {
                    param.value_mut().copy_from_slice(best);
                }
            });
        }
        Ok(())
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        let own = [
            ("patience", self.patience.to_string()),
            ("baseline", format!("{:?}", self.baseline)),
            ("restore_best_weights", self.restore_best_weights.to_string()),
            ("start_from_epoch", self.start_from_epoch.to_string()),
        ];
        state.settings("EarlyStopping", self.monitor.settings().into_iter().chain(own))?;
        self.monitor.state(state)?;
        state.count("wait", &mut self.wait)?;
        state.item("best_epoch", &mut self.best_epoch)?;
        state.item("best_weights", &mut self.best_weights)
    }
}
