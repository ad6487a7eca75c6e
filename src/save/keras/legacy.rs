//! Reads a whole model in Keras's older format `.h5`.
//!
//! The settings are the text attributes `model_config` and `training_config`. The arrays of a layer are in the group of
//! its name, `model_weights/dense`, whose attribute `weight_names` lists them in order, trained weights first. The
//! optimizer's arrays are the same as in a `.keras` file, in the order of the `weight_names` of `optimizer_weights`.

use std::collections::HashMap;

use super::super::{Loader, build, json};
use super::LayerPath;
use super::chain::groups_of;
use super::layout::{own, places};
use super::read::{fill, fill_optimizer};
use crate::config::{Config, Value, refuse};
use crate::error::Result;
use crate::files::budget::Budget;
use crate::files::hdf5::Tree;
use crate::files::input::Input;
use crate::model::{Compiled, Sequential, check_loss};
use crate::scalar::Scalar;

const NAMES: &str = "weight_names";
const WEIGHTS: &str = "model_weights";
const OPTIMIZER: &str = "optimizer_weights";
const SETTINGS: &str = "model_config";
const TRAINING: &str = "training_config";
const VERSION: &str = "keras_version";

/// Reads the file.
pub(in crate::save) fn read<F: Scalar>(
    input: &Input,
    budget: &Budget,
    loader: &Loader<F>,
) -> Result<Sequential<F>> {
    let tree = Tree::with_texts(input, "the file", budget, &[NAMES, SETTINGS, TRAINING, VERSION])?;
    let text = |name: &str| tree.texts("", name).first().map(|text| &**text);
    let parse = |name: &str, text: &str| -> Result<Value> {
        budget.add_settings(text.len());
        let parsed = json::parse(text.as_bytes(), budget);
        let mut value = parsed.map_err(|problem| input.damaged(name, problem))?;
        modernize(&mut value);
        Ok(value)
    };
    let Some(settings) = text(SETTINGS) else {
        let problem = "none: the file holds no whole model. Weights are read by `load_weights`";
        return Err(input.damaged(SETTINGS, problem));
    };
    let mut config = match parse(SETTINGS, settings)? {
        Value::Config(config) => config,
        value => return Err(refuse("class_name", "a Sequential of Keras", value)),
    };
    let (mut model, layers) = build::from_config(&mut config, input, budget, loader)?;
    let compiled = match text(TRAINING).filter(|_| loader.compile) {
        Some(text) => Compiled::from_value(&compile_config(parse(TRAINING, text)?), &loader.known)?,
        None => None,
    };
    build::build(&mut model, &config, false, input, budget)?;
    let paths = weight_paths(&model, &layers, &config, &tree, input)?;
    let found = tree.paths().filter(|path| {
        let path = path.strip_prefix(WEIGHTS).and_then(|path| path.strip_prefix('/'));
        path.is_some_and(|path| !path.starts_with("top_level_model_weights/"))
    });
    fill(&mut model, &paths, found, &tree, input, loader.allow_non_finite)?;
    if let Some(mut compiled) = compiled {
        check_loss(&model, &*compiled.loss)?;
        let names = tree.texts(OPTIMIZER, NAMES);
        let is_keras_3 = text(VERSION).is_some_and(|text| text.starts_with('3'));
        if !names.is_empty() && !is_keras_3 {
            compiled.reset("the file is of Keras 2 or an unknown version, which store it in another form");
        } else if !names.is_empty() && model.is_built() {
            let path = |place: usize| {
                let name = names.get(place).map_or("", |name| name);
                format!("{OPTIMIZER}/{name}")
            };
            fill_optimizer(&mut model, &layers, &mut compiled, &tree, (&path, names.len()), input, budget)?;
        }
        model.compiled = Some(compiled);
    }
    Ok(model)
}

/// Returns the path and the shape of each weight, in the order of the model.
fn weight_paths<F: Scalar>(
    model: &Sequential<F>,
    layers: &[LayerPath],
    config: &Config,
    tree: &Tree,
    input: &Input,
) -> Result<Vec<(String, Vec<usize>)>> {
    let Some(Value::List(values)) = config.get("layers") else { return Ok(Vec::new()) };
    let name = |value: &'_ Value| match value {
        Value::Config(config) => match config.get("name") {
            Some(Value::Text(name)) => name.clone(),
            _ => String::new(),
        },
        _ => String::new(),
    };
    let names: HashMap<String, String> =
        groups_of("layers", values).into_iter().zip(values.iter().map(name)).collect();
    let mut trained = Vec::new();
    model.walk(&mut |_, on, param| trained.push(on && param.is_trainable()));
    let mut paths: Vec<(String, Vec<usize>)> = Vec::new();
    let mut positions = Vec::new();
    let mut of_layers: Vec<(&str, Vec<usize>)> = Vec::new();
    for place in places(model, layers) {
        // The group of the layer of the file: `layers/dense`.
        let end = place.path.match_indices('/').nth(1).map_or(place.path.len(), |(end, _)| end);
        let name = names.get(&place.path[..end]).map_or("", |name| name);
        for param in own(place.layer) {
            if of_layers.last().is_none_or(|(last, _)| *last != name) {
                of_layers.push((name, Vec::new()));
            }
            if let Some((_, params)) = of_layers.last_mut() {
                params.push(paths.len());
            }
            paths.push((String::new(), param.shape().to_vec()));
            positions.push(place.position);
        }
    }
    for (name, mut params) in of_layers {
        params.sort_by_key(|&param| (!trained[param], positions[param]));
        let group = format!("{WEIGHTS}/{name}");
        let found = tree.texts(&group, NAMES);
        if found.len() != params.len() {
            let problem = format!("expected {} weights, found {}", params.len(), found.len());
            return Err(input.damaged(group, problem));
        }
        for (param, weight) in params.into_iter().zip(found) {
            paths[param].0 = format!("{group}/{weight}");
        }
    }
    Ok(paths)
}

/// Converts the settings of `compile`.
fn compile_config(training: Value) -> Value {
    let Value::Map(fields) = training else { return training };
    let renamed = |(name, value): (String, Value)| match &*name {
        "optimizer_config" => ("optimizer".into(), value),
        _ => (name, value),
    };
    let kept = fields.into_iter().filter(|(name, _)| name != "sample_weight_mode");
    Value::Map(kept.map(renamed).collect())
}

/// Converts settings that earlier versions of Keras wrote in another form.
fn modernize(value: &mut Value) {
    match value {
        Value::List(values) => values.iter_mut().for_each(modernize),
        Value::Map(fields) => fields.iter_mut().for_each(|(_, value)| modernize(value)),
        Value::Config(config) => {
            // Kinds of users are called `package>kind`.
            if config.module.is_none() && !config.kind.contains('>') {
                config.module = Some("keras".into());
            }
            if config.kind == "Sequential" {
                take_input_shape(config);
            }
            if config.kind != "InputLayer" {
                config.fields.retain(|(name, value)| match &**name {
                    "batch_input_shape" | "input_length" | "is_legacy_optimizer" | "jit_compile" => false,
                    "time_major" => *value != Value::Bool(false),
                    "decay" => *value != Value::Float(0.0),
                    _ => true,
                });
            }
            for (name, _) in &mut config.fields {
                match (&*config.kind, &**name) {
                    ("LeakyReLU", "alpha") => *name = "negative_slope".into(),
                    (_, "lr") => *name = "learning_rate".into(),
                    _ => {}
                }
            }
            let fields = config.fields.iter_mut().chain(&mut config.beside);
            fields.for_each(|(_, value)| modernize(value));
        }
        _ => {}
    }
}

/// Keras 2 may state the shape of the input in the first layer.
fn take_input_shape(config: &mut Config) {
    let shape = match config.get("layers") {
        Some(Value::List(layers)) => match layers.first() {
            Some(Value::Config(first)) if first.kind != "InputLayer" => {
                first.get("batch_input_shape").cloned()
            }
            _ => None,
        },
        _ => None,
    };
    if let (Some(shape), None) = (shape, config.get("build_input_shape")) {
        config.set("build_input_shape", shape);
    }
}
