//! Orders the layers of a functional model, which must be a chain in which each `Add` joins a branch and its start.

use std::collections::HashMap;

use crate::config::{Config, Value, refuse};
use crate::error::{Error, Result};

/// A layer of the chain.
pub(super) struct ChainStep<'a> {
    /// Its place in the file's list of layers.
    pub(super) index: usize,
    pub(super) config: &'a Config,
    /// For an `Add`: the position in the chain of the second input, the start of the branch.
    pub(super) start: Option<usize>,
}

/// A layer and its inputs.
struct GraphNode<'a> {
    config: &'a Config,
    name: &'a str,
    inputs: Vec<usize>,
}

/// Returns the chain of a functional model; the first step is its input. Paths in errors start with `prefix`.
pub(super) fn chain<'a>(
    values: &'a [Value],
    (inputs, outputs): (&Value, &Value),
    prefix: &str,
) -> Result<Vec<ChainStep<'a>>> {
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
            (false, 2) if node.config.kind == "Add" => {}
            (false, count) => {
                let expected =
                    "one input, or an Add of a chain and its own start: no other merge is supported";
                return Err(refuse(&path, expected, format!("{count} inputs of {what}")));
            }
        }
        node.inputs = sources.into_iter().map(|name| find(name, &path)).collect::<Result<_>>()?;
    }
    let depths = depths(&nodes, input, &path)?;
    let (mut order, mut current) = (vec![(output, None)], output);
    loop {
        current = match nodes[current].inputs[..] {
            [before] => before,
            [a, b] => {
                let (before, start) = if depths[a] > depths[b] { (a, b) } else { (b, a) };
                if depths[before] == depths[start] {
                    let node = &nodes[current];
                    let expected = "an Add of a chain and its own start";
                    let found = format!("`{}` of two other branches", node.name);
                    return Err(refuse(&format!("{}.inbound_nodes", path(current)), expected, found));
                }
                if let Some((_, second)) = order.last_mut() {
                    *second = Some(start);
                }
                before
            }
            _ => break,
        };
        order.push((current, None));
    }
    order.reverse();
    let mut positions = vec![None; nodes.len()];
    order.iter().enumerate().for_each(|(position, (index, _))| positions[*index] = Some(position));
    if let Some(i) = positions.iter().position(Option::is_none) {
        let expected = "a layer of the one chain from the input to the output";
        let found = format!("`{}` ({}) beside it", nodes[i].name, nodes[i].config.kind);
        return Err(refuse(&path(i), expected, found));
    }
    let step = |(index, start): (usize, Option<usize>)| ChainStep {
        index,
        config: nodes[index].config,
        start: start.and_then(|start| positions[start]),
    };
    Ok(order.into_iter().map(step).collect())
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

/// Returns the length of the longest path from the input to each layer.
fn depths(nodes: &[GraphNode], input: usize, path: &dyn Fn(usize) -> String) -> Result<Vec<usize>> {
    let (mut depths, mut users) = (vec![0; nodes.len()], vec![Vec::new(); nodes.len()]);
    for (i, node) in nodes.iter().enumerate() {
        node.inputs.iter().for_each(|&before| users[before].push(i));
    }
    let mut waiting: Vec<usize> = nodes.iter().map(|node| node.inputs.len()).collect();
    let mut ready = vec![input];
    while let Some(i) = ready.pop() {
        for &user in &users[i] {
            depths[user] = depths[user].max(depths[i] + 1);
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
        None => Ok(depths),
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
