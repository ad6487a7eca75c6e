//! Separable convolution: h = depthwise(x), y = f(z), z = h·P + b.
//! dz = dy ⊙ f'(z), dP = hᵀ·dz, db = Σ dz, dh = dz·Pᵀ, and dK, dx from dh.

use std::fmt;

use super::depthwise_filters::{DepthwiseFilters, depthwise_setters};
use super::window_setters;
use crate::config::settings;
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

/// A depthwise convolution over the steps of a sequence, followed by a pointwise one: see [`SeparableConv`].
///
/// # Shapes
/// Input `(steps, channels)`, output `(new steps, filters)`; parameters
/// `depthwise_kernel (kernel_size, channels, m)`, `pointwise_kernel (1, channels·m, filters)`, `bias (filters)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([10, 3]).add(SeparableConv1D::new(8, 4));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[7, 8][..]));
///
/// let layer = SeparableConv1D::new(8, 3).depth_multiplier(2).dilation_rate(2).strides(1).padding(Padding::Same);
/// let mut model = Sequential::new().input([10, 3]).add(layer.activation(Activation::Relu).use_bias(false));
/// model.build()?;
/// assert_eq!(model.weight("separable_conv1d/pointwise_kernel")?.shape(), [1, 6, 8]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/separable_convolution1d/>
pub type SeparableConv1D<F = f32> = SeparableConv<1, F>;

/// A depthwise convolution over an image, channels last, followed by a pointwise one: see [`SeparableConv`].
///
/// # Shapes
/// Input `(height, width, channels)`, output `(new height, new width, filters)`; parameters
/// `depthwise_kernel (kernel height, kernel width, channels, m)`, `pointwise_kernel (1, 1, channels·m, filters)`,
/// `bias (filters)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let separable = SeparableConv2D::new(64, [3, 3]).padding(Padding::Same);
/// let mut model = Sequential::new().input([28, 28, 32]).add(separable);
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[28, 28, 64][..]));
/// let count = model.weights()?.iter().map(|(_, weight)| weight.len()).sum::<usize>();
/// assert_eq!(count, 3 * 3 * 32 + 32 * 64 + 64);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/separable_convolution2d/>
pub type SeparableConv2D<F = f32> = SeparableConv<2, F>;

/// A depthwise convolution over `D` axes, followed by a pointwise one over all channels.
///
/// It has far fewer weights than a [`Conv`](crate::layer::Conv).
///
/// ```text
/// h[t, c·m + j] = Σᵢ x[t·s + i·d, c] · K[i, c, j]    y[t] = f(h[t]·P + b)
/// ```
///
/// | setter | default |
/// |---|---|
/// | `depth_multiplier` m | 1 |
/// | `activation` | `Linear` |
/// | `strides`, `dilation_rate` | 1 |
/// | `padding` | [`Padding::Valid`]; `Causal` is refused, as in Keras |
/// | `use_bias` | true |
/// | `depthwise_initializer`, `pointwise_initializer`, `bias_initializer` | `GlorotUniform` twice, `Zeros` |
/// | `depthwise_regularizer`, `pointwise_regularizer`, `bias_regularizer` | none |
/// | `depthwise_constraint`, `pointwise_constraint`, `bias_constraint` | none |
///
/// # Shapes
/// Input `(steps, channels)` or `(height, width, channels)`, output `(new steps, filters)` or
/// `(new height, new width, filters)`; [`Padding`] has the formulas of the new lengths. Parameters are those of
/// [`SeparableConv1D`] and [`SeparableConv2D`].
///
/// # Errors
/// At `build`: as for [`DepthwiseConv`](crate::layer::DepthwiseConv).
///
/// # Example
/// ```
/// use cornu::layer::SeparableConv;
/// use cornu::prelude::*;
/// let layer: SeparableConv<2> = SeparableConv2D::new(4, [3, 2]).strides([2, 2]).depth_multiplier(2);
/// let mut model = Sequential::new().input([9, 8, 3]).add(layer.activation(Activation::Relu).use_bias(false));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[4, 4, 4][..]));
/// assert_eq!(model.weight("separable_conv2d/pointwise_kernel")?.shape(), [1, 1, 6, 4]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct SeparableConv<const D: usize, F = f32> {
    filters: usize,
    sliding: Sliding<D>,
    depth_multiplier: usize,
    use_bias: bool,
    activation: Activated<F>,
    depthwise: Spec,
    pointwise: Spec,
    bias: Spec,
    params: Option<Params<F>>,
    /// h of the batch.
    h: Vec<F>,
}

#[derive(Clone)]
struct Params<F> {
    depthwise: DepthwiseFilters<F>,
    pointwise: Param<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> SeparableConv<1, F> {
    /// Creates a layer with this number of filters over `kernel_size` steps.
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        SeparableConv::over(filters, [kernel_size])
    }
}

impl<F: Scalar> SeparableConv<2, F> {
    /// Creates a layer with this number of filters over `kernel_size` rows and columns.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        SeparableConv::over(filters, kernel_size)
    }
}

window_setters!(SeparableConv);

impl<const D: usize, F: Scalar> SeparableConv<D, F> {
    fn over(filters: usize, size: [usize; D]) -> Self {
        SeparableConv {
            filters,
            sliding: Sliding::of_kernel(size),
            depth_multiplier: 1,
            use_bias: true,
            activation: Activated::default(),
            depthwise: spec!("depthwise", Initializer::GlorotUniform),
            pointwise: spec!("pointwise", Initializer::GlorotUniform),
            bias: spec!("bias", Initializer::Zeros),
            params: None,
            h: Vec::new(),
        }
    }

    depthwise_setters!();

    spec_setters!(depthwise: "`K`", "`GlorotUniform`", depthwise_initializer, depthwise_regularizer, depthwise_constraint);
    spec_setters!(pointwise: "`P`", "`GlorotUniform`", pointwise_initializer, pointwise_regularizer, pointwise_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<F: Scalar> Params<F> {
    /// h, then z.
    fn product(&self, x: Batch<F>, h: &mut [F], z: BatchMut<F>) {
        self.depthwise.product(x, None, BatchMut::new(h, self.depthwise.outputs()));
        let (h, bias) = (Batch::new(h, self.depthwise.width()), self.bias.as_ref().map(Param::value));
        kernel::affine(h, self.pointwise.matrix(), bias, z.reshape(self.pointwise.matrix().width()));
    }
}

impl<const D: usize, F: Scalar> Layer<F> for SeparableConv<D, F> {
    saved!(if D == 1 { "SeparableConv1D" } else { "SeparableConv2D" });

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.activation.check()?;
        check_positive(&[("filters", self.filters)])?;
        let (kernel, m) = (&self.depthwise, self.depth_multiplier);
        let depthwise = DepthwiseFilters::new("depthwise_kernel", kernel, &self.sliding, m, input, context)?;
        let shape = [&[1; D][..], &[depthwise.width(), self.filters]].concat();
        let pointwise = self.pointwise.param("pointwise_kernel", &shape, context)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[self.filters], context)).transpose()?;
        let output = depthwise.window.output_shape(D, self.filters);
        self.params = Some(Params { depthwise, pointwise, bias });
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        let (h, _) = scratch.take(x.rows() * params.depthwise.outputs());
        params.product(x, h, y.reborrow());
        self.activation.function.apply(y.reshape(self.filters));
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(params) = &self.params else { return };
        self.h.resize(x.rows() * params.depthwise.outputs(), F::zero());
        params.product(x, &mut self.h, y.reborrow());
        self.activation.forward(y.reshape(self.filters));
    }

    fn backward(&mut self, mut context: BackwardContext<F>) {
        let Some(Params { depthwise, pointwise, bias }) = &mut self.params else { return };
        self.activation
            .backward(context.y.reshape(self.filters), context.dy.reborrow().reshape(self.filters));
        let (h, dz) = (Batch::new(&self.h, depthwise.width()), context.dy.as_batch().reshape(self.filters));
        kernel::affine_weights(h, dz, pointwise.grad_matrix());
        bias.iter_mut().for_each(|bias| kernel::sum_rows(dz, bias.grad_mut()));
        let (dh, scratch) = context.scratch.take(self.h.len());
        kernel::affine_input(dz, pointwise.matrix(), BatchMut::new(dh, h.width()));
        let dh = Batch::new(dh, depthwise.outputs());
        depthwise.write_gradient(context.x, dh, None, scratch);
        context.dx.into_iter().for_each(|dx| depthwise.input_gradient(dh, dx));
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Params { depthwise, pointwise, bias }) = &self.params {
            [&depthwise.kernel, pointwise].into_iter().chain(bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        if let Some(Params { depthwise, pointwise, bias }) = &mut self.params {
            [&mut depthwise.kernel, pointwise].into_iter().chain(bias).map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            activation: Some(self.activation.function),
            memory: self.params.as_ref().map_or(Memory::default(), |Params { depthwise, .. }| {
                let outputs = depthwise.window.places() * self.filters;
                let per_row = self.activation.memory(outputs) + 2 * depthwise.outputs();
                Memory { fixed: depthwise.kernel.len(), per_row, per_part: depthwise.kernel.len() }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<const D: usize, F: Scalar> fmt::Debug for SeparableConv<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let size = self.sliding.size.map(|k| k.to_string()).join("×");
        write!(f, "{}({} of {size}, {})", Layer::<F>::kind(self), self.filters, self.activation.function)
    }
}

settings!([const D: usize, F: Scalar] SeparableConv<D, F> {
    "filters" required: filters, "kernel_size" required: sliding.size, "strides": sliding.strides,
    "padding": sliding.padding, "dilation_rate": sliding.dilation, "depth_multiplier": depth_multiplier,
    "activation": activation.function, "use_bias": use_bias, "depthwise": depthwise, "pointwise": pointwise,
    "bias": bias,
} only { "data_format": "channels_last" });
