//! The state of a model in a backup, and the description that another model must match to take it.

use super::{Seed, Sequential};
use crate::error::{Result, Shape};
use crate::layer::{Layer, NamedLayer};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::state::State;

impl<F: Scalar> Sequential<F> {
    /// Saves or restores the weights, the optimizer's slots and the positions of the random streams, from which with
    /// the seed the order of an epoch and the masks of a step follow.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("epochs_seen", &mut self.epochs_seen)?;
        if let Some(compiled) = &mut self.compiled {
            state.count("steps", &mut compiled.steps)?;
            state.group("optimizer", |state| {
                compiled.optimizer.learning_rate_mut().state(state)?;
                compiled.optimizer.state(state)
            })?;
        }
        self.layers.iter_mut().try_for_each(|layer| {
            let label = layer.label().to_string();
            state.group(&label, |state| {
                let mut result = Ok(());
                layer.walk_mut(&mut |_, param| {
                    if result.is_ok() {
                        result = param.state(state);
                    }
                });
                result
            })
        })
    }

    /// Describes each layer in words: what a state can be restored to.
    pub(crate) fn described(&self) -> Vec<String> {
        self.layers.iter().map(describe).collect()
    }

    /// Rebuilds the layers with another drawn seed, initial weights and masks.
    pub(crate) fn reseed(&mut self, seed: u64) -> Result<()> {
        let mut shape = self.input.clone().unwrap_or_default();
        self.seed = Seed::Drawn(seed);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            shape = layer.renew(&shape, &mut BuildContext::of_layer(seed, index))?;
        }
        Ok(())
    }
}

/// `Dense F1 (4) → (2) relu [kernel (4, 2), bias (2)]`.
fn describe<F: Scalar>(node: &NamedLayer<F>) -> String {
    let shape = |shape: Option<&[usize]>| Shape(shape.unwrap_or_default()).to_string();
    let (input, output) = (shape(node.input_shape()), shape(node.output_shape()));
    let mut text = format!("{} `{}` {input} → {output}", node.kind(), node.label());
    if let Some(activation) = node.activation() {
        text += &format!(" {activation}");
    }
    if node.drop_rate() > 0.0 {
        text += &format!(" dropping {}", node.drop_rate());
    }
    let mut params = Vec::new();
    node.visit_params(&mut |param| {
        let bound = [param.regularizer.map(|r| format!("{r:?}")), param.constraint.map(|c| format!("{c:?}"))];
        params
            .push([format!("{param:?}")].into_iter().chain(bound.into_iter().flatten()).collect::<Vec<_>>());
    });
    let params: Vec<String> = params.into_iter().map(|param| param.join(" ")).collect();
    if !params.is_empty() {
        let frozen = if node.is_trainable() { "" } else { " frozen" };
        text += &format!(" [{}]{frozen}", params.join(", "));
    }
    let inner: Vec<String> = node.layers().iter().map(describe).collect();
    if inner.is_empty() { text } else { format!("{text} of ({})", inner.join("; ")) }
}
