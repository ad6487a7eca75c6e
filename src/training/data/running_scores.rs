//! The loss and the metrics of a batch, and their means over an epoch.

use super::batch_targets::BatchTargets;
use super::unmasked::Unmasked;
use crate::callback::Logs;
use crate::error::Result;
use crate::loss::Loss;
use crate::metric::Metric;
use crate::model::Compiled;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::{Batch, BatchMut};

/// The running loss and metrics of an epoch or an evaluation.
pub(crate) struct RunningScores<F: Scalar> {
    metrics: Vec<Box<dyn Metric<F>>>,
    /// The names of the metrics in the logs, prefix included.
    keys: Vec<String>,
    loss_key: String,
    /// Σ batch loss · samples, and Σ samples.
    total: f64,
    samples: f64,
    /// ℓ of each row, later the scale of its gradient.
    values: Vec<F>,
    /// What the loss of a batch is divided by: the number of its rows, or 1 if the loss is a sum.
    divisor: usize,
    is_sum: bool,
    unmasked: Unmasked<F>,
}

impl<F: Scalar> RunningScores<F> {
    /// Scores for outputs and targets of these shapes; `prefix` precedes all keys.
    pub(crate) fn new(
        compiled: &Compiled<F>,
        prefix: &str,
        output: &[usize],
        target: &[usize],
    ) -> Result<Self> {
        let mut metrics = compiled.metrics.clone();
        for metric in &mut metrics {
            if let Some(link) = compiled.loss.link() {
                metric.outputs(link);
            }
            metric.prepare(output, target)?;
            metric.reset();
        }
        Ok(RunningScores {
            metrics,
            keys: compiled.keys.iter().map(|key| format!("{prefix}{key}")).collect(),
            loss_key: format!("{prefix}loss"),
            total: 0.0,
            samples: 0.0,
            values: Vec::new(),
            divisor: 0,
            is_sum: compiled.loss.is_sum(),
            unmasked: Unmasked::default(),
        })
    }

    /// Starts a new epoch.
    pub(crate) fn reset(&mut self) {
        (self.total, self.samples) = (0.0, 0.0);
        self.metrics.iter_mut().for_each(|metric| metric.reset());
    }

    /// Reads or writes the scores since the last reset.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.numbers("loss", [&mut self.total, &mut self.samples])?;
        let metrics = self.keys.iter().zip(&mut self.metrics);
        metrics.into_iter().try_for_each(|(key, metric)| state.group(key, |state| metric.state(state)))
    }

    /// Adds a batch to the loss and the metrics. Returns its loss, `Σ w·ℓ / n + penalty`.
    pub(crate) fn add(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: BatchTargets<F>,
        penalty: f64,
    ) -> f64 {
        let sum = self.loss_sum(loss, y_pred, targets);
        self.update_metrics(y_pred, targets);
        let mean = self.mean(sum, penalty);
        self.add_loss(mean * targets.samples as f64, targets.samples as f64);
        mean
    }

    /// Returns Σ w·ℓ over the rows that the mask of the outputs includes, and sets the divisor.
    pub(crate) fn loss_sum(&mut self, loss: &dyn Loss<F>, y_pred: Batch<F>, targets: BatchTargets<F>) -> f64 {
        let (y_pred, targets) = self.unmasked.select(y_pred, targets);
        let values = &mut self.values;
        values.resize(y_pred.rows(), F::zero());
        let rows = loss.values(y_pred, targets.y, values);
        let sum = match targets.weights {
            Some(weights) => values.iter().zip(weights).map(|(v, w)| (*v * *w).as_f64()).sum(),
            None => values.iter().map(|v| v.as_f64()).sum(),
        };
        self.set_rows(rows);
        sum
    }

    /// Sets the divisor for a batch of this number of rows.
    pub(crate) fn set_rows(&mut self, rows: usize) {
        self.divisor = if self.is_sum { rows.min(1) } else { rows };
    }

    pub(crate) fn divisor(&self) -> usize {
        self.divisor
    }

    /// The loss of a batch whose rows sum to `sum`.
    pub(crate) fn mean(&self, sum: f64, penalty: f64) -> f64 {
        penalty + if self.divisor == 0 { 0.0 } else { sum / self.divisor as f64 }
    }

    /// Adds batch losses, each times its number of samples, to the mean of the epoch.
    pub(crate) fn add_loss(&mut self, total: f64, samples: f64) {
        (self.total, self.samples) = (self.total + total, self.samples + samples);
    }

    pub(crate) fn update_metrics(&mut self, y_pred: Batch<F>, targets: BatchTargets<F>) {
        let (y_pred, targets) = self.unmasked.select(y_pred, targets);
        for metric in &mut self.metrics {
            let weights = targets.weights.filter(|_| metric.is_weighted());
            metric.update(y_pred, targets.y, weights);
        }
    }

    /// The targets of the rows that the mask of the outputs includes.
    pub(crate) fn included<'a>(
        &'a mut self,
        y_pred: Batch<'a, F>,
        targets: BatchTargets<'a, F>,
    ) -> BatchTargets<'a, F> {
        self.unmasked.select(y_pred, targets).1
    }

    pub(crate) fn has_metrics(&self) -> bool {
        !self.metrics.is_empty()
    }

    pub(crate) fn has_weighted_metrics(&self) -> bool {
        self.metrics.iter().any(|metric| metric.is_weighted())
    }

    /// Computes the gradient of the loss with respect to the outputs of the last batch, or of a part of it.
    pub(crate) fn gradient(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: BatchTargets<F>,
        dy: BatchMut<F>,
    ) {
        let RunningScores { values, unmasked, divisor, .. } = self;
        let each = F::one() / F::of((*divisor).max(1) as f64);
        unmasked.gradient(y_pred, targets, dy, |y_pred, targets, dy| {
            values.resize(y_pred.rows(), F::zero());
            match targets.weights {
                Some(weights) => values.iter_mut().zip(weights).for_each(|(scale, w)| *scale = *w * each),
                None => values.fill(each),
            }
            loss.gradient(y_pred, targets.y, values, dy);
        });
    }

    /// Writes the means to the logs.
    pub(crate) fn log(&self, logs: &mut Logs) {
        logs.set(&self.loss_key, self.total / self.samples.max(1.0));
        for (key, metric) in self.keys.iter().zip(&self.metrics) {
            logs.set(key, metric.value());
        }
    }
}
