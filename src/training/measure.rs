//! The loss and the metrics of a batch, and their means over an epoch.

use crate::callback::Logs;
use crate::error::Result;
use crate::loss::Loss;
use crate::metric::Metric;
use crate::model::Compiled;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::{Batch, BatchMut};

/// The running loss and metrics of an epoch or an evaluation.
pub(super) struct Measure<F: Scalar> {
    metrics: Vec<Box<dyn Metric<F>>>,
    /// The keys, each with what stands before it.
    keys: Vec<String>,
    loss_key: String,
    /// Σ batch loss · samples, and Σ samples.
    total: f64,
    samples: f64,
    /// ℓ of each row, then the scale of its gradient.
    values: Vec<F>,
    /// The loss is the weighted sum over this many rows.
    kept: usize,
}

/// The targets of a batch: its rows, and their weights.
#[derive(Clone, Copy)]
pub(super) struct Targets<'a, F> {
    pub(super) y: Batch<'a, F>,
    pub(super) weights: Option<&'a [F]>,
    /// How many samples the rows belong to.
    pub(super) samples: usize,
}

impl<F: Scalar> Measure<F> {
    /// Measures for outputs and targets of these shapes; `prefix` stands before all keys.
    pub(super) fn new(
        compiled: &Compiled<F>,
        prefix: &str,
        output: &[usize],
        target: &[usize],
    ) -> Result<Self> {
        let mut metrics = compiled.metrics.clone();
        for metric in &mut metrics {
            metric.prepare(output, target)?;
            metric.reset();
        }
        Ok(Measure {
            metrics,
            keys: compiled.keys.iter().map(|key| format!("{prefix}{key}")).collect(),
            loss_key: format!("{prefix}loss"),
            total: 0.0,
            samples: 0.0,
            values: Vec::new(),
            kept: 0,
        })
    }

    /// Forgets what was measured.
    pub(super) fn reset(&mut self) {
        (self.total, self.samples) = (0.0, 0.0);
        self.metrics.iter_mut().for_each(|metric| metric.reset());
    }

    /// What was measured since the last reset.
    pub(super) fn state(&mut self, state: &mut State) -> Result<()> {
        state.numbers("loss", [&mut self.total, &mut self.samples])?;
        let metrics = self.keys.iter().zip(&mut self.metrics);
        metrics.into_iter().try_for_each(|(key, metric)| state.group(key, |state| metric.state(state)))
    }

    /// The loss of a batch: `Σ w·ℓ / n + penalty`. Takes it, and the metrics, into the epoch's means.
    pub(super) fn take(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: Targets<F>,
        penalty: f64,
    ) -> f64 {
        self.values.resize(y_pred.rows(), F::zero());
        self.kept = loss.values(y_pred, targets.y, &mut self.values);
        let sum: f64 = match targets.weights {
            Some(weights) => self.values.iter().zip(weights).map(|(v, w)| (*v * *w).as_f64()).sum(),
            None => self.values.iter().map(|v| v.as_f64()).sum(),
        };
        let mean = penalty + if self.kept == 0 { 0.0 } else { sum / self.kept as f64 };
        self.total += mean * targets.samples as f64;
        self.samples += targets.samples as f64;
        for metric in &mut self.metrics {
            let weights = targets.weights.filter(|_| metric.is_weighted());
            metric.update(y_pred, targets.y, weights);
        }
        mean
    }

    /// The gradient of what [`Measure::take`] gave for the same batch.
    pub(super) fn gradient(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: Targets<F>,
        dy: BatchMut<F>,
    ) {
        let each = F::one() / F::of(self.kept.max(1) as f64);
        match targets.weights {
            Some(weights) => self.values.iter_mut().zip(weights).for_each(|(scale, w)| *scale = *w * each),
            None => self.values.fill(each),
        }
        loss.gradient(y_pred, targets.y, &self.values, dy);
    }

    /// Writes the means.
    pub(super) fn log(&self, logs: &mut Logs) {
        logs.set(&self.loss_key, self.total / self.samples.max(1.0));
        for (key, metric) in self.keys.iter().zip(&self.metrics) {
            logs.set(key, metric.value());
        }
    }
}
