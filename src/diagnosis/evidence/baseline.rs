//! What the best constant answer costs, and what the right answers cost: the two ends of the scale that a loss is read on.
//!
//! Both come from the targets of every row that trains, taken as they pass in the first epoch: they are exact for classes
//! and yes-or-no, and for numbers where these are few enough to be kept, beyond that from a random part of the rows.

mod merge;

use super::{Scale, Task};
use crate::data::class_of;
use crate::error::Result;
use crate::loss::{Loss, Target};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;
use crate::{hash, kernel};

/// Numbers of targets that are kept, where they have to be.
const KEPT: usize = 1 << 13;
/// Up to so many classes a loss that is not a plain cross-entropy is asked class by class.
const ASKED: usize = 256;
/// No class has more rows.
const MOST_ROWS: f64 = (1u64 << 48) as f64;

/// What was seen of the targets.
pub(crate) struct Tally<F: Scalar> {
    loss: Box<dyn Loss<F>>,
    task: Task,
    outputs: usize,
    /// Rows that count, and the sum of their weights.
    rows: usize,
    weight: f64,
    /// For each class, or each output: the weighted sum of its targets.
    sums: Vec<f64>,
    /// The same, each row counting as one; all that there is where no row has a weight.
    counts: Vec<f64>,
    weighted: bool,
    /// Σ w·H(t) of the rows, the cost of right answers.
    entropy: f64,
    /// Rows of numbers, and their weights; each row is kept with this chance.
    kept: Vec<F>,
    weights: Vec<F>,
    chance: f64,
    seen: u64,
}

/// −p·ln p.
fn term(p: f64) -> f64 {
    if p > 0.0 { -p * p.ln() } else { 0.0 }
}

impl<F: Scalar> Tally<F> {
    /// A tally of so many rows of this width.
    pub(crate) fn new(
        loss: Box<dyn Loss<F>>,
        task: Task,
        outputs: usize,
        (rows, width): (usize, usize),
    ) -> Self {
        let most = (KEPT / width.max(1)).max(64).min(rows);
        let room = if task == Task::Numbers { most } else { 0 };
        let sums = match task {
            Task::Classes => outputs,
            Task::Binary => width,
            Task::Numbers => 0,
        };
        Tally {
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

    /// Takes the targets of a batch. Allocates nothing.
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
            // Class numbers were checked at the door. Few of them are counted faster one by one.
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

    /// What was seen so far, for a run that was killed.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        let Tally {
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

    /// What answers equal to these targets cost, after the loss has smoothed both.
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

    /// How many rows each class has; for classes, and for a single yes or no.
    pub(crate) fn classes(&self) -> Option<Vec<usize>> {
        let counts = match (self.task, &*self.counts) {
            (Task::Classes, counts) => counts.to_vec(),
            (Task::Binary, [ones]) => vec![self.rows as f64 - ones, *ones],
            _ => return None,
        };
        // A state that was read may hold any number; these are added up.
        Some(counts.into_iter().map(|count| count.round().min(MOST_ROWS) as usize).collect())
    }

    /// B, and what right answers cost. None where they are not finite, or where nothing was seen.
    pub(crate) fn scale(&self) -> Option<Scale> {
        let (chance, floor) = match self.task {
            Task::Numbers => self.numbers()?,
            task => {
                let sums = if self.weighted { &self.sums } else { &self.counts };
                let shares: Vec<f64> = sums.iter().map(|sum| sum / self.weight).collect();
                let per_row = self.weight / self.rows as f64;
                let plain = !self.loss.name().contains("focal");
                let chance = match task {
                    _ if plain || self.outputs > ASKED => self.entropy(task, shares.iter().copied()),
                    Task::Classes => self.asked(&shares),
                    _ => shares.iter().map(|p| self.asked(&[1.0 - p, *p])).sum::<f64>() / shares.len() as f64,
                };
                // A class as a number was not smoothed above, and costs nothing.
                let floor = if plain { self.entropy / self.weight } else { 0.0 };
                (chance * per_row, floor * per_row)
            }
        };
        let floor = if floor.is_finite() && floor < chance { floor } else { 0.0 };
        (chance.is_finite() && chance > floor).then_some(Scale { chance, floor })
    }

    /// The mean cost of answering with the classes' shares, by the loss itself.
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

    /// The smaller of what the targets' mean and their median cost, and what the targets themselves do.
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
        let mut chance = cost(&mean.repeat(rows));
        // The mean is the best constant of a squared error, and of a Poisson; others may lie nearer to the median.
        if !["mean_squared_error", "poisson"].contains(&self.loss.name()) {
            chance = chance.min(cost(&(0..width).map(median).collect::<Vec<F>>().repeat(rows)));
        }
        Some((chance, cost(&self.kept)))
    }
}
