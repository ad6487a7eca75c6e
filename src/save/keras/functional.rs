//! Writes a model with [`Residual`](crate::layer::Residual) or [`Branches`](crate::layer::Branches) as a functional Keras
//! model, in which a merging layer joins the chains.
//!
//! Keras sorts the layers of a functional model by their distance from the output, and those of equal distance by a
//! depth-first search from the output. The names of their groups and the optimizer's arrays follow this order.

use std::cmp::Reverse;
use std::collections::HashSet;

use super::architecture::{batch_shape, input_layer, not_savable, with_built_shape};
use super::chain;
use super::graph::DEEPEST_RESIDUAL;
use super::merge::SHORTCUT;
use super::placed::LayerPath;
use crate::config::{Config, Value};
use crate::error::{FileError, Result};
use crate::layer::{Layer, NamedLayer, Topology, branch_name, precision};
use crate::model::Sequential;
use crate::scalar::Scalar;

/// Whether Keras has this layer as several chains and a merging layer.
fn joins_chains<F: Scalar>(layer: &NamedLayer<F>) -> bool {
    match layer.kind() {
        "Residual" => matches!(layer.traits().topology, Topology::Residual | Topology::Shortcut),
        "Branches" => layer.layers().iter().all(|branch| branch.kind() == "Chain"),
        _ => false,
    }
}

fn is_distributed<F: Scalar>(layer: &NamedLayer<F>) -> bool {
    layer.kind() == "TimeDistributed" && is_needed(layer.layers())
}

/// Whether Keras has these layers only in a functional model.
pub(super) fn is_needed<F: Scalar>(layers: &[NamedLayer<F>]) -> bool {
    layers.iter().any(|layer| joins_chains(layer) || is_distributed(layer))
}

/// One of the chains that a layer joins.
struct JoinedChain<'a, F: Scalar> {
    /// The layer that holds the chain, unless the chain lies directly in the layer that joins it.
    holder: Option<&'a NamedLayer<F>>,
    layers: &'a [NamedLayer<F>],
    /// What precedes the names of its layers, after that of the layer that joins it.
    prefix: String,
}

impl<'a, F: Scalar> JoinedChain<'a, F> {
    /// The chains of a layer in the order of the inputs of its merging layer; an empty one is the identity.
    fn all(layer: &'a NamedLayer<F>) -> Vec<Self> {
        let direct = |layers| JoinedChain { holder: None, layers, prefix: String::new() };
        let held = |holder: &'a NamedLayer<F>, name: &str| JoinedChain {
            holder: Some(holder),
            layers: holder.layers(),
            prefix: format!("{name}."),
        };
        match (layer.traits().topology, layer.layers()) {
            (Topology::Shortcut, [layers @ .., shortcut]) => vec![direct(layers), held(shortcut, SHORTCUT)],
            (Topology::Parallel, branches) => branches.iter().map(|f| held(f, f.label())).collect(),
            (_, layers) => vec![direct(layers), direct(&[])],
        }
    }
}

/// A layer of the Keras model.
struct GraphNode<'a, F: Scalar> {
    /// `None` for the input of the model.
    layer: Option<&'a NamedLayer<F>>,
    name: String,
    is_trainable: bool,
    inputs: Vec<usize>,
}

impl<F: Scalar> GraphNode<'_, F> {
    /// What Keras calls the layer.
    fn kind(&self) -> String {
        let Some(layer) = self.layer else { return "InputLayer".into() };
        if !joins_chains(layer) {
            return layer.kind().into();
        }
        merge_kind(layer.config().as_ref())
    }
}

/// The kind of the merging layer of a layer with these settings.
fn merge_kind(config: Option<&Config>) -> String {
    match config.and_then(|config| config.get("merge")) {
        Some(Value::Text(merge)) => merge.clone(),
        _ => "Add".into(),
    }
}

/// The layers of the Keras model, each after its inputs.
struct Graph<'a, F: Scalar> {
    nodes: Vec<GraphNode<'a, F>>,
    /// How deeply layers that join chains are nested.
    depth: usize,
}

impl<'a, F: Scalar> Graph<'a, F> {
    fn of(layers: &'a [NamedLayer<F>]) -> Self {
        let taken = |name: &str| layers.iter().any(|layer| layer.label() == name);
        let numbered = (1..).map(|i| format!("input_layer_{i}"));
        let mut names = std::iter::once("input_layer".to_string()).chain(numbered);
        let name = names.find(|name| !taken(name)).unwrap_or_default();
        let input = GraphNode { layer: None, name, is_trainable: true, inputs: Vec::new() };
        let mut graph = Graph { nodes: vec![input], depth: 0 };
        graph.chain(layers, "", 0, true, 0);
        graph
    }

    /// Adds the layers of a chain, and returns its last one; `prefix` makes their names unique in the model.
    fn chain(
        &mut self,
        layers: &'a [NamedLayer<F>],
        prefix: &str,
        mut input: usize,
        is_trainable: bool,
        depth: usize,
    ) -> usize {
        self.depth = self.depth.max(depth);
        for layer in layers {
            let name = format!("{prefix}{}", layer.label());
            let is_trainable = is_trainable && layer.is_trainable();
            let inputs = if joins_chains(layer) {
                let end = |chain: JoinedChain<'a, F>| {
                    let is_trainable = is_trainable && chain.holder.is_none_or(NamedLayer::is_trainable);
                    let prefix = format!("{name}.{}", chain.prefix);
                    self.chain(chain.layers, &prefix, input, is_trainable, depth + 1)
                };
                JoinedChain::all(layer).into_iter().map(end).collect()
            } else {
                vec![input]
            };
            self.nodes.push(GraphNode { layer: Some(layer), name, is_trainable, inputs });
            input = self.nodes.len() - 1;
        }
        input
    }

    /// Returns the layers in Keras's order.
    fn order(&self) -> Vec<usize> {
        let count = self.nodes.len();
        let mut distances = vec![0; count];
        for (i, node) in self.nodes.iter().enumerate().rev() {
            for &input in &node.inputs {
                distances[input] = distances[input].max(distances[i] + 1);
            }
        }
        let (mut visits, mut visited) = (vec![None; count], 0..count);
        let mut waiting = vec![count - 1];
        while let Some(i) = waiting.pop() {
            if visits[i].is_none() {
                visits[i] = visited.next();
                waiting.extend(self.nodes[i].inputs.iter().rev());
            }
        }
        let mut order: Vec<usize> = (0..count).collect();
        order.sort_by_key(|&i| (Reverse(distances[i]), visits[i]));
        order
    }
}

/// The groups of the layers in the file, and their positions from `position` on.
pub(super) fn paths<F: Scalar>(
    above: &str,
    layers: &[NamedLayer<F>],
    position: &mut usize,
) -> Vec<LayerPath> {
    let graph = Graph::of(layers);
    let order = graph.order();
    let kinds: Vec<String> = order.iter().map(|&i| graph.nodes[i].kind()).collect();
    let groups = chain::groups(above, kinds.iter().map(String::as_str));
    let mut of_nodes: Vec<LayerPath> = graph.nodes.iter().map(|_| LayerPath::default()).collect();
    for (i, group) in order.into_iter().zip(groups) {
        let mut path = LayerPath::of(group, *position);
        *position += 1;
        if let Some(layer) = graph.nodes[i].layer.filter(|layer| is_distributed(layer)) {
            path.inner = Some(vec![distributed_path(&path.at("layer"), &layer.layers()[0], position)]);
        }
        of_nodes[i] = path;
    }
    nested(layers, &mut of_nodes.into_iter().skip(1))
}

/// The path of the layer of a `TimeDistributed`: of a functional model of a single layer, or another `TimeDistributed`.
fn distributed_path<F: Scalar>(path: &LayerPath, layer: &NamedLayer<F>, position: &mut usize) -> LayerPath {
    if joins_chains(layer) {
        let inner = paths(&format!("{}/layers", path.group), std::slice::from_ref(layer), position);
        return inner.into_iter().next().unwrap_or_default();
    }
    let inner = distributed_path(&path.at("layer"), &layer.layers()[0], position);
    LayerPath { inner: Some(vec![inner]), ..LayerPath::of(path.group.clone(), path.position) }
}

/// Nests the paths of the nodes of a [`Graph`] as the layers are.
fn nested<F: Scalar>(
    layers: &[NamedLayer<F>],
    of_nodes: &mut impl Iterator<Item = LayerPath>,
) -> Vec<LayerPath> {
    let path = |layer: &NamedLayer<F>| {
        let mut inner = Vec::new();
        if joins_chains(layer) {
            for JoinedChain { holder, layers, .. } in JoinedChain::all(layer) {
                let paths = nested(layers, of_nodes);
                match holder {
                    Some(_) => inner.push(LayerPath { inner: Some(paths), ..LayerPath::default() }),
                    None => inner.extend(paths),
                }
            }
        }
        let path = of_nodes.next().unwrap_or_default();
        if joins_chains(layer) { LayerPath { inner: Some(inner), ..path } } else { path }
    };
    layers.iter().map(path).collect()
}

fn refuse(reason: impl Into<String>) -> crate::Error {
    FileError::NotExportable { format: ".keras", reason: reason.into() }.into()
}

/// The settings of the model.
pub(super) fn config<F: Scalar>(model: &Sequential<F>) -> Result<Config> {
    match model.input_axes() {
        Some(input) if model.is_built() => of_layers(&model.layers, input.axes(), "functional"),
        _ => {
            let reason = "Keras needs the shapes in a model with `Residual` or `Branches`: set the shape of a sample by `input`";
            Err(refuse(reason))
        }
    }
}

fn of_layers<F: Scalar>(layers: &[NamedLayer<F>], input: &[Option<usize>], name: &str) -> Result<Config> {
    let graph = Graph::of(layers);
    if graph.depth > DEEPEST_RESIDUAL {
        let most = format!("`Residual` and `Branches` are nested more than {DEEPEST_RESIDUAL} times");
        return Err(refuse(most));
    }
    let axes_of = |node: &GraphNode<F>| match node.layer {
        Some(layer) => layer.output_axes().unwrap_or_default(),
        None => input.to_vec(),
    };
    let tensor = |i: &usize| tensor::<F>(&graph.nodes[*i].name, &axes_of(&graph.nodes[*i]));
    let (mut configs, mut names) = (Vec::new(), HashSet::new());
    for i in graph.order() {
        let GraphNode { layer, name, is_trainable, inputs } = &graph.nodes[i];
        if !names.insert(name) {
            return Err(refuse(format!("two layers would have the name `{name}`: rename one of them")));
        }
        let (config, args) = match layer {
            None => (input_layer::<F>(input, name), None),
            Some(layer) => {
                let config = layer_config(layer)?.with("name", &**name).with("trainable", *is_trainable);
                let inputs: Vec<Value> = inputs.iter().map(tensor).collect();
                (config, Some(if joins_chains(layer) { vec![Value::List(inputs)] } else { inputs }))
            }
        };
        configs.push(applied(config, name, args));
    }
    let end_of = |node: Option<&GraphNode<F>>| {
        let name = node.map_or("", |node| &node.name);
        Value::List(vec![name.into(), 0.into(), 0.into()])
    };
    // Without `trainable`, which would unfreeze all layers when Keras loads the model.
    Ok(Config::of("keras.src.models.functional", "Functional")
        .with("name", name)
        .with("layers", configs)
        .with("input_layers", end_of(graph.nodes.first()))
        .with("output_layers", end_of(graph.nodes.last())))
}

fn map(fields: Vec<(&str, Value)>) -> Value {
    Value::Map(fields.into_iter().map(|(name, value)| (name.to_string(), value)).collect())
}

/// The output of a layer.
fn tensor<F: Scalar>(layer: &str, axes: &[Option<usize>]) -> Value {
    let history = Value::List(vec![layer.into(), 0.into(), 0.into()]);
    let config = map(vec![
        ("shape", batch_shape(axes)),
        ("dtype", precision::<F>().into()),
        ("keras_history", history),
    ]);
    map(vec![("class_name", "__keras_tensor__".into()), ("config", config)])
}

/// Adds the name of a layer, and the arguments to which it is applied, to its settings.
fn applied(mut config: Config, name: &str, args: Option<Vec<Value>>) -> Config {
    let node = |args| map(vec![("args", Value::List(args)), ("kwargs", Value::Map(Vec::new()))]);
    config.beside.push(("name".into(), name.into()));
    config.beside.push(("inbound_nodes".into(), Value::List(args.into_iter().map(node).collect())));
    config
}

/// The settings of a layer; of the merging layer, if it joins chains.
fn layer_config<F: Scalar>(layer: &NamedLayer<F>) -> Result<Config> {
    let config = layer.config().ok_or_else(|| not_savable("layer", layer))?;
    if is_distributed(layer) {
        return Ok(with_built_shape(config, layer).with("layer", distributed(&layer.layers()[0])?));
    }
    if joins_chains(layer) { merging(config, layer) } else { Ok(with_built_shape(config, layer)) }
}

/// The settings of the merging layer of a layer that joins chains.
fn merging<F: Scalar>(config: Config, layer: &NamedLayer<F>) -> Result<Config> {
    let label = layer.label();
    let is_residual = layer.traits().topology == Topology::Residual;
    let first = format!("{}.", branch_name(0));
    if is_residual && layer.layers().iter().all(|layer| layer.label().starts_with(&first)) {
        let reason = format!(
            "the names of all layers of `{label}` start with `{first}`, as those in `Branches`: rename one"
        );
        return Err(refuse(reason));
    }
    if layer.kind() == "Branches" && layer.layers().len() == 1 {
        return Err(refuse(format!("`{label}` has one branch, and Keras merges several")));
    }
    let kind = merge_kind(Some(&config));
    let fields = config.fields.into_iter();
    let fields = fields.filter(|(name, _)| !["layers", "shortcut", "merge", "branches"].contains(&&**name));
    let own = Config { fields: fields.collect(), ..Config::of("keras.layers", &kind) };
    Ok(if kind == "Concatenate" { own.with("axis", -1) } else { own })
}

/// The layer of a `TimeDistributed`, as a functional model.
fn distributed<F: Scalar>(layer: &NamedLayer<F>) -> Result<Config> {
    if joins_chains(layer) {
        let input = layer.input_axes().unwrap_or_default();
        return of_layers(std::slice::from_ref(layer), &input, layer.label());
    }
    let config = with_built_shape(layer.config().ok_or_else(|| not_savable("layer", layer))?, layer);
    Ok(config.with("layer", distributed(&layer.layers()[0])?))
}
