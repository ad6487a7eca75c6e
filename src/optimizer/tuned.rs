//! A rule together with its options.

use super::{LearningRate, Optimizer, OptimizerTraits, Options, Update};
use crate::config::Config;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::state::State;

/// A rule with options such as weight decay or clipping, as created by [`OptimizerExt::weight_decay`](super::OptimizerExt::weight_decay) and its siblings.
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, Tuned};
/// use cornu::prelude::*;
/// let rule: Tuned<f32> = Adam::new(0.001).weight_decay(0.01).exclude_from_weight_decay(["bias"]);
/// assert_eq!(rule.traits().name, "adam");
/// ```
#[derive(Debug, Clone)]
pub struct Tuned<F: Scalar = f32> {
    rule: Box<dyn Optimizer<F>>,
    options: Options,
}

impl<F: Scalar> Tuned<F> {
    pub(super) fn new(rule: Box<dyn Optimizer<F>>) -> Self {
        Tuned { options: rule.options().cloned().unwrap_or_default(), rule }
    }

    pub(super) fn with(mut self, change: impl FnOnce(&mut Options)) -> Self {
        change(&mut self.options);
        self
    }
}

impl<F: Scalar> Optimizer<F> for Tuned<F> {
    fn traits(&self) -> OptimizerTraits {
        self.rule.traits()
    }

    fn config(&self) -> Option<Config> {
        let mut config = self.rule.config()?;
        self.options.write(&mut config);
        Some(config)
    }

    fn learning_rate(&self) -> &LearningRate {
        self.rule.learning_rate()
    }

    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        self.rule.learning_rate_mut()
    }

    fn check(&self) -> Result<()> {
        self.rule.check()
    }

    fn begin(&mut self, at: Update) {
        self.rule.begin(at);
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        self.rule.state(state)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        self.rule.update(at, value, grad, slots);
    }

    fn update_whole(&self, at: Update, shape: &[usize], value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        self.rule.update_whole(at, shape, value, grad, slots);
    }

    fn slot_shape(&self, slot: usize, path: &str, shape: &[usize]) -> Option<Vec<usize>> {
        self.rule.slot_shape(slot, path, shape)
    }

    fn decay_of(&self, decay: Option<f64>, slots: &[Vec<F>]) -> Option<f64> {
        self.rule.decay_of(decay, slots)
    }

    fn options(&self) -> Option<&Options> {
        Some(&self.options)
    }
}
