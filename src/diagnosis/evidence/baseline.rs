//! The loss of the best constant prediction and of perfect predictions: the two ends of the scale of a loss.
//!
//! Both are computed from the training targets of the first epoch. They are exact for classes and binary targets, and for
//! numbers that fit in the buffer; beyond that they come from a random sample of the rows.

mod merge;

use super::{Scale, Task};
use crate::data::class_of;
use crate::error::Result;
use crate::loss::{Loss, LossFamily, Target};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;
use crate::{hash, kernel};

/// The most target numbers that are kept.
const KEPT: usize = 1 << 13;
/// The most classes for which a loss other than a plain cross-entropy is evaluated per class.
const ASKED: usize = 256;
/// An upper bound of the rows of a class.
const MOST_ROWS: f64 = (1u64 << 48) as f64;

/// The statistics of the targets seen so far.
pub(crate) struct TargetStatistics<F: Scalar> {
    loss: Box<dyn Loss<F>>,
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
    entropy: f64,
    /// A sample of rows with their weights, and the probability that a row is kept.
    kept: Vec<F>,
    weights: Vec<F>,
    chance: f64,
    seen: u64,
}

/// −p·ln p.
fn term(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

impl<F: Scalar> TargetStatistics<F> {
    /// Statistics for this number of rows of this width.
    pub(crate) fn new(loss: Box<dyn Loss<F>>, task: Task, outputs: usize, rows: usize, width: usize) -> Self {
        let most = (KEPT / width.max(1)).max(64).min(rows);
        let room = if task == Task::Numbers { most } else { 0 };
        let sums = match task {
            Task::Classes => outputs,
            Task::Binary => width,
            Task::Numbers => 0,
        };
        TargetStatistics {
            loss,
            task,
            outputs,
            rows: 0,
            weight: 0.0,
            sums: vec![0.0; sums],
            counts: vec![0.0; sums],
            weighted: false,
            entropy: 0.0,
            kept: Vec::with_capacity(room * width),
            weights: Vec::with_capacity(room),
            chance: most as f64 / rows.max(1) as f64,
            seen: 0,
        }
    }

    /// Adds the targets of a batch. Allocates nothing.
    pub(crate) fn take(&mut self, targets: Batch<F>, weights: Option<&[F]>) {
        let weight = |row: usize| weights.map_or(1.0, |weights| weights[row].as_f64());
        let ignored = match self.loss.target() {
            Target::Classes { ignored } => ignored,
            _ => None,
        };
        if self.task == Task::Numbers {
            for (row, target) in targets.iter().enumerate() {
                self.seen += 1;
                let room = self.kept.len() + target.len() <= self.kept.capacity();
                if room && (self.chance >= 1.0 || hash::uniform(self.seen) < self.chance) {
                    self.kept.extend_from_slice(target);
                    self.weights.push(F::of(weight(row)));
                }
            }
            return;
        }
        if self.task == Task::Classes && targets.width() == 1 && weights.is_none() && ignored.is_none() {
            // Class numbers are already checked. Counting few of them one by one is faster.
            if self.counts.len() <= 8 {
                kernel::simd(|| {
                    let mut rest = targets.rows() as u32;
                    let (last, counts) = match self.counts.split_last_mut() {
                        Some((last, counts)) => (last, counts),
                        None => return,
                    };
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
            return;
        }
        self.weighted |= weights.is_some();
        let smoothing = self.loss.smoothing();
        for (row, target) in targets.iter().enumerate() {
            let w = weight(row);
            match (self.task, target) {
                (Task::Classes, [class]) => {
                    let Some(place) = class_of(&[*class]) else { continue };
                    if ignored.is_some_and(|ignored| ignored == place as i64) || place >= self.sums.len() {
                        continue;
                    }
                    self.sums[place] += w;
                    self.counts[place] += 1.0;
                }
                (task, target) => {
                    let mut soft = smoothing > 0.0;
                    for ((sum, count), t) in self.sums.iter_mut().zip(&mut self.counts).zip(target) {
                        *sum += w * t.as_f64();
                        *count += t.as_f64();
                        soft |= *t != F::zero() && *t != F::one();
                    }
                    if soft {
                        self.entropy += w * self.entropy(task, target.iter().map(|t| t.as_f64()));
                    }
                }
            }
            self.rows += 1;
            self.weight += w;
        }
        self.seen += targets.rows() as u64;
    }

    /// The state, for resuming a killed training.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        let TargetStatistics {
            loss: _,
            task: _,
            outputs: _,
            rows,
            weight,
            sums,
            counts,
            weighted,
            entropy,
            kept,
            weights,
            chance: _,
            seen,
        } = self;
        let classes = sums.len();
        state.count("rows", rows)?;
        state.item("weighted", weighted)?;
        state.numbers("numbers", [weight, entropy])?;
        state.item("sums", sums)?;
        state.item("counts", counts)?;
        state.count("seen", seen)?;
        sums.resize(classes, 0.0);
        counts.resize(classes, 0.0);
        for (name, numbers) in [("kept", kept), ("weights", weights)] {
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
                smooth.map(|t| term(t) + term(1.0 - t)).sum::<f64>() / count
            }
            _ => targets.map(|t| term(t * (1.0 - share) + share / count)).sum(),
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
        Some(counts.into_iter().map(|count| count.round().min(MOST_ROWS) as usize).collect())
    }

    /// Returns the scale; `None` if it is not finite or no target was seen.
    pub(crate) fn scale(&self) -> Option<Scale> {
        let (baseline, optimum) = match self.task {
            Task::Numbers => self.numbers()?,
            task => {
                let sums = if self.weighted { &self.sums } else { &self.counts };
                let shares: Vec<f64> = sums.iter().map(|sum| sum / self.weight).collect();
                let per_row = self.weight / self.rows as f64;
                let plain = self.loss.family() == LossFamily::CrossEntropy;
                let baseline = match task {
                    _ if plain || self.outputs > ASKED => self.entropy(task, shares.iter().copied()),
                    Task::Classes => self.asked(&shares),
                    _ => shares.iter().map(|p| self.asked(&[1.0 - p, *p])).sum::<f64>() / shares.len() as f64,
                };
                // A class index was not smoothed above and has entropy 0.
                let optimum = if plain { self.entropy / self.weight } else { 0.0 };
                (baseline * per_row, optimum * per_row)
            }
        };
        let optimum = if optimum.is_finite() && optimum < baseline { optimum } else { 0.0 };
        (baseline.is_finite() && baseline > optimum).then_some(Scale { baseline, optimum })
    }

    /// The mean loss of predicting the class shares, evaluated by the loss itself.
    fn asked(&self, shares: &[f64]) -> f64 {
        let clip = |p: f64| p.clamp(1e-7, 1.0 - 1e-7);
        let binary = self.task == Task::Binary;
        let answer: Vec<F> = match (binary, self.loss.takes_logits()) {
            (true, false) => vec![F::of(shares[1])],
            (true, true) => vec![F::of((clip(shares[1]) / clip(1.0 - shares[1])).ln())],
            (false, false) => shares.iter().map(|p| F::of(*p)).collect(),
            (false, true) => shares.iter().map(|p| F::of(clip(*p).ln())).collect(),
        };
        let sparse = matches!(self.loss.target(), Target::Classes { .. });
        let cost = |class: usize| {
            let target: Vec<F> = match (binary, sparse) {
                (true, _) | (_, true) => vec![F::of(class as f64)],
                _ => (0..shares.len()).map(|k| if k == class { F::one() } else { F::zero() }).collect(),
            };
            let mut value = [F::zero()];
            self.loss.values(
                Batch::new(&answer, answer.len()),
                Batch::new(&target, target.len()),
                &mut value,
            );
            value[0].as_f64()
        };
        shares.iter().enumerate().filter(|(_, share)| **share > 0.0).map(|(k, share)| share * cost(k)).sum()
    }

    /// The smaller loss of predicting the mean or the median of the targets, and the loss of perfect predictions.
    fn numbers(&self) -> Option<(f64, f64)> {
        let rows = self.weights.len();
        let width = self.kept.len().checked_div(rows)?;
        let targets = Batch::new(&self.kept, width);
        let mut values = vec![F::zero(); rows];
        let mut cost = |answers: &[F]| {
            let kept = self.loss.values(Batch::new(answers, width), targets, &mut values).max(1);
            values.iter().zip(&self.weights).map(|(v, w)| v.as_f64() * w.as_f64()).sum::<f64>() / kept as f64
        };
        let column = |j: usize| targets.iter().map(move |row| row[j]);
        let sum = |j: usize| column(j).map(|t| t.as_f64()).sum::<f64>();
        let mean: Vec<F> = (0..width).map(|j| F::of(sum(j) / rows as f64)).collect();
        let median = |j: usize| {
            let mut all: Vec<F> = column(j).collect();
            *all.select_nth_unstable_by(rows / 2, |a, b| a.as_f64().total_cmp(&b.as_f64())).1
        };
        let mut baseline = cost(&mean.repeat(rows));
        // The mean is the best constant for squared error; for other losses it may be closer to the median.
        if self.loss.family() != LossFamily::SquaredError {
            baseline = baseline.min(cost(&(0..width).map(median).collect::<Vec<F>>().repeat(rows)));
        }
        Some((baseline, cost(&self.kept)))
    }
}
