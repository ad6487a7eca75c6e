//! Facts of the data, from a random sample of its rows that keeps their order.

use super::repeats::Repeats;
use super::{Scale, Task};
use crate::data::class_of;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// Different targets are counted among so many.
const DISTINCT: usize = 256;

/// One feature, which is one number of a sample.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Feature {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Feature {
    /// The root of the mean square.
    pub fn rms(&self) -> f64 {
        self.mean.hypot(self.deviation)
    }
}

/// The targets.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Targets {
    /// Numbers in a row.
    pub width: usize,
    /// Rows looked at before the training.
    pub rows: usize,
    /// The least and the largest.
    pub range: (f64, f64),
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// Different values among 256 of them, counted up to 64.
    pub distinct: usize,
    /// Whether all are whole numbers.
    pub whole: bool,
    /// Whether each row is one 1 among zeros.
    pub one_hot: bool,
    /// Whether all are 0 or 1.
    pub binary: bool,
    /// The least and the largest sum of a row.
    pub sums: (f64, f64),
    /// How many rows each class has: of those looked at, and from the end of the first epoch of all that train. For
    /// classes, and for a single yes or no.
    pub classes: Vec<usize>,
    /// Some of the numbers, at most 256.
    pub some: Vec<f64>,
    /// How often the class changes from one row looked at to the next.
    pub changes: usize,
    /// What the best constant answer costs, and what the right answers cost; from the end of the first epoch.
    pub scale: Option<Scale>,
}

/// A part of the data: that which trains, or that which validates.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Part {
    /// The share of each class.
    pub classes: Vec<f64>,
    /// The mean of the targets.
    pub mean: f64,
    /// Rows looked at.
    pub rows: usize,
}

/// What one of several ranks has, where each has data of its own.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Shard {
    /// Samples that train.
    pub rows: usize,
    /// Samples that were looked at.
    pub looked: usize,
    /// Some of the numbers of a sample, the same of every rank, at most 256.
    pub features: Vec<Feature>,
    /// How many rows each class has, from the end of the first epoch.
    pub classes: Vec<usize>,
}

/// What goes in, and what is to come out.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Data {
    /// Samples that train.
    pub rows: usize,
    /// Samples that were looked at.
    pub looked: usize,
    /// The shape of a sample.
    pub shape: Vec<usize>,
    /// Whether the samples are indices into an embedding.
    pub indices: bool,
    /// Each number of a sample.
    pub features: Vec<Feature>,
    /// The median and the largest root mean square of the features that are not constant.
    pub sizes: (f64, f64),
    /// Features that are not constant, and those of them that lie more than ten deviations from 0.
    pub varying: (usize, usize),
    /// The targets.
    pub targets: Targets,
    /// Whether the samples come in groups of one class, as if sorted.
    pub sorted: bool,
    /// The tail that validates, where it is split off the same arrays.
    pub validation: Option<Part>,
    /// Rows that are equal to others.
    pub repeats: Repeats,
    /// What each rank has, where each has data of its own; else none.
    pub shards: Vec<Shard>,
}

impl Data {
    /// Facts of these samples.
    pub(crate) fn look_inputs<F: Scalar>(&mut self, x: Batch<F>) {
        let rows = x.rows().max(1) as f64;
        // Deviations are from the first row, so that a large offset costs no digits.
        let first = x.iter().next().unwrap_or_default();
        self.features = vec![Feature::default(); x.width()];
        let features = &mut self.features;
        kernel::simd(|| {
            for row in x.iter() {
                for ((sums, x), first) in features.iter_mut().zip(row).zip(first) {
                    let d = x.as_f64() - first.as_f64();
                    sums.mean += d;
                    sums.deviation += d * d;
                }
            }
            for (sums, first) in features.iter_mut().zip(first) {
                let (mean, square) = (sums.mean / rows, sums.deviation / rows);
                *sums = Feature {
                    mean: first.as_f64() + mean,
                    deviation: (square - mean.powi(2)).max(0.0).sqrt(),
                };
            }
        });
        self.looked = x.rows();
        let varying = || self.features.iter().filter(|feature| feature.deviation > 0.0);
        let mut sizes: Vec<f64> = varying().map(Feature::rms).collect();
        let offset = varying().filter(|feature| feature.mean.abs() > 10.0 * feature.deviation).count();
        self.varying = (sizes.len(), offset);
        if !sizes.is_empty() {
            let largest = sizes.iter().copied().fold(0.0, f64::max);
            let middle = sizes.len() / 2;
            self.sizes = (*sizes.select_nth_unstable_by(middle, f64::total_cmp).1, largest);
        }
    }

    /// Facts of these targets; `outputs` are the model's.
    pub(crate) fn look_targets<F: Scalar>(&mut self, task: Task, outputs: usize, y: Batch<F>) {
        let mut values: Vec<f64> = y.data().iter().map(|y| y.as_f64()).collect();
        let part = Part::of(task, outputs, y);
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let deviation = (values.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / count).sqrt();
        let sum = |row: &[F]| row.iter().map(|t| t.as_f64()).sum::<f64>();
        let binary = values.iter().all(|t| *t == 0.0 || *t == 1.0);
        let range = |all: &mut dyn Iterator<Item = f64>| {
            all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(t), high.max(t)))
        };
        let labels = || y.iter().map(|row| class(row));
        let whole = values.iter().all(|t| t.fract() == 0.0);
        let (span, sums) = (range(&mut values.iter().copied()), range(&mut y.iter().map(sum)));
        let stride = (values.len() / DISTINCT).max(1) | 1;
        values = values.into_iter().step_by(stride).take(DISTINCT).collect();
        values.sort_unstable_by(f64::total_cmp);
        let some = values.clone();
        values.dedup();
        self.targets = Targets {
            width: y.width(),
            rows: y.rows(),
            range: span,
            mean,
            deviation,
            distinct: values.len().min(64),
            whole,
            one_hot: binary && y.width() > 1 && sums == (1.0, 1.0),
            binary,
            sums,
            classes: part.classes.iter().map(|share| (share * part.rows as f64).round() as usize).collect(),
            changes: labels().zip(labels().skip(1)).filter(|(a, b)| a != b).count(),
            some,
            scale: None,
        };
        let present = self.targets.classes.iter().filter(|count| **count > 0).count();
        self.sorted = present > 1 && y.rows() >= 8 * present && self.targets.changes < 3 * present;
    }
}

impl Part {
    /// The classes and the mean of these targets.
    pub(crate) fn of<F: Scalar>(task: Task, outputs: usize, y: Batch<F>) -> Part {
        let rows = y.rows();
        let mean = y.data().iter().map(|t| t.as_f64()).sum::<f64>() / y.data().len().max(1) as f64;
        let classes = match (task, y.width()) {
            (Task::Classes, _) => outputs,
            (Task::Binary, 1) if y.data().iter().all(|t| *t == F::zero() || *t == F::one()) => 2,
            (Task::Binary, 1) => 0,
            (_, width) if width > 1 && y.iter().all(is_one_hot) => width,
            _ => 0,
        };
        let mut shares = vec![0.0; classes];
        for row in y.iter().filter(|_| classes > 0) {
            if let Some(share) = shares.get_mut(class(row)) {
                *share += 1.0 / rows as f64;
            }
        }
        Part { classes: shares, mean, rows }
    }
}

/// One 1 among zeros.
fn is_one_hot<F: Scalar>(row: &[F]) -> bool {
    let ones = row.iter().filter(|t| **t == F::one()).count();
    ones == 1 && row.iter().all(|t| *t == F::zero() || *t == F::one())
}

/// The class that a row of targets tells: its number, rounded, or the place of the largest.
pub(in crate::diagnosis) fn class<F: Scalar>(row: &[F]) -> usize {
    class_of(row).unwrap_or(usize::MAX)
}
