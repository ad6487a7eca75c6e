//! The options that every rule supports, as builder methods.

use super::{Optimizer, Tuned, WeightAverage};
use crate::scalar::Scalar;

/// Builder methods of all optimizers: each wraps the rule in a [`Tuned`], so call them after the rule's own setters.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let rule: Tuned<f32> = Sgd::new(0.1).momentum(0.9).weight_decay(0.01).clip_norm(1.0);
/// assert_eq!(rule.options().and_then(|options| options.weight_decay), Some(0.01));
/// # use cornu::optimizer::Tuned;
/// ```
pub trait OptimizerExt<F: Scalar>: Optimizer<F> + Sized + 'static {
    /// Decoupled weight decay: before each update, every weight loses `weight_decay · η` of itself. Default: 0.
    fn weight_decay(self, weight_decay: f64) -> Tuned<F> {
        self.tuned().with(|options| options.weight_decay = Some(weight_decay))
    }

    /// Excludes parameters from weight decay if their own name, such as `bias` or `gamma`, contains one of these
    /// words. Default: none.
    fn exclude_from_weight_decay<W: Into<String>>(self, words: impl IntoIterator<Item = W>) -> Tuned<F> {
        self.tuned().with(|options| options.undecayed.extend(words.into_iter().map(Into::into)))
    }

    /// Scales the gradient of each parameter down to at most this norm. Default: no bound.
    fn clip_norm(self, norm: f64) -> Tuned<F> {
        self.tuned().with(|options| options.clip_norm = Some(norm))
    }

    /// Scales the gradients of all parameters down to at most this joint norm. Default: no bound.
    fn global_clip_norm(self, norm: f64) -> Tuned<F> {
        self.tuned().with(|options| options.global_clip_norm = Some(norm))
    }

    /// Clips every number of the gradient to ± `value`. Default: no bound.
    fn clip_value(self, value: f64) -> Tuned<F> {
        self.tuned().with(|options| options.clip_value = Some(value))
    }

    /// Keeps a moving average of the weights, which replaces them at the end of a fit. Default: none.
    fn average_weights(self, average: WeightAverage) -> Tuned<F> {
        self.tuned().with(|options| options.average = Some(average))
    }

    /// Updates once every `batches` batches, by the mean of their gradients. Default: 1.
    fn accumulate_gradients(self, batches: usize) -> Tuned<F> {
        self.tuned().with(|options| options.accumulation = Some(batches))
    }

    /// Wraps the rule in a [`Tuned`] with default options.
    fn tuned(self) -> Tuned<F> {
        Tuned::new(Box::new(self))
    }
}

impl<F: Scalar, O: Optimizer<F> + 'static> OptimizerExt<F> for O {}
