//! The common part of the two ways to export a recurrent layer.

use ndarray::{ArrayD, Axis, Slice};

use super::graph::{Graph, int, long, one};
use crate::activation::Activation;

/// The settings of a recurrent layer.
#[derive(Debug)]
pub(super) struct Recurrence {
    pub(super) units: usize,
    pub(super) gates: usize,
    pub(super) activation: Activation,
    pub(super) gate: Activation,
    pub(super) sequences: bool,
    /// Whether the outputs of masked steps are 0.
    pub(super) zero_outputs: bool,
    /// For a GRU: whether the reset gate is applied after the product.
    pub(super) reset_after: bool,
}

/// Zeros for each sample of `x`, with these axes before the batch axis.
pub(super) fn zeros(graph: &mut Graph, x: &str, before: &[i64], units: usize) -> String {
    let shape = graph.op("Shape", &[x], vec![]);
    let first = graph.integers("places", [0]);
    let batch = graph.op("Gather", &[&shape, &first], vec![int("axis", 0)]);
    let units = graph.integers("units", [long(units)]);
    let before = (!before.is_empty()).then(|| graph.integers("directions", before.iter().copied()));
    let parts: Vec<&str> = before.as_deref().into_iter().chain([&*batch, &*units]).collect();
    let shape = graph.op("Concat", &parts, vec![int("axis", 0)]);
    // The value is the default, but some runtimes have no default type.
    graph.op("ConstantOfShape", &[&shape], vec![one("value", 0.0)])
}

/// The columns of these gates.
pub(super) fn columns(matrix: &ArrayD<f32>, units: usize, gates: std::ops::Range<usize>) -> ArrayD<f32> {
    let places = gates.start * units..gates.end * units;
    matrix.slice_axis(Axis(matrix.ndim() - 1), Slice::from(places)).to_owned()
}
