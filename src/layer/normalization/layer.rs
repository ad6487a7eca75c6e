//! Layer normalization: y = γ·x̂ + β, x̂ = (x − μ)/√(v + ε), with mean and variance along axes of each sample.
//! dβ = Σ dy, dγ = Σ dy·x̂, and with g = dy·γ: dx = (g − mean g − x̂·mean(g·x̂)) / √(v + ε).

use super::check_epsilon;
use super::rows::{Center, Rows};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::last_axis;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Part, PartMut, saved};
use crate::param::{BuildContext, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Normalizes each vector along one or several axes to mean 0 and variance 1, then applies a trained scale and shift.
///
/// Training and prediction do the same.
///
/// ```text
/// y = γ·(x − μ)/√(v + ε) + β    v the population variance
/// ```
///
/// | setter | default |
/// |---|---|
/// | `axis`: one axis or several | −1, the last |
/// | `epsilon` ε | 1e-3 |
/// | `center`, `scale`: whether to use β, γ | true |
/// | `beta_initializer`, `gamma_initializer` | `Zeros`, `Ones` |
/// | `beta_regularizer`, `gamma_regularizer` | none |
/// | `beta_constraint`, `gamma_constraint` | none |
///
/// # Shapes
/// Input and output `(...)`, of the same shape; parameters `gamma` and `beta`, of the shape of these axes.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([2]).add(LayerNormalization::new().epsilon(1e-12));
/// model.build()?;
/// let y = model.predict(&ndarray::array![[3.0, 5.0]])?;
/// assert!((y[[0, 0]] + 1.0).abs() < 1e-6 && (y[[0, 1]] - 1.0).abs() < 1e-6);
///
/// let mut model = Sequential::new().input([5, 2]).add(LayerNormalization::new().axis([-2, -1]).center(false).scale(true));
/// model.build()?;
/// assert_eq!(model.weight("layer_normalization/gamma")?.shape(), [5, 2]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for axes that the samples do not have or that occur twice, or
/// an epsilon that is not above 0.
///
/// # References
/// Ba et al. (2016), *Layer normalization*; <https://keras.io/api/layers/normalization_layers/layer_normalization/>
#[derive(Debug, Clone)]
pub struct LayerNormalization<F = f32> {
    axis: JoinedAxes,
    epsilon: f64,
    center: bool,
    scale: bool,
    gamma: Spec,
    beta: Spec,
    params: Rows<F>,
    vectors: MovedAxes,
}

impl<F> LayerNormalization<F> {
    /// Creates the layer over the last axis, with Keras's defaults.
    pub fn new() -> Self {
        LayerNormalization {
            axis: JoinedAxes(vec![-1]),
            epsilon: 1e-3,
            center: true,
            scale: true,
            gamma: spec!("gamma", Initializer::Ones),
            beta: spec!("beta", Initializer::Zeros),
            params: Rows::new(Center::Mean, None, None),
            vectors: MovedAxes::default(),
        }
    }

    /// The axes to normalize over: from 1 for the first axis of a sample, or from −1 for the last. Default: −1.
    pub fn axis(mut self, axis: impl Into<Vec<isize>>) -> Self {
        self.axis = JoinedAxes(axis.into());
        self
    }

    setters! {
        /// ε, added to the variance. Default: 1e-3.
        epsilon: f64;
        /// Whether to add β. Default: true.
        center: bool;
        /// Whether to multiply by γ. Default: true.
        scale: bool;
    }

    spec_setters!(gamma: "γ", "`Ones`", gamma_initializer, gamma_regularizer, gamma_constraint);
    spec_setters!(beta: "β", "`Zeros`", beta_initializer, beta_regularizer, beta_constraint);
}

impl<F> Default for LayerNormalization<F> {
    fn default() -> Self {
        LayerNormalization::new()
    }
}

impl<F: Scalar> Layer<F> for LayerNormalization<F> {
    saved!("LayerNormalization");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_epsilon(self.epsilon)?;
        last_axis(input, "channels")?;
        self.vectors = MovedAxes::new(&self.axis, input)?;
        let shape = &self.vectors.shape;
        let gamma = self.scale.then(|| self.gamma.param("gamma", shape, context)).transpose()?;
        let beta = self.center.then(|| self.beta.param("beta", shape, context)).transpose()?;
        self.params = Rows::new(Center::Mean, gamma, beta);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        self.vectors.forward(x, y, scratch, |x, y, _| self.params.infer(x, y, F::of(self.epsilon)));
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let (vectors, epsilon) = (&self.vectors, F::of(self.epsilon));
        vectors.backward(context, |context| self.params.backward(context, epsilon));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.params.visit(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.params.visit_mut(f);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::Passes,
            is_normalization: true,
            memory: self.vectors.memory() + self.params.memory(),
            ..LayerTraits::default()
        }
    }
}

settings!([F] LayerNormalization<F> {
    "axis": axis, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma, "beta": beta,
} only { "rms_scaling": false });
