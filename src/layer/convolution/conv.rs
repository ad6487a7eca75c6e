//! Convolution: y = f(z), z = U·W + b, where a row of U is what the window covers at one place.
//! dz = dy ⊙ f'(z), dW = Uᵀ·dz, db = Σ dz, dU = dz·Wᵀ, and dx sums dU where windows overlap.

use std::fmt;
use std::ops::Range;

use super::{block, sum_parts};
use crate::activation::Activation;
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::activated::Activated;
use crate::layer::window::{Padding, Sliding, Window};
use crate::layer::{Layer, Pass, Step};
use crate::param::{Param, Spec, spec_setters};
use crate::rng::Rng;
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

/// A convolution over `D` axes: each filter is a small kernel that slides over the input, not turned round.
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
/// | `groups` | 1: each filter sees all channels |
/// | `use_bias` | true |
/// | `kernel_initializer`, `bias_initializer` | `GlorotUniform`, `Zeros` |
/// | `kernel_regularizer`, `bias_regularizer` | none |
/// | `kernel_constraint`, `bias_constraint` | none |
///
/// # Errors
/// At `build`: [`Error::Argument`] for a count of 0, strides and dilation both above 1, a window longer than the
/// input, groups that do not divide channels and filters; [`Error::InputShape`] for samples of another rank.
///
/// # Example
/// See [`Conv1D`] and [`Conv2D`].
#[derive(Clone)]
pub struct Conv<const D: usize, F = f32> {
    filters: usize,
    sliding: Sliding<D>,
    groups: usize,
    use_bias: bool,
    activation: Activated<F>,
    kernel: Spec,
    bias: Spec,
    built: Option<Built<F>>,
    /// The parts of a kernel's gradient, and of the bias's.
    sums: Vec<F>,
}

#[derive(Clone)]
struct Built<F> {
    window: Window,
    groups: usize,
    kernel: Param<F>,
    bias: Option<Param<F>>,
}

impl<F: Scalar> Conv<1, F> {
    /// So many filters, each over `kernel_size` steps.
    pub fn new(filters: usize, kernel_size: usize) -> Self {
        Conv::over(filters, [kernel_size])
    }

    /// How many steps the window moves at a time. Default: 1.
    pub fn strides(mut self, strides: usize) -> Self {
        self.sliding.strides = [strides];
        self
    }

    /// How many steps lie from one tap to the next. Default: 1.
    pub fn dilation_rate(mut self, dilation_rate: usize) -> Self {
        self.sliding.dilation = [dilation_rate];
        self
    }
}

impl<F: Scalar> Conv<2, F> {
    /// So many filters, each over `kernel_size` rows and columns.
    pub fn new(filters: usize, kernel_size: [usize; 2]) -> Self {
        Conv::over(filters, kernel_size)
    }

    /// How many rows and columns the window moves at a time. Default: `[1, 1]`.
    pub fn strides(mut self, strides: [usize; 2]) -> Self {
        self.sliding.strides = strides;
        self
    }

    /// How many rows and columns lie from one tap to the next. Default: `[1, 1]`.
    pub fn dilation_rate(mut self, dilation_rate: [usize; 2]) -> Self {
        self.sliding.dilation = dilation_rate;
        self
    }
}

impl<const D: usize, F: Scalar> Conv<D, F> {
    fn over(filters: usize, size: [usize; D]) -> Self {
        let (strides, dilation) = ([1; D], [1; D]);
        Conv {
            filters,
            sliding: Sliding { size, strides, dilation, padding: Padding::Valid, what: "kernel_size" },
            groups: 1,
            use_bias: true,
            activation: Activated::default(),
            kernel: Spec::new(Initializer::GlorotUniform),
            bias: Spec::new(Initializer::Zeros),
            built: None,
            sums: Vec::new(),
        }
    }

    /// The function `f`. Default: `Linear`.
    pub fn activation(mut self, activation: Activation) -> Self {
        self.activation.function = activation;
        self
    }

    /// What the window sees beyond the ends. Default: [`Padding::Valid`].
    pub fn padding(mut self, padding: Padding) -> Self {
        self.sliding.padding = padding;
        self
    }

    /// Cuts channels and filters in so many groups; a filter sees the channels of its own. Default: 1.
    pub fn groups(mut self, groups: usize) -> Self {
        self.groups = groups;
        self
    }

    /// Whether to add `b`. Default: true.
    pub fn use_bias(mut self, use_bias: bool) -> Self {
        self.use_bias = use_bias;
        self
    }

    spec_setters!(kernel: "`W`", "`GlorotUniform`", kernel_initializer, kernel_regularizer, kernel_constraint);
    spec_setters!(bias: "`b`", "`Zeros`", bias_initializer, bias_regularizer, bias_constraint);
}

impl<F: Scalar> Built<F> {
    fn filters(&self) -> usize {
        self.kernel.shape().last().copied().unwrap_or(1)
    }

    /// Channels and filters of a group.
    fn group(&self, group: usize) -> (Range<usize>, Range<usize>) {
        let (channels, filters) = (self.window.channels / self.groups, self.filters() / self.groups);
        (group * channels..(group + 1) * channels, group * filters..(group + 1) * filters)
    }

    /// What the window covers in one group, in numbers.
    fn patch(&self) -> usize {
        self.window.taps() * self.window.channels / self.groups
    }

    fn block(&self) -> usize {
        block(&self.window, self.patch())
    }

    /// z of all samples. Each group's columns of W, and of z, are picked out first where there are several.
    fn product(&self, x: Batch<F>, mut z: BatchMut<F>) {
        let (places, patch, filters) = (self.window.places(), self.patch(), self.filters());
        let bias = self.bias.as_ref().map(Param::value);
        kernel::samples(x.rows(), self.block(), [(z.data(), places * filters)], &|range, [z]| {
            let rows = range.len() * places;
            let each = filters / self.groups;
            let own = if self.groups == 1 { 0 } else { each * (rows + patch) };
            kernel::with_memory(rows * patch + own, |memory| {
                let (unfolded, memory) = memory.split_at_mut(rows * patch);
                for group in 0..self.groups {
                    let (channels, columns) = self.group(group);
                    self.unfold(x, range.clone(), channels, unfolded);
                    let u = Batch::new(unfolded, patch);
                    if self.groups == 1 {
                        kernel::affine(u, self.weights(), bias, BatchMut::new(z, filters));
                        continue;
                    }
                    let (part, w) = memory.split_at_mut(each * rows);
                    pick(self.kernel.value(), filters, columns.clone(), w);
                    let bias = bias.map(|bias| &bias[columns.clone()]);
                    kernel::affine(u, Batch::new(w, each), bias, BatchMut::new(part, each));
                    put(part, filters, columns, z);
                }
            });
        });
    }

    /// U of some samples.
    fn unfold(&self, x: Batch<F>, range: Range<usize>, channels: Range<usize>, to: &mut [F]) {
        let size = self.window.places() * self.window.taps() * channels.len();
        for (sample, to) in range.zip(to.chunks_exact_mut(size)) {
            self.window.unfold(x.row(sample), channels.clone(), to);
        }
    }

    /// W as a matrix of `taps·channels × filters`.
    fn weights(&self) -> Batch<'_, F> {
        self.kernel.matrix()
    }

    /// dW and db of some samples, added to `sum`: all of dW, then db.
    fn add_gradient(&self, x: Batch<F>, dz: Batch<F>, samples: Range<usize>, sum: &mut [F]) {
        let (places, patch, filters) = (self.window.places(), self.patch(), self.filters());
        let (dw, db) = sum.split_at_mut(patch * filters);
        let each = filters / self.groups;
        for start in samples.clone().step_by(self.block()) {
            let range = start..samples.end.min(start + self.block());
            let rows = range.len() * places;
            let dz = dz.rows_from(start, range.len()).reshape(filters);
            if !db.is_empty() {
                dz.iter().for_each(|dz| db.iter_mut().zip(dz).for_each(|(db, dz)| *db += *dz));
            }
            let own = if self.groups == 1 { 0 } else { each * (rows + patch) };
            kernel::with_memory(rows * patch + own, |memory| {
                let (unfolded, memory) = memory.split_at_mut(rows * patch);
                for group in 0..self.groups {
                    let (channels, columns) = self.group(group);
                    self.unfold(x, range.clone(), channels, unfolded);
                    let u = Batch::new(unfolded, patch);
                    if self.groups == 1 {
                        kernel::add_affine_weights(u, dz, BatchMut::new(dw, filters));
                        continue;
                    }
                    let (part, own) = memory.split_at_mut(each * rows);
                    pick(dz.data(), filters, columns.clone(), part);
                    pick(dw, filters, columns.clone(), own);
                    kernel::add_affine_weights(u, Batch::new(part, each), BatchMut::new(own, each));
                    put(own, filters, columns, dw);
                }
            });
        }
    }

    /// dx of all samples.
    fn input_gradient(&self, dz: Batch<F>, mut dx: BatchMut<F>) {
        let (places, patch, filters) = (self.window.places(), self.patch(), self.filters());
        let (rows, width, each) = (dx.rows(), dx.width(), filters / self.groups);
        kernel::samples(rows, self.block(), [(dx.data(), width)], &|range, [dx]| {
            let rows = range.len() * places;
            dx.fill(F::zero());
            let dz = dz.rows_from(range.start, range.len()).reshape(filters);
            let own = if self.groups == 1 { 0 } else { each * (rows + patch) };
            kernel::with_memory(rows * patch + own, |memory| {
                let (unfolded, memory) = memory.split_at_mut(rows * patch);
                for group in 0..self.groups {
                    let (channels, columns) = self.group(group);
                    let du = BatchMut::new(unfolded, patch);
                    if self.groups == 1 {
                        kernel::affine_input(dz, self.weights(), du);
                    } else {
                        let (part, w) = memory.split_at_mut(each * rows);
                        pick(dz.data(), filters, columns.clone(), part);
                        pick(self.kernel.value(), filters, columns, w);
                        kernel::affine_input(Batch::new(part, each), Batch::new(w, each), du);
                    }
                    for (du, dx) in unfolded.chunks_exact(places * patch).zip(dx.chunks_exact_mut(width)) {
                        self.window.fold(du, channels.clone(), dx);
                    }
                }
            });
        });
    }
}

/// Copies these columns of a matrix of `width` columns.
fn pick<F: Scalar>(from: &[F], width: usize, columns: Range<usize>, to: &mut [F]) {
    let rows = to.chunks_exact_mut(columns.len()).zip(from.chunks_exact(width));
    rows.for_each(|(to, from)| to.copy_from_slice(&from[columns.clone()]));
}

/// Copies them back.
fn put<F: Scalar>(from: &[F], width: usize, columns: Range<usize>, to: &mut [F]) {
    let rows = to.chunks_exact_mut(width).zip(from.chunks_exact(columns.len()));
    rows.for_each(|(to, from)| to[columns.clone()].copy_from_slice(from));
}

impl<const D: usize, F: Scalar> Layer<F> for Conv<D, F> {
    fn kind(&self) -> &str {
        if D == 1 { "Conv1D" } else { "Conv2D" }
    }

    fn build(&mut self, input: &[usize], rng: &mut Rng) -> Result<Vec<usize>> {
        self.activation.check()?;
        for (argument, count) in [("filters", self.filters), ("groups", self.groups)] {
            if count == 0 {
                return Err(Error::argument(argument, "at least 1", 0));
            }
        }
        let window = self.sliding.over(input)?;
        if !window.channels.is_multiple_of(self.groups) || !self.filters.is_multiple_of(self.groups) {
            let expected =
                format!("a divisor of the {} channels and the {} filters", window.channels, self.filters);
            return Err(Error::argument("groups", expected, self.groups));
        }
        let shape = [&self.sliding.size[..], &[window.channels / self.groups, self.filters]].concat();
        let kernel = self.kernel.param("kernel", &shape, rng)?;
        let bias = self.use_bias.then(|| self.bias.param("bias", &[self.filters], rng)).transpose()?;
        let output = window.output_shape(D, self.filters);
        self.built = Some(Built { window, groups: self.groups, kernel, bias });
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(built) = &self.built else { return };
        built.product(x, y.reborrow());
        self.activation.function.apply(y.reshape(self.filters));
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Step<F>) {
        let Some(built) = &self.built else { return };
        built.product(x, y.reborrow());
        self.activation.forward(y.reshape(self.filters));
    }

    fn backward(&mut self, mut pass: Pass<F>) {
        let Some(built) = &mut self.built else { return };
        self.activation.backward(pass.y.reshape(self.filters), pass.dy.reborrow().reshape(self.filters));
        let dz = pass.dy.as_batch();
        let weights = built.kernel.len();
        let count = weights + built.bias.as_ref().map_or(0, Param::len);
        let (total, _) = pass.scratch.take(count);
        sum_parts(pass.x.rows(), &mut self.sums, total, &|samples, sum| {
            built.add_gradient(pass.x, dz, samples, sum);
        });
        built.kernel.grad.copy_from_slice(&total[..weights]);
        if let Some(bias) = &mut built.bias {
            bias.grad.copy_from_slice(&total[weights..]);
        }
        if let Some(dx) = pass.dx {
            built.input_gradient(dz, dx);
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(&'a Param<F>)) {
        if let Some(built) = &self.built {
            f(&built.kernel);
            built.bias.iter().for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(&'a mut Param<F>)) {
        if let Some(built) = &mut self.built {
            f(&mut built.kernel);
            built.bias.iter_mut().for_each(f);
        }
    }

    fn memory(&self, rows: usize) -> usize {
        let Some(built) = &self.built else { return 0 };
        let parts = super::PARTS.min(rows) + 1;
        self.activation.memory(rows * built.window.places() * self.filters)
            + parts * (built.kernel.len() + self.filters)
    }
}

impl<const D: usize, F: Scalar> fmt::Debug for Conv<D, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let size = self.sliding.size.map(|k| k.to_string()).join("×");
        write!(f, "{}({} of {size}, {})", Layer::<F>::kind(self), self.filters, self.activation.function)
    }
}
