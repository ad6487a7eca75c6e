//! RMS normalization: y = γ·x̂, x̂ = x/√(mean(x²) + ε), along the last axes of each sample.
//! dγ = Σ dy·x̂, and with g = dy·γ: dx = (g − x̂·mean(g·x̂)) / √(mean(x²) + ε).

use super::check_epsilon;
use super::rows::{Center, Rows};
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::axis::JoinedAxes;
use crate::layer::check::last_axis;
use crate::layer::{BackwardContext, Layer, LayerTraits, Part, PartMut, saved};
use crate::param::{BuildContext, Param};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Divides each vector along one or several axes by its root mean square, then multiplies by a trained scale.
///
/// In contrast to [`LayerNormalization`](crate::layer::LayerNormalization), the mean stays. Training and prediction do the
/// same.
///
/// ```text
/// y = γ·x / √(mean(x²) + ε)
/// ```
///
/// | setter | default |
/// |---|---|
/// | `axis`: one axis or several | −1, the last |
/// | `epsilon` ε | 1e-6 |
///
/// # Shapes
/// Input and output `(...)`, of the same shape; a parameter `scale`, of the shape of these axes.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([2]).add(RmsNormalization::new());
/// model.build()?;
/// let y = model.predict(&ndarray::array![[1.0f32, 7.0]])?;    // the root of their mean square is 5
/// assert!((y[[0, 0]] - 0.2).abs() < 1e-6 && (y[[0, 1]] - 1.4).abs() < 1e-6);
/// assert_eq!(model.weight("rms_normalization/scale")?.shape(), [2]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for an epsilon that is not above 0, for axes that the samples do not have or that occur
/// twice, and for axes that are not the last ones of a sample, because Keras multiplies the last axes by the scale in any
/// case; [`Error::InputShape`] if an axis has length 0.
///
/// # References
/// Zhang and Sennrich (2019), *Root mean square layer normalization*;
/// <https://keras.io/api/layers/normalization_layers/rms_normalization/>
#[derive(Debug, Clone)]
pub struct RmsNormalization<F = f32> {
    axis: JoinedAxes,
    epsilon: f64,
    width: usize,
    params: Rows<F>,
}

impl<F> RmsNormalization<F> {
    /// Creates the layer over the last axis, with Keras's defaults.
    pub fn new() -> Self {
        let (axis, params) = (JoinedAxes(vec![-1]), Rows::new(Center::Nothing, None, None));
        RmsNormalization { axis, epsilon: 1e-6, width: 1, params }
    }

    /// The axes to normalize over, the last ones: from 1 for the first axis of a sample, or from −1 for the last. Default: −1.
    pub fn axis(mut self, axis: impl Into<Vec<isize>>) -> Self {
        self.axis = JoinedAxes(axis.into());
        self
    }

    setters! {
        /// ε, added to the mean square. Default: 1e-6.
        epsilon: f64;
    }
}

impl<F> Default for RmsNormalization<F> {
    fn default() -> Self {
        RmsNormalization::new()
    }
}

impl<F: Scalar> Layer<F> for RmsNormalization<F> {
    saved!("RMSNormalization");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_epsilon(self.epsilon)?;
        last_axis(input, "channels")?;
        let axes = self.axis.indices(input)?;
        let first = input.len() - axes.len();
        if axes[0] != first {
            let expected = "the last axes of a sample";
            return Err(Error::argument("axis", expected, format!("{:?}", self.axis.0)));
        }
        let gamma = Param::new("scale", &input[first..], &Initializer::Ones, context)?;
        self.width = gamma.len();
        self.params = Rows::new(Center::Nothing, Some(gamma), None);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
        self.params.infer(x.reshape(self.width), y.reshape(self.width), F::of(self.epsilon));
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        self.params.backward(context.reshape(self.width, self.width), F::of(self.epsilon));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.params.visit(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.params.visit_mut(f);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_normalization: true, memory: self.params.memory(), ..LayerTraits::default() }
    }
}

settings!([F] RmsNormalization<F> { "axis": axis, "epsilon": epsilon });
