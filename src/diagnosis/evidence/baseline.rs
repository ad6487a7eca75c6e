//! The loss of the best constant prediction and of perfect predictions: the two ends of the scale of a loss.
//!
//! Both are computed from the training targets of the first epoch. They are exact for classes and binary targets, and for
//! numbers that fit in the buffer; beyond that they come from a random sample of the rows.

mod merge;

use super::data::constant_columns;
use super::{Scale, Task};
use crate::data::class_of;
use crate::error::Result;
use crate::loss::{Loss, LossFamily, MeanSquaredError, Target, copy_of_built_in};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;
use crate::{hash, kernel};

/// The most target numbers that are sampled.
const MAX_SAMPLED_VALUES: usize = 1 << 13;
/// The most classes for which a loss other than a plain cross-entropy is evaluated per class.
const MAX_EVALUATED_CLASSES: usize = 256;
/// An upper bound of the rows of a class.
const MAX_CLASS_ROWS: f64 = (1u64 << 48) as f64;

/// The statistics of the targets seen so far.
pub(crate) struct TargetStatistics<F: Scalar> {
    loss: Box<dyn Loss<F>>,
    /// A loss of the crate that is evaluated on constant predictions; a user's own loss never is.
    evaluated: Option<Box<dyn Loss<F>>>,
    task: Task,
    outputs: usize,
    /// The rows with a positive weight, and the sum of their weights.
    rows: usize,
    weight: f64,
    /// The weighted sum of the targets of each class or output.
    sums: Vec<f64>,
    /// The unweighted sums, which are the only ones without sample weights.
    counts: Vec<f64>,
    weighted: bool,
    /// Σ w·H(t) over the rows, the loss of perfect predictions.
    total_entropy: f64,
    /// A sample of rows with their weights, and the probability that a row is sampled.
    sample: Vec<F>,
    sample_weights: Vec<F>,
    sample_probability: f64,
    seen: u64,
}

/// −p·ln p.
fn entropy_term(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

/// The weight of a row; 1 without weights.
fn weight_of<F: Scalar>(weights: Option<&[F]>, row: usize) -> f64 {
    weights.map_or(1.0, |weights| weights[row].as_f64())
}

impl<F: Scalar> TargetStatistics<F> {
    /// Statistics for this number of rows of this width.
    pub(crate) fn new(loss: Box<dyn Loss<F>>, task: Task, outputs: usize, rows: usize, width: usize) -> Self {
        // The value of a batch says nothing about another one.
        let mut evaluated = copy_of_built_in(&*loss).filter(|loss| !loss.couples_rows());
        if evaluated.is_none() && task == Task::Numbers && loss.family() == LossFamily::SquaredError {
            evaluated = Some(Box::new(MeanSquaredError::new()));
        }
        let most = (MAX_SAMPLED_VALUES / width.max(1)).max(64).min(rows);
        let room = if task == Task::Numbers { most } else { 0 };
        let sums = match task {
            Task::Classes => outputs,
            Task::Binary => width,
            Task::Numbers => 0,
        };
        TargetStatistics {
            loss,
            evaluated,
            task,
            outputs,
            rows: 0,
            weight: 0.0,
            sums: vec![0.0; sums],
            counts: vec![0.0; sums],
            weighted: false,
            total_entropy: 0.0,
            sample: Vec::with_capacity(room * width),
            sample_weights: Vec::with_capacity(room),
            sample_probability: most as f64 / rows.max(1) as f64,
            seen: 0,
        }
    }

    /// Adds the targets of a batch. Allocates nothing.
    pub(crate) fn add(&mut self, targets: Batch<F>, weights: Option<&[F]>) {
        let ignored = match self.loss.target() {
            Target::Classes { ignored } => ignored,
            _ => None,
        };
        match self.task {
            Task::Numbers => self.sample_numbers(targets, weights),
            Task::Classes if targets.width() == 1 => match (weights, ignored) {
                (None, None) => self.count_classes(targets),
                _ => self.sum_classes(targets, weights, ignored),
            },
            _ => self.sum_probabilities(targets, weights),
        }
    }

    /// Adds each row of numbers to the sample with the same probability.
    fn sample_numbers(&mut self, targets: Batch<F>, weights: Option<&[F]>) {
        for (row, target) in targets.iter().enumerate() {
            self.seen += 1;
            let fits = self.sample.len() + target.len() <= self.sample.capacity();
            if fits && (self.sample_probability >= 1.0 || hash::uniform(self.seen) < self.sample_probability)
            {
                self.sample.extend_from_slice(target);
                self.sample_weights.push(F::of(weight_of(weights, row)));
            }
        }
    }

    /// Counts class numbers without weights, which are already checked.
    fn count_classes(&mut self, targets: Batch<F>) {
        // Counting few classes one by one is faster.
        if self.counts.len() <= 8 {
            kernel::simd!(|| {
                let mut rest = targets.rows() as u32;
                let Some((last, counts)) = self.counts.split_last_mut() else { return };
                for (class, count) in counts.iter_mut().enumerate() {
                    let class = F::of(class as f64);
                    let own: u32 = targets.data().iter().map(|t| u32::from(*t == class)).sum();
                    (*count, rest) = (*count + f64::from(own), rest - own);
                }
                *last += f64::from(rest);
            });
        } else {
            for class in targets.data() {
                if let Some(count) = self.counts.get_mut(class.as_f64() as usize) {
                    *count += 1.0;
                }
            }
        }
        self.rows += targets.rows();
        self.weight += targets.rows() as f64;
    }

    /// Counts class numbers and adds their weights, except those of the ignored class.
    fn sum_classes(&mut self, targets: Batch<F>, weights: Option<&[F]>, ignored: Option<i64>) {
        self.weighted |= weights.is_some();
        for (row, class) in targets.data().iter().enumerate() {
            let Some(class) = class_of(&[*class]) else { continue };
            if ignored == Some(class as i64) || class >= self.sums.len() {
                continue;
            }
            let weight = weight_of(weights, row);
            self.sums[class] += weight;
            self.counts[class] += 1.0;
            self.rows += 1;
            self.weight += weight;
        }
        self.seen += targets.rows() as u64;
    }

    /// Sums the probabilities of each class or output, and the entropy of each row.
    fn sum_probabilities(&mut self, targets: Batch<F>, weights: Option<&[F]>) {
        self.weighted |= weights.is_some();
        let is_smoothed = self.loss.smoothing() > 0.0;
        for (row, target) in targets.iter().enumerate() {
            let weight = weight_of(weights, row);
            let mut is_soft = is_smoothed;
            for ((sum, count), t) in self.sums.iter_mut().zip(&mut self.counts).zip(target) {
                *sum += weight * t.as_f64();
                *count += t.as_f64();
                is_soft |= *t != F::zero() && *t != F::one();
            }
            if is_soft {
                self.total_entropy += weight * self.entropy(self.task, target.iter().map(|t| t.as_f64()));
            }
            self.rows += 1;
            self.weight += weight;
        }
        self.seen += targets.rows() as u64;
    }

    /// The state, for resuming a killed training.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        let TargetStatistics {
            loss: _,
            evaluated: _,
            task: _,
            outputs: _,
            rows,
            weight,
            sums,
            counts,
            weighted,
            total_entropy,
            sample,
            sample_weights,
            sample_probability: _,
            seen,
        } = self;
        let classes = sums.len();
        state.count("rows", rows)?;
        state.item("weighted", weighted)?;
        state.numbers("numbers", [weight, total_entropy])?;
        state.item("sums", sums)?;
        state.item("counts", counts)?;
        state.count("seen", seen)?;
        sums.resize(classes, 0.0);
        counts.resize(classes, 0.0);
        for (name, numbers) in [("kept", sample), ("weights", sample_weights)] {
            let mut values: Vec<f64> = numbers.iter().map(|value| value.as_f64()).collect();
            state.item(name, &mut values)?;
            numbers.clear();
            numbers.extend(values.into_iter().take(numbers.capacity()).map(F::of));
        }
        Ok(())
    }

    /// The loss of predictions equal to these targets, after label smoothing.
    fn entropy(&self, task: Task, targets: impl ExactSizeIterator<Item = f64>) -> f64 {
        let (share, count) = (self.loss.smoothing(), targets.len().max(1) as f64);
        match task {
            Task::Binary => {
                let smooth = targets.map(|t| t * (1.0 - share) + share / 2.0);
                smooth.map(|t| entropy_term(t) + entropy_term(1.0 - t)).sum::<f64>() / count
            }
            _ => targets.map(|t| entropy_term(t * (1.0 - share) + share / count)).sum(),
        }
    }

    /// The share of the weight that each class has, for classes and a single binary target; empty without weights.
    pub(crate) fn class_shares(&self) -> Vec<f64> {
        match (self.task, &*self.sums) {
            (Task::Classes, sums) if self.weighted => sums.iter().map(|sum| sum / self.weight).collect(),
            (Task::Binary, [sum]) if self.weighted => vec![1.0 - sum / self.weight, sum / self.weight],
            _ => Vec::new(),
        }
    }

    /// The number of rows of each class, for classes and a single binary target.
    pub(crate) fn classes(&self) -> Option<Vec<usize>> {
        let counts = match (self.task, &*self.counts) {
            (Task::Classes, counts) => counts.to_vec(),
            (Task::Binary, [ones]) => vec![self.rows as f64 - ones, *ones],
            _ => return None,
        };
        // A restored state may contain any number, so the sum saturates.
        Some(counts.into_iter().map(|count| count.round().min(MAX_CLASS_ROWS) as usize).collect())
    }

    /// The class of all rows, if all have the same.
    pub(crate) fn only_class(&self) -> Option<usize> {
        let mut present = self.counts.iter().enumerate().filter(|(_, count)| **count > 0.0);
        match (self.task, &*self.counts) {
            (Task::Classes, _) => present.next().filter(|_| present.next().is_none()).map(|(class, _)| class),
            (Task::Binary, [ones]) if *ones == 0.0 || *ones == self.rows as f64 => {
                Some(usize::from(*ones > 0.0))
            }
            _ => None,
        }
    }

    /// Whether each target number is constant in the sample, and the number of its rows. `None` for classes and binary targets.
    pub(crate) fn constant(&self) -> Option<(Vec<bool>, usize)> {
        let rows = self.sample_weights.len();
        let width = self.sample.len().checked_div(rows)?;
        Some((constant_columns(Batch::new(&self.sample, width)), rows))
    }

    /// Returns the scale; `None` if it is not finite, no target was seen, the loss is a sum, which depends on the batch, or
    /// a user's loss does not say by its family what it measures.
    pub(crate) fn scale(&self) -> Option<Scale> {
        if self.loss.is_sum() {
            return None;
        }
        let (baseline, optimum) = match self.task {
            Task::Numbers => self.losses_of_numbers()?,
            Task::Classes | Task::Binary => self.losses_of_classes()?,
        };
        let optimum = if optimum.is_finite() && optimum < baseline { optimum } else { 0.0 };
        (baseline.is_finite() && baseline > optimum).then_some(Scale { baseline, optimum })
    }

    /// The loss of predicting the class shares, and the loss of perfect predictions.
    fn losses_of_classes(&self) -> Option<(f64, f64)> {
        let sums = if self.weighted { &self.sums } else { &self.counts };
        let shares: Vec<f64> = sums.iter().map(|sum| sum / self.weight).collect();
        let weight_per_row = self.weight / self.rows as f64;
        let is_cross_entropy = self.loss.family() == LossFamily::CrossEntropy;
        let baseline = match (self.task, &self.evaluated) {
            (task, _) if is_cross_entropy => self.entropy(task, shares.iter().copied()),
            (_, None) => return None,
            (task, _) if self.outputs > MAX_EVALUATED_CLASSES => self.entropy(task, shares.iter().copied()),
            (Task::Classes, Some(loss)) => self.loss_of_constant(&**loss, &shares),
            (_, Some(loss)) => {
                let losses = shares.iter().map(|p| self.loss_of_constant(&**loss, &[1.0 - p, *p]));
                losses.sum::<f64>() / shares.len() as f64
            }
        };
        // A class index was not smoothed above and has entropy 0.
        let optimum = if is_cross_entropy { self.total_entropy / self.weight } else { 0.0 };
        Some((baseline * weight_per_row, optimum * weight_per_row))
    }

    /// The mean loss of predicting these class shares for every row, evaluated by the loss itself.
    fn loss_of_constant(&self, loss: &dyn Loss<F>, shares: &[f64]) -> f64 {
        let clip = |p: f64| p.clamp(1e-7, 1.0 - 1e-7);
        let binary = self.task == Task::Binary;
        let prediction: Vec<F> = match (binary, loss.takes_logits()) {
            (true, false) => vec![F::of(shares[1])],
            (true, true) => vec![F::of((clip(shares[1]) / clip(1.0 - shares[1])).ln())],
            (false, false) => shares.iter().map(|p| F::of(*p)).collect(),
            (false, true) => shares.iter().map(|p| F::of(clip(*p).ln())).collect(),
        };
        let sparse = matches!(loss.target(), Target::Classes { .. });
        let loss_of_class = |class: usize| {
            let target: Vec<F> = match (binary, sparse) {
                (true, _) | (_, true) => vec![F::of(class as f64)],
                _ => (0..shares.len()).map(|k| if k == class { F::one() } else { F::zero() }).collect(),
            };
            let mut value = [F::zero()];
            loss.values(
                Batch::new(&prediction, prediction.len()),
                Batch::new(&target, target.len()),
                &mut value,
            );
            value[0].as_f64()
        };
        let present = shares.iter().enumerate().filter(|(_, share)| **share > 0.0);
        present.map(|(class, share)| share * loss_of_class(class)).sum()
    }

    /// The smaller loss of predicting the mean or the median of the targets, and the loss of perfect predictions.
    fn losses_of_numbers(&self) -> Option<(f64, f64)> {
        let (loss, rows) = (self.evaluated.as_ref()?, self.sample_weights.len());
        let width = self.sample.len().checked_div(rows)?;
        let targets = Batch::new(&self.sample, width);
        let mut values = vec![F::zero(); rows];
        let mut mean_loss = |predictions: &[F]| {
            let counted = loss.values(Batch::new(predictions, width), targets, &mut values).max(1);
            values.iter().zip(&self.sample_weights).map(|(v, w)| v.as_f64() * w.as_f64()).sum::<f64>()
                / counted as f64
        };
        let column = |j: usize| targets.iter().map(move |row| row[j]);
        let sum = |j: usize| column(j).map(|t| t.as_f64()).sum::<f64>();
        let mean: Vec<F> = (0..width).map(|j| F::of(sum(j) / rows as f64)).collect();
        let median = |j: usize| {
            let mut all: Vec<F> = column(j).collect();
            *all.select_nth_unstable_by(rows / 2, |a, b| a.as_f64().total_cmp(&b.as_f64())).1
        };
        let mut baseline = mean_loss(&mean.repeat(rows));
        // The mean is the best constant for squared error; for other losses it may be closer to the median.
        if loss.family() != LossFamily::SquaredError {
            baseline = baseline.min(mean_loss(&(0..width).map(median).collect::<Vec<F>>().repeat(rows)));
        }
        Some((baseline, mean_loss(&self.sample)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::SparseCategoricalCrossentropy;

    #[test]
    fn few_and_many_classes_are_counted_alike() {
        for classes in [1, 2, 7, 8, 9, 20] {
            let loss = Box::new(SparseCategoricalCrossentropy::new());
            let mut statistics = TargetStatistics::<f32>::new(loss, Task::Classes, classes, 100, 1);
            let labels: Vec<usize> = (0..100).map(|i| (i * i) % classes).collect();
            let targets: Vec<f32> = labels.iter().map(|label| *label as f32).collect();
            statistics.add(Batch::new(&targets[..60], 1), None);
            statistics.add(Batch::new(&targets[60..], 1), None);
            let count = |class: usize| labels.iter().filter(|label| **label == class).count() as f64;
            assert_eq!(statistics.counts, (0..classes).map(count).collect::<Vec<f64>>(), "{classes}");
            assert_eq!((statistics.rows, statistics.weight), (100, 100.0));
        }
    }
}
