//! Separable convolution: h = depthwise(x), y = f(z), z = h·P + b.
//! dz = dy ⊙ f'(z), dP = hᵀ·dz, db = Σ dz, dh = dz·Pᵀ, and dK, dx from dh.

use std::fmt;

use super::depthwise::{add_depthwise_weights, depthwise, depthwise_input, sliding, window};
use crate::activation::Activation;
use crate::config::settings;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::activation::Activated;
use crate::layer::window::{Padding, Sliding, Window};
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Param, Spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A depthwise convolution followed by a pointwise one over all channels.
///
/// It has far fewer weights than [`Conv1D`](super::Conv1D).
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
/// # Errors
/// At `build`: as for [`DepthwiseConv1D`](super::DepthwiseConv1D).
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/separable_convolution1d/>
#[derive(Clone)]
pub struct SeparableConv1D<F = f32> {
    filters: usize,
    sliding: Sliding<1>,
    depth_multiplier: usize,
    use_bias: bool,
    activation: Activated<F>,
    depthwise: Spec,
    pointwise: Spec,
    bias: Spec,
    built: Option<Built<F>>,
    /// h of the batch.
    h: Vec<F>,
    sums: Vec<F>,
}

#[derive(Clone)]
struct Built<F> {
    window: Window,
    depthwise: Param<F>,
    pointwise: Param<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> SeparableConv1D<F> {
    /// Creates a layer with this number of filters over `kernel_size` steps.
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        SeparableConv1D {
            filters,
            sliding: sliding(kernel_size),
            depth_multiplier: 1,
            use_bias: true,
            activation: Activated::default(),
            depthwise: Spec::new(Initializer::GlorotUniform),
            pointwise: Spec::new(Initializer::GlorotUniform),
            bias: Spec::new(Initializer::Zeros),
            built: None,
            h: Vec::new(),
            sums: Vec::new(),
        }
    }

    /// The number of kernels per channel. Default: 1.
    pub fn depth_multiplier(mut self, depth_multiplier: usize) -> Self {
        self.depth_multiplier = depth_multiplier;
        self
    }

    /// The activation `f`. Default: `Linear`.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation.function = activation;
        self
    }

    /// The number of steps by which the window moves. Default: 1.
    pub fn strides(mut self, strides: usize) -> Self {
        self.sliding.strides = [strides];
        self
    }

    /// The distance between the taps of the window, in steps. Default: 1.
    pub fn dilation_rate(mut self, dilation_rate: usize) -> Self {
        self.sliding.dilation = [dilation_rate];
        self
    }

    /// The padding at the ends. Default: [`Padding::Valid`].
    pub fn padding(mut self, padding: Padding) -> Self {
        self.sliding.padding = padding;
        self
    }

    /// Whether to add the bias `b`. Default: true.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    spec_setters!(depthwise: "`K`", "`GlorotUniform`", depthwise_initializer, depthwise_regularizer, depthwise_constraint);
    spec_setters!(pointwise: "`P`", "`GlorotUniform`", pointwise_initializer, pointwise_regularizer, pointwise_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<F: Scalar> Built<F> {
    /// The number of values of h per position.
    fn between(&self) -> usize {
        self.depthwise.len() / self.window.taps()
    }

    /// h, then z.
    fn product(&self, x: Batch<F>, h: &mut [F], z: BatchMut<F>) {
        let filters = self.pointwise.shape()[2];
        depthwise(
            &self.window,
            self.depthwise.value(),
            x,
            BatchMut::new(h, self.window.places() * self.between()),
        );
        let bias = self.bias.as_ref().map(Param::value);
        kernel::affine(Batch::new(h, self.between()), self.pointwise.matrix(), bias, z.reshape(filters));
    }
}

impl<F: Scalar> Layer<F> for SeparableConv1D<F> {
    fn kind(&self) -> &str {
        "SeparableConv1D"
    }

    saved!();

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.activation.check()?;
        if self.filters == 0 {
            return Err(Error::argument("filters", "at least 1", 0));
        }
        let window = window(&self.sliding, self.depth_multiplier, input)?;
        let (channels, m) = (window.channels, self.depth_multiplier);
        let depthwise = self.depthwise.param("depthwise_kernel", &[window.taps(), channels, m], context)?;
        let pointwise =
            self.pointwise.param("pointwise_kernel", &[1, channels * m, self.filters], context)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[self.filters], context)).transpose()?;
        let output = window.output_shape(1, self.filters);
        self.built = Some(Built { window, depthwise, pointwise, bias });
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(built) = &self.built else { return };
        let (h, _) = scratch.take(x.rows() * built.window.places() * built.between());
        built.product(x, h, y.reborrow());
        self.activation.function.apply(y.reshape(self.filters));
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(built) = &self.built else { return };
        self.h.resize(x.rows() * built.window.places() * built.between(), F::zero());
        built.product(x, &mut self.h, y.reborrow());
        self.activation.forward(y.reshape(self.filters));
    }

    fn backward(&mut self, mut pass: BackwardContext<F>) {
        let Some(built) = &mut self.built else { return };
        let between = built.between();
        self.activation.backward(pass.y.reshape(self.filters), pass.dy.reborrow().reshape(self.filters));
        let dz = pass.dy.as_batch().reshape(self.filters);
        kernel::affine_weights(Batch::new(&self.h, between), dz, built.pointwise.grad_matrix());
        if let Some(bias) = &mut built.bias {
            kernel::sum_rows(dz, &mut bias.grad);
        }
        let (dh, _) = pass.scratch.take(self.h.len());
        kernel::affine_input(dz, built.pointwise.matrix(), BatchMut::new(dh, between));
        let (x, dh) = (pass.x, Batch::new(dh, built.window.places() * between));
        kernel::sum_over(x.rows(), &mut self.sums, &mut built.depthwise.grad, &|samples, sum| {
            let (start, count) = (samples.start, samples.len());
            add_depthwise_weights(&built.window, x.rows_from(start, count), dh.rows_from(start, count), sum);
        });
        if let Some(dx) = pass.dx {
            depthwise_input(&built.window, built.depthwise.value(), dh, dx);
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(built) = &self.built {
            [&built.depthwise, &built.pointwise].into_iter().chain(&built.bias).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        if let Some(built) = &mut self.built {
            [&mut built.depthwise, &mut built.pointwise]
                .into_iter()
                .chain(&mut built.bias)
                .map(PartMut::Param)
                .for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            activation: Some(self.activation.function),
            memory: self.built.as_ref().map_or(Memory::default(), |built| {
                let places = built.window.places();
                let per_row = self.activation.memory(places * self.filters) + 2 * places * built.between();
                Memory { per_row, per_part: built.depthwise.len(), ..Memory::default() }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for SeparableConv1D<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(
            f,
            "SeparableConv1D({} of {}, {})",
            self.filters, self.sliding.size[0], self.activation.function
        )
    }
}

settings!([F: Scalar] SeparableConv1D<F> {
    "filters" required: filters, "kernel_size" required: sliding.size, "strides": sliding.strides,
    "padding": sliding.padding, "dilation_rate": sliding.dilation, "depth_multiplier": depth_multiplier,
    "activation": activation.function, "use_bias": use_bias, "depthwise": depthwise, "pointwise": pointwise,
    "bias": bias,
} only { "data_format": "channels_last" });
