//! Features that a normalization layer takes for constant, although they vary.

use crate::layer::{Layer, NamedLayer, Workspace};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Features that were constant when [`Normalization`](crate::layer::Normalization) was adapted, and have other values in the
/// data of the training. The layer divides their distance from the constant by 1e-7, as in Keras.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// use ndarray::{Array2, array};
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     let varying = e.data.varying_constants.as_ref().expect("a feature that varies");
///     assert_eq!((varying.count, varying.feature, varying.value, varying.is_validation), (1, 1, 6.0, true));
///     assert!(varying.output > 9e6);
///     Vec::new()
/// };
/// let x = Array2::from_shape_fn((64, 2), |(i, j)| if j == 0 { i as f32 } else { 5.0 });
/// let (y, x_new, y_new) = (x.mapv(|x| x / 64.0), array![[3.0f32, 6.0]], array![[0.0f32, 0.0]]);
/// let mut model = Sequential::new().add(Normalization::new().adapt(&x)?).add(Dense::new(2));
/// model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &y, &Fit::new().validation_data(&x_new, &y_new).rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct VaryingConstants {
    /// The index of the layer.
    pub layer: usize,
    /// The number of such features.
    pub count: usize,
    /// The feature with the largest output, from 0.
    pub feature: usize,
    /// A value of it.
    pub value: f64,
    /// The output of the layer for this value.
    pub output: f64,
    /// Whether the value is in the validation data, and not in the training data.
    pub is_validation: bool,
}

/// A layer whose output rises faster with a feature must have taken it for constant.
const SLOPE: f64 = 5e6;

impl VaryingConstants {
    /// The index of the first layer that scales features by the statistics of some data, if it is one of the crate's own and only
    /// layers before it that reshape or rescale. A user's layer is not called on samples.
    pub(crate) fn concern<F: Scalar>(layers: &[NamedLayer<F>]) -> Option<usize> {
        let index = layers.iter().position(|layer| layer.traits().is_adapted)?;
        let is_built_in = |layer: &NamedLayer<F>| layer.config().is_some_and(|config| config.is_built_in());
        let rescales = |layer: &NamedLayer<F>| {
            let (input, output) = layer.widths();
            layer.traits().is_affine && !layer.has_params() && input == output && is_built_in(layer)
        };
        let is_first = layers[..index].iter().all(|layer| layer.is_view() || rescales(layer));
        (is_first && is_built_in(&layers[index])).then_some(index)
    }

    /// Searches these samples for such features, if a layer scales the inputs.
    pub(crate) fn of<F: Scalar>(
        layers: &[NamedLayer<F>],
        train: Batch<F>,
        validation: Option<Batch<F>>,
    ) -> Option<Self> {
        let index = Self::concern(layers)?;
        let (layer, width, mut scratch) = (layers[index].layer(), train.width(), Scratch::default());
        let inputs = |x: Batch<F>| Workspace::outputs_of(&layers[..index], x);
        let (train, validation) = (inputs(train), validation.map(inputs));
        let (train, validation) =
            (Batch::new(&train, width), validation.as_deref().map(|x| Batch::new(x, width)));
        let mut outputs = |x: Batch<F>| {
            let mut y = vec![F::zero(); x.data().len()];
            layer.infer(x, BatchMut::new(&mut y, width), &mut scratch);
            y
        };
        let first = train.iter().next()?;
        let beside: Vec<F> = first.iter().map(|x| *x + F::one()).collect();
        let (low, high) = (outputs(Batch::new(first, width)), outputs(Batch::new(&beside, width)));
        let constant: Vec<usize> = (0..width).filter(|&i| (high[i] - low[i]).as_f64() > SLOPE).collect();
        let mut found = VaryingConstants { layer: index, ..VaryingConstants::default() };
        let mut varies = vec![false; constant.len()];
        for (x, is_validation) in [(Some(train), false), (validation, true)] {
            let Some(x) = x.filter(|_| !constant.is_empty()) else { continue };
            let y = outputs(x);
            for (x, y) in x.iter().zip(y.chunks_exact(width)) {
                for (&feature, varies) in constant.iter().zip(&mut varies) {
                    let (value, output) = (x[feature].as_f64(), y[feature].as_f64());
                    // A smaller distance from the constant is a rounding error.
                    *varies |= output.abs() > (10.0 * value.abs()).max(1.0);
                    if *varies && output.abs() > found.output.abs() {
                        found = VaryingConstants { feature, value, output, is_validation, ..found };
                    }
                }
            }
        }
        found.count = varies.iter().filter(|varies| **varies).count();
        (found.count > 0).then_some(found)
    }
}
