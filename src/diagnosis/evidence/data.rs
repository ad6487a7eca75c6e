//! Facts about the data, from a random sample of the rows in their order.

use super::constants::VaryingConstants;
use super::copies::CopiedTarget;
use super::extremes::ExtremeValues;
use super::padding::{SequenceEnd, SequencePadding};
use super::repeats::Repeats;
use super::{Scale, Task};
use crate::data::class_of;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The number of targets among which distinct values are counted.
const DISTINCT: usize = 256;

/// Statistics of one feature.
///
/// # Example
/// ```
/// let mut feature = cornu::diagnosis::Feature::default();
/// (feature.mean, feature.deviation) = (3.0, 4.0);
/// assert_eq!(feature.rms(), 5.0);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct Feature {
    /// The mean.
    pub mean: f64,
    /// The standard deviation.
    pub deviation: f64,
}

impl Feature {
    /// The root mean square.
    pub fn rms(&self) -> f64 {
        self.mean.hypot(self.deviation)
    }
}

/// The targets.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     let targets = &e.data.targets;
///     assert_eq!((targets.width, targets.range, targets.whole, targets.binary), (1, (0.0, 3.0), true, false));
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 1), |(i, _)| (i % 4) as f32);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &x, &Fit::new().rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Targets {
    /// The numbers in a row.
    pub width: usize,
    /// The rows sampled before the training.
    pub rows: usize,
    /// The smallest and the largest value.
    pub range: (f64, f64),
    /// Their mean.
    pub mean: f64,
    /// Their standard deviation.
    pub deviation: f64,
    /// The number of distinct values among 256 targets, counted up to 64.
    pub distinct: usize,
    /// Whether all are whole numbers.
    pub whole: bool,
    /// Whether every row is one-hot.
    pub one_hot: bool,
    /// Whether all are 0 or 1.
    pub binary: bool,
    /// The smallest and the largest row sum.
    pub row_sums: (f64, f64),
    /// The number of rows of each class, for classes and a single binary target: in the sample, and from the end of the first
    /// epoch in all training rows.
    pub classes: Vec<usize>,
    /// The share of the weight of all rows that each class has, from the end of the first epoch; empty without weights.
    pub class_shares: Vec<f64>,
    /// The class of all training rows, if all have the same: known before the training if `fit` holds the targets, and
    /// otherwise from the end of the first epoch.
    pub only_class: Option<usize>,
    /// Whether each target of a row is constant in the sampled rows; from the end of the first epoch, in up to 8192 numbers.
    pub constant: Vec<bool>,
    /// The rows that `constant` compares.
    pub constant_rows: usize,
    /// A sample of at most 256 target values, in increasing order.
    pub sampled_values: Vec<f64>,
    /// How often the class changes from one sampled row to the next.
    pub changes: usize,
    /// The scale of the loss, from the end of the first epoch.
    pub scale: Option<Scale>,
}

impl Targets {
    /// Whether some row of labels has more than one.
    pub(in crate::diagnosis) fn has_several_labels(&self) -> bool {
        self.width > 1 && self.row_sums.1 > 1.001
    }

    /// Assumes that all rows have the class of the sampled rows, if there is only one, until [`Targets::confirm`].
    pub(crate) fn suppose_one_class(&mut self) {
        let mut present = self.classes.iter().enumerate().filter(|(_, count)| **count > 0);
        self.only_class = present.next().filter(|_| present.next().is_none()).map(|(class, _)| class);
    }

    /// Drops what a sample suggests about all targets, if these rows contradict it.
    pub(crate) fn confirm<F: Scalar>(&mut self, y: Batch<F>) {
        let classes = self.classes.len();
        // A row without a class is ignored, and one of several probabilities has no single class.
        let agrees = |row: &[F], only: usize| match row {
            [_] => class_of(row).filter(|class| *class < classes).is_none_or(|class| class == only),
            row => is_one_hot(row) && class_of(row) == Some(only),
        };
        self.only_class = self.only_class.filter(|&only| y.iter().all(|row| agrees(row, only)));
        self.one_hot = self.one_hot && y.iter().all(is_one_hot);
        self.binary = self.binary && y.data().iter().all(|t| *t == F::zero() || *t == F::one());
    }
}

/// Facts about the validation data.
///
/// # Example
/// ```
/// let mut held_out = cornu::diagnosis::ValidationFacts::default();
/// held_out.classes = vec![0.25, 0.75];
/// assert_eq!(held_out.classes.iter().sum::<f64>(), 1.0);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct ValidationFacts {
    /// The share of each class.
    pub classes: Vec<f64>,
    /// The mean of the targets.
    pub mean: f64,
    /// The number of sampled rows.
    pub rows: usize,
    /// Whether the rows are split off the training arrays.
    pub is_split: bool,
    /// The scale of the loss on these rows. `None` if a mask leaves out some of their steps.
    pub scale: Option<Scale>,
    /// Whether these are all validation rows, each with weight 1 and a single target, so that the validation loss and the scale
    /// are about the same rows.
    pub is_complete: bool,
}

/// Facts about the weights of the training rows: those of their classes times those of the samples.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     let weights = e.data.weights.expect("weights");
///     assert_eq!((weights.mean, weights.effective_rows), (0.25, 16.0));
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 1), |(i, _)| (i % 4) as f32);
/// let weights = ndarray::Array1::from_shape_fn(64, |i| f32::from(u8::from(i % 4 == 0)));
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &x, &Fit::new().sample_weight(&weights).rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub struct WeightFacts {
    /// The mean weight.
    pub mean: f64,
    /// The number of rows of equal weight whose mean is as certain, (Σw)² / Σw² (Kish 1965).
    pub effective_rows: f64,
}

impl WeightFacts {
    pub(crate) fn of<F: Scalar>(weights: &[F]) -> WeightFacts {
        let (mut sum, mut squares) = (0.0, 0.0);
        for weight in weights {
            let weight = weight.as_f64();
            (sum, squares) = (sum + weight, squares + weight * weight);
        }
        let effective_rows = if squares > 0.0 { sum * sum / squares } else { 0.0 };
        WeightFacts { mean: sum / weights.len().max(1) as f64, effective_rows }
    }
}

/// Facts about the shard of one rank.
///
/// # Example
/// ```
/// // A rule that reports ranks without data.
/// let rule = |e: &cornu::diagnosis::Evidence| e.data.shards.iter().filter(|shard| shard.rows == 0).count();
/// let mut evidence = cornu::diagnosis::Evidence::default();
/// evidence.data.shards.push(Default::default());
/// assert_eq!(rule(&evidence), 1);
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Shard {
    /// The number of training samples.
    pub rows: usize,
    /// The number of sampled rows.
    pub sampled_rows: usize,
    /// At most 256 features, the same ones on every rank.
    pub features: Vec<Feature>,
    /// The number of rows of each class, from the end of the first epoch.
    pub classes: Vec<usize>,
}

/// Facts about the inputs and the targets.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     assert_eq!((e.data.rows, &e.data.shape[..]), (64, &[2][..]));
///     assert!(e.data.features[1].mean > 900.0 && !e.data.sorted);
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 2), |(i, j)| (i % 7) as f32 + 1000.0 * j as f32);
/// let y = x.column(0).to_owned();
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &y, &Fit::new().rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Data {
    /// The number of training samples.
    pub rows: usize,
    /// The number of sampled rows.
    pub sampled_rows: usize,
    /// The shape of a sample.
    pub shape: Vec<usize>,
    /// Whether the inputs are indices into an embedding.
    pub indices: bool,
    /// The features.
    pub features: Vec<Feature>,
    /// The number of features that are not constant.
    pub varying_count: usize,
    /// The number of varying features whose mean exceeds ten standard deviations.
    pub offset_count: usize,
    /// The median root mean square of the varying features.
    pub median_rms: f64,
    /// The largest root mean square of the varying features.
    pub largest_rms: f64,
    /// A lower bound of the largest eigenvalue of `E[x·xᵀ]`, by the Rayleigh quotients of the mean and of each feature.
    pub curvature: f64,
    /// The targets.
    pub targets: Targets,
    /// Whether the samples are grouped by class, or in the order of their target numbers, as if sorted.
    pub sorted: bool,
    /// The validation data.
    pub validation: Option<ValidationFacts>,
    /// The features of a sample of the validation inputs; empty without validation data.
    pub validation_features: Vec<Feature>,
    /// The number of rows in that sample.
    pub validation_rows: usize,
    /// Features that the first layer takes for constant, although they vary.
    pub varying_constants: Option<VaryingConstants>,
    /// A feature that determines the targets in all sampled rows, because it is a copy of them.
    pub copied_target: Option<CopiedTarget>,
    /// Extreme values of a feature in a few rows. A check looks for them, and a training at the end of a poor run.
    pub extremes: Option<ExtremeValues>,
    /// Padding behind the sequences, if the samples are sequences.
    pub padding_behind: Option<SequencePadding>,
    /// Padding in front of the sequences.
    pub padding_in_front: Option<SequencePadding>,
    /// Duplicate rows.
    pub repeats: Repeats,
    /// The weights of the training rows, if they have any.
    pub weights: Option<WeightFacts>,
    /// The shards of all ranks; empty unless each rank has its own data.
    pub shards: Vec<Shard>,
}

impl Data {
    /// Computes the facts about these validation inputs.
    pub(crate) fn sample_validation<F: Scalar>(&mut self, x: Batch<F>) {
        (self.validation_features, self.validation_rows) = (features(x), x.rows());
    }

    /// Computes the facts about these samples.
    pub(crate) fn sample_inputs<F: Scalar>(&mut self, x: Batch<F>) {
        self.features = features(x);
        self.sampled_rows = x.rows();
        let mean: f64 = self.features.iter().map(|feature| feature.mean.powi(2)).sum();
        let squares = self.features.iter().map(|feature| feature.mean.powi(2) + feature.deviation.powi(2));
        self.curvature = squares.fold(mean, f64::max);
        let varying = || self.features.iter().filter(|feature| feature.deviation > 0.0);
        let mut rms: Vec<f64> = varying().map(Feature::rms).collect();
        self.offset_count = varying().filter(|feature| feature.mean.abs() > 10.0 * feature.deviation).count();
        self.varying_count = rms.len();
        if !rms.is_empty() {
            self.largest_rms = rms.iter().copied().fold(0.0, f64::max);
            let middle = rms.len() / 2;
            self.median_rms = *rms.select_nth_unstable_by(middle, f64::total_cmp).1;
        }
    }

    /// Looks for the targets among the inputs. The samples of a series, of words or of pictures are not searched: there a
    /// value may recur.
    pub(crate) fn search_copies<F: Scalar>(&mut self, x: Batch<F>, y: Batch<F>) {
        if self.shape.len() == 1 && !self.indices && x.rows() == y.rows() {
            self.copied_target = CopiedTarget::of(x, y);
        }
    }

    /// Looks for extreme values of the features. Those of a series, of words or of pictures have one scale, and may be rare.
    pub(crate) fn search_extremes<F: Scalar>(&mut self, x: Batch<F>) {
        if self.shape.len() == 1 && !self.indices {
            self.extremes = ExtremeValues::of(x);
        }
    }

    /// Looks for padding at both ends of the sequences: of indices or numbers, or of vectors.
    pub(crate) fn search_padding<F: Scalar>(&mut self, x: Batch<F>) {
        if let [_, inner @ ..] = &*self.shape
            && inner.len() < 2
        {
            let width = inner.iter().product();
            self.padding_behind = SequencePadding::of(x, width, SequenceEnd::Last);
            self.padding_in_front = SequencePadding::of(x, width, SequenceEnd::First);
        }
    }

    /// Computes the facts about these targets; `outputs` is the width of the model output.
    pub(crate) fn sample_targets<F: Scalar>(&mut self, task: Task, outputs: usize, y: Batch<F>) {
        let mut values: Vec<f64> = y.data().iter().map(|y| y.as_f64()).collect();
        let part = ValidationFacts::of(task, outputs, y);
        let count = values.len().max(1) as f64;
        let mean = values.iter().sum::<f64>() / count;
        let deviation = (values.iter().map(|t| (t - mean).powi(2)).sum::<f64>() / count).sqrt();
        let binary = values.iter().all(|t| *t == 0.0 || *t == 1.0);
        let range = |all: &mut dyn Iterator<Item = f64>| {
            all.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), t| (low.min(t), high.max(t)))
        };
        let labels = || y.iter().map(|row| class_of(row));
        let whole = values.iter().all(|t| t.fract() == 0.0);
        let (span, row_sums) = (range(&mut values.iter().copied()), range(&mut y.iter().map(sum)));
        let stride = (values.len() / DISTINCT).max(1) | 1;
        values = values.into_iter().step_by(stride).take(DISTINCT).collect();
        values.sort_unstable_by(f64::total_cmp);
        let sampled_values = values.clone();
        values.dedup();
        self.targets = Targets {
            width: y.width(),
            rows: y.rows(),
            range: span,
            mean,
            deviation,
            distinct: values.len().min(64),
            whole,
            one_hot: binary && y.width() > 1 && row_sums == (1.0, 1.0),
            binary,
            row_sums,
            classes: part.classes.iter().map(|share| (share * part.rows as f64).round() as usize).collect(),
            class_shares: Vec::new(),
            only_class: None,
            constant: constant_columns(y),
            constant_rows: y.rows(),
            changes: labels().zip(labels().skip(1)).filter(|(a, b)| a != b).count(),
            sampled_values,
            scale: None,
        };
        let present = self.targets.classes.iter().filter(|count| **count > 0).count();
        self.sorted = match task {
            Task::Numbers => y.width() == 1 && is_monotone(y),
            _ => present > 1 && y.rows() >= 8 * present && self.targets.changes < 3 * present,
        };
    }
}

impl ValidationFacts {
    /// The class shares and the mean of these targets.
    pub(crate) fn of<F: Scalar>(task: Task, outputs: usize, y: Batch<F>) -> ValidationFacts {
        let rows = y.rows();
        let mean = y.data().iter().map(|t| t.as_f64()).sum::<f64>() / y.data().len().max(1) as f64;
        let classes = match (task, y.width()) {
            // Rows of several labels have no class.
            (Task::Classes, width) if width > 1 && y.iter().any(|row| sum(row) > 1.001) => 0,
            (Task::Classes, _) => outputs,
            (Task::Binary, 1) if y.data().iter().all(|t| *t == F::zero() || *t == F::one()) => 2,
            (Task::Binary, 1) => 0,
            (_, width) if width > 1 && y.iter().all(is_one_hot) => width,
            _ => 0,
        };
        let mut shares = vec![0.0; classes];
        for row in y.iter().filter(|_| classes > 0) {
            if let Some(share) = class_of(row).and_then(|class| shares.get_mut(class)) {
                *share += 1.0 / rows as f64;
            }
        }
        ValidationFacts { classes: shares, mean, rows, ..ValidationFacts::default() }
    }
}

/// The mean and the standard deviation of each column.
fn features<F: Scalar>(x: Batch<F>) -> Vec<Feature> {
    let rows = x.rows().max(1) as f64;
    // Differences to the first row, so that a large offset loses no digits.
    let first = x.iter().next().unwrap_or_default();
    let mut features = vec![Feature::default(); x.width()];
    kernel::simd!(|| {
        for row in x.iter() {
            for ((sums, x), first) in features.iter_mut().zip(row).zip(first) {
                let d = x.as_f64() - first.as_f64();
                sums.mean += d;
                sums.deviation += d * d;
            }
        }
        for (sums, first) in features.iter_mut().zip(first) {
            let (mean, square) = (sums.mean / rows, sums.deviation / rows);
            *sums =
                Feature { mean: first.as_f64() + mean, deviation: (square - mean.powi(2)).max(0.0).sqrt() };
        }
    });
    features
}

/// Whether nearly all numbers of at least 32 rise, or nearly all fall.
fn is_monotone<F: Scalar>(y: Batch<F>) -> bool {
    let pairs = || y.data().windows(2);
    let share = |count: usize| count as f64 / pairs().count() as f64;
    let (rises, falls) = (pairs().filter(|pair| pair[1] > pair[0]), pairs().filter(|pair| pair[1] < pair[0]));
    let (rises, falls) = (share(rises.count()), share(falls.count()));
    y.rows() >= 32 && (falls < 0.02 && rises > 0.5 || rises < 0.02 && falls > 0.5)
}

/// The sum of a row.
fn sum<F: Scalar>(row: &[F]) -> f64 {
    row.iter().map(|t| t.as_f64()).sum()
}

/// Whether each column is constant.
pub(super) fn constant_columns<F: Scalar>(y: Batch<F>) -> Vec<bool> {
    let first = y.iter().next().unwrap_or_default();
    let mut constant = vec![true; first.len()];
    for row in y.iter() {
        constant
            .iter_mut()
            .zip(row.iter().zip(first))
            .for_each(|(constant, (t, first))| *constant &= t == first);
    }
    constant
}

/// Whether a row is one-hot.
fn is_one_hot<F: Scalar>(row: &[F]) -> bool {
    let ones = row.iter().filter(|t| **t == F::one()).count();
    ones == 1 && row.iter().all(|t| *t == F::zero() || *t == F::one())
}
