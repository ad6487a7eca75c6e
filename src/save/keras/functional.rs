//! Writes a model with [`Residual`](crate::layer::Residual) or [`Branches`](crate::layer::Branches) as a functional Keras
//! model, in which a merging layer joins the chains of each.

use std::collections::HashSet;

use super::architecture::{batch_shape, input_layer, not_savable, with_built_shape};
use super::chain::{self, DEEPEST_RESIDUAL, LayerPath};
use crate::config::{Config, Value};
use crate::error::{FileError, Result};
use crate::layer::{Layer, NamedLayer, Topology, precision};
use crate::model::Sequential;
use crate::scalar::Scalar;

/// A layer that Keras writes as chains from one input and a layer that merges them.
struct Merged<'a, F: Scalar> {
    /// The kind of the merging layer.
    kind: String,
    /// What precedes the names within each chain, and its layers; without layers it is the input.
    chains: Vec<(String, &'a [NamedLayer<F>])>,
    /// Of the paths of the inner layers, those from this index on are in chains of their own.
    first: usize,
}

impl<'a, F: Scalar> Merged<'a, F> {
    fn of(layer: &'a NamedLayer<F>) -> Option<Self> {
        let layers = layer.layers();
        let of_chain = |chain: &'a NamedLayer<F>| (format!("{}.", chain.label()), chain.layers());
        match (layer.kind(), layer.traits().topology) {
            ("Residual", Topology::Residual) => {
                let chains = vec![(String::new(), layers), (String::new(), &[][..])];
                Some(Merged { kind: "Add".into(), chains, first: layers.len() })
            }
            ("Residual", Topology::Shortcut) => {
                let (shortcut, layers) = layers.split_last()?;
                let chains = vec![(String::new(), layers), of_chain(shortcut)];
                Some(Merged { kind: "Add".into(), chains, first: layers.len() })
            }
            ("Branches", Topology::Parallel) => {
                let kind = match layer.config().as_ref().and_then(|config| config.get("merge")) {
                    Some(Value::Text(kind)) => kind.clone(),
                    _ => String::new(),
                };
                Some(Merged { kind, chains: layers.iter().map(of_chain).collect(), first: 0 })
            }
            _ => None,
        }
    }
}

fn is_merged<F: Scalar>(layer: &NamedLayer<F>) -> bool {
    Merged::of(layer).is_some()
}

fn is_distributed<F: Scalar>(layer: &NamedLayer<F>) -> bool {
    layer.kind() == "TimeDistributed" && is_needed(layer.layers())
}

/// Whether Keras has these layers only in a functional model.
pub(super) fn is_needed<F: Scalar>(layers: &[NamedLayer<F>]) -> bool {
    layers.iter().any(|layer| is_merged(layer) || is_distributed(layer))
}

/// The groups of the layers in the file.
pub(super) fn paths<F: Scalar>(above: &str, layers: &[NamedLayer<F>]) -> Vec<LayerPath> {
    fn kinds<F: Scalar>(layers: &[NamedLayer<F>], all: &mut Vec<String>) {
        for layer in layers {
            match Merged::of(layer) {
                Some(merged) => {
                    merged.chains.iter().for_each(|(_, layers)| kinds(layers, all));
                    all.push(merged.kind);
                }
                None => all.push(layer.kind().into()),
            }
        }
    }
    fn places<F: Scalar>(
        layers: &[NamedLayer<F>],
        groups: &mut impl Iterator<Item = String>,
    ) -> Vec<LayerPath> {
        let mut all = Vec::with_capacity(layers.len());
        for layer in layers {
            let inner = Merged::of(layer).map(|merged| {
                let mut inner = Vec::new();
                for (i, (_, layers)) in merged.chains.iter().enumerate() {
                    let paths = places(layers, &mut *groups);
                    match i == 0 && merged.first > 0 {
                        true => inner.extend(paths),
                        false => inner.push(LayerPath { group: String::new(), inner: Some(paths) }),
                    }
                }
                inner
            });
            let mut path = LayerPath { group: groups.next().unwrap_or_default(), inner };
            if is_distributed(layer) {
                path.inner = Some(vec![distributed(&path.at("layer"), &layer.layers()[0])]);
            }
            all.push(path);
        }
        all
    }
    /// The layer of a `TimeDistributed`: a functional model of a single merged layer, or another `TimeDistributed`.
    fn distributed<F: Scalar>(path: &LayerPath, layer: &NamedLayer<F>) -> LayerPath {
        if is_merged(layer) {
            let inner = paths(&format!("{}/layers", path.group), std::slice::from_ref(layer));
            return inner.into_iter().next().unwrap_or_default();
        }
        let inner = vec![distributed(&path.at("layer"), &layer.layers()[0])];
        LayerPath { group: path.group.clone(), inner: Some(inner) }
    }
    let mut all = vec!["InputLayer".to_string()];
    kinds(layers, &mut all);
    let mut groups = chain::groups(above, all.iter().map(String::as_str)).into_iter().skip(1);
    places(layers, &mut groups)
}

fn refuse(reason: impl Into<String>) -> crate::Error {
    FileError::NotExportable { format: ".keras", reason: reason.into() }.into()
}

/// The settings of the model.
pub(super) fn config<F: Scalar>(model: &Sequential<F>) -> Result<Config> {
    match &model.input {
        Some(input) if model.is_built() => of_layers(&model.layers, input, "functional"),
        _ => {
            let reason = "Keras needs the shapes in a model with `Residual` or `Branches`: set the shape of a sample by \
                `input`, and call `build`, `compile` or `fit` before";
            Err(refuse(reason))
        }
    }
}

fn of_layers<F: Scalar>(layers: &[NamedLayer<F>], input: &[usize], name: &str) -> Result<Config> {
    let mut writer = GraphWriter { layers: Vec::new(), names: HashSet::new() };
    let taken = |name: &str| layers.iter().any(|layer| layer.label() == name);
    let numbered = (1..).map(|i| format!("input_layer_{i}"));
    let mut names = std::iter::once("input_layer".to_string()).chain(numbered);
    let start = names.find(|name| !taken(name)).unwrap_or_default();
    let start = LayerOutput { layer: start, shape: input.to_vec() };
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
    shape: Vec<usize>,
}

impl LayerOutput {
    fn to_value<F: Scalar>(&self) -> Value {
        let map = |fields: Vec<(&str, Value)>| {
            Value::Map(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
        };
        let history = Value::List(vec![self.layer.as_str().into(), 0.into(), 0.into()]);
        let config = map(vec![
            ("shape", batch_shape(&self.shape)),
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
    /// Adds layers of a chain; `prefix` makes the names of those within a merged layer unique in the model.
    fn chain<F: Scalar>(
        &mut self,
        layers: &[NamedLayer<F>],
        prefix: &str,
        mut input: LayerOutput,
        is_trainable: bool,
        depth: usize,
    ) -> Result<LayerOutput> {
        if depth > DEEPEST_RESIDUAL {
            let most = format!("`Residual` and `Branches` are nested more than {DEEPEST_RESIDUAL} times");
            return Err(refuse(most));
        }
        for layer in layers {
            let name = format!("{prefix}{}", layer.label());
            let is_trainable = is_trainable && layer.is_trainable();
            let config = layer.config().ok_or_else(|| not_savable("layer", layer));
            let (config, args) = if let Some(merged) = Merged::of(layer) {
                let mut ends = Vec::with_capacity(merged.chains.len());
                for (own, layers) in merged.chains {
                    let below = format!("{name}.{own}");
                    let end = self.chain(layers, &below, input.clone(), is_trainable, depth + 1)?;
                    ends.push(end.to_value::<F>());
                }
                let mut config = config?;
                (config.module, config.kind) = (Some("keras.layers".into()), merged.kind);
                config.fields.retain(|(name, _)| {
                    !["layers", "shortcut", "merge", "branches"].contains(&name.as_str())
                });
                if config.kind == "Concatenate" {
                    config.set("axis", -1);
                }
                (config, Value::List(ends))
            } else {
                let mut config = with_built_shape(config?, layer);
                if is_distributed(layer) {
                    config.set("layer", distributed(&layer.layers()[0])?);
                }
                (config, input.to_value::<F>())
            };
            let config = config.with("name", &*name).with("trainable", is_trainable);
            self.push(config, &name, vec![args])?;
            input = LayerOutput { layer: name, shape: layer.output_shape().unwrap_or_default().to_vec() };
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
    if is_merged(layer) {
        let input = layer.input_shape().unwrap_or_default();
        return of_layers(std::slice::from_ref(layer), input, layer.label());
    }
    let config = with_built_shape(layer.config().ok_or_else(|| not_savable("layer", layer))?, layer);
    Ok(config.with("layer", distributed(&layer.layers()[0])?))
}
