//! Layers that rearrange numbers without changing them.

use super::graph::{Graph, ints, long};
use super::place::OnnxLayer;
use crate::error::Result;
use crate::scalar::Scalar;

pub(super) fn permute<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let axes: Vec<usize> = at.get("dims")?;
    Ok(graph.transpose(x, std::iter::once(0).chain(axes)))
}

pub(super) fn repeat<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let axis = graph.integers("axis", [1]);
    let row = graph.op("Unsqueeze", &[x, &axis], vec![]);
    // Not Tile: tract fails if it precedes a recurrent layer.
    Ok(graph.pick(&row, std::iter::repeat_n(0, at.output[0])))
}

pub(super) fn padding<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let sides: Vec<[i64; 2]> = match &*at.config.kind {
        "ZeroPadding1D" => vec![at.get("padding")?],
        _ => at.get("padding")?,
    };
    // For the batch, the padded axes and the channels: all widths before, then all widths after.
    let side = |side: usize| {
        let padded = sides.iter().map(move |sides| sides[side]);
        std::iter::once(0).chain(padded).chain([0])
    };
    let sizes = graph.integers("sizes", side(0).chain(side(1)));
    Ok(graph.op("Pad", &[x, &sizes], vec![]))
}

pub(super) fn cropping<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let [before, _]: [i64; 2] = at.get("cropping")?;
    let start = graph.integers("start", [before]);
    let end = graph.integers("end", [before + long(at.output[0])]);
    let axis = graph.integers("axis", [1]);
    Ok(graph.op("Slice", &[x, &start, &end, &axis], vec![]))
}

pub(super) fn up_sampling<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let size: usize = at.get("size")?;
    Ok(graph.pick(x, (0..at.output[0]).map(|step| step / size)))
}

/// Reverses the steps.
pub(super) fn reversed(graph: &mut Graph, x: &str, steps: usize) -> String {
    graph.pick(x, (0..steps).rev())
}

/// Moves the channel axis of a batch from the end to the front of a sample, or back.
pub(super) fn channels_first(graph: &mut Graph, x: &str, rank: usize) -> String {
    graph.transpose(x, [0, rank].into_iter().chain(1..rank))
}

pub(super) fn channels_last(graph: &mut Graph, x: &str, rank: usize) -> String {
    graph.transpose(x, std::iter::once(0).chain(2..=rank).chain([1]))
}

/// A list of lengths as an attribute.
pub(super) fn sizes(name: &str, values: &[usize]) -> super::proto::Attribute {
    ints(name, values.iter().map(|&size| long(size)))
}
