//! Convolution: y = f(z), z = U·W + b; each row of U is the window at one position.
//! dz = dy ⊙ f'(z), dW = Uᵀ·dz, db = Σ dz, dU = dz·Wᵀ, and dx sums dU where windows overlap.

use std::fmt;

use super::filters::Filters;
use super::window_setters;
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::activation::Activated;
use crate::layer::check::check_positive;
use crate::layer::window::{Padding, Sliding};
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A convolution over the steps of a sequence: see [`Conv`].
///
/// # Shapes
/// Input `(steps, channels)`, output `(new steps, filters)`; parameters `kernel (kernel_size, channels / groups,
/// filters)`, `bias (filters)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::{Array3, array};
/// let mut model = Sequential::new().input([3, 1]).add(Conv1D::new(1, 2).name("difference"));
/// model.build()?;
/// model.set_weight("difference/kernel", &array![[[-1.0]], [[1.0]]])?;
/// let x = Array3::from_shape_vec((1, 3, 1), vec![1.0f32, 4.0, 9.0]).map_err(Error::outside)?;
/// assert_eq!(model.predict(&x)?, array![[[3.0], [5.0]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/convolution1d/>
pub type Conv1D<F = f32> = Conv<1, F>;

/// A convolution over the rows and columns of an image, channels last: see [`Conv`].
///
/// # Shapes
/// Input `(height, width, channels)`, output `(new height, new width, filters)`; parameters
/// `kernel (kernel height, kernel width, channels / groups, filters)`, `bias (filters)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([28, 28, 1]).add(Conv2D::new(8, [3, 3]).strides([2, 2]));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[13, 13, 8][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/convolution2d/>
pub type Conv2D<F = f32> = Conv<2, F>;

/// A convolution over `D` axes: each filter slides a small kernel over the input, without flipping it.
///
/// ```text
/// yₜ = f(b + Σⱼ x[t·s + j·d] · W[j])    over taps j and channels, s the stride, d the dilation
/// ```
///
/// | setter | default |
/// |---|---|
/// | `activation` | `Linear` |
/// | `strides` | 1 |
/// | `padding` | [`Padding::Valid`] |
/// | `dilation_rate` | 1 |
/// | `groups` | 1: each filter reads all channels |
/// | `use_bias` | true |
/// | `kernel_initializer`, `bias_initializer` | `GlorotUniform`, `Zeros` |
/// | `kernel_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `bias_constraint` | none |
///
/// # Shapes
/// Input `(steps, channels)` or `(height, width, channels)`, output `(new steps, filters)` or
/// `(new height, new width, filters)`; [`Padding`] has the formulas of the new lengths. Parameters are
/// those of [`Conv1D`] and [`Conv2D`].
///
/// # Errors
/// At `build`: [`Error::Argument`] for a size of 0, for a window larger than the address space, for strides and dilation
/// both above 1, or for groups that do not divide channels and filters; [`Error::InputShape`] for samples of another rank
/// or shorter than the window.
///
/// # Example
/// ```
/// use cornu::layer::Conv;
/// use cornu::prelude::*;
/// let layer: Conv<1> = Conv1D::new(4, 3).strides(2).activation(Activation::Relu);
/// let mut model = Sequential::new().input([9, 2]).add(layer);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[4, 4][..]));
///
/// let dilated = Conv1D::new(4, 3).padding(Padding::Causal).dilation_rate(2).groups(2).use_bias(false);
/// let mut model = Sequential::new().input([9, 2]).add(dilated);
/// model.build()?;
/// assert_eq!(model.weights()?.len(), 1);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct Conv<const D: usize, F = f32> {
    filters: usize,
    sliding: Sliding<D>,
    groups: usize,
    use_bias: bool,
    activation: Activated<F>,
    kernel: Spec,
    bias: Spec,
    params: Option<Filters<F>>,
    /// Partial sums of the gradients of kernel and bias.
    sums: Vec<F>,
}

impl<F: Scalar> Conv<1, F> {
    /// Creates a layer with this number of filters over `kernel_size` steps.
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        Conv::over(filters, [kernel_size])
    }
}

impl<F: Scalar> Conv<2, F> {
    /// Creates a layer with this number of filters over `kernel_size` rows and columns.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        Conv::over(filters, kernel_size)
    }
}

window_setters!(Conv);

impl<const D: usize, F: Scalar> Conv<D, F> {
    fn over(filters: usize, size: [usize; D]) -> Self {
        Conv {
            filters,
            sliding: Sliding::of_kernel(size),
            groups: 1,
            use_bias: true,
            activation: Activated::default(),
            kernel: spec!("kernel", Initializer::GlorotUniform),
            bias: spec!("bias", Initializer::Zeros),
            params: None,
            sums: Vec::new(),
        }
    }

    setters! {
        /// The activation `f`. Default: `Linear`.
        activation: Activation => activation.function;
        /// The padding at the ends. Default: [`Padding::Valid`].
        padding: Padding => sliding.padding;
        /// The number of groups of channels and filters; a filter reads the channels of its group. Default: 1.
        groups: usize;
        /// Whether to add the bias `b`. Default: true.
        use_bias: bool;
    }

    spec_setters!(kernel: "`W`", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<const D: usize, F: Scalar> Layer<F> for Conv<D, F> {
    saved!(if D == 1 { "Conv1D" } else { "Conv2D" });

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.activation.check()?;
        check_positive(&[("filters", self.filters), ("groups", self.groups)])?;
        let window = self.sliding.over(input)?;
        self.sliding.check_dilation()?;
        if !window.channels.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            let expected =
                format!("a divisor of the {} channels and the {} filters", window.channels, self.filters);
            return Err(Error::argument("groups", expected, self.groups));
        }
        let shape = [&self.sliding.size[..], &[window.channels / self.groups, self.filters]].concat();
        let kernel = self.kernel.param("kernel", &shape, context)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[self.filters], context)).transpose()?;
        let output = window.output_shape(D, self.filters);
        self.params = Some(Filters { window, groups: self.groups, kernel, bias });
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        params.product(x, y.reborrow());
        self.activation.function.apply(y.reshape(self.filters));
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(params) = &self.params else { return };
        params.product(x, y.reborrow());
        self.activation.forward(y.reshape(self.filters));
    }

    fn backward(&mut self, mut context: BackwardContext<F>) {
        let Some(params) = &mut self.params else { return };
        self.activation
            .backward(context.y.reshape(self.filters), context.dy.reborrow().reshape(self.filters));
        let dz = context.dy.as_batch();
        let weights = params.kernel.len();
        let count = weights + params.bias.as_ref().map_or(0, Param::len);
        let (total, _) = context.scratch.take(count);
        kernel::sum_over(context.x.rows(), &mut self.sums, total, &|samples, sum| {
            params.add_gradient(context.x, dz, samples, sum);
        });
        params.kernel.grad_mut().copy_from_slice(&total[..weights]);
        params.bias.iter_mut().for_each(|bias| bias.grad_mut().copy_from_slice(&total[weights..]));
        context.dx.into_iter().for_each(|dx| params.input_gradient(dz, dx));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Filters { kernel, bias, .. }) = &self.params {
            [kernel].into_iter().chain(bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        if let Some(Filters { kernel, bias, .. }) = &mut self.params {
            [kernel].into_iter().chain(bias).map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            activation: Some(self.activation.function),
            memory: self.params.as_ref().map_or(Memory::default(), |params| {
                let part = params.kernel.len() + self.filters;
                let per_row = self.activation.memory(params.window.places() * self.filters);
                Memory { fixed: part, per_row, per_part: part }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<const D: usize, F: Scalar> fmt::Debug for Conv<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let size = self.sliding.size.map(|k| k.to_string()).join("×");
        write!(f, "{}({} of {size}, {})", Layer::<F>::kind(self), self.filters, self.activation.function)
    }
}

settings!([const D: usize, F: Scalar] Conv<D, F> {
    "filters" required: filters, "kernel_size" required: sliding.size, "strides": sliding.strides,
    "padding": sliding.padding, "dilation_rate": sliding.dilation, "groups": groups,
    "activation": activation.function, "use_bias": use_bias, "kernel": kernel, "bias": bias,
} only { "data_format": "channels_last" });
