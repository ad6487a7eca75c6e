//! Categories: the bins of numbers, and vectors with 1 at each category.

use ndarray::ArrayD;

use super::graph::{Graph, int, ints};
use super::place::OnnxLayer;
use super::proto::FLOAT;
use crate::error::Result;
use crate::layer::OutputMode;
use crate::scalar::Scalar;

/// The number of boundaries less that of boundaries above `x`.
pub(super) fn discretization<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let boundaries: Vec<f64> = at.get("bin_boundaries")?;
    let count = boundaries.len();
    let boundaries = ArrayD::from_shape_fn(vec![count], |place| boundaries[place[0]] as f32);
    let boundaries = graph.constant("bin_boundaries", &boundaries);
    let last = graph.integers("axis", [-1]);
    let each = graph.op("Unsqueeze", &[x, &last], vec![]);
    let above = graph.op("Less", &[&each, &boundaries], vec![]);
    let above = graph.op("Cast", &[&above], vec![int("to", FLOAT.into())]);
    let above = graph.op("ReduceSum", &[&above, &last], vec![int("keepdims", 0)]);
    let all = graph.scalar(count as f64);
    let bins = graph.op("Sub", &[&all, &above], vec![]);
    encoded(graph, at, &bins, count + 1)
}

pub(super) fn encoding<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    encoded(graph, at, x, at.get("num_tokens")?)
}

/// The indices in the form that the layer returns.
fn encoded<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, indices: &str, depth: usize) -> Result<String> {
    let mode: OutputMode = at.get("output_mode")?;
    if mode == OutputMode::Int {
        return Ok(indices.into());
    }
    let categories =
        graph.constant("categories", &ArrayD::from_shape_fn(vec![depth], |place| place[0] as f32));
    let last = graph.integers("axis", [-1]);
    let each = graph.op("Unsqueeze", &[indices, &last], vec![]);
    let equal = graph.op("Equal", &[&each, &categories], vec![]);
    let hot = graph.op("Cast", &[&equal], vec![int("to", FLOAT.into())]);
    Ok(match mode {
        OutputMode::Count => {
            let values = graph.integers("axis", [-2]);
            graph.op("ReduceSum", &[&hot, &values], vec![int("keepdims", 0)])
        }
        OutputMode::MultiHot => graph.op("ReduceMax", &[&hot], vec![ints("axes", [-2]), int("keepdims", 0)]),
        _ => graph.reshape(&hot, at.output),
    })
}
