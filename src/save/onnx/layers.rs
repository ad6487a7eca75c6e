//! The operators of each kind of layer, and container layers.

use super::graph::{Graph, int, long};
use super::place::{OnnxLayer, OnnxMask, refused};
use super::shape::reversed;
use super::{adaptive, basic, category, convolution, normalization, recurrent, shape};
use crate::error::{Error, Result};
use crate::layer::mask::{self, MaskSource};
use crate::layer::{Layer, MaskRule, Merge, MergeMode, NamedLayer, Topology};
use crate::scalar::Scalar;

/// Runs the layers one after another; `mask` is that of the input.
pub(super) fn chain<F: Scalar>(
    graph: &mut Graph,
    layers: &[NamedLayer<F>],
    above: &str,
    x: &str,
    mask: Option<&OnnxMask>,
) -> Result<String> {
    let sources = mask::sources(layers);
    let (mut x, mut created) = (x.to_string(), None);
    for (index, layer) in layers.iter().enumerate() {
        let mask = match sources[index] {
            MaskSource::Nothing => None,
            MaskSource::Input => mask,
            MaskSource::Layer(_) => created.as_ref(),
        };
        let y = link(graph, index, layer, above, &x, mask)?;
        if let (MaskRule::Creates(padding), MaskSource::Layer(_)) = (layer.traits().mask, sources[index + 1])
        {
            created = Some(basic::mask(graph, layer, padding, &x));
        }
        x = y;
    }
    Ok(x)
}

/// Applies the layer with this index to `x`; an error contains the layer.
fn link<F: Scalar>(
    graph: &mut Graph,
    index: usize,
    layer: &NamedLayer<F>,
    above: &str,
    x: &str,
    mask: Option<&OnnxMask>,
) -> Result<String> {
    apply(graph, layer, above, x, mask).map_err(|fault| Error::Layer {
        index,
        name: layer.label().into(),
        kind: layer.kind().into(),
        fault: Box::new(fault),
    })
}

/// Applies the layer to `x`.
fn apply<F: Scalar>(
    graph: &mut Graph,
    layer: &NamedLayer<F>,
    above: &str,
    x: &str,
    mask: Option<&OnnxMask>,
) -> Result<String> {
    // If an inner layer has no settings, its outer layer has none either; the error names the inner one.
    if let Some((index, silent)) =
        layer.layers().iter().enumerate().find(|(_, inner)| inner.config().is_none())
    {
        link(graph, index, silent, above, x, None)?;
    }
    let at = OnnxLayer::new(layer, above, mask)?;
    graph.enter(&at.path);
    match &*at.config.kind {
        "Dropout" | "SpatialDropout1D" | "SpatialDropout2D" | "AlphaDropout" | "GaussianDropout"
        | "GaussianNoise" => Ok(x.into()),
        "Dense" => basic::dense(graph, &at, x),
        "Discretization" => category::discretization(graph, &at, x),
        "CategoryEncoding" => category::encoding(graph, &at, x),
        "Embedding" => basic::embedding(graph, &at, x),
        "Masking" => basic::masking(graph, &at, x),
        "Activation" | "ReLU" | "LeakyReLU" | "ELU" => basic::activation(graph, &at, x),
        "PReLU" => basic::p_relu(graph, &at, x),
        "Softmax" => basic::softmax(graph, &at, x),
        "Rescaling" => normalization::rescaling(graph, &at, x),
        "Normalization" => normalization::normalization(graph, &at, x),
        "BatchNormalization" => normalization::batch(graph, &at, x),
        "LayerNormalization" => normalization::layer(graph, &at, x),
        "GroupNormalization" => normalization::group(graph, &at, x),
        "RMSNormalization" => normalization::rms(graph, &at, x),
        "UnitNormalization" => normalization::unit(graph, &at, x),
        "Conv1D" | "Conv2D" => convolution::conv(graph, &at, x),
        "Conv1DTranspose" | "Conv2DTranspose" => convolution::conv_transpose(graph, &at, x),
        "DepthwiseConv1D" | "DepthwiseConv2D" => convolution::depthwise(graph, &at, x),
        "SeparableConv1D" | "SeparableConv2D" => convolution::separable(graph, &at, x),
        "MaxPooling1D" | "MaxPooling2D" => convolution::pool(graph, &at, "MaxPool", x),
        "AveragePooling1D" | "AveragePooling2D" => convolution::pool(graph, &at, "AveragePool", x),
        "GlobalMaxPooling1D" | "GlobalMaxPooling2D" => convolution::global(graph, &at, "ReduceMax", x),
        "GlobalAveragePooling1D" if at.step_mask().is_some() => convolution::masked_mean(graph, &at, x),
        "GlobalAveragePooling1D" | "GlobalAveragePooling2D" => {
            convolution::global(graph, &at, "ReduceMean", x)
        }
        "AdaptiveMaxPooling1D" | "AdaptiveMaxPooling2D" => adaptive::max(graph, &at, x),
        "AdaptiveAveragePooling1D" | "AdaptiveAveragePooling2D" => adaptive::average(graph, &at, x),
        "Flatten" | "Reshape" => Ok(graph.reshape(x, at.output)),
        "Permute" => shape::permute(graph, &at, x),
        "RepeatVector" => shape::repeat(graph, &at, x),
        "ZeroPadding1D" | "ZeroPadding2D" => shape::padding(graph, &at, x),
        "Cropping1D" | "Cropping2D" => shape::cropping(graph, &at, x),
        "UpSampling1D" => shape::up_sampling(graph, &at, x),
        "UpSampling2D" => shape::up_sampling_2d(graph, &at, x),
        "SimpleRNN" | "LSTM" | "GRU" => recurrent::run(graph, &at, x),
        "Bidirectional" => bidirectional(graph, &at, x),
        "RNN" => stacked(graph, &at, x),
        "TimeDistributed" => time_distributed(graph, &at, x),
        "Residual" => residual(graph, &at, x),
        "Chain" => chain(graph, layer.layers(), &at.path, x, mask),
        "Branches" => branches(graph, &at, x),
        _ => Err(refused("it has no ONNX operator")),
    }
}

/// f(x) + x, or f(x) + g(x).
fn residual<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let has_shortcut = at.layer.traits().topology == Topology::Shortcut;
    let (layers, shortcut) = at.layer.layers().split_at(at.layer.layers().len() - usize::from(has_shortcut));
    let through = chain(graph, layers, &at.path, x, at.mask.as_ref())?;
    let around = match shortcut {
        [] => x.to_string(),
        [shortcut, ..] => link(graph, layers.len(), shortcut, &at.path, x, at.mask.as_ref())?,
    };
    graph.enter(&at.path);
    Ok(graph.op("Add", &[&around, &through], vec![]))
}

/// All branches, merged.
fn branches<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let mut outputs = Vec::new();
    for (index, branch) in at.layer.layers().iter().enumerate() {
        outputs.push(link(graph, index, branch, &at.path, x, at.mask.as_ref())?);
    }
    graph.enter(&at.path);
    let outputs: Vec<&str> = outputs.iter().map(String::as_str).collect();
    Ok(match at.get("merge")? {
        Merge::Add => graph.op("Sum", &outputs, vec![]),
        Merge::Concatenate => graph.op("Concat", &outputs, vec![int("axis", -1)]),
        Merge::Multiply => outputs[1..]
            .iter()
            .fold(outputs[0].to_string(), |product, output| graph.op("Mul", &[&product, output], vec![])),
        Merge::Average => graph.op("Mean", &outputs, vec![]),
        Merge::Maximum => graph.op("Max", &outputs, vec![]),
    })
}

/// Merges steps and samples into one batch for the inner layer.
fn time_distributed<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    // A mask of steps alone changes nothing within a step.
    let is_within = at.mask.as_ref().is_some_and(|mask| mask.axes > 1);
    if is_within && matches!(at.layer.traits().mask, MaskRule::Uses { .. }) {
        return Err(refused("a mask within the steps of TimeDistributed has no ONNX operator"));
    }
    let mut y = x.to_string();
    let rows = |graph: &mut Graph, x: &str, shape: &[usize]| {
        let sizes = shape.iter().map(|&size| long(size));
        let shape = graph.integers("shape", std::iter::once(-1).chain(sizes));
        graph.op("Reshape", &[x, &shape], vec![])
    };
    for layer in at.layer.layers() {
        y = rows(graph, &y, &at.input[1..]);
        y = apply(graph, layer, &at.path, &y, None)?;
        graph.enter(&at.path);
        y = rows(graph, &y, at.output);
    }
    Ok(y)
}

/// Two recurrent layers, merged in the order of time.
fn bidirectional<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let mut outputs = Vec::new();
    for (i, layer) in at.layer.layers().iter().enumerate() {
        let inner = OnnxLayer::new(layer, &at.path, at.mask.as_ref())?;
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

/// Recurrent layers one after another.
fn stacked<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (backwards, zeros): (bool, bool) = (at.get("go_backwards")?, at.get("zero_output_for_mask")?);
    if at.step_mask().is_some() && (backwards || zeros) {
        return Err(refused(
            "a mask of stacked cells that go backwards or return zeros has no ONNX operator",
        ));
    }
    let mut y = if backwards { reversed(graph, x, at.input[0]) } else { x.into() };
    for layer in at.layer.layers() {
        let inner = OnnxLayer::new(layer, &at.path, at.mask.as_ref())?;
        graph.enter(&inner.path);
        y = recurrent::run(graph, &inner, &y)?;
    }
    graph.enter(&at.path);
    if at.get("return_sequences")? {
        return Ok(y);
    }
    let last = graph.pick(&y, [at.input[0] - 1]);
    Ok(graph.reshape(&last, at.output))
}
