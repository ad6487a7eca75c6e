//! Normalization and rescaling layers.

use ndarray::ArrayD;

use super::activation::clip;
use super::graph::{Graph, float, int, ints, long};
use super::place::{OnnxLayer, shaped};
use crate::error::Result;
use crate::layer::{JoinedAxes, PerChannel};
use crate::scalar::Scalar;

pub(super) fn rescaling<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (scale, offset): (PerChannel, PerChannel) = (at.get("scale")?, at.get("offset")?);
    let numbers = |graph: &mut Graph, name, PerChannel(values): &PerChannel| match values[..] {
        [one] => graph.scalar(one),
        _ => {
            let values: Vec<f32> = values.iter().map(|&value| value as f32).collect();
            graph.constant(name, &ndarray::Array1::from(values).into_dyn())
        }
    };
    let factor = numbers(graph, "scale", &scale);
    let scaled = graph.op("Mul", &[x, &factor], vec![]);
    if offset.0 == [0.0] {
        return Ok(scaled);
    }
    let offset = numbers(graph, "offset", &offset);
    Ok(graph.op("Add", &[&scaled, &offset], vec![]))
}

/// (x − μ) / max(σ, 1e-7), with one μ and σ, or one per index of an axis.
pub(super) fn normalization<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let axes: Option<JoinedAxes> = at.get("axis")?;
    let axes = axes.map_or(Ok(Vec::new()), |axes| axes.indices(at.input))?;
    let statistics = |name: &str| at.get(name).or_else(|_| at.get(name).map(|one: f64| vec![one]));
    let numbers = |name: &str| -> Result<ArrayD<f32>> {
        let values = match at.weight(name) {
            Some(values) => values,
            None => ndarray::Array1::from(statistics(name)?).mapv(|value| value as f32).into_dyn(),
        };
        if values.len() == 1 {
            return shaped(values, &[1]);
        }
        let first = axes.first().copied().unwrap_or(0);
        let length = |axis: usize| if axes.contains(&axis) { at.input[axis] } else { 1 };
        shaped(values, &(first..at.input.len()).map(length).collect::<Vec<_>>())
    };
    let mean = graph.constant("mean", &numbers("mean")?);
    let deviation = numbers("variance")?.mapv(|variance| variance.sqrt().max(1e-7));
    let deviation = graph.constant("deviation", &deviation);
    let moved = graph.op("Sub", &[x, &mean], vec![]);
    Ok(graph.op("Div", &[&moved, &deviation], vec![]))
}

/// As a factor and an offset per channel, so that channels may stay last.
pub(super) fn batch<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (mean, variance) = (at.needed("moving_mean")?, at.needed("moving_variance")?);
    let epsilon: f64 = at.get("epsilon")?;
    let mut factor = variance.mapv(|variance| 1.0 / (variance + epsilon as f32).sqrt());
    if let Some(gamma) = at.weight("gamma") {
        factor *= &gamma;
    }
    let mut shift = -(mean * &factor);
    if let Some(beta) = at.weight("beta") {
        shift += &beta;
    }
    // Along another axis than the last, the channels are followed by axes of length 1.
    let after = axes(at)?.first().map_or(0, |axis| at.input.len() - 1 - axis);
    let shape: Vec<usize> = factor.shape().iter().copied().chain(std::iter::repeat_n(1, after)).collect();
    let factor = graph.constant("factor", &shaped(factor, &shape)?);
    let shift = graph.constant("shift", &shaped(shift, &shape)?);
    let scaled = graph.op("Mul", &[x, &factor], vec![]);
    Ok(graph.op("Add", &[&scaled, &shift], vec![]))
}

pub(super) fn layer<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let axes = axes(at)?;
    let shape: Vec<usize> = axes.iter().map(|&axis| at.input[axis]).collect();
    let gamma = at.weight("gamma").unwrap_or_else(|| ArrayD::ones(&*shape));
    let gamma = graph.constant("gamma", &gamma);
    let beta = at.weight("beta").unwrap_or_else(|| ArrayD::zeros(&*shape));
    let beta = graph.constant("beta", &beta);
    let attributes = vec![int("axis", -long(axes.len())), float("epsilon", at.get("epsilon")?)];
    if axes[0] + axes.len() == at.input.len() {
        return Ok(graph.op("LayerNormalization", &[x, &gamma, &beta], attributes));
    }
    // The operator normalizes the last axes only.
    let others = (0..at.input.len()).filter(|axis| !axes.contains(axis));
    let order: Vec<usize> = others.chain(axes.iter().copied()).map(|axis| axis + 1).collect();
    let order: Vec<usize> = std::iter::once(0).chain(order).collect();
    let moved = graph.transpose(x, order.iter().copied());
    let y = graph.op("LayerNormalization", &[&moved, &gamma, &beta], attributes);
    let back = (0..order.len()).filter_map(|axis| order.iter().position(|&from| from == axis));
    Ok(graph.transpose(&y, back))
}

/// x / √(mean(x²) + ε), times the scale.
pub(super) fn rms<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let count = long(axes(at)?.len());
    let square = graph.op("Mul", &[x, x], vec![]);
    let mean = graph.op("ReduceMean", &[&square], vec![ints("axes", -count..0), int("keepdims", 1)]);
    let y = over_root(graph, x, &mean, at.get("epsilon")?);
    let scale = graph.constant("scale", &at.needed("scale")?);
    Ok(graph.op("Mul", &[&y, &scale], vec![]))
}

/// x / √(v + ε)
fn over_root(graph: &mut Graph, x: &str, variance: &str, epsilon: f64) -> String {
    let epsilon = graph.scalar(epsilon);
    let sum = graph.op("Add", &[variance, &epsilon], vec![]);
    let root = graph.op("Sqrt", &[&sum], vec![]);
    graph.op("Div", &[x, &root], vec![])
}

/// The axis of the channels is split into groups and the channels of a group.
pub(super) fn group<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (axis, groups): (usize, isize) = (axes(at)?.first().copied().unwrap_or(0), at.get("groups")?);
    let groups = usize::try_from(groups).unwrap_or(at.input[axis]);
    let split = [&at.input[..axis], &[groups, at.input[axis] / groups], &at.input[axis + 1..]].concat();
    let by_group = graph.reshape(x, &split);
    // All axes but those of the batch and of the groups.
    let reduced: Vec<usize> = (1..=split.len()).filter(|&of_split| of_split != axis + 1).collect();
    let mean_of = |graph: &mut Graph, x: &str| {
        let axes = ints("axes", reduced.iter().copied().map(long));
        graph.op("ReduceMean", &[x], vec![axes, int("keepdims", 1)])
    };
    let mean = mean_of(graph, &by_group);
    let centered = graph.op("Sub", &[&by_group, &mean], vec![]);
    let square = graph.op("Mul", &[&centered, &centered], vec![]);
    let variance = mean_of(graph, &square);
    let normalized = over_root(graph, &centered, &variance, at.get("epsilon")?);
    let mut y = graph.reshape(&normalized, at.input);
    let after = at.input.len() - 1 - axis;
    for (kind, name) in [("Mul", "gamma"), ("Add", "beta")] {
        if let Some(values) = at.weight(name) {
            let shape: Vec<usize> =
                std::iter::once(values.len()).chain(std::iter::repeat_n(1, after)).collect();
            let values = graph.constant(name, &shaped(values, &shape)?);
            y = graph.op(kind, &[&y, &values], vec![]);
        }
    }
    Ok(y)
}

/// The indices of the axes of the setting `axis` in the shape of a sample, in increasing order.
fn axes<F: Scalar>(at: &OnnxLayer<F>) -> Result<Vec<usize>> {
    at.get::<JoinedAxes>("axis")?.indices(at.input)
}

pub(super) fn unit<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let JoinedAxes(axes) = at.get("axis")?;
    let axes = axes.into_iter().map(|axis| axis as i64);
    let norm = graph.op("ReduceL2", &[x], vec![ints("axes", axes), int("keepdims", 1)]);
    let norm = clip(graph, &norm, Some(1e-12), None);
    Ok(graph.op("Div", &[x, &norm], vec![]))
}
