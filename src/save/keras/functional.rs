//! Writes a model with [`Residual`](crate::layer::Residual) as a functional Keras model, in which an `Add` joins each
//! branch and its start.

use std::collections::HashSet;

use super::architecture::{batch_shape, input_layer, not_savable, with_built_shape};
use super::chain::{self, LayerPath};
use super::graph::DEEPEST_RESIDUAL;
use crate::config::{Config, Value};
use crate::error::{FileError, Result};
use crate::layer::{Layer, NamedLayer, Topology, precision};
use crate::model::Sequential;
use crate::scalar::Scalar;

fn is_residual<F: Scalar>(layer: &NamedLayer<F>) -> bool {
    layer.kind() == "Residual" && layer.traits().topology == Topology::Residual
}

fn is_distributed<F: Scalar>(layer: &NamedLayer<F>) -> bool {
    layer.kind() == "TimeDistributed" && is_needed(layer.layers())
}

/// Whether Keras has these layers only in a functional model.
pub(super) fn is_needed<F: Scalar>(layers: &[NamedLayer<F>]) -> bool {
    layers.iter().any(|layer| is_residual(layer) || is_distributed(layer))
}

/// The groups of the layers in the file.
pub(super) fn paths<F: Scalar>(above: &str, layers: &[NamedLayer<F>]) -> Vec<LayerPath> {
    fn kinds<'a, F: Scalar>(layers: &'a [NamedLayer<F>], all: &mut Vec<&'a str>) {
        for layer in layers {
            if is_residual(layer) {
                kinds(layer.layers(), all);
                all.push("Add");
            } else {
                all.push(layer.kind());
            }
        }
    }
    fn places<F: Scalar>(
        layers: &[NamedLayer<F>],
        groups: &mut impl Iterator<Item = String>,
    ) -> Vec<LayerPath> {
        let place = |layer: &NamedLayer<F>| {
            let inner = if is_residual(layer) { Some(places(layer.layers(), groups)) } else { None };
            let mut path = LayerPath { group: groups.next().unwrap_or_default(), inner };
            if is_distributed(layer) {
                path.inner = Some(vec![distributed(&path.at("layer"), &layer.layers()[0])]);
            }
            path
        };
        layers.iter().map(place).collect()
    }
    /// The layer of a `TimeDistributed`: a functional model of a single `Residual`, or another `TimeDistributed`.
    fn distributed<F: Scalar>(path: &LayerPath, layer: &NamedLayer<F>) -> LayerPath {
        if is_residual(layer) {
            let inner = paths(&format!("{}/layers", path.group), std::slice::from_ref(layer));
            return inner.into_iter().next().unwrap_or_default();
        }
        let inner = vec![distributed(&path.at("layer"), &layer.layers()[0])];
        LayerPath { group: path.group.clone(), inner: Some(inner) }
    }
    let mut all = vec!["InputLayer"];
    kinds(layers, &mut all);
    let mut groups = chain::groups(above, all.into_iter()).into_iter().skip(1);
    places(layers, &mut groups)
}

fn refuse(reason: impl Into<String>) -> crate::Error {
    FileError::NotExportable { format: ".keras", reason: reason.into() }.into()
}

/// The settings of the model.
pub(super) fn config<F: Scalar>(model: &Sequential<F>) -> Result<Config> {
    match model.input_axes() {
        Some(input) if model.is_built() => of_layers(&model.layers, input.axes(), "functional"),
        _ => {
            let reason = "Keras needs the shapes in a model with `Residual`: set the shape of a sample by `input`, \
                and call `build`, `compile` or `fit` before";
            Err(refuse(reason))
        }
    }
}

fn of_layers<F: Scalar>(layers: &[NamedLayer<F>], input: &[Option<usize>], name: &str) -> Result<Config> {
    let mut writer = GraphWriter { layers: Vec::new(), names: HashSet::new() };
    let taken = |name: &str| layers.iter().any(|layer| layer.label() == name);
    let numbered = (1..).map(|i| format!("input_layer_{i}"));
    let mut names = std::iter::once("input_layer".to_string()).chain(numbered);
    let start = names.find(|name| !taken(name)).unwrap_or_default();
    let start = LayerOutput { layer: start, axes: input.to_vec() };
    writer.push(input_layer::<F>(input, &start.layer), &start.layer, Vec::new())?;
    let end = writer.chain(layers, "", start.clone(), true, 0)?;
    let end_of = |tensor: LayerOutput| Value::List(vec![tensor.layer.into(), 0.into(), 0.into()]);
    // Without `trainable`, which would unfreeze all layers when Keras loads the model.
    Ok(Config::of("keras.src.models.functional", "Functional")
        .with("name", name)
        .with("layers", writer.layers)
        .with("input_layers", end_of(start))
        .with("output_layers", end_of(end)))
}

/// The output of a layer.
#[derive(Clone)]
struct LayerOutput {
    layer: String,
    axes: Vec<Option<usize>>,
}

impl LayerOutput {
    fn to_value<F: Scalar>(&self) -> Value {
        let map = |fields: Vec<(&str, Value)>| {
            Value::Map(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
        };
        let history = Value::List(vec![self.layer.as_str().into(), 0.into(), 0.into()]);
        let config = map(vec![
            ("shape", batch_shape(&self.axes)),
            ("dtype", precision::<F>().into()),
            ("keras_history", history),
        ]);
        map(vec![("class_name", "__keras_tensor__".into()), ("config", config)])
    }
}

struct GraphWriter {
    layers: Vec<Config>,
    names: HashSet<String>,
}

impl GraphWriter {
    /// Adds layers of a chain; `prefix` makes the names of those within a `Residual` unique in the model.
    fn chain<F: Scalar>(
        &mut self,
        layers: &[NamedLayer<F>],
        prefix: &str,
        mut input: LayerOutput,
        is_trainable: bool,
        depth: usize,
    ) -> Result<LayerOutput> {
        if depth > DEEPEST_RESIDUAL {
            let most = format!("`Residual` is nested more than {DEEPEST_RESIDUAL} times");
            return Err(refuse(most));
        }
        for layer in layers {
            let name = format!("{prefix}{}", layer.label());
            let is_trainable = is_trainable && layer.is_trainable();
            let config = layer.config().ok_or_else(|| not_savable("layer", layer));
            let (config, args) = if is_residual(layer) {
                let below = format!("{name}.");
                let end = self.chain(layer.layers(), &below, input.clone(), is_trainable, depth + 1)?;
                let mut config = config?;
                (config.module, config.kind) = (Some("keras.layers".into()), "Add".into());
                config.fields.retain(|(name, _)| name != "layers");
                (config, Value::List(vec![end.to_value::<F>(), input.to_value::<F>()]))
            } else {
                let mut config = with_built_shape(config?, layer);
                if is_distributed(layer) {
                    config.set("layer", distributed(&layer.layers()[0])?);
                }
                (config, input.to_value::<F>())
            };
            let config = config.with("name", &*name).with("trainable", is_trainable);
            self.push(config, &name, vec![args])?;
            input = LayerOutput { layer: name, axes: layer.output_axes().unwrap_or_default() };
        }
        Ok(input)
    }

    /// Adds a layer that is applied to these arguments.
    fn push(&mut self, mut config: Config, name: &str, args: Vec<Value>) -> Result<()> {
        if !self.names.insert(name.into()) {
            return Err(refuse(format!("two layers would have the name `{name}`: rename one of them")));
        }
        let application = || {
            let fields = [("args", Value::List(args.clone())), ("kwargs", Value::Map(Vec::new()))];
            Value::Map(fields.map(|(name, value)| (name.to_string(), value)).into())
        };
        let nodes = if args.is_empty() { Vec::new() } else { vec![application()] };
        config.beside.push(("name".into(), name.into()));
        config.beside.push(("inbound_nodes".into(), Value::List(nodes)));
        self.layers.push(config);
        Ok(())
    }
}

/// The layer of a `TimeDistributed`, as a functional model.
fn distributed<F: Scalar>(layer: &NamedLayer<F>) -> Result<Config> {
    if is_residual(layer) {
        let input = layer.input_axes().unwrap_or_default();
        return of_layers(std::slice::from_ref(layer), &input, layer.label());
    }
    let config = with_built_shape(layer.config().ok_or_else(|| not_savable("layer", layer))?, layer);
    Ok(config.with("layer", distributed(&layer.layers()[0])?))
}
