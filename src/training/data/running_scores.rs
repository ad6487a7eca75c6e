//! The loss and the metrics of a batch, and their means over an epoch.

use crate::callback::Logs;
use crate::distributed::Ranks;
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
    /// Of a batch that is cut, what this rank's parts have: sums, and outputs, targets and weights for the metrics.
    parts: Vec<Vec<f64>>,
    outputs: Vec<F>,
    targets: Vec<F>,
    weights: Vec<F>,
    /// The width of a row of outputs and of targets.
    widths: (usize, usize),
    /// Where the ranks meet only now and then: Σ batch loss · samples and Σ samples since, and the rows of each rank.
    apart: Option<([f64; 2], Vec<usize>)>,
}

/// The targets of a batch: its rows, and their weights.
#[derive(Clone, Copy)]
pub(crate) struct Targets<'a, F> {
    pub(crate) y: Batch<'a, F>,
    pub(crate) weights: Option<&'a [F]>,
    /// How many samples the rows belong to.
    pub(crate) samples: usize,
}

impl<F: Scalar> RunningScores<F> {
    /// Measures for outputs and targets of these shapes; `prefix` stands before all keys.
    pub(crate) fn new(
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
        Ok(RunningScores {
            metrics,
            keys: compiled.keys.iter().map(|key| format!("{prefix}{key}")).collect(),
            loss_key: format!("{prefix}loss"),
            total: 0.0,
            samples: 0.0,
            values: Vec::new(),
            kept: 0,
            parts: Vec::new(),
            outputs: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            widths: (1, 1),
            apart: None,
        })
    }

    /// Forgets what was measured.
    pub(crate) fn reset(&mut self) {
        (self.total, self.samples) = (0.0, 0.0);
        self.metrics.iter_mut().for_each(|metric| metric.reset());
    }

    /// What was measured since the last reset.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.numbers("loss", [&mut self.total, &mut self.samples])?;
        let metrics = self.keys.iter().zip(&mut self.metrics);
        metrics.into_iter().try_for_each(|(key, metric)| state.group(key, |state| metric.state(state)))
    }

    /// The loss of a batch: `Σ w·ℓ / n + penalty`. Takes it, and the metrics, into the epoch's means.
    pub(crate) fn take(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: Targets<F>,
        penalty: f64,
    ) -> f64 {
        let sum = self.judge(loss, y_pred, targets);
        match self.apart {
            Some(_) => self.keep(y_pred, targets),
            None => self.update(y_pred, targets),
        }
        self.mean(sum, targets.samples, penalty)
    }

    /// From now on what is taken of this rank's parts of batches is kept until [`RunningScores::meet`]; here begins one of `samples`
    /// samples of `steps` rows.
    pub(crate) fn part_from(&mut self, samples: usize, steps: usize, ranks: &Ranks) {
        let (_, rows) = self.apart.get_or_insert_with(|| ([0.0; 2], vec![0; ranks.size()]));
        rows.iter_mut().enumerate().for_each(|(rank, rows)| *rows += ranks.held(samples, rank) * steps);
    }

    /// Brings together what all ranks have taken since they parted, and tells whether any of them has `failed`: then the
    /// metrics are left out.
    pub(crate) fn meet(&mut self, weighs: bool, failed: bool, ranks: &Ranks) -> Result<bool> {
        let ([total, samples], rows) = self.apart.take().unwrap_or_default();
        let mut sums = [total, samples, f64::from(u8::from(failed))];
        ranks.sum(&mut sums)?;
        (self.total, self.samples) = (self.total + sums[0], self.samples + sums[1]);
        if sums[2] > 0.0 {
            [&mut self.outputs, &mut self.targets, &mut self.weights].into_iter().for_each(Vec::clear);
        } else if !self.metrics.is_empty() {
            self.update_together(rows, sums[1] as usize, weighs, ranks)?;
        }
        Ok(sums[2] > 0.0)
    }

    /// Takes a part of a batch that is cut: `activity` is what the outputs of these rows add to the loss.
    pub(crate) fn take_part(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: Targets<F>,
        activity: f64,
    ) {
        let sum = self.judge(loss, y_pred, targets);
        self.parts.push(vec![sum, self.kept as f64, activity]);
        self.keep(y_pred, targets);
    }

    /// Keeps what metrics read.
    fn keep(&mut self, y_pred: Batch<F>, targets: Targets<F>) {
        if !self.metrics.is_empty() {
            self.outputs.extend_from_slice(y_pred.data());
            self.targets.extend_from_slice(targets.y.data());
            self.weights.extend(targets.weights.into_iter().flatten());
        }
        self.widths = (y_pred.width(), targets.y.width());
    }

    /// The loss of the batch of `samples` samples of `steps` rows, whose parts all ranks have taken; rank 0 takes the metrics
    /// of the whole batch into account. Where a rank has not `read` its rows, all end in an error.
    pub(crate) fn take_whole(
        &mut self,
        (samples, steps): (usize, usize),
        weighs: bool,
        penalty: f64,
        (ranks, read): (&Ranks, Result<()>),
    ) -> Result<f64> {
        ranks.check()?;
        let mut failed = u8::from(read.is_err()).into();
        let mut parts = std::mem::take(&mut self.parts);
        parts.iter_mut().for_each(|sums| sums.push(std::mem::take(&mut failed)));
        let sums = ranks.total(parts, 4)?;
        ranks.agree_if(sums[3] > 0.0, read)?;
        self.kept = sums[1] as usize;
        if !self.metrics.is_empty() {
            let held = (0..ranks.size()).map(|rank| ranks.held(samples, rank) * steps).collect();
            self.update_together(held, samples, weighs, ranks)?;
        }
        Ok(self.mean(sums[0], samples, penalty + sums[2]))
    }

    /// Brings the outputs of all ranks, of which each has `held` so many rows, to rank 0, and takes them into its metrics.
    fn update_together(
        &mut self,
        held: Vec<usize>,
        samples: usize,
        weighs: bool,
        ranks: &Ranks,
    ) -> Result<()> {
        let weighs = weighs && self.metrics.iter().any(|metric| metric.is_weighted());
        let (output, target) = self.widths;
        let mut own = std::mem::take(&mut self.outputs);
        own.append(&mut self.targets);
        if weighs {
            own.append(&mut self.weights);
        }
        self.weights.clear();
        let widths = [output, target, usize::from(weighs)];
        let all = ranks.gather_numbers(&own, &|rank| held[rank] * widths.iter().sum::<usize>())?;
        own.clear();
        self.outputs = own;
        if ranks.is_first() {
            // Of each rank first its outputs, then its targets, then its weights.
            let mut columns = [Vec::new(), Vec::new(), Vec::new()];
            let mut rest = &all[..];
            for rows in held {
                for (column, width) in columns.iter_mut().zip(widths) {
                    let (own, others) = rest.split_at(rows * width);
                    column.extend_from_slice(own);
                    rest = others;
                }
            }
            let [y_pred, y_true, weights] = columns;
            let (y, weights) = (Batch::new(&y_true, target), weighs.then_some(&weights[..]));
            self.update(Batch::new(&y_pred, output), Targets { y, weights, samples });
        }
        Ok(())
    }

    /// Σ w·ℓ over the rows.
    fn judge(&mut self, loss: &dyn Loss<F>, y_pred: Batch<F>, targets: Targets<F>) -> f64 {
        self.values.resize(y_pred.rows(), F::zero());
        self.kept = loss.values(y_pred, targets.y, &mut self.values);
        match targets.weights {
            Some(weights) => self.values.iter().zip(weights).map(|(v, w)| (*v * *w).as_f64()).sum(),
            None => self.values.iter().map(|v| v.as_f64()).sum(),
        }
    }

    fn update(&mut self, y_pred: Batch<F>, targets: Targets<F>) {
        for metric in &mut self.metrics {
            let weights = targets.weights.filter(|_| metric.is_weighted());
            metric.update(y_pred, targets.y, weights);
        }
    }

    /// Takes the loss of a batch into the epoch's mean.
    fn mean(&mut self, sum: f64, samples: usize, penalty: f64) -> f64 {
        let mean = penalty + if self.kept == 0 { 0.0 } else { sum / self.kept as f64 };
        let (total, all) = match &mut self.apart {
            Some(([total, samples], _)) => (total, samples),
            None => (&mut self.total, &mut self.samples),
        };
        (*total, *all) = (*total + mean * samples as f64, *all + samples as f64);
        mean
    }

    /// The gradient of what [`RunningScores::take`] or [`RunningScores::take_whole`] gave for the same batch, or a part of it.
    pub(crate) fn gradient(
        &mut self,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: Targets<F>,
        dy: BatchMut<F>,
    ) {
        self.values.resize(y_pred.rows(), F::zero());
        let each = F::one() / F::of(self.kept.max(1) as f64);
        match targets.weights {
            Some(weights) => self.values.iter_mut().zip(weights).for_each(|(scale, w)| *scale = *w * each),
            None => self.values.fill(each),
        }
        loss.gradient(y_pred, targets.y, &self.values, dy);
    }

    /// Writes the means.
    pub(crate) fn log(&self, logs: &mut Logs) {
        logs.set(&self.loss_key, self.total / self.samples.max(1.0));
        for (key, metric) in self.keys.iter().zip(&self.metrics) {
            logs.set(key, metric.value());
        }
    }
}
