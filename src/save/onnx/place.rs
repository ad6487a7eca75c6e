//! A layer as the exporter sees it: its settings, weights and shapes.

use ndarray::{ArrayD, IxDyn};

use crate::activation::Activation;
use crate::config::{Config, Fields, Setting};
use crate::error::{Error, ExpectedShape, FileError, Result};
use crate::layer::{Layer, NamedLayer};
use crate::scalar::Scalar;

/// A built layer and its path, such as `bidirectional/forward_layer`.
#[derive(Debug)]
pub(super) struct OnnxLayer<'a, F: Scalar> {
    pub(super) layer: &'a NamedLayer<F>,
    pub(super) path: String,
    pub(super) config: Config,
    /// The mask of the input.
    pub(super) mask: Option<OnnxMask>,
    /// The shape of an input sample, and of an output.
    pub(super) input: &'a [usize],
    pub(super) output: &'a [usize],
}

/// A mask in the graph: 1 for each step that counts and 0 for padding.
#[derive(Debug, Clone)]
pub(super) struct OnnxMask {
    /// Its name. Its axes are those of the mask, and a last one of length 1.
    pub(super) name: String,
    /// The number of axes of a sample's mask.
    pub(super) axes: usize,
}

impl<'a, F: Scalar> OnnxLayer<'a, F> {
    /// Wraps the layer at this path; custom layers are refused.
    pub(super) fn new(layer: &'a NamedLayer<F>, above: &str, mask: Option<&OnnxMask>) -> Result<Self> {
        let own = || refused("a custom layer has no ONNX operator");
        let config = layer.config().ok_or_else(own)?;
        if !matches!(config.module.as_deref(), Some("keras.layers" | "cornu")) {
            return Err(own());
        }
        let (Some(input), Some(output)) = (layer.input_shape(), layer.output_shape()) else {
            return Err(Error::NotBuilt);
        };
        let path = if above.is_empty() { layer.label().into() } else { format!("{above}/{}", layer.label()) };
        Ok(OnnxLayer { layer, path, config, mask: mask.cloned(), input, output })
    }

    /// Reads a setting.
    pub(super) fn get<T: Setting>(&self, name: &str) -> Result<T> {
        Fields::new(&self.config, &*self.path).get(name)
    }

    /// Reads a setting that is an activation.
    pub(super) fn function(&self, name: &str) -> Result<Activation> {
        self.get(name)
    }

    /// Returns a weight of the layer; `None` if it has none with this name.
    pub(super) fn weight(&self, name: &str) -> Option<ArrayD<f32>> {
        let mut found = None;
        self.layer.visit_params(&mut |param| {
            if param.name() == name {
                found = Some(param.array().mapv(|value| value.as_f64() as f32));
            }
        });
        found
    }

    /// Returns a weight that the layer must have.
    pub(super) fn needed(&self, name: &str) -> Result<ArrayD<f32>> {
        self.weight(name).ok_or(Error::NotBuilt)
    }

    /// The name of the mask, if it is one of the steps alone.
    pub(super) fn step_mask(&self) -> Option<&str> {
        self.mask.as_ref().filter(|mask| mask.axes == 1).map(|mask| &*mask.name)
    }

    /// The length of the last output axis.
    pub(super) fn width(&self) -> usize {
        self.output.last().copied().unwrap_or(1)
    }
}

/// Reshapes row-major numbers.
pub(super) fn shaped(values: ArrayD<f32>, shape: &[usize]) -> Result<ArrayD<f32>> {
    let found = values.shape().to_vec();
    let flat: Vec<f32> = values.iter().copied().collect();
    ArrayD::from_shape_vec(IxDyn(shape), flat)
        .map_err(|_| Error::InputShape { expected: ExpectedShape::exactly(shape), found })
}

/// Permutes the axes.
pub(super) fn turned(values: ArrayD<f32>, axes: &[usize]) -> ArrayD<f32> {
    values.permuted_axes(IxDyn(axes))
}

/// A [`FileError::NotExportable`].
pub(super) fn refused(reason: &str) -> Error {
    FileError::NotExportable { format: "ONNX", reason: reason.into() }.into()
}
