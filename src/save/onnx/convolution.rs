//! Convolutions and pools. ONNX has channels first, so the axes are permuted before and after.

use super::activation::activate;
use super::graph::{Graph, int, ints, long};
use super::place::{OnnxLayer, shaped, turned};
use super::proto::Attribute;
use super::shape::{channels_first, channels_last, sizes};
use crate::error::Result;
use crate::layer::Padding;
use crate::scalar::Scalar;

pub(super) fn conv<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let kernel = filters_first(at.needed("kernel")?);
    let groups: usize = at.get("groups")?;
    convolve(graph, at, x, &[(kernel, groups)])
}

pub(super) fn depthwise<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let channels = at.input[at.input.len() - 1];
    let kernel = by_channel(at.needed("kernel")?)?;
    convolve(graph, at, x, &[(kernel, channels)])
}

pub(super) fn separable<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let channels = at.input[at.input.len() - 1];
    let depthwise = by_channel(at.needed("depthwise_kernel")?)?;
    let pointwise = filters_first(at.needed("pointwise_kernel")?);
    convolve(graph, at, x, &[(depthwise, channels), (pointwise, 1)])
}

pub(super) fn conv_transpose<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (size, strides, dilation) =
        (at.sizes("kernel_size")?, at.sizes("strides")?, at.sizes("dilation_rate")?);
    // The outputs of all taps: those beyond the output are cut off by pads, and those that no tap reaches are added.
    let [mut before, mut after, mut added] = [const { Vec::new() }; 3];
    for axis in 0..size.len() {
        let (start, length) = ((at.input[axis] - 1) * strides[axis], at.output[axis]);
        let covered = (size[axis] - 1) * dilation[axis] + 1;
        let cut = covered.saturating_sub(length - start) / 2;
        before.push(cut);
        after.push((start + covered - cut).saturating_sub(length));
        added.push((length + cut).saturating_sub(start + covered));
    }
    let attributes = vec![
        sizes("kernel_shape", &size),
        sizes("strides", &strides),
        sizes("dilations", &dilation),
        sizes("pads", &[before, after].concat()),
        sizes("output_padding", &added),
    ];
    // (taps ..., filters, channels) becomes (channels, filters, taps ...).
    let kernel = graph.constant("kernel", &filters_first(at.needed("kernel")?));
    let bias = at.weight("bias").map(|bias| graph.constant("bias", &bias));
    let first = channels_first(graph, x, at.input.len());
    let inputs: Vec<&str> = [&*first, &*kernel].into_iter().chain(bias.as_deref()).collect();
    let y = graph.op("ConvTranspose", &inputs, attributes);
    let z = channels_last(graph, &y, at.input.len());
    Ok(activate(graph, at.function("activation")?, &z, at.width()))
}

/// (taps ..., channels, filters) becomes (filters, channels, taps ...).
fn filters_first(kernel: ndarray::ArrayD<f32>) -> ndarray::ArrayD<f32> {
    let last = kernel.ndim() - 1;
    let axes: Vec<usize> = [last, last - 1].into_iter().chain(0..last - 1).collect();
    turned(kernel, &axes)
}

/// (taps ..., channels, kernels of each) becomes (channels · kernels, 1, taps ...).
fn by_channel(kernel: ndarray::ArrayD<f32>) -> Result<ndarray::ArrayD<f32>> {
    let (taps, last) = (kernel.ndim() - 2, kernel.ndim() - 1);
    let axes: Vec<usize> = [taps, last].into_iter().chain(0..taps).collect();
    let shape = [&[kernel.shape()[taps] * kernel.shape()[last], 1], &kernel.shape()[..taps]].concat();
    shaped(turned(kernel, &axes), &shape)
}

/// A sequence of convolutions, each with a kernel and groups. The first one has the window, the last one the bias.
fn convolve<F: Scalar>(
    graph: &mut Graph,
    at: &OnnxLayer<F>,
    x: &str,
    kernels: &[(ndarray::ArrayD<f32>, usize)],
) -> Result<String> {
    let rank = at.input.len();
    let mut y = channels_first(graph, x, rank);
    for (i, (kernel, groups)) in kernels.iter().enumerate() {
        let mut attributes = vec![sizes("kernel_shape", &kernel.shape()[2..]), int("group", long(*groups))];
        if i == 0 {
            let (strides, dilation) = (at.sizes("strides")?, at.sizes("dilation_rate")?);
            attributes.push(pads(at, &kernel.shape()[2..], &strides, &dilation)?);
            attributes.extend([sizes("strides", &strides), sizes("dilations", &dilation)]);
        }
        let kernel = graph.constant("kernel", kernel);
        let bias = at.weight("bias").filter(|_| i + 1 == kernels.len());
        let bias = bias.map(|bias| graph.constant("bias", &bias));
        let inputs: Vec<&str> = [&*y, &*kernel].into_iter().chain(bias.as_deref()).collect();
        y = graph.op("Conv", &inputs, attributes);
    }
    let z = channels_last(graph, &y, rank);
    Ok(activate(graph, at.function("activation")?, &z, at.width()))
}

pub(super) fn pool<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, kind: &str, x: &str) -> Result<String> {
    let (rank, size) = (at.input.len(), at.sizes("pool_size")?);
    let strides = match at.config.get("strides") {
        Some(crate::config::Value::Null) => size.clone(),
        _ => at.sizes("strides")?,
    };
    let pads = pads(at, &size, &strides, &vec![1; size.len()])?;
    let first = channels_first(graph, x, rank);
    // Padding does not count in a mean, which is ONNX's default.
    let y = graph.op(kind, &[&first], vec![sizes("kernel_shape", &size), sizes("strides", &strides), pads]);
    Ok(channels_last(graph, &y, rank))
}

pub(super) fn global<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, kind: &str, x: &str) -> Result<String> {
    let keep: bool = at.get("keepdims")?;
    let axes = ints("axes", (1..at.input.len()).map(long));
    Ok(graph.op(kind, &[x], vec![axes, int("keepdims", keep.into())]))
}

/// The mean of the steps that the mask includes.
pub(super) fn masked_mean<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let Some(mask) = at.step_mask() else { return global(graph, at, "ReduceMean", x) };
    let keep = int("keepdims", at.get::<bool>("keepdims")?.into());
    let steps = graph.integers("axes", [1]);
    let included = graph.op("Mul", &[x, mask], vec![]);
    let sum = graph.op("ReduceSum", &[&included, &steps], vec![keep.clone()]);
    let count = graph.op("ReduceSum", &[mask, &steps], vec![keep]);
    let one = graph.scalar(1.0);
    let count = graph.op("Max", &[&count, &one], vec![]);
    Ok(graph.op("Div", &[&sum, &count], vec![]))
}

/// The padding before and after each axis.
fn pads<F: Scalar>(
    at: &OnnxLayer<F>,
    size: &[usize],
    strides: &[usize],
    dilation: &[usize],
) -> Result<Attribute> {
    let padding: Padding = at.get("padding")?;
    let sides = (0..size.len()).map(|axis| {
        let covered = (size[axis] - 1) * dilation[axis] + 1;
        match padding {
            Padding::Valid => [0, 0],
            Padding::Causal => [covered - 1, 0],
            Padding::Same => {
                let reach = (at.output[axis] - 1) * strides[axis] + covered;
                let missing = reach.saturating_sub(at.input[axis]);
                [missing / 2, missing - missing / 2]
            }
        }
    });
    let sides: Vec<[usize; 2]> = sides.collect();
    Ok(ints("pads", (0..2).flat_map(|side| sides.iter().map(move |sides| long(sides[side])))))
}

impl<F: Scalar> OnnxLayer<'_, F> {
    /// A setting with one length per axis of the window.
    fn sizes(&self, name: &str) -> Result<Vec<usize>> {
        match self.input.len() {
            2 => Ok(self.get::<[usize; 1]>(name)?.into()),
            _ => Ok(self.get::<[usize; 2]>(name)?.into()),
        }
    }
}
