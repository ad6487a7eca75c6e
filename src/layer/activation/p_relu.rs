//! PReLU: y = x for x > 0, else α·x. dα = Σ x·dy over x < 0; dx = dy for x > 0, else α·dy.

use std::fmt;

use crate::config::settings;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::layer::check::check_not_empty;
use crate::layer::strided_copy::{StridedCopy, check_size, strides};
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Part, PartMut, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A rectifier with a trained slope below 0: `y = max(x, 0) − α·max(−x, 0)`.
///
/// | setter | default |
/// |---|---|
/// | `shared_axes` | none: one slope per number of a sample |
/// | `alpha_initializer`, `alpha_regularizer`, `alpha_constraint` | `Zeros`, none, none |
///
/// # Shapes
/// Input and output `(...)`, of the same shape; parameter `alpha`, of the shape of a sample, with 1 for each shared
/// axis.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([100, 8]).add(PRelu::new().shared_axes([1]).name("slopes"));
/// model.build()?;
/// assert_eq!(model.weight("slopes/alpha")?.shape(), [1, 8]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a shared axis that the samples do not have.
///
/// # References
/// He et al. (2015), *Delving deep into rectifiers*; <https://keras.io/api/layers/activation_layers/prelu/>
#[derive(Clone)]
pub struct PRelu<F = f32> {
    shared_axes: Vec<usize>,
    alpha: Spec,
    param: Option<Param<F>>,
    /// The index of α for each number of a sample.
    slopes: StridedCopy,
}

impl<F> PRelu<F> {
    /// Creates a layer with one slope per number of a sample, initially 0.
    pub fn new() -> Self {
        PRelu {
            shared_axes: Vec::new(),
            alpha: spec!("alpha", Initializer::Zeros),
            param: None,
            slopes: StridedCopy::default(),
        }
    }

    /// The axes that share one slope, from 1 for the first axis of a sample. Default: none.
    pub fn shared_axes(mut self, axes: impl Into<Vec<usize>>) -> Self {
        self.shared_axes = axes.into();
        self
    }

    spec_setters!(alpha: "α", "`Zeros`", alpha_initializer, alpha_regularizer, alpha_constraint);
}

impl<F> Default for PRelu<F> {
    fn default() -> Self {
        PRelu::new()
    }
}

impl<F: Scalar> Layer<F> for PRelu<F> {
    saved!("PReLU");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_not_empty(input)?;
        if let Some(axis) = self.shared_axes.iter().find(|&&axis| axis == 0 || axis > input.len()) {
            return Err(Error::argument("shared_axes", format!("axes from 1 to {}", input.len()), axis));
        }
        check_size(input)?;
        let mut shape = input.to_vec();
        self.shared_axes.iter().for_each(|axis| shape[axis - 1] = 1);
        self.param = Some(self.alpha.param("alpha", &shape, context)?);
        // A shared axis advances in the input but not in the slopes.
        let (own, all) = (strides(&shape), strides(input));
        let steps: Vec<usize> =
            own.iter().zip(&shape).map(|(&stride, &size)| if size == 1 { 0 } else { stride }).collect();
        self.slopes = StridedCopy::new(input, &steps, &all);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(alpha) = self.param.as_ref().map(Param::value) else { return };
        for (x, y) in x.iter().zip(y.iter_mut()) {
            self.slopes.each(&mut |run| {
                for (place, i) in run.places() {
                    y[i] = if x[i] < F::zero() { alpha[place] * x[i] } else { x[i] };
                }
            });
        }
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(param) = &mut self.param else { return };
        let (x, dy) = (context.x, context.dy.as_batch());
        let grad = param.grad_mut();
        grad.fill(F::zero());
        for (x, dy) in x.iter().zip(dy.iter()) {
            self.slopes.each(&mut |run| {
                for (place, i) in run.places() {
                    grad[place] += if x[i] < F::zero() { x[i] * dy[i] } else { F::zero() };
                }
            });
        }
        let Some(mut dx) = context.dx else { return };
        for ((x, dy), dx) in x.iter().zip(dy.iter()).zip(dx.iter_mut()) {
            self.slopes.each(&mut |run| {
                for (place, i) in run.places() {
                    let slope = match x[i] {
                        x if x > F::zero() => F::one(),
                        x if x < F::zero() => param.value[place],
                        _ => F::zero(),
                    };
                    dx[i] = dy[i] * slope;
                }
            });
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.param.iter().map(Part::Param).for_each(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.param.iter_mut().map(PartMut::Param).for_each(f);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { mask: MaskRule::Passes, ..LayerTraits::default() }
    }
}

impl<F> fmt::Debug for PRelu<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "PReLU({:?})", self.param)
    }
}

settings!([F] PRelu<F> { "shared_axes": shared_axes, "alpha": alpha });
