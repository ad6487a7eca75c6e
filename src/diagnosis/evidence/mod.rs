//! What is known of a run: plain numbers, gathered once, read by all rules.

mod baseline;
mod curves;
mod data;
pub(super) mod layers;
mod repeats;
mod state;

pub(crate) use baseline::Tally;
pub use curves::{Curves, Epoch, First};
pub(super) use data::class;
pub use data::{Data, Feature, Part, Shard, Targets};
pub use layers::{Kernel, LayerFacts, Look};
pub use repeats::Repeats;

use crate::loss::{LossFamily, Target};

/// How a run is set up.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The loss's name, such as `categorical_crossentropy`.
    pub loss: String,
    /// What the loss reads.
    pub task: Task,
    /// What the loss measures.
    pub family: LossFamily,
    /// Whether the loss takes the outputs for logits.
    pub takes_logits: bool,
    /// The rule's name, such as `sgd`.
    pub optimizer: String,
    /// The largest learning rate of the first 10,000 steps planned.
    pub learning_rate: f64,
    /// The epochs planned; 0 where nothing is planned, as in a check.
    pub epochs: usize,
    /// Steps that the model was trained before this run.
    pub before: u64,
    /// Samples in a batch.
    pub batch_size: usize,
    /// Batches in an epoch.
    pub batches: usize,
    /// Whether each epoch has an order of its own.
    pub shuffle: bool,
    /// The metrics' names.
    pub metrics: Vec<String>,
    /// The penalty of all weights before the first step.
    pub penalty: f64,
}

/// What a loss reads its targets as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Task {
    /// One of several classes.
    Classes,
    /// Yes or no, for each output.
    Binary,
    /// Numbers.
    #[default]
    Numbers,
}

impl From<Target> for Task {
    /// The task of a loss that reads such targets.
    fn from(target: Target) -> Task {
        match target {
            Target::Numbers => Task::Numbers,
            Target::Probabilities => Task::Binary,
            Target::Distribution | Target::Classes { .. } => Task::Classes,
        }
    }
}

/// Everything that the rules read. What was not measured, or not yet, is `None` or empty.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding, Severity};
/// // A rule: nothing is learned with a learning rate of 0.
/// let rule = |e: &Evidence| {
///     let asleep = e.plan.learning_rate == 0.0;
///     asleep.then(|| Finding::new("X0001", Severity::Error, "the learning rate is 0")).into_iter().collect()
/// };
/// let found: Vec<Finding> = rule(&Evidence::default());
/// assert_eq!(found.len(), 1);
/// ```
#[derive(Debug, Clone, Default)]
#[non_exhaustive]
pub struct Evidence {
    /// How the run is set up.
    pub plan: Plan,
    /// What goes in, and what is to come out.
    pub data: Data,
    /// The layers, those within others left out.
    pub layers: Vec<LayerFacts>,
    /// The first batch, before the first step.
    pub first: Option<First>,
    /// The epochs so far.
    pub curves: Curves,
    /// Whether the run is over.
    pub ended: bool,
}

/// Below this skill a network does no better than one that ignores its input, within what chance and a regularizer do.
pub(crate) const LEARNED: f64 = 0.05;

/// The two ends of the scale that a loss is read on.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let x = ndarray::Array2::from_shape_fn((64, 1), |(i, _)| (i % 2) as f32);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1).activation(Activation::Sigmoid));
/// model.compile(Sgd::new(0.1), BinaryCrossentropy::new(), ())?;
/// let ends = |e: &cornu::diagnosis::Evidence| -> Vec<cornu::diagnosis::Finding> {
///     if let Some(scale) = e.data.targets.scale {
///         assert!((scale.chance - 2f64.ln()).abs() < 1e-6 && scale.floor == 0.0);
///         assert_eq!(scale.skill(scale.chance), 0.0);
///     }
///     Vec::new()
/// };
/// model.fit(&x, &x, &Fit::new().epochs(2).rule(ends).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Scale {
    /// B, what the best constant answer costs: the loss of a network that ignores its input.
    pub chance: f64,
    /// What the right answers cost: 0 for most losses; for soft targets their own entropy.
    pub floor: f64,
}

impl Scale {
    /// `(B − loss) / (B − floor)`: 0 for the best constant answer, 1 for the right answers.
    pub fn skill(&self, loss: f64) -> f64 {
        (self.chance - loss) / (self.chance - self.floor)
    }
}

impl Evidence {
    /// The skill of the best epoch, see [`Scale::skill`]; in the first two epochs, in which the loss may have come from far,
    /// of the epoch's end where it was better there than in the mean. None before the first epoch has ended.
    pub fn skill(&self) -> Option<f64> {
        self.of(self.curves.epochs.iter().map(|epoch| self.bare(epoch)).min_by(f64::total_cmp)?)
    }

    /// An epoch's loss without its penalty.
    fn bare(&self, epoch: &Epoch) -> f64 {
        let early = self.curves.epochs.len() < 3;
        if early { epoch.loss.min(epoch.late) - epoch.penalty } else { epoch.loss - epoch.penalty }
    }

    /// The same for the last epoch.
    pub fn last_skill(&self) -> Option<f64> {
        let epoch = self.curves.epochs.last()?;
        self.of(self.bare(epoch))
    }

    /// The same for the validation data, in their best epoch: what is dropped in training is not there.
    pub fn validation_skill(&self) -> Option<f64> {
        let losses = self.curves.epochs.iter().filter_map(|epoch| Some(epoch.val_loss? - epoch.penalty));
        self.of(losses.min_by(f64::total_cmp)?)
    }

    fn of(&self, loss: f64) -> Option<f64> {
        self.data.targets.scale.map(|scale| scale.skill(loss))
    }

    /// How far a loss is from what the right answers cost, on the scale of losses.
    pub(super) fn above_floor(&self, loss: f64) -> f64 {
        loss - self.data.targets.scale.map_or(0.0, |scale| scale.floor)
    }

    /// From what the right answers cost to what the best constant does; 1 where it is not known.
    pub(super) fn span(&self) -> f64 {
        self.data.targets.scale.map_or(1.0, |scale| scale.chance - scale.floor)
    }

    /// The steps so far, of this run.
    pub fn steps(&self) -> usize {
        self.curves.epochs.len() * self.plan.batches
    }

    /// The steps so far, those before this run among them.
    pub fn all_steps(&self) -> usize {
        self.steps() + self.plan.before as usize
    }

    /// Whether the loss has not moved in its first five digits for three epochs, far from what the right answers cost.
    pub fn constant(&self) -> Option<f64> {
        let epochs = &self.curves.epochs;
        let last = epochs.get(epochs.len().checked_sub(3)?..)?;
        let losses = || last.iter().map(|epoch| epoch.loss);
        let (low, high) =
            (losses().fold(f64::INFINITY, f64::min), losses().fold(f64::NEG_INFINITY, f64::max));
        let far = self.above_floor(high) > 1e-3 * self.span();
        (high - low <= 1e-5 * high.abs() && far).then_some(last[2].loss)
    }

    /// Whether so much was trained that a network which works would show it: three epochs and 200 steps, or the end of a
    /// run of more than one epoch. A single short epoch is a probe, or a part of a longer training; and what a callback
    /// ends soon may not have begun.
    fn judged(&self) -> bool {
        let epochs = self.curves.epochs.len();
        let long = self.all_steps() >= 200;
        let planned = self.ended && self.curves.stopped.is_none();
        (epochs >= 3 && long) || (planned && epochs >= 2) || (self.ended && long)
    }

    /// Whether the run fails: no better than a constant after 3 epochs and 200 steps, or at its end, or standing still
    /// there.
    pub fn failing(&self) -> bool {
        let without = |skill: Option<f64>| skill.is_none_or(|skill| skill < LEARNED);
        let unskilled = self.skill().is_some() && without(self.skill()) && without(self.validation_skill());
        self.curves.diverged.is_some()
            || (unskilled && self.judged())
            || (self.constant().is_some() && self.last_skill().is_none_or(|skill| skill < 0.5))
    }

    /// The last layer that changes numbers: not one that only reshapes.
    pub(super) fn output(&self) -> Option<&LayerFacts> {
        self.layers.iter().rev().find(|layer| !layer.is_view)
    }

    /// The layers with a kernel, in order.
    pub(super) fn weighted(&self) -> impl DoubleEndedIterator<Item = (&LayerFacts, &Kernel)> {
        self.layers.iter().filter_map(|layer| layer.kernel.as_ref().map(|kernel| (layer, kernel)))
    }
}
