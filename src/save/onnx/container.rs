//! Layers that contain layers.

use super::graph::{Graph, int, long};
use super::place::Place;
use super::shape::reversed;
use super::{chain, layer, recurrent};
use crate::error::Result;
use crate::layer::MergeMode;
use crate::scalar::Scalar;

/// x + f(x).
pub(super) fn residual<F: Scalar>(graph: &mut Graph, at: &Place<F>, x: &str) -> Result<String> {
    let through = chain(graph, at.node.layers(), &at.path, x)?;
    graph.enter(&at.path);
    Ok(graph.op("Add", &[x, &through], vec![]))
}

/// All steps of all samples form one batch for the inner layer.
pub(super) fn time_distributed<F: Scalar>(graph: &mut Graph, at: &Place<F>, x: &str) -> Result<String> {
    let mut y = x.to_string();
    let rows = |graph: &mut Graph, x: &str, shape: &[usize]| {
        let sizes = shape.iter().map(|&size| long(size));
        let shape = graph.integers("shape", std::iter::once(-1).chain(sizes));
        graph.op("Reshape", &[x, &shape], vec![])
    };
    for node in at.node.layers() {
        y = rows(graph, &y, &at.input[1..]);
        y = layer(graph, node, &at.path, &y)?;
        graph.enter(&at.path);
        y = rows(graph, &y, at.output);
    }
    Ok(y)
}

/// Two recurrent layers, merged in the order of time.
pub(super) fn bidirectional<F: Scalar>(graph: &mut Graph, at: &Place<F>, x: &str) -> Result<String> {
    let mut outputs = Vec::new();
    for (i, node) in at.node.layers().iter().enumerate() {
        let inner = Place::new(node, &at.path)?;
        graph.enter(&inner.path);
        let y = recurrent::run(graph, &inner, x)?;
        outputs.push(if i == 1 && at.output.len() == 2 { reversed(graph, &y, at.output[0]) } else { y });
    }
    graph.enter(&at.path);
    let both: Vec<&str> = outputs.iter().map(String::as_str).collect();
    Ok(match at.get("merge_mode")? {
        MergeMode::Concat => graph.op("Concat", &both, vec![int("axis", -1)]),
        MergeMode::Sum => graph.op("Add", &both, vec![]),
        MergeMode::Mul => graph.op("Mul", &both, vec![]),
        MergeMode::Ave => {
            let half = graph.scalar(0.5);
            let sum = graph.op("Add", &both, vec![]);
            graph.op("Mul", &[&sum, &half], vec![])
        }
    })
}
