//! Depthwise convolution: each channel separately, z[t, c·m + j] = Σᵢ x[t·s + i·d, c]·K[i, c, j] + b.
//! dK[i, c, j] = Σ x·dz, db = Σ dz, dx[c] sums K·dz over j and over overlapping windows.

use std::fmt;

use super::depthwise_filters::{DepthwiseFilters, depthwise_setters};
use super::window_setters;
use crate::config::settings;
use crate::error::Result;
use crate::initializer::Initializer;
use crate::layer::window::{Padding, Sliding};
use crate::layer::{
    BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, activation::Activated, saved,
};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A convolution of each channel of a sequence separately: see [`DepthwiseConv`].
///
/// # Shapes
/// Input `(steps, channels)`, output `(new steps, channels·m)`; parameters `kernel (kernel_size, channels, m)`, `bias
/// (channels·m)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([10, 3]).add(DepthwiseConv1D::new(4).depth_multiplier(2));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[7, 6][..]));
///
/// let layer = DepthwiseConv1D::new(3).strides(2).padding(Padding::Same).dilation_rate(1).use_bias(false);
/// let mut model = Sequential::new().input([10, 3]).add(layer.activation(Activation::Relu));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[5, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/>
pub type DepthwiseConv1D<F = f32> = DepthwiseConv<1, F>;

/// A convolution of each channel of an image separately, channels last: see [`DepthwiseConv`].
///
/// # Shapes
/// Input `(height, width, channels)`, output `(new height, new width, channels·m)`; parameters
/// `kernel (kernel height, kernel width, channels, m)`, `bias (channels·m)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::{Array, array};
/// let mut model = Sequential::new().input([2, 2, 2]).add(DepthwiseConv2D::new([2, 2]).name("sums"));
/// model.build()?;
/// let ones_and_twos = Array::from_shape_fn((2, 2, 2, 1), |(_, _, channel, _)| (channel + 1) as f32);
/// model.set_weight("sums/kernel", &ones_and_twos)?;
/// let x = array![[[[1.0, 10.0], [2.0, 20.0]], [[3.0, 30.0], [4.0, 40.0]]]];
/// assert_eq!(model.predict(&x)?, array![[[[10.0, 200.0]]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/depthwise_convolution2d/>
pub type DepthwiseConv2D<F = f32> = DepthwiseConv<2, F>;

/// A convolution over `D` axes of each channel separately, with `depth_multiplier` kernels per channel.
///
/// ```text
/// y[t, c·m + j] = f(b + Σᵢ x[t·s + i·d, c] · K[i, c, j])    over taps i, s the stride, d the dilation
/// ```
///
/// | setter | default |
/// |---|---|
/// | `depth_multiplier` m | 1 |
/// | `activation` | `Linear` |
/// | `strides`, `dilation_rate` | 1 |
/// | `padding` | [`Padding::Valid`]; `Causal` is refused, as in Keras |
/// | `use_bias` | true |
/// | `depthwise_initializer`, `bias_initializer` | `GlorotUniform`, `Zeros` |
/// | `depthwise_regularizer`, `bias_regularizer`, `depthwise_constraint`, `bias_constraint` | none |
///
/// # Shapes
/// Input `(steps, channels)` or `(height, width, channels)`, output `(new steps, channels·m)` or
/// `(new height, new width, channels·m)`; [`Padding`] has the formulas of the new lengths. Parameters are those of
/// [`DepthwiseConv1D`] and [`DepthwiseConv2D`].
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a size of 0, or a window larger than the address space;
/// [`Error::InputShape`](crate::Error::InputShape) for samples of another rank or shorter than the window. As in Keras on
/// JAX, strides and dilation may both be above 1.
///
/// # Example
/// ```
/// use cornu::layer::DepthwiseConv;
/// use cornu::prelude::*;
/// let layer: DepthwiseConv<2> = DepthwiseConv2D::new([3, 3]).strides([2, 1]).padding(Padding::Same);
/// let mut model = Sequential::new().input([9, 8, 2]).add(layer.dilation_rate([1, 2]).depth_multiplier(3));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[5, 8, 6][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct DepthwiseConv<const D: usize, F = f32> {
    sliding: Sliding<D>,
    depth_multiplier: usize,
    use_bias: bool,
    activation: Activated<F>,
    kernel: Spec,
    bias: Spec,
    params: Option<Params<F>>,
}

#[derive(Clone)]
struct Params<F> {
    filters: DepthwiseFilters<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> DepthwiseConv<1, F> {
    /// Creates a layer with kernels over `kernel_size` steps.
    pub fn new(kernel_size: usize) -> Self {
        DepthwiseConv::over([kernel_size])
    }
}

impl<F: Scalar> DepthwiseConv<2, F> {
    /// Creates a layer with kernels over `kernel_size` rows and columns.
    pub fn new(kernel_size: [usize; 2]) -> Self {
        DepthwiseConv::over(kernel_size)
    }
}

window_setters!(DepthwiseConv);

impl<const D: usize, F: Scalar> DepthwiseConv<D, F> {
    fn over(size: [usize; D]) -> Self {
        DepthwiseConv {
            sliding: Sliding::of_kernel(size),
            depth_multiplier: 1,
            use_bias: true,
            activation: Activated::default(),
            kernel: spec!("depthwise", Initializer::GlorotUniform),
            bias: spec!("bias", Initializer::Zeros),
            params: None,
        }
    }

    depthwise_setters!();

    spec_setters!(kernel: "`K`", "`GlorotUniform`", depthwise_initializer, depthwise_regularizer, depthwise_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<F: Scalar> Params<F> {
    fn product(&self, x: Batch<F>, z: BatchMut<F>) {
        self.filters.product(x, self.bias.as_ref(), z);
    }
}

impl<const D: usize, F: Scalar> Layer<F> for DepthwiseConv<D, F> {
    saved!(if D == 1 { "DepthwiseConv1D" } else { "DepthwiseConv2D" });

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.activation.check()?;
        let (kernel, m) = (&self.kernel, self.depth_multiplier);
        let filters = DepthwiseFilters::new("kernel", kernel, &self.sliding, m, input, context)?;
        let width = filters.width();
        let bias = self.use_bias.then(|| self.bias.param("bias", &[width], context)).transpose()?;
        let output = filters.window.output_shape(D, width);
        self.params = Some(Params { filters, bias });
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        params.product(x, y.reborrow());
        self.activation.function.apply(y.reshape(params.filters.width()));
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(params) = &self.params else { return };
        params.product(x, y.reborrow());
        self.activation.forward(y.reshape(params.filters.width()));
    }

    fn backward(&mut self, mut context: BackwardContext<F>) {
        let Some(Params { filters, bias }) = &mut self.params else { return };
        let width = filters.width();
        self.activation.backward(context.y.reshape(width), context.dy.reborrow().reshape(width));
        let dz = context.dy.as_batch();
        filters.write_gradient(context.x, dz, bias.as_mut(), context.scratch);
        context.dx.into_iter().for_each(|dx| filters.input_gradient(dz, dx));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { filters, bias }) = &self.params {
            [&filters.kernel].into_iter().chain(bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        if let Some(Params { filters, bias }) = &mut self.params {
            [&mut filters.kernel].into_iter().chain(bias).map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            activation: Some(self.activation.function),
            memory: self.params.as_ref().map_or(Memory::default(), |Params { filters, .. }| {
                let part = filters.kernel.len() + filters.width();
                Memory { fixed: part, per_row: self.activation.memory(filters.outputs()), per_part: part }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<const D: usize, F: Scalar> fmt::Debug for DepthwiseConv<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let size = self.sliding.size.map(|k| k.to_string()).join("×");
        let (kind, function) = (Layer::<F>::kind(self), self.activation.function);
        write!(f, "{kind}({} of {size}, {function})", self.depth_multiplier)
    }
}

settings!([const D: usize, F: Scalar] DepthwiseConv<D, F> {
    "kernel_size" required: sliding.size, "strides": sliding.strides, "padding": sliding.padding,
    "dilation_rate": sliding.dilation, "depth_multiplier": depth_multiplier,
    "activation": activation.function, "use_bias": use_bias, "depthwise": kernel, "bias": bias,
} only { "data_format": "channels_last" });
