//! The state of a model in a backup, and the description that another model must match to take it.

use super::{Seed, Sequential};
use crate::config::Value;
use crate::error::{Result, Shape};
use crate::hash::{FNV_OFFSET, fnv1a};
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
                layer.each_states_mut(&mut |states| {
                    if result.is_ok() {
                        result = states.state(state);
                    }
                });
                result
            })
        })
    }

    /// The properties of the layers, with names: what a state can be restored to.
    pub(crate) fn described(&self) -> Vec<(String, String)> {
        let mut all = vec![("number of layers".to_string(), self.layers.len().to_string())];
        for (index, layer) in self.layers.iter().enumerate() {
            all.push((format!("layer {index}"), describe(layer)));
            let path = format!("layer {index} `{}`", layer.label());
            match layer.config() {
                Some(config) => settings(&path, &Value::Config(Box::new(config)), &mut all),
                // A layer without settings has its `Debug` text.
                None => all.push((path, format!("{layer:?}"))),
            }
        }
        all
    }

    /// Rebuilds the layers with another drawn seed, initial weights and masks.
    pub(crate) fn reseed(&mut self, seed: u64) -> Result<()> {
        let mut shape = self.input.clone().unwrap_or_default();
        self.seed = Seed::Drawn(seed);
        for (index, layer) in self.layers.iter_mut().enumerate() {
            shape = layer.renew(&shape, &mut BuildContext::of_layer(seed, index))?;
        }
        Self::vary(&mut self.layers, self.open.as_ref(), self.input.as_deref().unwrap_or_default())
    }
}

/// Appends each setting under its path, for comparison; a long list is hashed.
fn settings(path: &str, value: &Value, to: &mut Vec<(String, String)>) {
    match value {
        Value::Config(config) => {
            to.push((path.to_string(), config.kind.clone()));
            config.fields.iter().for_each(|(name, value)| settings(&format!("{path} {name}"), value, to));
        }
        Value::Map(fields) => {
            fields.iter().for_each(|(name, value)| settings(&format!("{path} {name}"), value, to));
        }
        Value::List(values)
            if values.iter().any(|value| matches!(value, Value::Config(_) | Value::Map(_))) =>
        {
            values.iter().enumerate().for_each(|(i, value)| settings(&format!("{path} {i}"), value, to));
        }
        Value::List(values) if values.len() > 8 => {
            let hash = fnv1a(FNV_OFFSET, format!("{values:?}").as_bytes());
            to.push((path.to_string(), format!("{value} with the hash {hash:016x}")));
        }
        Value::Text(text) => to.push((path.to_string(), text.clone())),
        _ => to.push((path.to_string(), value.to_string())),
    }
}

/// `Dense F1 (4) → (2) relu [kernel (4, 2), bias (2)]`.
fn describe<F: Scalar>(layer: &NamedLayer<F>) -> String {
    let shape = |shape: Option<&[usize]>| Shape(shape.unwrap_or_default()).to_string();
    let (input, output) = (shape(layer.input_shape()), shape(layer.output_shape()));
    let mut text = format!("{} `{}` {input} → {output}", layer.kind(), layer.label());
    if let Some(activation) = layer.activation() {
        text += &format!(" {activation}");
    }
    if layer.drop_rate() > 0.0 {
        text += &format!(" dropping {}", layer.drop_rate());
    }
    let mut params = Vec::new();
    layer.visit_params(&mut |param| {
        let bound = [
            param.regularizer.map(|r| format!("{r:?}")),
            param.constraint.as_ref().map(|c| format!("{c:?}")),
        ];
        params
            .push([format!("{param:?}")].into_iter().chain(bound.into_iter().flatten()).collect::<Vec<_>>());
    });
    let params: Vec<String> = params.into_iter().map(|param| param.join(" ")).collect();
    if !params.is_empty() {
        let frozen = if layer.is_trainable() { "" } else { " frozen" };
        text += &format!(" [{}]{frozen}", params.join(", "));
    }
    let inner: Vec<String> = layer.layers().iter().map(describe).collect();
    if inner.is_empty() { text } else { format!("{text} of ({})", inner.join("; ")) }
}
