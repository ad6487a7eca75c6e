//! Transposed convolution: y = f(z), z = Vᵀ·x + b, for the V of the convolution from z to x that has the same window.
//! dz = dy ⊙ f'(z), and with the rows of U the windows over dz: dx = U·W, dW = Uᵀ·x, db = Σ dz.

use std::fmt;

use super::filters::Filters;
use super::{add_bias, window_setters};
use crate::activation::Activation;
use crate::config::{setters, settings};
use crate::error::Result;
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::activation::Activated;
use crate::layer::check::check_positive;
use crate::layer::window::{Padding, Sliding};
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A transposed convolution over the steps of a sequence: see [`ConvTranspose`].
///
/// # Shapes
/// Input `(steps, channels)`, output `(new steps, filters)`; parameters `kernel (kernel_size, filters, channels)`,
/// `bias (filters)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2, 1]).add(Conv1DTranspose::new(1, 3).strides(2).name("up"));
/// model.build()?;
/// model.set_weight("up/kernel", &array![[[1.0]], [[10.0]], [[100.0]]])?;
/// let y = model.predict(&array![[[1.0], [2.0]]])?;
/// assert_eq!(y, array![[[1.0], [10.0], [102.0], [20.0], [200.0]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/convolution1d_transpose/>
pub type Conv1DTranspose<F = f32> = ConvTranspose<1, F>;

/// A transposed convolution over the rows and columns of an image, channels last: see [`ConvTranspose`].
///
/// # Shapes
/// Input `(height, width, channels)`, output `(new height, new width, filters)`; parameters
/// `kernel (kernel height, kernel width, filters, channels)`, `bias (filters)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let up = Conv2DTranspose::new(8, [3, 3]).strides([2, 2]).padding(Padding::Same);
/// let mut model = Sequential::new().input([14, 14, 16]).add(up);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[28, 28, 8][..]));
/// assert_eq!(model.weight("conv2d_transpose/kernel")?.shape(), [3, 3, 8, 16]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/convolution2d_transpose/>
pub type Conv2DTranspose<F = f32> = ConvTranspose<2, F>;

/// A transposed convolution over `D` axes: each input adds its multiple of a kernel to the output, at places that are a
/// stride apart.
///
/// It maps shapes and gradients as a [`Conv`](crate::layer::Conv) with the same settings does backwards.
///
/// ```text
/// y[u] = f(b + Σ x[t] · W[j])    over all inputs t, taps j and channels with t·s + j·d − p = u,
///                                s the stride, d the dilation, p the number of outputs cut off at the start
/// ```
///
/// | setter | default |
/// |---|---|
/// | `activation` | `Linear` |
/// | `strides` | 1 |
/// | `padding` | [`Padding::Valid`]; `Causal` is refused, as in Keras |
/// | `output_padding` | none |
/// | `dilation_rate` | 1 |
/// | `use_bias` | true |
/// | `kernel_initializer`, `bias_initializer` | `GlorotUniform`, `Zeros` |
/// | `kernel_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `bias_constraint` | none |
///
/// # Shapes
/// Input `(steps, channels)` or `(height, width, channels)`, output `(new steps, filters)` or
/// `(new height, new width, filters)`. For an axis of `n` inputs and a kernel of `k` taps, with `e = (k − 1)·d + 1`, the new
/// length is
///
/// | `padding` | no `output_padding` | `output_padding` `o` |
/// |---|---|---|
/// | `Valid` | `(n − 1)·s + max(e, s)` | `(n − 1)·s + e + o` |
/// | `Same` | `n·s` | `(n − 1)·s + e mod 2 + o` |
///
/// `Valid` keeps all outputs. `Same` cuts off `p = ⌊(e − (length − (n − 1)·s))/2⌋` at the start, or none if that is below 0,
/// and the others at the end. Outputs that no tap reaches are `f(b)`. Parameters are those of [`Conv1DTranspose`] and
/// [`Conv2DTranspose`].
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a size of 0, for [`Padding::Causal`], for strides and dilation both above 1, for an
/// `output_padding` that is not below the strides or leaves no output (Keras then returns an empty one), and for sizes
/// whose output exceeds the address space; [`Error::TooLarge`](crate::Error::TooLarge) for an output of 2³² numbers
/// or more; [`Error::InputShape`](crate::Error::InputShape) for samples of another rank.
///
/// # Example
/// ```
/// use cornu::layer::ConvTranspose;
/// use cornu::prelude::*;
/// let down = Conv1D::new(4, 4).strides(3);
/// let up: ConvTranspose<1> = Conv1DTranspose::new(2, 4).strides(3).output_padding(2);
/// let mut model = Sequential::new().input([12, 2]).add(down).add(up.activation(Activation::Relu));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[12, 2][..]));
///
/// let dilated = Conv1DTranspose::new(4, 3).padding(Padding::Same).dilation_rate(2).use_bias(false);
/// let mut model = Sequential::new().input([9, 2]).add(dilated);
/// model.build()?;
/// assert_eq!((model.output_shape(), model.weights()?.len()), (Some(&[9, 4][..]), 1));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// [A guide to convolution arithmetic for deep learning](https://arxiv.org/abs/1603.07285), chapter 4.
#[derive(Clone)]
pub struct ConvTranspose<const D: usize, F = f32> {
    filters: usize,
    sliding: Sliding<D>,
    output_padding: Option<[usize; D]>,
    use_bias: bool,
    activation: Activated<F>,
    kernel: Spec,
    bias: Spec,
    params: Option<Params<F>>,
    /// Partial sums of the gradient of the kernel.
    sums: Vec<F>,
}

#[derive(Clone)]
struct Params<F> {
    /// The convolution from z to x.
    convolution: Filters<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> ConvTranspose<1, F> {
    /// Creates a layer with this number of filters over `kernel_size` steps.
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        ConvTranspose::over(filters, [kernel_size])
    }

    /// The number of steps added to the length of the output; below the stride. Default: none, see
    /// [`ConvTranspose`].
    pub fn output_padding(mut self, output_padding: usize) -> Self {
        self.output_padding = Some([output_padding]);
        self
    }
}

impl<F: Scalar> ConvTranspose<2, F> {
    /// Creates a layer with this number of filters over `kernel_size` rows and columns.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        ConvTranspose::over(filters, kernel_size)
    }

    /// The numbers of rows and columns added to the output; below the strides. Default: none, see [`ConvTranspose`].
    pub fn output_padding(mut self, output_padding: [usize; 2]) -> Self {
        self.output_padding = Some(output_padding);
        self
    }
}

window_setters!(ConvTranspose);

impl<const D: usize, F: Scalar> ConvTranspose<D, F> {
    fn over(filters: usize, size: [usize; D]) -> Self {
        ConvTranspose {
            filters,
            sliding: Sliding::of_kernel(size),
            output_padding: None,
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
        /// The padding, which determines the length of the output. Default: [`Padding::Valid`].
        padding: Padding => sliding.padding;
        /// Whether to add the bias `b`. Default: true.
        use_bias: bool;
    }

    spec_setters!(kernel: "`W`", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<F: Scalar> Params<F> {
    fn product(&self, x: Batch<F>, mut z: BatchMut<F>) {
        self.convolution.input_gradient(x, z.reborrow());
        add_bias(self.bias.as_ref(), z);
    }
}

impl<const D: usize, F: Scalar> Layer<F> for ConvTranspose<D, F> {
    saved!(if D == 1 { "Conv1DTranspose" } else { "Conv2DTranspose" });

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.activation.check()?;
        check_positive(&[("filters", self.filters)])?;
        let window = self.sliding.transposed(input, self.filters, self.output_padding)?;
        let shape = [&self.sliding.size[..], &[self.filters, input[D]]].concat();
        let kernel = self.kernel.param("kernel", &shape, context)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[self.filters], context)).transpose()?;
        let output = window.input_shape(D);
        let convolution = Filters { window, groups: 1, kernel, bias: None };
        self.params = Some(Params { convolution, bias });
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
        let Some(Params { convolution, bias }) = &mut self.params else { return };
        self.activation
            .backward(context.y.reshape(self.filters), context.dy.reborrow().reshape(self.filters));
        let dz = context.dy.as_batch();
        let (total, _) = context.scratch.take(convolution.kernel.len());
        kernel::sum_over(context.x.rows(), &mut self.sums, total, &|samples, sum| {
            convolution.add_gradient(dz, context.x, samples, sum);
        });
        convolution.kernel.grad_mut().copy_from_slice(total);
        bias.iter_mut().for_each(|bias| kernel::sum_rows(dz.reshape(self.filters), bias.grad_mut()));
        context.dx.into_iter().for_each(|dx| convolution.product(dz, dx));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { convolution, bias }) = &self.params {
            [&convolution.kernel].into_iter().chain(bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        if let Some(Params { convolution, bias }) = &mut self.params {
            [&mut convolution.kernel].into_iter().chain(bias).map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            activation: Some(self.activation.function),
            memory: self.params.as_ref().map_or(Memory::default(), |Params { convolution, .. }| {
                let part = convolution.kernel.len();
                let per_row = self.activation.memory(convolution.window.cells() * self.filters);
                Memory { fixed: part, per_row, per_part: part }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<const D: usize, F: Scalar> fmt::Debug for ConvTranspose<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let size = self.sliding.size.map(|k| k.to_string()).join("×");
        write!(f, "{}({} of {size}, {})", Layer::<F>::kind(self), self.filters, self.activation.function)
    }
}

settings!([const D: usize, F: Scalar] ConvTranspose<D, F> {
    "filters" required: filters, "kernel_size" required: sliding.size, "strides": sliding.strides,
    "padding": sliding.padding, "output_padding": output_padding, "dilation_rate": sliding.dilation,
    "activation": activation.function, "use_bias": use_bias, "kernel": kernel, "bias": bias,
} only { "data_format": "channels_last" });
