//! The record of a training, epoch by epoch.

use std::time::Duration;

use crate::callback::Logs;
use crate::diagnosis::{Findings, Scale};
use crate::error::Result;
use crate::state::State;

/// The record of a training run: loss and metrics of each epoch, times, settings and findings.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(5).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
/// let mut stopping = EarlyStopping::new().monitor("loss").min_delta(1e9).patience(2).restore_best_weights(true);
/// let fit = Fit::new().epochs(9).validation_split(0.25).validation_freq(2).callback(&mut stopping);
/// let history = model.fit(&x, &x, &fit.verbose(Verbose::Silent))?;
/// assert_eq!(history.names().collect::<Vec<_>>(), ["loss", "val_loss"]);
/// assert_eq!((history.epochs(), history.epochs_of("val_loss")), (&[0, 1, 2][..], Some(&[1][..])));
/// assert_eq!(history.get("loss").map(<[f64]>::len), Some(3));
/// assert!(history.last("loss") > Some(0.0));
/// assert_eq!((history.learning_rates(), history.times().len()), (&[0.1, 0.1, 0.1][..], 3));
/// assert_eq!((history.stopped().is_some(), history.restored_epoch()), (true, Some(0)));
/// assert_eq!(history.seed(), 5);
/// println!("{}", history.findings());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default)]
pub struct History {
    pub(super) epochs: Vec<usize>,
    pub(super) metrics: Vec<MetricSeries>,
    /// The learning rate at the start of each epoch.
    pub(super) rates: Vec<f64>,
    pub(super) restored: Option<usize>,
    pub(super) settings: Vec<(&'static str, String)>,
    pub(super) times: Vec<Duration>,
    pub(super) seed: u64,
    pub(super) stopped: Option<String>,
    /// Whether the loss or a gradient was no longer finite.
    pub(super) diverged: bool,
    pub(crate) findings: Findings,
    /// Whether findings were printed before the end, so that `fit` repeats them in a summary.
    pub(super) is_summary_due: bool,
    /// The losses of the best constant prediction and of perfect predictions.
    pub(crate) scale: Option<Scale>,
}

/// The values of a metric, and the epochs in which it was measured.
#[derive(Debug, Clone)]
pub(super) struct MetricSeries {
    name: String,
    values: Vec<f64>,
    epochs: Vec<usize>,
}

impl MetricSeries {
    fn new(name: impl Into<String>) -> Self {
        MetricSeries { name: name.into(), values: Vec::new(), epochs: Vec::new() }
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("name", &mut self.name)?;
        state.item("values", &mut self.values)?;
        state.item("epochs", &mut self.epochs)
    }
}

impl History {
    fn metric(&self, name: &str) -> Option<&MetricSeries> {
        self.metrics.iter().find(|metric| metric.name == name)
    }

    /// The values of a metric, one per epoch in which it was measured.
    pub fn get(&self, name: &str) -> Option<&[f64]> {
        self.metric(name).map(|metric| &*metric.values)
    }

    /// The last value of a metric.
    pub fn last(&self, name: &str) -> Option<f64> {
        self.get(name).and_then(|values| values.last().copied())
    }

    /// The names of all metrics, in order: `loss` first.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.metrics.iter().map(|metric| &*metric.name)
    }

    /// The numbers of the epochs, from `initial_epoch`.
    pub fn epochs(&self) -> &[usize] {
        &self.epochs
    }

    /// The epochs in which a metric was measured, one per value.
    ///
    /// These are not all epochs if [`validation_freq`](super::Fit::validation_freq) is above 1.
    pub fn epochs_of(&self, name: &str) -> Option<&[usize]> {
        self.metric(name).map(|metric| &*metric.epochs)
    }

    /// The optimizer's learning rate at the start of each epoch.
    pub fn learning_rates(&self) -> &[f64] {
        &self.rates
    }

    /// The epoch, from 0, whose weights a callback restored at the end of the training.
    ///
    /// [`EarlyStopping::restore_best_weights`](crate::callback::EarlyStopping::restore_best_weights) does so.
    pub fn restored_epoch(&self) -> Option<usize> {
        self.restored
    }

    /// The settings of the training as names and values: optimizer, loss, samples, batch size and so on.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let x = ndarray::array![[0.0], [1.0], [2.0]];
    /// let history = model.fit(&x, &x, &Fit::new().batch_size(2).verbose(Verbose::Silent))?;
    /// assert!(history.settings().any(|setting| setting == ("batch size", "2")));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn settings(&self) -> impl Iterator<Item = (&'static str, &str)> {
        self.settings.iter().map(|(name, value)| (*name, &**value))
    }

    /// The duration of each epoch, validation included.
    pub fn times(&self) -> &[Duration] {
        &self.times
    }

    /// The model's seed.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// The reason why the training stopped before its last epoch, if it did.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// Whether the training ended because of a number that is not finite.
    pub(super) fn is_ruined(&self) -> bool {
        let is_ruined = |key| self.last(key).is_some_and(|loss| !loss.is_finite());
        self.diverged || (self.stopped.is_some() && ["loss", "val_loss"].into_iter().any(is_ruined))
    }

    /// The findings of the [`diagnosis`](crate::diagnosis).
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// Reads or writes the record so far. The findings and the scale are added at the end.
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        let History { epochs, metrics, rates, times, stopped, .. } = self;
        state.group("history", |state| {
            state.item("epochs", epochs)?;
            state.list("metrics", metrics, || MetricSeries::new(""), MetricSeries::state)?;
            state.item("rates", rates)?;
            state.item("times", times)?;
            state.item("stopped", stopped)
        })
    }

    /// Starts an epoch, before its first batch.
    pub(super) fn begin_epoch(&mut self, learning_rate: f64) {
        self.rates.push(learning_rate);
    }

    pub(super) fn record(&mut self, epoch: usize, logs: &Logs, time: Duration) {
        self.epochs.push(epoch);
        self.times.push(time);
        for (name, value) in logs.iter() {
            let known = self.metrics.iter().position(|metric| metric.name == name);
            let place = known.unwrap_or_else(|| {
                self.metrics.push(MetricSeries::new(name));
                self.metrics.len() - 1
            });
            self.metrics[place].values.push(value);
            self.metrics[place].epochs.push(epoch);
        }
    }
}
