//! What is known of a run: plain numbers, gathered once, read by all rules.

mod baseline;
mod curves;
mod data;
pub(super) mod layers;
mod state;

pub use curves::{Curves, Epoch, First};
pub(super) use data::class;
pub use data::{Data, Feature, Part, Targets};
pub use layers::{Kernel, LayerFacts, Look};

/// How a run is set up.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The loss's name, such as `categorical_crossentropy`.
    pub loss: String,
    /// What the loss reads.
    pub task: Task,
    /// Whether the loss takes the outputs for logits.
    pub takes_logits: bool,
    /// The rule's name, such as `sgd`.
    pub optimizer: String,
    /// The largest learning rate of the first 10,000 steps planned.
    pub learning_rate: f64,
    /// The epochs planned; 0 where nothing is planned, as in a check.
    pub epochs: usize,
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

impl Task {
    /// The task of a loss of this name.
    pub(crate) fn of(loss: &str) -> Task {
        match loss {
            loss if loss.contains("binary") => Task::Binary,
            loss if loss.contains("categorical") && loss.contains("crossentropy") => Task::Classes,
            _ => Task::Numbers,
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

/// `1 − loss/B`: 0 for the best constant answer, 1 for no loss at all; none without a B.
pub(crate) fn skill(chance: Option<f64>, loss: f64) -> Option<f64> {
    chance.filter(|chance| *chance > 0.0).map(|chance| 1.0 - loss / chance)
}

impl Evidence {
    /// `1 − loss/B` of the best epoch, B being what the best constant answer costs; none without a B.
    pub fn skill(&self) -> Option<f64> {
        let losses = self.curves.epochs.iter().map(|epoch| epoch.loss - epoch.penalty);
        losses.min_by(f64::total_cmp).and_then(|loss| skill(self.data.targets.chance, loss))
    }

    /// The same for the last epoch.
    pub fn last_skill(&self) -> Option<f64> {
        let epoch = self.curves.epochs.last()?;
        skill(self.data.targets.chance, epoch.loss - epoch.penalty)
    }

    /// The steps so far.
    pub fn steps(&self) -> usize {
        self.curves.epochs.len() * self.plan.batches
    }

    /// Whether the loss has not moved in its first five digits for three epochs, far from 0.
    pub fn constant(&self) -> Option<f64> {
        let epochs = &self.curves.epochs;
        let last = epochs.get(epochs.len().checked_sub(3)?..)?;
        let losses = || last.iter().map(|epoch| epoch.loss);
        let (low, high) = (losses().fold(f64::INFINITY, f64::min), losses().fold(0.0, f64::max));
        let floor = 1e-3 * self.data.targets.chance.unwrap_or(1.0);
        (high - low <= 1e-5 * high && high > floor).then_some(last[2].loss)
    }

    /// Whether the run fails: no better than a constant after 3 epochs and 200 steps, or at its end, or standing still
    /// there.
    pub fn failing(&self) -> bool {
        let long = self.curves.epochs.len() >= 3 && self.steps() >= 200;
        let unskilled = self.skill().is_some_and(|skill| skill < LEARNED);
        self.curves.diverged.is_some()
            || (unskilled && (long || self.ended))
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
