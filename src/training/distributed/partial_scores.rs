//! The scores of a batch that is distributed over ranks.

use crate::distributed::Ranks;
use crate::error::Result;
use crate::loss::Loss;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::data::{BatchTargets, CheckedData, RunningScores};

/// Sums of losses, and the rows that metrics read, collected until the ranks exchange them.
///
/// The metrics of rank 0 then see every row, so their values are those of a single process.
pub(crate) struct PartialScores<F> {
    /// For each part of this rank: the sum of its losses, their divisor and its activity penalty.
    parts: Vec<Vec<f64>>,
    outputs: Vec<F>,
    targets: Vec<F>,
    weights: Vec<F>,
    /// Whether each row counts, as 0 or 1, if the outputs have a mask.
    mask: Vec<F>,
    is_masked: bool,
    /// The widths of an output row and of a target row.
    widths: (usize, usize),
    /// Since the last synchronization: Σ batch loss · samples, Σ samples, and the number of rows of each rank.
    local: Local,
}

#[derive(Default)]
struct Local {
    total: f64,
    samples: f64,
    rows: Vec<usize>,
}

/// The size of the global batch.
#[derive(Clone, Copy)]
pub(crate) struct BatchSize {
    pub(crate) samples: usize,
    /// Rows of the loss per sample.
    pub(crate) steps: usize,
    pub(crate) is_weighted: bool,
}

impl BatchSize {
    pub(crate) fn new<F: Scalar>(samples: usize, data: &CheckedData<F>) -> Self {
        BatchSize { samples, steps: data.steps, is_weighted: data.weights.is_some() }
    }
}

impl<F: Scalar> PartialScores<F> {
    pub(crate) fn new() -> Self {
        PartialScores {
            parts: Vec::new(),
            outputs: Vec::new(),
            targets: Vec::new(),
            weights: Vec::new(),
            mask: Vec::new(),
            is_masked: false,
            widths: (1, 1),
            local: Local::default(),
        }
    }

    /// Adds a part of a batch; `activity` is the penalty on the outputs of its rows.
    pub(crate) fn add_part(
        &mut self,
        scores: &mut RunningScores<F>,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: BatchTargets<F>,
        activity: f64,
    ) {
        let sum = scores.loss_sum(loss, y_pred, targets);
        self.parts.push(vec![sum, scores.divisor() as f64, activity]);
        self.keep_rows(scores, y_pred, targets);
    }

    /// Ends a batch whose parts all ranks have added, and returns its loss. All ranks fail if `read` failed on one of them.
    pub(crate) fn end_batch(
        &mut self,
        scores: &mut RunningScores<F>,
        size: BatchSize,
        penalty: f64,
        read: Result<()>,
        ranks: &Ranks,
    ) -> Result<f64> {
        ranks.check()?;
        let mut failed = u8::from(read.is_err()).into();
        let mut parts = std::mem::take(&mut self.parts);
        parts.iter_mut().for_each(|sums| sums.push(std::mem::take(&mut failed)));
        let sums = ranks.total(parts, 4)?;
        ranks.agree_if(sums[3] > 0.0, read)?;
        scores.set_rows(sums[1] as usize);
        if scores.has_metrics() {
            let held = (0..ranks.size()).map(|rank| ranks.held(size.samples, rank) * size.steps).collect();
            self.update_metrics(scores, held, size, ranks)?;
        }
        let mean = scores.mean(sums[0], penalty + sums[2]);
        scores.add_loss(mean * size.samples as f64, size.samples as f64);
        Ok(mean)
    }

    /// Starts a batch of local SGD.
    pub(crate) fn start_local(&mut self, size: BatchSize, ranks: &Ranks) {
        let rows = &mut self.local.rows;
        rows.resize(ranks.size(), 0);
        rows.iter_mut()
            .enumerate()
            .for_each(|(rank, rows)| *rows += ranks.held(size.samples, rank) * size.steps);
    }

    /// As [`RunningScores::add`] for the part of this rank, which counts at the next synchronization.
    pub(crate) fn add_local(
        &mut self,
        scores: &mut RunningScores<F>,
        loss: &dyn Loss<F>,
        y_pred: Batch<F>,
        targets: BatchTargets<F>,
        penalty: f64,
    ) -> f64 {
        let sum = scores.loss_sum(loss, y_pred, targets);
        self.keep_rows(scores, y_pred, targets);
        let mean = scores.mean(sum, penalty);
        self.local.total += mean * targets.samples as f64;
        self.local.samples += targets.samples as f64;
        mean
    }

    /// Combines the scores that all ranks have added since the last synchronization. Returns whether any rank has
    /// `failed`; the metrics are then left out.
    pub(crate) fn meet(
        &mut self,
        scores: &mut RunningScores<F>,
        is_weighted: bool,
        failed: bool,
        ranks: &Ranks,
    ) -> Result<bool> {
        let Local { total, samples, rows } = std::mem::take(&mut self.local);
        let mut sums = [total, samples, f64::from(u8::from(failed))];
        ranks.sum(&mut sums)?;
        scores.add_loss(sums[0], sums[1]);
        if sums[2] > 0.0 {
            let kept = [&mut self.outputs, &mut self.targets, &mut self.weights, &mut self.mask];
            kept.into_iter().for_each(Vec::clear);
        } else if scores.has_metrics() {
            let size = BatchSize { samples: sums[1] as usize, steps: 1, is_weighted };
            self.update_metrics(scores, rows, size, ranks)?;
        }
        Ok(sums[2] > 0.0)
    }

    /// Keeps the rows that metrics read.
    fn keep_rows(&mut self, scores: &RunningScores<F>, y_pred: Batch<F>, targets: BatchTargets<F>) {
        if scores.has_metrics() {
            self.outputs.extend_from_slice(y_pred.data());
            self.targets.extend_from_slice(targets.y.data());
            self.weights.extend(targets.weights.into_iter().flatten());
            self.is_masked = y_pred.mask().is_some();
            if self.is_masked {
                let counts =
                    (0..y_pred.rows()).map(|row| if y_pred.includes(row) { F::one() } else { F::zero() });
                self.mask.extend(counts);
            }
        }
        self.widths = (y_pred.width(), targets.y.width());
    }

    /// Updates the metrics of rank 0 with the rows of all ranks; `held` is the number of each.
    fn update_metrics(
        &mut self,
        scores: &mut RunningScores<F>,
        held: Vec<usize>,
        size: BatchSize,
        ranks: &Ranks,
    ) -> Result<()> {
        let is_weighted = size.is_weighted && scores.has_weighted_metrics();
        let (output, target) = self.widths;
        let mut own = std::mem::take(&mut self.outputs);
        own.append(&mut self.targets);
        if is_weighted {
            own.append(&mut self.weights);
        }
        self.weights.clear();
        own.append(&mut self.mask);
        let widths = [output, target, usize::from(is_weighted), usize::from(self.is_masked)];
        let all = ranks.gather_numbers(&own, &|rank| held[rank] * widths.iter().sum::<usize>())?;
        own.clear();
        self.outputs = own;
        if ranks.is_first() {
            // Each rank sends its outputs, then its targets, then its weights, then its mask.
            let mut columns = [(); 4].map(|()| Vec::new());
            let mut rest = &all[..];
            for rows in held {
                for (column, width) in columns.iter_mut().zip(widths) {
                    let (own, others) = rest.split_at(rows * width);
                    column.extend_from_slice(own);
                    rest = others;
                }
            }
            let [y_pred, y_true, weights, mask] = columns;
            let mask: Vec<bool> = mask.iter().map(|counts| *counts != F::zero()).collect();
            let (y, weights) = (Batch::new(&y_true, target), is_weighted.then_some(&weights[..]));
            scores.update_metrics(
                Batch::new(&y_pred, output).with_mask(self.is_masked.then_some(&mask[..])),
                BatchTargets { y, weights, samples: size.samples },
            );
        }
        Ok(())
    }
}
