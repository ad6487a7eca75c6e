//! Dense: y = f(z), z = x·W + b. dz = dy ⊙ f'(z), dW = xᵀ·dz, db = Σ dz, dx = dz·Wᵀ.

use std::fmt;

use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::activation::Activated;
use crate::layer::check::{check_positive, last_axis};
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A fully connected layer, `y = f(x·W + b)`, on the last axis of its input.
///
/// | setter | default |
/// |---|---|
/// | `activation` | `Linear` |
/// | `use_bias` | true |
/// | `kernel_initializer`, `bias_initializer` | `GlorotUniform`, `Zeros` |
/// | `kernel_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `bias_constraint` | none |
///
/// # Shapes
/// Input `(..., inputs)`, output `(..., units)`; parameters `kernel (inputs, units)`, `bias (units)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2]).add(Dense::new(1).name("sum"));
/// model.build()?;
/// model.set_weight("sum/kernel", &array![[1.0], [10.0]])?;
/// model.set_weight("sum/bias", &array![0.5])?;
/// assert_eq!(model.predict(&array![[1.0f32, 2.0]])?, array![[21.5]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for 0 units or invalid activation parameters, [`Error::InputShape`](crate::Error::InputShape) for samples
/// that are single numbers.
///
/// # References
/// <https://keras.io/api/layers/core_layers/dense/>
#[derive(Clone)]
pub struct Dense<F = f32> {
    units: usize,
    activation: Activated<F>,
    use_bias: bool,
    kernel: Spec,
    bias: Spec,
    params: Option<Params<F>>,
}

#[derive(Clone)]
struct Params<F> {
    kernel: Param<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> Dense<F> {
    /// Creates a layer with this number of outputs.
    pub fn new(units: usize) -> Self {
        Dense {
            units,
            activation: Activated::default(),
            use_bias: true,
            kernel: spec!("kernel", Initializer::GlorotUniform),
            bias: spec!("bias", Initializer::Zeros),
            params: None,
        }
    }

    setters! {
        /// The activation `f`. Default: `Linear`.
        activation: Activation => activation.function;
        /// Whether to add the bias `b`. Default: true.
        use_bias: bool;
    }

    spec_setters!(kernel: "`W`", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<F: Scalar> Params<F> {
    /// z = x·W + b.
    fn affine(&self, x: Batch<F>, z: BatchMut<F>) {
        kernel::affine(x, self.kernel.matrix(), self.bias.as_ref().map(Param::value), z);
    }
}

impl<F: Scalar> Layer<F> for Dense<F> {
    saved!("Dense");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        let inputs = last_axis(input, "inputs")?;
        check_positive(&[("units", self.units)])?;
        self.activation.check()?;
        let kernel = self.kernel.param("kernel", &[inputs, self.units], context)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[self.units], context)).transpose()?;
        self.params = Some(Params { kernel, bias });
        let mut output = input.to_vec();
        output[input.len() - 1] = self.units;
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        params.affine(x, y.reborrow());
        // A product with NaN or infinity is not finite, and neither is a sum with it, so one sum per row suffices.
        if scratch.asks_if_finite() {
            scratch.answer_if_finite(y.as_batch().iter().all(|sums| sums[0].is_finite()));
        }
        self.activation.function.apply(y);
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(params) = &self.params else { return };
        params.affine(x, y.reborrow());
        self.activation.forward(y);
    }

    fn backward(&mut self, mut context: BackwardContext<F>) {
        let Some(params) = &mut self.params else { return };
        self.activation.backward(context.y, context.dy.reborrow());
        let dz = context.dy.as_batch();
        kernel::affine_weights(context.x, dz, params.kernel.grad_matrix());
        params.bias.iter_mut().for_each(|bias| kernel::sum_rows(dz, bias.grad_mut()));
        context.dx.into_iter().for_each(|dx| kernel::affine_input(dz, params.kernel.matrix(), dx));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { kernel, bias }) = &self.params {
            [kernel].into_iter().chain(bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        f(PartMut::Units(&mut self.units));
        if let Some(Params { kernel, bias }) = &mut self.params {
            [kernel].into_iter().chain(bias).map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::Passes,
            by_last_axis: true,
            is_affine: true,
            activation: Some(self.activation.function),
            proves_finite: true,
            memory: Memory::per_row(self.activation.memory(self.units)),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for Dense<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let Some(params) = &self.params else {
            return write!(f, "Dense({}, {})", self.units, self.activation.function);
        };
        write!(f, "Dense({} → {}, {})", params.kernel.shape()[0], self.units, self.activation.function)
    }
}

settings!([F: Scalar] Dense<F> {
    "units" required: units, "activation": activation.function, "use_bias": use_bias, "kernel": kernel,
    "bias": bias,
});
