//! Layers that rearrange numbers without changing them.

use ndarray::Array1;

use super::graph::{Graph, ints, long};
use super::place::{OnnxLayer, shaped};
use crate::error::Result;
use crate::layer::{Between, Interpolation, between};
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
    let sides: Vec<[i64; 2]> = match &*at.config.kind {
        "Cropping1D" => vec![at.get("cropping")?],
        _ => at.get("cropping")?,
    };
    let starts = graph.integers("start", sides.iter().map(|[before, _]| *before));
    let ends = sides.iter().zip(at.output).map(|([before, _], len)| before + long(*len));
    let ends = graph.integers("end", ends);
    let axes = graph.integers("axis", (1..=sides.len()).map(long));
    Ok(graph.op("Slice", &[x, &starts, &ends, &axes], vec![]))
}

pub(super) fn up_sampling<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let size: usize = at.get("size")?;
    Ok(graph.pick(x, (0..at.output[0]).map(|step| step / size)))
}

pub(super) fn up_sampling_2d<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (size, interpolation): ([usize; 2], Interpolation) = (at.get("size")?, at.get("interpolation")?);
    let mut y = x.to_string();
    for axis in 0..2 {
        y = match interpolation {
            Interpolation::Nearest => {
                graph.pick_along(&y, axis + 1, (0..at.output[axis]).map(|place| place / size[axis]))
            }
            // Not Resize: tract extrapolates beyond the centres of the outer pixels.
            Interpolation::Bilinear => {
                let places: Vec<Between> = between(size[axis], at.input[axis]).collect();
                let first = graph.pick_along(&y, axis + 1, places.iter().map(|at| at.first));
                let second = graph.pick_along(&y, axis + 1, places.iter().map(|at| at.second));
                let shares = places.iter().map(|at| at.share as f32 / (2 * size[axis]) as f32);
                // The share applies to the axis and all after it.
                let lengths: &[usize] = &[&[places.len(), 1][..], &[1][..1 - axis]].concat();
                let shares = shaped(Array1::from_iter(shares).into_dyn(), lengths)?;
                let rest = graph.constant("rest", &shares.mapv(|share| 1.0 - share));
                let shares = graph.constant("share", &shares);
                let first = graph.op("Mul", &[&first, &rest], vec![]);
                let second = graph.op("Mul", &[&second, &shares], vec![]);
                graph.op("Add", &[&first, &second], vec![])
            }
        };
    }
    Ok(y)
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
