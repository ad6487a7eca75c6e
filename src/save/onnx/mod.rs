//! Models as ONNX graphs, for every runtime that reads them. Opset 17, IR version 8.
//!
//! The exporter reads the settings and weights of a layer; layers know nothing of ONNX. If runtimes differ in what
//! they support of the standard, the graph uses only what all of them support.

mod activation;
mod adaptive;
mod basic;
mod category;
mod convolution;
mod graph;
mod layers;
mod normalization;
mod place;
mod proto;
mod recurrence;
mod recurrent;
mod shape;
mod step;

use std::path::Path;

use prost::Message;

use self::graph::{Endpoint, Graph};
use self::layers::chain;
use self::place::refused;
use super::atomic;
use crate::error::{Error, Result};
use crate::layer::{Layer, NamedLayer};
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The largest size of a protobuf message, and so of a model in one file.
const MOST: usize = i32::MAX as usize;

impl<F: Scalar> Sequential<F> {
    /// Exports the model for inference to an `.onnx` file, which ONNX Runtime, tract and others run.
    ///
    /// The exported model cannot be trained further, and cornu cannot load it.
    ///
    /// Input and output are named `input` and `output`; the first axis of both has the free length `N`. Numbers are
    /// `float32`, also for a model in `f64` and for the indices of an [`Embedding`](crate::layer::Embedding).
    /// [`Normalization`](crate::layer::Normalization) and [`Rescaling`](crate::layer::Rescaling) are part of the
    /// graph, so it takes unscaled data; dropout and noise are omitted. The opset is 17.
    ///
    /// Runtimes do not check indices as [`predict`](Sequential::predict) does: a fraction is truncated, and a
    /// negative index counts from the end, so −1 is the last row. In the standard, an index beyond the end is an
    /// error of the runtime; ONNX Runtime then refuses the batch with `indices element out of data bounds`, also for
    /// NaN and infinity. Check the indices beforehand.
    ///
    /// # Errors
    /// [`Error::NotBuilt`]; [`Error::Layer`] with a [`FileError::NotExportable`](crate::error::FileError::NotExportable)
    /// for a custom layer, or for a mask of the axes within the steps of `TimeDistributed`; `FileError::NotExportable` for more than 2 GiB of weights; `FileError::Io` if the system
    /// refuses. An existing file is then unchanged.
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
        atomic::save(path, |to| to.write_all(&bytes))
    }
}

/// Returns the content of the file.
pub(super) fn bytes<F: Scalar>(model: &Sequential<F>) -> Result<Vec<u8>> {
    let (Some(input), Some(output)) = (model.layers.first(), model.layers.last()) else {
        return Err(Error::NotBuilt);
    };
    let (Some(input), Some(output)) = (input.input_axes(), output.output_axes()) else {
        return Err(Error::NotBuilt);
    };
    let mut weights = 0_usize;
    model.walk(&mut |_, _, param| weights = weights.saturating_add(param.len()));
    let too_large = || refused("its weights exceed the 2 GiB limit of a file");
    if weights > MOST / size_of::<f32>() {
        return Err(too_large());
    }
    let mut graph = Graph::default();
    let first = graph.name("input");
    let last = chain(&mut graph, model.layers(), "", &first, None)?;
    if model.open.is_some() {
        check_any_length(model)?;
    }
    let [input, output] = [(first, input), (last, output)].map(|(name, sample)| Endpoint { name, sample });
    let model = graph.into_model("model", input, output);
    if model.encoded_len() > MOST {
        return Err(too_large());
    }
    Ok(model.encode_to_vec())
}

/// Refuses the first layer whose nodes depend on the length of an open axis.
fn check_any_length<F: Scalar>(model: &Sequential<F>) -> Result<()> {
    let longer = model.lengthened()?;
    let nodes = |layers: &[NamedLayer<F>]| -> Result<_> {
        let mut graph = Graph::default();
        let first = graph.name("input");
        let last = chain(&mut graph, layers, "", &first, None)?;
        Ok(graph.into_model(
            "layer",
            Endpoint { name: first, sample: Vec::new() },
            Endpoint { name: last, sample: Vec::new() },
        ))
    };
    for (index, pair) in model.layers.chunks(1).zip(longer.layers.chunks(1)).enumerate() {
        if nodes(pair.0)? != nodes(pair.1)? {
            let layer = &pair.0[0];
            let reason = "its operators depend on the length of an axis that is open; load or build the model with a fixed length";
            return Err(Error::Layer {
                index,
                name: layer.label().into(),
                kind: layer.kind().into(),
                fault: Box::new(refused(reason)),
            });
        }
    }
    Ok(())
}
