//! Depthwise convolution: each channel separately, z[t, c·m + j] = Σᵢ x[t·s + i·d, c]·K[i, c, j] + b.
//! dK[i, c, j] = Σ x·dz, db = Σ dz, dx[c] sums K·dz over j and over overlapping windows.

use std::fmt;

use super::block;
use crate::activation::Activation;
use crate::config::settings;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::window::{Padding, Sliding, Window};
use crate::layer::{
    BackwardContext, Layer, LayerTraits, Memory, Part, PartMut, Step, activation::Activated, saved,
};
use crate::param::{BuildContext, Param, Spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A convolution of each channel separately, with `depth_multiplier` kernels per channel.
///
/// ```text
/// y[t, c·m + j] = f(b + Σᵢ x[t·s + i·d, c] · K[i, c, j])
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
/// # Errors
/// At `build`: [`Error::Argument`] for a size of 0, for strides and dilation both above 1, or for a window longer
/// than the input; [`Error::InputShape`] for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/convolution_layers/depthwise_convolution1d/>
#[derive(Clone)]
pub struct DepthwiseConv1D<F = f32> {
    sliding: Sliding<1>,
    depth_multiplier: usize,
    use_bias: bool,
    activation: Activated<F>,
    kernel: Spec,
    bias: Spec,
    built: Option<Built<F>>,
    sums: Vec<F>,
}

#[derive(Clone)]
struct Built<F> {
    window: Window,
    kernel: Param<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> DepthwiseConv1D<F> {
    /// Creates a layer with kernels over `kernel_size` steps.
    pub fn new(kernel_size: usize) -> Self {
        DepthwiseConv1D {
            sliding: sliding(kernel_size),
            depth_multiplier: 1,
            use_bias: true,
            activation: Activated::default(),
            kernel: Spec::new(Initializer::GlorotUniform),
            bias: Spec::new(Initializer::Zeros),
            built: None,
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

    spec_setters!(kernel: "`K`", "`GlorotUniform`", depthwise_initializer, depthwise_regularizer, depthwise_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);

    fn product(&self, built: &Built<F>, x: Batch<F>, mut z: BatchMut<F>) {
        depthwise(&built.window, built.kernel.value(), x, z.reborrow());
        if let Some(bias) = &built.bias {
            let rows = z.reshape(bias.len());
            add_to_rows(bias.value(), rows);
        }
    }
}

/// A window over this number of steps.
pub(super) fn sliding(size: usize) -> Sliding<1> {
    Sliding { size: [size], strides: [1], dilation: [1], padding: Padding::Valid, what: "kernel_size" }
}

/// The window of a layer without causal padding.
pub(super) fn window(sliding: &Sliding<1>, depth_multiplier: usize, input: &[usize]) -> Result<Window> {
    if depth_multiplier == 0 {
        return Err(Error::argument("depth_multiplier", "at least 1", 0));
    }
    if sliding.padding == Padding::Causal {
        return Err(Error::argument("padding", "Valid or Same", "Causal"));
    }
    sliding.over(input)
}

/// `rows += bias`, for each row.
fn add_to_rows<F: Scalar>(bias: &[F], mut rows: BatchMut<F>) {
    rows.iter_mut().for_each(|row| row.iter_mut().zip(bias).for_each(|(y, b)| *y += *b));
}

/// z of all samples, without bias.
pub(super) fn depthwise<F: Scalar>(window: &Window, k: &[F], x: Batch<F>, mut z: BatchMut<F>) {
    let (all, width) = (window.channels, k.len() / window.taps());
    let size = window.places() * width;
    kernel::samples(x.rows(), block(window, width), [(z.data(), size)], &|range, [z]| {
        z.fill(F::zero());
        for (x, z) in range.map(|sample| x.row(sample)).zip(z.chunks_exact_mut(size)) {
            each_tap(window, |place, tap, cell| {
                let (z, k) = (&mut z[place * width..][..width], &k[tap * width..][..width]);
                let x = &x[cell * all..][..all];
                let m = width / all;
                z.iter_mut().zip(k).enumerate().for_each(|(i, (z, k))| *z += x[i / m] * *k);
            });
        }
    });
}

/// dK of some samples, added to `dk`.
pub(super) fn add_depthwise_weights<F: Scalar>(window: &Window, x: Batch<F>, dz: Batch<F>, dk: &mut [F]) {
    let (all, width) = (window.channels, dk.len() / window.taps());
    let m = width / all;
    for (x, dz) in x.iter().zip(dz.iter()) {
        each_tap(window, |place, tap, cell| {
            let (x, dz) = (&x[cell * all..][..all], &dz[place * width..][..width]);
            let dk = &mut dk[tap * width..][..width];
            dk.iter_mut().zip(dz).enumerate().for_each(|(i, (dk, dz))| *dk += x[i / m] * *dz);
        });
    }
}

/// dx of all samples.
pub(super) fn depthwise_input<F: Scalar>(window: &Window, k: &[F], dz: Batch<F>, mut dx: BatchMut<F>) {
    let (all, width) = (window.channels, k.len() / window.taps());
    let (m, rows, size) = (width / all, dx.rows(), dx.width());
    kernel::samples(rows, block(window, width), [(dx.data(), size)], &|range, [dx]| {
        dx.fill(F::zero());
        for (dz, dx) in range.map(|sample| dz.row(sample)).zip(dx.chunks_exact_mut(size)) {
            each_tap(window, |place, tap, cell| {
                let (dz, k) = (&dz[place * width..][..width], &k[tap * width..][..width]);
                let dx = &mut dx[cell * all..][..all];
                dz.iter().zip(k).enumerate().for_each(|(i, (dz, k))| dx[i / m] += *dz * *k);
            });
        }
    });
}

/// Calls `f` with position, tap and cell of everything that the window covers.
#[inline(always)]
fn each_tap(window: &Window, mut f: impl FnMut(usize, usize, usize)) {
    window.stretches(|s| (0..s.len).for_each(|i| f(s.place, s.tap + i, s.cell + i)));
}

impl<F: Scalar> Layer<F> for DepthwiseConv1D<F> {
    fn kind(&self) -> &str {
        "DepthwiseConv1D"
    }

    saved!();

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        self.activation.check()?;
        let window = window(&self.sliding, self.depth_multiplier, input)?;
        let (channels, m) = (window.channels, self.depth_multiplier);
        let kernel = self.kernel.param("kernel", &[window.taps(), channels, m], context)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[channels * m], context)).transpose()?;
        let output = window.output_shape(1, channels * m);
        self.built = Some(Built { window, kernel, bias });
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(built) = &self.built else { return };
        self.product(built, x, y.reborrow());
        self.activation.function.apply(y.reshape(built.window.channels * self.depth_multiplier));
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(built) = &self.built else { return };
        self.product(built, x, y.reborrow());
        self.activation.forward(y.reshape(built.window.channels * self.depth_multiplier));
    }

    fn backward(&mut self, mut pass: BackwardContext<F>) {
        let Some(built) = &mut self.built else { return };
        let width = built.window.channels * self.depth_multiplier;
        self.activation.backward(pass.y.reshape(width), pass.dy.reborrow().reshape(width));
        let (x, dz) = (pass.x, pass.dy.as_batch());
        kernel::sum_over(x.rows(), &mut self.sums, &mut built.kernel.grad, &|samples, sum| {
            let (start, count) = (samples.start, samples.len());
            add_depthwise_weights(&built.window, x.rows_from(start, count), dz.rows_from(start, count), sum);
        });
        if let Some(bias) = &mut built.bias {
            kernel::sum_rows(dz.reshape(width), &mut bias.grad);
        }
        if let Some(dx) = pass.dx {
            depthwise_input(&built.window, built.kernel.value(), dz, dx);
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(built) = &self.built {
            f(Part::Param(&built.kernel));
            built.bias.iter().map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::Activation(&mut self.activation.function));
        if let Some(built) = &mut self.built {
            f(PartMut::Param(&mut built.kernel));
            built.bias.iter_mut().map(PartMut::Param).for_each(f);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            activation: Some(self.activation.function),
            memory: self.built.as_ref().map_or(Memory::default(), |built| {
                let outputs = built.window.places() * built.window.channels * self.depth_multiplier;
                Memory {
                    per_row: self.activation.memory(outputs),
                    per_part: built.kernel.len(),
                    ..Memory::default()
                }
            }),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> fmt::Debug for DepthwiseConv1D<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let (of, function) = (self.sliding.size[0], self.activation.function);
        write!(f, "DepthwiseConv1D({} of {of}, {function})", self.depth_multiplier)
    }
}

settings!([F: Scalar] DepthwiseConv1D<F> {
    "kernel_size" required: sliding.size, "strides": sliding.strides, "padding": sliding.padding,
    "dilation_rate": sliding.dilation, "depth_multiplier": depth_multiplier,
    "activation": activation.function, "use_bias": use_bias, "depthwise": kernel, "bias": bias,
} only { "data_format": "channels_last" });
