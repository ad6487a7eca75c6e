//! The settings of a run.

use super::Task;
use crate::activation::Activation;
use crate::loss::LossFamily;
use crate::optimizer::{Options, StepScale};

/// The settings of a run.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     assert_eq!((&*e.plan.loss, &*e.plan.optimizer), ("mean_squared_error", "sgd"));
///     assert_eq!((e.plan.epochs, e.plan.batches, e.plan.batch_size), (Some(2), 3, 1));
///     Vec::new()
/// };
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0], [2.0]];
/// model.fit(&x, &x, &Fit::new().epochs(2).batch_size(1).rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Plan {
    /// The name of the loss, such as `categorical_crossentropy`.
    pub loss: String,
    /// The task of the loss.
    pub task: Task,
    /// What the loss measures.
    pub family: LossFamily,
    /// Whether the loss is one of the crate's own.
    pub is_built_in: bool,
    /// The activation that turns the outputs into probabilities, see [`Loss::link`](crate::loss::Loss::link). `None` for a loss
    /// of numbers, and for a user's loss that keeps the default.
    pub link: Option<Activation>,
    /// The name of the optimizer, such as `sgd`.
    pub optimizer: String,
    /// How its step depends on the gradient.
    pub step_scale: StepScale,
    /// The largest learning rate of the first 10,000 planned steps. `None` if a check does not know it: that of a user's
    /// schedule.
    pub learning_rate: Option<f64>,
    /// The options of the optimizer.
    pub options: Options,
    /// The share of the last step that the optimizer repeats.
    pub momentum: f64,
    /// The planned steps, each counted by its share of the largest learning rate. `None` in a check.
    pub full_steps: Option<f64>,
    /// The planned epochs; `None` in a check, which trains nothing.
    pub epochs: Option<usize>,
    /// The epochs that `initial_epoch` skips.
    pub skipped_epochs: usize,
    /// The training steps before this run.
    pub before: u64,
    /// The samples in a batch.
    pub batch_size: usize,
    /// The batches in an epoch.
    pub batches: usize,
    /// Whether the samples are shuffled.
    pub shuffle: bool,
    /// The name of the first [`Accuracy`](crate::metric::Accuracy) among the metrics.
    pub accuracy: Option<String>,
    /// Whether the loss is a sum over the rows of a batch.
    pub is_sum: bool,
    /// The penalty of the initial weights.
    pub penalty: f64,
}

impl Plan {
    /// The updates of the weights by the end of the run, those before it included. `None` in a check.
    pub(in crate::diagnosis) fn updates(&self) -> Option<usize> {
        let batches = self.epochs?.saturating_mul(self.batches).saturating_add(self.before as usize);
        Some(batches / self.options.accumulation.unwrap_or(1).max(1))
    }

    /// The output above which a single output stands for class 1.
    pub(crate) fn threshold(&self) -> f64 {
        self.link.map_or(0.5, |link| link.threshold())
    }

    /// Whether the loss measures the probability of the targets. A user's loss declares this by its family.
    pub(in crate::diagnosis) fn scores_probabilities(&self) -> bool {
        self.task != Task::Numbers && (self.is_built_in || self.family == LossFamily::CrossEntropy)
    }

    /// Whether the loss compares outputs with numbers. A user's loss declares this by its family.
    pub(in crate::diagnosis) fn compares_numbers(&self) -> bool {
        let is_of_numbers = !matches!(self.family, LossFamily::CrossEntropy | LossFamily::Other);
        self.task == Task::Numbers && (self.is_built_in || is_of_numbers)
    }
}
