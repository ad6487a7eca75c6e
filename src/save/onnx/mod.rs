//! Models as ONNX graphs, for every runtime that reads them. Opset 17, IR version 8.
//!
//! The exporter reads the settings and weights of a layer; layers know nothing of ONNX. If runtimes differ in what
//! they support of the standard, the graph uses only what all of them support.

mod activation;
mod basic;
mod container;
mod convolution;
mod graph;
mod normalization;
mod place;
mod proto;
mod recurrent;
mod shape;
mod step;

use std::io::Write;
use std::path::Path;

use prost::Message;

use self::graph::{Graph, Value};
use self::place::Place;
use super::atomic;
use crate::error::{Error, FileError, Result};
use crate::layer::{Layer, NamedLayer};
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The largest size of a protobuf message, and so of a model in one file.
const MOST: usize = i32::MAX as usize;

impl<F: Scalar> Sequential<F> {
    /// Exports the model for inference to an `.onnx` file, which ONNX Runtime, tract and others run.
    ///
    /// The file cannot be trained, and cornu cannot load it.
    ///
    /// Input and output are named `input` and `output`; the first axis of both has the free length `N`. Numbers are
    /// `float32`, also for a model in `f64` and for the indices of an [`Embedding`](crate::layer::Embedding).
    /// [`Normalization`](crate::layer::Normalization) and [`Rescaling`](crate::layer::Rescaling) are part of the
    /// graph, so it takes unscaled data; dropout and noise are omitted. The opset is 17.
    ///
    /// Runtimes do not check indices as [`predict`](Sequential::predict) does: a fraction is truncated, and a
    /// negative index counts from the end, so −1 is the last row. By the standard, an index beyond the end is an
    /// error of the runtime; ONNX Runtime then refuses the batch with `indices element out of data bounds`, also for
    /// NaN and infinity. Check indices before.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`Error::Layer`] with a [`FileError::NotExportable`] for a custom layer;
    /// [`FileError::NotExportable`] for more than 2 GiB of weights; [`FileError::Io`] if the system refuses. An
    /// existing file is then unchanged.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let path = std::env::temp_dir().join("cornu-example.onnx");
    /// let mut model = Sequential::new()
    ///     .input([6])
    ///     .add(Rescaling::new(1.0 / 255.0))
    ///     .add(Dense::new(4).activation(Activation::Relu))
    ///     .add(Dense::new(3).activation(Activation::Softmax));
    /// model.build()?;
    /// model.export_onnx(&path)?;
    /// let bytes = std::fs::read(&path).map_err(Error::outside)?;
    /// assert!(bytes.windows(5).any(|word| word == b"cornu"));
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # References
    /// <https://onnx.ai/onnx/repo-docs/IR.html>
    pub fn export_onnx(&self, path: impl AsRef<Path>) -> Result<()> {
        let (path, bytes) = (path.as_ref(), bytes(self)?);
        atomic::replace(path, |file| file.write_all(&bytes)).map_err(|error| {
            let (path, message) = (path.display().to_string(), error.to_string());
            FileError::Io { path, kind: error.kind(), message }.into()
        })
    }
}

/// Returns the content of the file.
pub(super) fn bytes<F: Scalar>(model: &Sequential<F>) -> Result<Vec<u8>> {
    let (Some(input), Some(output)) = (model.input_shape(), model.output_shape()) else {
        return Err(Error::NotBuilt);
    };
    let mut weights = 0_usize;
    model.walk(&mut |_, _, param| weights = weights.saturating_add(param.len()));
    let too_large = || refused("its weights are more than the 2 GiB that one file can hold");
    if weights > MOST / size_of::<f32>() {
        return Err(too_large());
    }
    let mut graph = Graph::default();
    let first = graph.name("input");
    let last = chain(&mut graph, model.layers(), "", &first)?;
    let [input, output] =
        [(first, input), (last, output)].map(|(name, shape)| Value { name, sample: shape.to_vec() });
    let model = graph.into_model("model", input, output);
    if model.encoded_len() > MOST {
        return Err(too_large());
    }
    Ok(model.encode_to_vec())
}

/// Applies the layers one after another.
fn chain<F: Scalar>(graph: &mut Graph, layers: &[NamedLayer<F>], above: &str, x: &str) -> Result<String> {
    let mut layers = layers.iter().enumerate();
    layers.try_fold(x.to_string(), |x, (index, node)| link(graph, (index, node), above, &x))
}

/// Applies the layer with this index to `x`; an error names the layer.
fn link<F: Scalar>(
    graph: &mut Graph,
    (index, node): (usize, &NamedLayer<F>),
    above: &str,
    x: &str,
) -> Result<String> {
    layer(graph, node, above, x).map_err(|fault| Error::Layer {
        index,
        name: node.label().into(),
        kind: node.kind().into(),
        fault: Box::new(fault),
    })
}

/// Applies a layer to `x`.
fn layer<F: Scalar>(graph: &mut Graph, node: &NamedLayer<F>, above: &str, x: &str) -> Result<String> {
    // If an inner layer has no settings, its outer layer has none either; let the error name the inner one.
    if let Some(silent) = node.layers().iter().enumerate().find(|(_, inner)| inner.config().is_none()) {
        link(graph, silent, above, x)?;
    }
    let at = Place::new(node, above)?;
    graph.enter(&at.path);
    match &*at.config.kind {
        "Dropout" | "SpatialDropout1D" | "AlphaDropout" | "GaussianDropout" | "GaussianNoise" => Ok(x.into()),
        "Dense" => basic::dense(graph, &at, x),
        "Embedding" => basic::embedding(graph, &at, x),
        "Activation" | "ReLU" | "LeakyReLU" | "ELU" => basic::activation(graph, &at, x),
        "PReLU" => basic::p_relu(graph, &at, x),
        "Softmax" => basic::softmax(graph, &at, x),
        "Rescaling" => normalization::rescaling(graph, &at, x),
        "Normalization" => normalization::normalization(graph, &at, x),
        "BatchNormalization" => normalization::batch(graph, &at, x),
        "LayerNormalization" => normalization::layer(graph, &at, x),
        "UnitNormalization" => normalization::unit(graph, &at, x),
        "Conv1D" | "Conv2D" => convolution::conv(graph, &at, x),
        "DepthwiseConv1D" => convolution::depthwise(graph, &at, x),
        "SeparableConv1D" => convolution::separable(graph, &at, x),
        "MaxPooling1D" | "MaxPooling2D" => convolution::pool(graph, &at, "MaxPool", x),
        "AveragePooling1D" | "AveragePooling2D" => convolution::pool(graph, &at, "AveragePool", x),
        "GlobalMaxPooling1D" | "GlobalMaxPooling2D" => convolution::global(graph, &at, "ReduceMax", x),
        "GlobalAveragePooling1D" | "GlobalAveragePooling2D" => {
            convolution::global(graph, &at, "ReduceMean", x)
        }
        "Flatten" | "Reshape" => Ok(graph.reshape(x, at.output)),
        "Permute" => shape::permute(graph, &at, x),
        "RepeatVector" => shape::repeat(graph, &at, x),
        "ZeroPadding1D" | "ZeroPadding2D" => shape::padding(graph, &at, x),
        "Cropping1D" => shape::cropping(graph, &at, x),
        "UpSampling1D" => shape::up_sampling(graph, &at, x),
        "SimpleRNN" | "LSTM" | "GRU" => recurrent::run(graph, &at, x),
        "Bidirectional" => container::bidirectional(graph, &at, x),
        "TimeDistributed" => container::time_distributed(graph, &at, x),
        "Residual" => container::residual(graph, &at, x),
        _ => Err(refused("no operator of ONNX is known for it")),
    }
}

/// A [`FileError::NotExportable`].
fn refused(reason: &str) -> Error {
    FileError::NotExportable { format: "ONNX", reason: reason.into() }.into()
}
