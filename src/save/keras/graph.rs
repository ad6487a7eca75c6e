//! Orders the layers of a functional model, which must be a chain in which each merging layer joins branches with one start.

use std::collections::HashMap;

use crate::config::{Config, Fields, Value, refuse};
use crate::error::{Error, Result};

/// The deepest nesting of residual connections and branches.
pub(super) const DEEPEST_RESIDUAL: usize = 32;

/// A layer of the chain.
pub(super) struct ChainStep<'a> {
    /// Its place in the file's list of layers.
    pub(super) index: usize,
    pub(super) config: &'a Config,
    /// For a merging layer: the branches from the step before, in the order of its inputs.
    pub(super) branches: Vec<Vec<ChainStep<'a>>>,
}

/// Whether Keras calls this kind a merging layer, and `Residual` or `Branches` can be one.
pub(super) fn is_merge(kind: &str) -> bool {
    ["Add", "Concatenate", "Multiply", "Average", "Maximum"].contains(&kind)
}

/// A layer and its inputs.
struct GraphNode<'a> {
    config: &'a Config,
    name: &'a str,
    inputs: Vec<usize>,
}

/// Returns the input of a functional model and the chain from there. Paths in errors start with `prefix`.
pub(super) fn chain<'a>(
    values: &'a [Value],
    (inputs, outputs): (&Value, &Value),
    prefix: &str,
) -> Result<(&'a Config, usize, Vec<ChainStep<'a>>)> {
    let path = |i: usize| format!("{prefix}layers[{i}]");
    let mut names: HashMap<&str, usize> = HashMap::with_capacity(values.len());
    let mut nodes: Vec<GraphNode> = Vec::with_capacity(values.len());
    for (i, value) in values.iter().enumerate() {
        let Value::Config(config) = value else { return Err(refuse(&path(i), "a layer", value)) };
        let name = match beside(config, "name").or_else(|| config.get("name")) {
            Some(Value::Text(name)) => name,
            other => {
                return Err(refuse(&format!("{}.name", path(i)), "a text", other.unwrap_or(&Value::Null)));
            }
        };
        if let Some(first) = names.insert(name, i) {
            return Err(Error::DuplicateName { name: name.clone(), first, second: i });
        }
        nodes.push(GraphNode { config, name, inputs: Vec::new() });
    }
    let find = |name: &str, path: &str| {
        let unknown = || refuse(path, "the name of a layer of the model", format!("{name:?}"));
        names.get(name).copied().ok_or_else(unknown)
    };
    let input = end(inputs, "input", prefix, &find)?;
    let output = end(outputs, "output", prefix, &find)?;
    for (i, node) in nodes.iter_mut().enumerate() {
        let path = format!("{}.inbound_nodes", path(i));
        let sources = sources(node.config, &path)?;
        let what = format!("`{}` ({})", node.name, node.config.kind);
        match (node.config.kind == "InputLayer", sources.len()) {
            (true, 0) if i == input => {}
            (true, _) => return Err(refuse(&path, "one input of the model", format!("also {what}"))),
            (false, 0) => return Err(refuse(&path, "an input of the layer", format!("none of {what}"))),
            (false, 1) => {}
            (false, _) if is_merge(&node.config.kind) => {}
            (false, count) => {
                let expected = "one input, or an Add, Concatenate, Multiply, Average or Maximum of branches \
                    with one start: no other merge is supported";
                return Err(refuse(&path, expected, format!("{count} inputs of {what}")));
            }
        }
        node.inputs = sources.into_iter().map(|name| find(name, &path)).collect::<Result<_>>()?;
    }
    let dominators = dominators(&nodes, input, &path)?;
    let mut walk = Walk { used: vec![false; nodes.len()], nodes: &nodes, dominators, path: &path };
    let steps = walk.back(output, input, None, 0)?;
    walk.used[input] = true;
    if let Some(i) = walk.used.iter().position(|used| !used) {
        let expected = "a layer of the one chain from the input to the output";
        let found = format!("`{}` ({}) beside it", nodes[i].name, nodes[i].config.kind);
        return Err(refuse(&path(i), expected, found));
    }
    Ok((nodes[input].config, input, steps))
}

/// Splits a graph into chains.
struct Walk<'n, 'a> {
    nodes: &'n [GraphNode<'a>],
    /// For each layer, the last one through which all paths to it go.
    dominators: Vec<usize>,
    /// Whether a layer is part of a chain.
    used: Vec<bool>,
    path: &'n dyn Fn(usize) -> String,
}

impl<'a> Walk<'_, 'a> {
    /// Returns the chain between two layers, the first excluded; `merge` joins it with others.
    fn back(
        &mut self,
        end: usize,
        start: usize,
        merge: Option<usize>,
        depth: usize,
    ) -> Result<Vec<ChainStep<'a>>> {
        let (mut steps, mut current) = (Vec::new(), end);
        while current != start {
            let node = &self.nodes[current];
            if std::mem::replace(&mut self.used[current], true) {
                let expected = "branches that lie within each other or follow each other";
                let merge = merge.unwrap_or(current);
                let found = format!("two that overlap at this {}", self.nodes[merge].config.kind);
                return Err(refuse(&format!("{}.inbound_nodes", (self.path)(merge)), expected, found));
            }
            if depth > DEEPEST_RESIDUAL {
                let expected = format!("at most {DEEPEST_RESIDUAL} residual connections within each other");
                return Err(refuse(&(self.path)(current), expected, "more"));
            }
            let before = self.dominators[current];
            let mut branches = Vec::new();
            if is_merge(&node.config.kind) {
                for &input in &node.inputs {
                    branches.push(self.back(input, before, Some(current), depth + 1)?);
                }
            }
            steps.push(ChainStep { index: current, config: node.config, branches });
            current = before;
        }
        steps.reverse();
        Ok(steps)
    }
}

/// Refuses a `Concatenate` along another axis than the last.
pub(super) fn check_last_axis(fields: &mut Fields, config: &Config) -> Result<()> {
    let (axis, path): (i64, _) = (fields.get_or("axis", -1)?, fields.path_of("axis"));
    let first = match beside(config, "build_config") {
        Some(Value::Map(build)) => build.iter().find(|(name, _)| name == "input_shape"),
        _ => None,
    };
    let rank = match first {
        Some((_, Value::List(shapes))) => match shapes.first() {
            Some(Value::List(shape)) => shape.len() as i64,
            _ => 0,
        },
        _ => 0,
    };
    if axis != -1 && axis != rank - 1 {
        return Err(refuse(&path, "-1, the last axis", axis));
    }
    Ok(())
}

/// Returns the entry of the file beside the settings of a layer.
fn beside<'a>(config: &'a Config, wanted: &str) -> Option<&'a Value> {
    config.beside.iter().find(|(name, _)| name == wanted).map(|(_, value)| value)
}

/// Returns the layer that is the only input or output of the model.
fn end(value: &Value, what: &str, prefix: &str, find: &dyn Fn(&str, &str) -> Result<usize>) -> Result<usize> {
    let path = format!("{prefix}config.{what}_layers");
    let single = match value {
        Value::List(list) if matches!(list[..], [Value::List(_)]) => &list[0],
        value => value,
    };
    let name = match single {
        // An inner functional model counts its own construction as its first application.
        Value::List(list) => match &list[..] {
            [Value::Text(name), Value::Int(0 | 1), Value::Int(0)] => Some(name),
            _ => None,
        },
        _ => None,
    };
    match name {
        Some(name) => find(name, &path),
        None => Err(refuse(&path, format!("one {what}, such as [\"name\", 0, 0]"), value)),
    }
}

/// Returns the layers whose outputs a layer takes.
fn sources<'a>(config: &'a Config, path: &str) -> Result<Vec<&'a str>> {
    let nodes = match beside(config, "inbound_nodes") {
        None => return Ok(Vec::new()),
        Some(Value::List(nodes)) => &nodes[..],
        Some(value) => return Err(refuse(path, "a list", value)),
    };
    let node = match nodes {
        [] => return Ok(Vec::new()),
        [node] => node,
        more => {
            let found = format!("{} applications", more.len());
            return Err(refuse(path, "a layer that is applied once: shared layers are not supported", found));
        }
    };
    let mut sources = Vec::new();
    let mut take = |value: &'a Value| match source(value) {
        Some(name) => {
            sources.push(name);
            Ok(())
        }
        None => Err(refuse(path, "the single output of another layer", value)),
    };
    match node {
        // Keras 2: [["name", 0, 0, {}], ...].
        Value::List(inputs) => {
            for input in inputs {
                if let Value::List(parts) = input
                    && let Some(arguments) = parts.get(3)
                {
                    check_arguments(arguments, config, path)?;
                }
                take(input)?;
            }
        }
        Value::Map(fields) => {
            let field = |wanted: &str| fields.iter().find(|(name, _)| name == wanted).map(|(_, value)| value);
            check_arguments(field("kwargs").unwrap_or(&Value::Null), config, path)?;
            match field("args") {
                Some(Value::List(inputs)) => {
                    for input in inputs {
                        match input {
                            Value::List(inputs) => inputs.iter().try_for_each(&mut take)?,
                            input => take(input)?,
                        }
                    }
                }
                other => return Err(refuse(path, "the arguments of a layer", other.unwrap_or(&Value::Null))),
            }
        }
        node => return Err(refuse(path, "an application of a layer", node)),
    }
    Ok(sources)
}

/// Returns the layer of a tensor.
fn source(value: &Value) -> Option<&str> {
    let history = match value {
        Value::Config(config) if config.kind == "__keras_tensor__" => config.get("keras_history")?,
        value => value,
    };
    match history {
        Value::List(parts) => match &parts[..] {
            [Value::Text(name), Value::Int(0), Value::Int(0)]
            | [Value::Text(name), Value::Int(0), Value::Int(0), _] => Some(name),
            _ => None,
        },
        _ => None,
    }
}

/// Refuses arguments besides the input, unless they change nothing.
fn check_arguments(arguments: &Value, config: &Config, path: &str) -> Result<()> {
    let named = match arguments {
        Value::Null => return Ok(()),
        Value::Map(named) => named,
        value => return Err(refuse(path, "named arguments", value)),
    };
    let changes = |(name, value): &&(String, Value)| match value {
        Value::Null => false,
        Value::Bool(false) if name == "training" => !predicts_in_training(config),
        _ => true,
    };
    match named.iter().find(changes) {
        Some((name, value)) => {
            let found = format!("`{name}` = {value} for {}", config.kind);
            Err(refuse(path, "no arguments besides the input", found))
        }
        None => Ok(()),
    }
}

/// Whether a layer computes the same in training as in a prediction: without noise, and with fixed moving averages.
fn predicts_in_training(config: &Config) -> bool {
    fn averages(config: &Config) -> bool {
        let within = |value: &Value| match value {
            Value::Config(config) => averages(config),
            Value::List(values) => {
                values.iter().any(|value| matches!(value, Value::Config(c) if averages(c)))
            }
            _ => false,
        };
        config.kind == "BatchNormalization" || config.fields.iter().any(|(_, value)| within(value))
    }
    let frozen = config.get("trainable") == Some(&Value::Bool(false));
    !draws_later(config) && (frozen || !averages(config))
}

/// Returns the dominator of each layer: the last one through which all paths from the input to it go.
fn dominators(nodes: &[GraphNode], input: usize, path: &dyn Fn(usize) -> String) -> Result<Vec<usize>> {
    let mut users = vec![Vec::new(); nodes.len()];
    for (i, node) in nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&before| users[before].push(i));
    }
    let mut waiting: Vec<usize> = nodes.iter().map(|node| node.inputs.len()).collect();
    // The number of dominators above each.
    let (mut dominators, mut depths) = (vec![input; nodes.len()], vec![0; nodes.len()]);
    // Branches that do not overlap are walked once.
    let mut left = 2 * nodes.len() + users.iter().map(Vec::len).sum::<usize>();
    let mut ready = vec![input];
    while let Some(i) = ready.pop() {
        if let [first, others @ ..] = &nodes[i].inputs[..] {
            let mut common = *first;
            for &other in others {
                let mut other = other;
                while common != other {
                    let deeper = if depths[common] > depths[other] { &mut common } else { &mut other };
                    *deeper = dominators[*deeper];
                    left = left.checked_sub(1).ok_or_else(|| {
                        let expected = "branches that lie within each other or follow each other";
                        let found = format!("two that overlap before this {}", nodes[i].config.kind);
                        refuse(&format!("{}.inbound_nodes", path(i)), expected, found)
                    })?;
                }
            }
            (dominators[i], depths[i]) = (common, depths[common] + 1);
        }
        for &user in &users[i] {
            waiting[user] -= 1;
            if waiting[user] == 0 {
                ready.push(user);
            }
        }
    }
    match waiting.iter().position(|&count| count > 0) {
        Some(i) => {
            let found = format!("a cycle through or before `{}`", nodes[i].name);
            Err(refuse(&format!("{}.inbound_nodes", path(i)), "a chain from the input to the output", found))
        }
        None => Ok(dominators),
    }
}

/// Returns whether the model draws random numbers in training, so that earlier draws must be repeated.
pub(in crate::save) fn draws_later(config: &Config) -> bool {
    let zero = |value: &Value| matches!(value, Value::Float(0.0) | Value::Int(0) | Value::Null);
    config.fields.iter().any(|(name, value)| match value {
        Value::Config(config) => draws_later(config),
        Value::List(values) => values.iter().any(|value| matches!(value, Value::Config(c) if draws_later(c))),
        value => ["rate", "stddev", "dropout", "recurrent_dropout"].contains(&&**name) && !zero(value),
    })
}
