//! Dense layers, embeddings, and activations as layers.

use super::activation::activate;
use super::graph::{Graph, int, ints};
use super::place::{OnnxLayer, OnnxMask, refused};
use crate::activation::Activation;
use crate::error::Result;
use crate::layer::NamedLayer;
use crate::scalar::Scalar;

pub(super) fn dense<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let kernel = graph.constant("kernel", &at.needed("kernel")?);
    let bias = at.weight("bias").map(|bias| graph.constant("bias", &bias));
    let z = match bias {
        // Gemm takes matrices alone.
        Some(bias) if at.input.len() == 1 => graph.op("Gemm", &[x, &kernel, &bias], vec![]),
        Some(bias) => {
            let product = graph.op("MatMul", &[x, &kernel], vec![]);
            graph.op("Add", &[&product, &bias], vec![])
        }
        None => graph.op("MatMul", &[x, &kernel], vec![]),
    };
    Ok(activate(graph, at.function("activation")?, &z, at.width()))
}

/// Indices come as numbers, like all input.
pub(super) fn embedding<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let embeddings = graph.constant("embeddings", &at.needed("embeddings")?);
    let indices = graph.op("Cast", &[x], vec![int("to", super::proto::INT64.into())]);
    Ok(graph.op("Gather", &[&embeddings, &indices], vec![int("axis", 0)]))
}

/// The vectors that are not padding, and zeros.
pub(super) fn masking<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let mask = mask(graph, at.layer, at.get("mask_value")?, x);
    Ok(graph.op("Mul", &[x, &mask.name], vec![]))
}

/// The mask that a layer creates for the input `x`.
pub(super) fn mask<F: Scalar>(graph: &mut Graph, layer: &NamedLayer<F>, padding: f64, x: &str) -> OnnxMask {
    let axes = layer.output_shape().map_or(0, |output| output.len().saturating_sub(1));
    let padding = graph.scalar(padding);
    let equal = graph.op("Equal", &[x, &padding], vec![]);
    let equal = graph.op("Cast", &[&equal], vec![int("to", super::proto::FLOAT.into())]);
    let equal = match layer.input_shape().map_or(0, <[usize]>::len) == axes {
        // One number per step.
        true => {
            let last = graph.integers("axis", [-1]);
            graph.op("Unsqueeze", &[&equal, &last], vec![])
        }
        false => graph.op("ReduceMin", &[&equal], vec![ints("axes", [-1]), int("keepdims", 1)]),
    };
    let one = graph.scalar(1.0);
    OnnxMask { name: graph.op("Sub", &[&one, &equal], vec![]), axes }
}

pub(super) fn activation<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let function = match &*at.config.kind {
        "ReLU" => Activation::ReluWith {
            negative_slope: at.get("negative_slope")?,
            max_value: at.get("max_value")?,
            threshold: at.get("threshold")?,
        },
        "LeakyReLU" => Activation::LeakyRelu { negative_slope: at.get("negative_slope")? },
        "ELU" => Activation::Elu { alpha: at.get("alpha")? },
        _ => at.function("activation")?,
    };
    Ok(activate(graph, function, x, at.input.last().copied().unwrap_or(1)))
}

pub(super) fn p_relu<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    // With the batch's axis, for runtimes that take a slope of one axis as one of channels.
    let alpha = at.needed("alpha")?.insert_axis(ndarray::Axis(0));
    let alpha = graph.constant("alpha", &alpha);
    Ok(graph.op("PRelu", &[x, &alpha], vec![]))
}

pub(super) fn softmax<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let axis: Result<i64> = at.get("axis");
    let axis = axis.map_err(|_| refused("a softmax over several axes has no ONNX operator"))?;
    Ok(graph.op("Softmax", &[x], vec![int("axis", axis)]))
}
