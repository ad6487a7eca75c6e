//! The evidence of a run: plain numbers that all rules read.

mod baseline;
mod constants;
mod copies;
mod curves;
mod data;
pub(crate) mod extremes;
pub(super) mod layers;
pub(crate) mod padding;
mod plan;
mod repeats;
pub(crate) mod simple_predictors;
mod state;

pub(crate) use baseline::TargetStatistics;
pub use constants::VaryingConstants;
pub use copies::CopiedTarget;
pub use curves::{CategoryPredictor, Curves, Epoch, FirstBatch, Inference, OutputError, SimplePredictors};
pub use data::{Data, Feature, Shard, Targets, ValidationFacts, WeightFacts};
pub use extremes::ExtremeValues;
pub use layers::{Kernel, LayerFacts, LayerSample};
pub use padding::SequencePadding;
pub use plan::Plan;
pub use repeats::Repeats;

use crate::data::class_of;
use crate::loss::{LossFamily, Target};
use crate::scalar::Scalar;

/// The task of a loss: how it interprets the targets.
///
/// # Example
/// ```
/// use cornu::diagnosis::Task;
/// use cornu::loss::Target;
/// assert_eq!(Task::from(Target::Probabilities), Task::Binary);
/// assert_eq!(Task::default(), Task::Numbers);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Task {
    /// One of several classes.
    Classes,
    /// A yes-or-no question for each output.
    Binary,
    /// Numbers.
    #[default]
    Numbers,
}

impl From<Target> for Task {
    /// The task of a loss that reads such targets.
    fn from(target: Target) -> Task {
        match target {
            Target::Numbers | Target::Labels => Task::Numbers,
            Target::Probabilities => Task::Binary,
            Target::Distribution | Target::Classes { .. } => Task::Classes,
        }
    }
}

/// The class that outputs stand for: whether a single one is above the threshold, or the index of the largest.
pub(crate) fn predicted_class<F: Scalar>(outputs: &[F], threshold: f64) -> Option<usize> {
    match outputs {
        [p] => Some(usize::from(p.as_f64() > threshold)),
        several => class_of(several),
    }
}

/// Everything that the rules read. Values that are not measured yet are `None` or empty.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding, Severity};
/// // A rule: a network with a learning rate of 0 learns nothing.
/// let rule = |e: &Evidence| {
///     let asleep = e.plan.learning_rate == Some(0.0);
///     asleep.then(|| Finding::new("X0001", Severity::Error, "the learning rate is 0")).into_iter().collect()
/// };
/// let mut evidence = Evidence::default();
/// evidence.plan.learning_rate = Some(0.0);
/// let found: Vec<Finding> = rule(&evidence);
/// assert_eq!(found.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// The settings of the run.
    pub plan: Plan,
    /// Facts about the inputs and the targets.
    pub data: Data,
    /// The layers, without those inside containers.
    pub layers: Vec<LayerFacts>,
    /// The first batch, before the first step.
    pub first: Option<FirstBatch>,
    /// The epochs so far.
    pub curves: Curves,
    /// Predictions at the end of the run. `None` before, and after a divergence.
    pub inference: Option<Inference>,
    /// Whether the run is over.
    pub ended: bool,
}

/// Below this skill a network is no better than a constant, within the effects of chance and regularization.
pub(crate) const LEARNED: f64 = 0.05;

/// The scale of a loss: the losses of the best constant and of perfect predictions.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let x = ndarray::Array2::from_shape_fn((64, 1), |(i, _)| (i % 2) as f32);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1).activation(Activation::Sigmoid));
/// model.compile(Sgd::new(0.1), BinaryCrossentropy::new(), ())?;
/// let ends = |e: &cornu::diagnosis::Evidence| -> Vec<cornu::diagnosis::Finding> {
///     if let Some(scale) = e.data.targets.scale {
///         assert!((scale.baseline - 2f64.ln()).abs() < 1e-6 && scale.optimum == 0.0);
///         assert_eq!(scale.skill(scale.baseline), 0.0);
///     }
///     Vec::new()
/// };
/// model.fit(&x, &x, &Fit::new().epochs(2).rule(ends).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Scale {
    /// B, the loss of the best constant prediction.
    pub baseline: f64,
    /// The loss of perfect predictions: 0 for most losses, the entropy for soft targets.
    pub optimum: f64,
}

impl Scale {
    /// `(B − loss) / (B − optimum)`: 0 for the best constant prediction, 1 for perfect predictions.
    pub fn skill(&self, loss: f64) -> f64 {
        (self.baseline - loss) / (self.baseline - self.optimum)
    }
}

impl Evidence {
    /// The skill of the best epoch, see [`Scale::skill`]. As the loss may fall fast in the first two epochs, they count by
    /// their end if that is better than their mean. `None` before the end of the first epoch.
    pub fn skill(&self) -> Option<f64> {
        let losses = self.curves.epochs.iter().map(|epoch| self.loss_without_penalty(epoch));
        self.skill_of(losses.filter(|loss| !loss.is_nan()).min_by(f64::total_cmp)?)
    }

    /// The loss of an epoch without its penalty.
    fn loss_without_penalty(&self, epoch: &Epoch) -> f64 {
        let early = self.curves.epochs.len() < 3;
        let loss = epoch.loss - epoch.penalty;
        if early { loss.min(epoch.late_loss - epoch.late_penalty) } else { loss }
    }

    /// The skill of the last epoch.
    ///
    /// # Example
    /// ```
    /// use cornu::diagnosis::{Evidence, Finding};
    /// use cornu::prelude::*;
    /// let x = ndarray::Array2::from_shape_fn((64, 1), |(i, _)| (i % 2) as f32);
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1).activation(Activation::Sigmoid));
    /// model.compile(Sgd::new(1.0), BinaryCrossentropy::new(), ())?;
    /// let rule = |e: &Evidence| -> Vec<Finding> {
    ///     if e.ended {
    ///         assert!(e.skill() > Some(0.1) && e.last_skill() > Some(0.1) && e.validation_skill() > Some(0.1));
    ///         assert_eq!((e.steps(), e.all_steps()), (80, 80));
    ///         assert_eq!((e.constant(), e.failing()), (None, false));
    ///     }
    ///     Vec::new()
    /// };
    /// let fit = Fit::new().epochs(40).validation_split(0.5).batch_size(16);
    /// model.fit(&x, &x, &fit.rule(rule).verbose(Verbose::Silent))?;
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn last_skill(&self) -> Option<f64> {
        let epoch = self.curves.epochs.last()?;
        self.skill_of(self.loss_without_penalty(epoch))
    }

    /// The skill on the validation data in its best epoch, which has no dropout.
    pub fn validation_skill(&self) -> Option<f64> {
        let losses = self.curves.validation_losses().filter(|loss| !loss.is_nan());
        let own = self.data.validation.as_ref().and_then(|part| part.scale);
        Some(own.or(self.data.targets.scale)?.skill(losses.min_by(f64::total_cmp)?))
    }

    /// The skill of predictions for training rows at the end of the run.
    pub fn inference_skill(&self) -> Option<f64> {
        self.skill_of(self.inference.as_ref()?.loss)
    }

    /// The comparison with simple predictors at the end of the run.
    pub(super) fn simple_predictors(&self) -> Option<&SimplePredictors> {
        self.inference.as_ref()?.simple_predictors.as_ref()
    }

    /// The skill of the result: on the validation data, or else on the training data, in its better mode.
    pub(super) fn result(&self) -> Option<f64> {
        self.validation_skill().or_else(|| {
            let both = self.skill().into_iter().chain(self.inference_skill());
            both.reduce(f64::max)
        })
    }

    /// Whether the run fails, ends with less than half of the possible skill, or with less than a simple predictor.
    pub(crate) fn is_poor(&self) -> bool {
        let poor = self.ended && self.judged() && self.result().is_some_and(|skill| skill < 0.5);
        self.failing() || poor || self.is_beaten()
    }

    /// Whether the network learned the rows, while simple predictors find no relation between inputs and targets that holds for
    /// other rows. A relation weaker than the learned skill would not explain it; a stronger one may escape these predictors.
    pub(super) fn learns_no_relation(&self) -> bool {
        let Some((skill, own)) = self.skill().zip(self.simple_predictors()) else { return false };
        let learned = 2.0 * LEARNED < skill && skill < 0.5;
        self.judged() && learned && own.explained() < 0.25 * skill
    }

    /// Whether the run is long enough to judge, and a simple predictor is better.
    pub(super) fn is_beaten(&self) -> bool {
        self.judged() && self.simple_predictors().is_some_and(SimplePredictors::beat_network)
    }

    /// Whether the network learned the training data, and never beats a constant on the validation data.
    pub(super) fn memorizes(&self) -> bool {
        let rows = self.data.validation.as_ref().map_or(0, |part| part.rows);
        let Some((skill, held)) = self.skill().zip(self.validation_skill()) else { return false };
        // A one-sided test at 5 %: the validation skill is below half of the training skill by more than chance.
        let by_chance = 1.645 * self.skill_error(0.5 * skill, rows);
        self.ended && rows >= 16 && skill > LEARNED && held < LEARNED && held + by_chance < 0.5 * skill
    }

    /// The standard error of a small skill `s` over `n` rows. The variance of the gain of a row is twice its mean, see
    /// [`Evidence::has_learned`], so that the `n·ν·s` nats of all rows have a variance of `2·n·ν·s`.
    fn skill_error(&self, skill: f64, rows: usize) -> f64 {
        let nats = match self.plan.family {
            LossFamily::CrossEntropy => self.span(),
            _ => 0.5,
        };
        (2.0 * skill / (nats * rows.max(1) as f64)).sqrt()
    }

    /// Whether the network learned the training data, and reaches less than half of that skill on the validation data.
    pub(super) fn loses_on_validation(&self) -> bool {
        matches!((self.skill(), self.validation_skill()),
            (Some(skill), Some(held)) if skill > LEARNED && held < 0.5 * skill)
    }

    fn skill_of(&self, loss: f64) -> Option<f64> {
        self.data.targets.scale.map(|scale| scale.skill(loss))
    }

    /// Whether the training beats the best constant prediction by more than chance: by [`LEARNED`], or significantly.
    ///
    /// The test is Vuong's (1989, equation 3.1): the mean over the rows of the difference of the log-likelihoods, divided by its
    /// standard error. For predictions that are probabilities the variance of a difference is twice its mean, so with a total
    /// of `G` nats over all rows z = √(G/2). A squared error counts as the log-likelihood of a normal density, G = n/2 ·
    /// ln(B/loss). z = 3 happens by chance once in 740 times.
    ///
    /// Fitting the noise of the rows with k parameters makes 2·G a χ² variable of k degrees of freedom (Wilks 1938). So either
    /// 2·G exceeds its mean by three standard deviations, or z ≥ 3 without the trend, because a network that memorizes its rows
    /// gains the same in each epoch.
    pub(super) fn has_learned(&self) -> bool {
        let learned = |skill: Option<f64>| skill.is_some_and(|skill| skill >= LEARNED);
        // Dropout hides what a network learned. The few predicted rows are easier than all rows by chance.
        let drops = self.layers.iter().any(|layer| layer.drop_rate > 0.0);
        let shown = drops && self.inference_skill().is_some_and(|skill| skill > 0.25);
        shown
            || learned(self.skill())
            || learned(self.validation_skill())
            || self.beats_constant()
            || self.beats_constant_on_validation()
    }

    /// Whether the gain over the best constant prediction is significant on the validation rows, whose noise the network cannot
    /// fit. If these predictions, of whatever variance, had no relation to the targets, a gain of G nats would be as likely as a
    /// normal deviation of √(2·G) or more; 3 happens by chance once in 740 times.
    fn beats_constant_on_validation(&self) -> bool {
        let part = self.data.validation.as_ref();
        let Some(part) = part.filter(|part| part.is_complete && self.data.shards.is_empty()) else {
            return false;
        };
        let least = self.curves.validation_losses().filter(|loss| !loss.is_nan()).min_by(f64::total_cmp);
        let gain = |(scale, loss): (Scale, f64)| self.gain(scale, part.rows, loss) > 4.5;
        part.scale.zip(least).is_some_and(gain)
    }

    /// Whether the gain over the best constant prediction is significant.
    pub(super) fn beats_constant(&self) -> bool {
        let epochs = &self.curves.epochs;
        let Some(scale) = self.data.targets.scale else { return false };
        let gain = |epoch: &Epoch| self.gain(scale, self.data.rows, self.loss_without_penalty(epoch));
        let (Some(last), Some(middle)) = (epochs.last(), epochs.get(epochs.len() / 2)) else { return false };
        let (last, middle) = (gain(last), gain(middle));
        let weights = |kernel: &Kernel| (kernel.inputs + 1) as f64 * kernel.units as f64;
        let parameters: f64 = self.weighted().map(|(_, kernel)| weights(kernel)).sum();
        // An embedding has no kernel, so its parameters are not counted.
        let by_chance = parameters + 3.0 * (2.0 * parameters).sqrt();
        let best = epochs.iter().map(gain).fold(last, f64::max);
        let few = parameters > 0.0 && !self.data.indices && 2.0 * best > by_chance;
        let without_trend = match epochs.len() {
            1 | 2 => last,
            _ => middle.min(2.0 * middle - last),
        };
        few || without_trend > 18.0
    }

    /// The gain of a loss over the best constant prediction in nats, summed over the rows.
    fn gain(&self, scale: Scale, rows: usize, loss: f64) -> f64 {
        let rows = rows as f64;
        match self.plan.family {
            LossFamily::CrossEntropy => rows * (scale.baseline - loss),
            _ => 0.5 * rows * ((scale.baseline - scale.optimum) / (loss - scale.optimum).max(0.0)).ln(),
        }
    }

    /// The constant loss of a run that is stuck: one that is no better than a constant prediction, or whose wrong rows have no
    /// gradient. A run that has learned has converged.
    pub(super) fn stuck(&self) -> Option<f64> {
        let clipped = self.curves.epochs.last().is_some_and(|epoch| epoch.clipped > 0.0);
        let saturated = self.output().is_some_and(LayerFacts::is_saturated);
        let learned = self.last_skill().is_some_and(|skill| skill >= LEARNED) || self.beats_constant();
        self.constant().filter(|_| clipped || saturated || !learned)
    }

    /// The size of a loss that its changes are compared with: its distance to that of perfect predictions. A loss that is
    /// not positive has no known end, and counts by the span of the losses so far.
    pub(super) fn size(&self, loss: f64) -> f64 {
        let losses = || self.curves.losses().chain(self.first.as_ref().map(|first| first.loss));
        let (low, high) = losses().fold((f64::INFINITY, f64::NEG_INFINITY), |(a, b), x| (a.min(x), b.max(x)));
        if low > 0.0 { loss.abs() } else { high - low }
    }

    /// The difference of a loss to that of perfect predictions.
    pub(super) fn above_floor(&self, loss: f64) -> f64 {
        loss - self.data.targets.scale.map_or(0.0, |scale| scale.optimum)
    }

    /// The difference between the losses of the best constant and of perfect predictions; 1 if unknown.
    pub(super) fn span(&self) -> f64 {
        self.data.targets.scale.map_or(1.0, |scale| scale.baseline - scale.optimum)
    }

    /// The steps of this run so far.
    pub fn steps(&self) -> usize {
        self.curves.epochs.len() * self.plan.batches
    }

    /// The steps so far, including those before this run.
    pub fn all_steps(&self) -> usize {
        self.steps() + self.plan.before as usize
    }

    /// The loss, if its first five digits are constant for three epochs and far from that of perfect predictions.
    pub fn constant(&self) -> Option<f64> {
        let epochs = &self.curves.epochs;
        let last = epochs.get(epochs.len().checked_sub(3)?..)?;
        let losses = || last.iter().map(|epoch| epoch.loss);
        let (low, high) =
            (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
        // Without a scale, only a loss that never moved is known not to be the smallest possible one.
        let moved = |epoch: &Epoch| (epoch.loss - high).abs() > 1e-3 * high.abs();
        let far = match self.data.targets.scale {
            Some(_) => self.above_floor(high) > 1e-3 * self.span(),
            None => high != 0.0 && !epochs.iter().any(moved),
        };
        (high - low <= 1e-5 * high.abs() && far).then_some(last[2].loss)
    }

    /// Whether the run is long enough to judge: three epochs and 200 steps, or the end of a run with more than one epoch. A
    /// single short epoch may be a probe or part of a longer training, and a callback may end a run early.
    pub(super) fn judged(&self) -> bool {
        let epochs = self.curves.epochs.len();
        let long = self.all_steps() >= 200;
        let planned = self.ended && self.curves.stopped.is_none();
        (epochs >= 3 && long) || (planned && epochs >= 2) || (self.ended && long)
    }

    /// Whether the run fails: it diverged, it is no better than a constant after 3 epochs and 200 steps or at its end, or its
    /// loss is constant at a low skill.
    pub fn failing(&self) -> bool {
        let unskilled = self.skill().is_some() && !self.has_learned();
        self.curves.diverged.is_some()
            || (unskilled && self.judged())
            || (self.stuck().is_some() && self.last_skill().is_none_or(|skill| skill < 0.5))
    }

    /// Whether the classes of all training rows are counted, and not those of a sample.
    pub(super) fn has_all_labels(&self) -> bool {
        !self.curves.epochs.is_empty() || self.data.targets.rows >= self.data.rows
    }

    /// Whether the samples are sequences: of indices, or of vectors that a recurrent or convolutional layer reads in order.
    /// Samples of three axes are pictures.
    pub(super) fn reads_sequences(&self) -> bool {
        let reads = |layer: &LayerFacts| {
            let places =
                |kernel: &Kernel| layer.input.last().is_some_and(|channels| kernel.inputs > *channels);
            layer.is_recurrent || (layer.input.len() == 2 && layer.kernel.as_ref().is_some_and(places))
        };
        self.data.shape.len() != 3 && (self.data.indices || self.layers.iter().any(reads))
    }

    /// The first layer that reads the inputs as numbers, behind those that only scale them, mark or drop some. `None` if they are indices,
    /// pictures, or vectors at each of several steps.
    pub(crate) fn number_reader(&self) -> Option<&LayerFacts> {
        let passes = |layer: &LayerFacts| {
            let scales = layer.is_view || layer.is_affine || layer.is_normalization;
            let is_plain = layer.kernel.is_none() && !layer.is_recurrent;
            is_plain && (scales || layer.creates_mask() || layer.drop_rate > 0.0)
        };
        let has_one_axis = self.data.shape.iter().filter(|size| **size > 1).count() == 1;
        let first = self.layers.iter().find(|layer| !passes(layer));
        first.filter(|layer| {
            has_one_axis && !self.data.indices && (layer.kernel.is_some() || layer.is_recurrent)
        })
    }

    /// The last layer that does not only reshape.
    pub(super) fn output(&self) -> Option<&LayerFacts> {
        self.layers.iter().rev().find(|layer| !layer.is_view)
    }

    /// The layers with a kernel, in order.
    pub(super) fn weighted(&self) -> impl DoubleEndedIterator<Item = (&LayerFacts, &Kernel)> {
        self.layers.iter().filter_map(|layer| layer.kernel.as_ref().map(|kernel| (layer, kernel)))
    }
}
