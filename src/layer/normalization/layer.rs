//! Layer normalization: y = γ·x̂ + β, x̂ = (x − μ)/√(v + ε), with mean and variance along axes of each sample.
//! dβ = Σ dy, dγ = Σ dy·x̂, and with g = dy·γ: dx = (g − mean g − x̂·mean(g·x̂)) / √(v + ε).

use super::check_epsilon;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::last_axis;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
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
    params: Params<F>,
    vectors: MovedAxes,
}

#[derive(Debug, Clone)]
struct Params<F> {
    gamma: Option<Param<F>>,
    beta: Option<Param<F>>,
    /// The sums of dγ, of parts of the rows.
    sums: Vec<F>,
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
            params: Params { gamma: None, beta: None, sums: Vec::new() },
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

/// μ and 1/√(v + ε) of one vector.
#[inline(always)]
fn statistics<F: Scalar>(x: &[F], epsilon: F) -> (F, F) {
    let count = F::of(x.len() as f64);
    let mean = kernel::sum(x, x, |x, _| x) / count;
    let variance = kernel::sum(x, x, |x, _| (x - mean) * (x - mean)) / count;
    (mean, F::one() / (variance + epsilon).sqrt())
}

/// The rows of this width that a thread processes at a time.
fn block(width: usize) -> usize {
    (1_usize << 11).div_ceil(width.max(1))
}

/// y of one vector.
#[inline(always)]
fn normalize<F: Scalar>(x: &[F], y: &mut [F], [gamma, beta]: [Option<&[F]>; 2], epsilon: F) {
    let (mean, inverse) = statistics(x, epsilon);
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * inverse);
    if let Some(gamma) = gamma {
        y.iter_mut().zip(gamma).for_each(|(y, &gamma)| *y *= gamma);
    }
    if let Some(beta) = beta {
        y.iter_mut().zip(beta).for_each(|(y, &beta)| *y += beta);
    }
}

/// dx of one vector with these μ and 1/√(v + ε).
#[inline(always)]
fn propagate<F: Scalar>(x: &[F], dy: &[F], dx: &mut [F], gamma: Option<&[F]>, [mean, inverse]: [F; 2]) {
    let share = F::one() / F::of(x.len() as f64);
    dx.iter_mut().zip(dy).for_each(|(g, &dy)| *g = dy);
    if let Some(gamma) = gamma {
        dx.iter_mut().zip(gamma).for_each(|(g, &gamma)| *g *= gamma);
    }
    let mean_g = kernel::sum(dx, x, |g, _| g) * share;
    let mean_gx = kernel::sum(dx, x, |g, x| g * ((x - mean) * inverse)) * share;
    let numbers = dx.iter_mut().zip(x);
    numbers.for_each(|(g, &x)| *g = (*g - mean_g - (x - mean) * inverse * mean_gx) * inverse);
}

impl<F: Scalar> Params<F> {
    /// Normalizes the rows of `x`.
    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, epsilon: F) {
        let width = x.width();
        let line = [&self.gamma, &self.beta].map(|param| param.as_ref().map(Param::value));
        kernel::samples(x.rows(), block(width), [(y.data(), width)], &|range, [y]| {
            kernel::simd!(|| {
                for (place, row) in range.enumerate() {
                    let y = &mut y[place * width..][..width];
                    normalize(x.row(row), y, line, epsilon);
                }
            });
        });
    }

    fn backward(&mut self, context: BackwardContext<F>, epsilon: F) {
        let (x, dy, width) = (context.x, context.dy.as_batch(), context.x.width());
        let (of_rows, _) = context.scratch.take(2 * x.rows());
        kernel::samples(x.rows(), block(width), [(&mut *of_rows, 2)], &|range, [of_rows]| {
            kernel::simd!(|| {
                for (place, row) in range.enumerate() {
                    (of_rows[2 * place], of_rows[2 * place + 1]) = statistics(x.row(row), epsilon);
                }
            });
        });
        let of_rows = &*of_rows;
        self.parameter_gradients(x, dy, of_rows);
        let Some(mut dx) = context.dx else { return };
        let gamma = self.gamma.as_ref().map(Param::value);
        kernel::samples(x.rows(), block(width), [(dx.data(), width)], &|range, [dx]| {
            kernel::simd!(|| {
                for (place, row) in range.enumerate() {
                    let dx = &mut dx[place * width..][..width];
                    let of_row = [of_rows[2 * row], of_rows[2 * row + 1]];
                    propagate(x.row(row), dy.row(row), dx, gamma, of_row);
                }
            });
        });
    }

    /// dβ and dγ, from μ and 1/√(v + ε) of each row.
    fn parameter_gradients(&mut self, x: Batch<F>, dy: Batch<F>, of_rows: &[F]) {
        if let Some(beta) = &mut self.beta {
            kernel::sum_rows(dy, beta.grad_mut());
        }
        let Some(gamma) = &mut self.gamma else { return };
        kernel::sum_over(x.rows(), &mut self.sums, gamma.grad_mut(), &|rows, sums| {
            kernel::simd!(|| {
                for row in rows {
                    let (mean, inverse) = (of_rows[2 * row], of_rows[2 * row + 1]);
                    let terms = sums.iter_mut().zip(x.row(row)).zip(dy.row(row));
                    terms.for_each(|((sum, &x), &dy)| *sum += dy * ((x - mean) * inverse));
                }
            });
        });
    }
}

impl<F: Scalar> Layer<F> for LayerNormalization<F> {
    saved!("LayerNormalization");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_epsilon(self.epsilon)?;
        last_axis(input, "channels")?;
        self.vectors = MovedAxes::new(&self.axis, input)?;
        let shape = &self.vectors.shape;
        self.params = Params {
            gamma: self.scale.then(|| self.gamma.param("gamma", shape, context)).transpose()?,
            beta: self.center.then(|| self.beta.param("beta", shape, context)).transpose()?,
            sums: Vec::new(),
        };
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
        self.params.gamma.iter().chain(&self.params.beta).map(Part::Param).for_each(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.params.gamma.iter_mut().chain(&mut self.params.beta).map(PartMut::Param).for_each(f);
    }

    fn traits(&self) -> LayerTraits {
        let width = self.params.gamma.as_ref().map_or(0, Param::len);
        let sums = 2 * kernel::PARTS * width;
        LayerTraits {
            mask: MaskRule::Passes,
            is_normalization: true,
            memory: self.vectors.memory() + Memory::fixed(sums),
            ..LayerTraits::default()
        }
    }
}

settings!([F] LayerNormalization<F> {
    "axis": axis, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma, "beta": beta,
} only { "rms_scaling": false });
