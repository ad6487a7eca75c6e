//! Group normalization: y = γ·x̂ + β, x̂ = (x − μ)/√(v + ε), with mean and variance over all positions of a group of
//! channels, for each sample. dβ = Σ dy, dγ = Σ dy·x̂, and with g = dy·γ: dx = (g − mean g − x̂·mean(g·x̂)) / √(v + ε).

use std::fmt;
use std::ops::Range;

use super::check_epsilon;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::last_axis;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, Step, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Normalizes each group of channels of a sample to mean 0 and variance 1, then applies a trained scale and shift.
///
/// A group is a number of neighbouring channels, with all steps or pixels. Training and prediction do the same, for any
/// size of a batch. One group is a layer normalization over a whole sample, apart from the shape of γ and β; one channel
/// per group is an instance normalization.
///
/// ```text
/// y[.., c] = γ[c]·(x[.., c] − μ)/√(v + ε) + β[c]    μ, v of the group of c; v the population variance
/// ```
///
/// | setter | default |
/// |---|---|
/// | `groups`: a divisor of the number of channels, or −1 for one channel per group | 32 |
/// | `axis` of the channels | −1, the last |
/// | `epsilon` ε | 1e-3 |
/// | `center`, `scale`: whether to use β, γ | true |
/// | `beta_initializer`, `gamma_initializer` | `Zeros`, `Ones` |
/// | `beta_regularizer`, `gamma_regularizer` | none |
/// | `beta_constraint`, `gamma_constraint` | none |
///
/// # Shapes
/// Input and output `(..., channels)`, or with the channels along another axis, of the same shape; parameters `gamma` and
/// `beta`, each `(channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(GroupNormalization::new().groups(2).epsilon(1e-12));
/// model.build()?;
/// let y = model.predict(&ndarray::array![[3.0f32, 5.0, 10.0, 30.0]])?;
/// assert!(y.iter().zip([-1.0, 1.0, -1.0, 1.0]).all(|(y, expected)| (y - expected).abs() < 1e-6));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] if `groups` does not divide the number of channels, for an axis that the samples do not
/// have, or an epsilon that is not above 0; [`Error::InputShape`] if an axis has length 0.
///
/// # References
/// Wu and He (2018), *Group normalization*; <https://keras.io/api/layers/normalization_layers/group_normalization/>
#[derive(Clone)]
pub struct GroupNormalization<F = f32> {
    groups: isize,
    axis: JoinedAxes,
    epsilon: f64,
    center: bool,
    scale: bool,
    gamma: Spec,
    beta: Spec,
    params: Groups<F>,
    moved: MovedAxes,
    /// μ and 1/√(v + ε) of each channel's group for each sample of the batch.
    statistics: Vec<F>,
}

/// The parameters, and the sizes of the groups; the channels are the last axis.
#[derive(Clone)]
struct Groups<F> {
    gamma: Option<Param<F>>,
    beta: Option<Param<F>>,
    channels: usize,
    /// The channels of a group.
    group: usize,
    /// The numbers of a sample.
    width: usize,
}

impl<F> GroupNormalization<F> {
    /// Creates the layer with Keras's defaults.
    pub fn new() -> Self {
        GroupNormalization {
            groups: 32,
            axis: JoinedAxes(vec![-1]),
            epsilon: 1e-3,
            center: true,
            scale: true,
            gamma: spec!("gamma", Initializer::Ones),
            beta: spec!("beta", Initializer::Zeros),
            params: Groups { gamma: None, beta: None, channels: 1, group: 1, width: 1 },
            moved: MovedAxes::default(),
            statistics: Vec::new(),
        }
    }

    setters! {
        /// The number of groups, which divides the number of channels; −1 for one channel per group. Default: 32.
        groups: isize;
        /// The axis of the channels: from 1 for the first axis of a sample, or from −1 for the last. Default: −1.
        axis: isize => axis.0[0];
        /// ε, added to the variance. Default: 1e-3.
        epsilon: f64;
        /// Whether to add β. Default: true.
        center: bool;
        /// Whether to multiply by γ. Default: true.
        scale: bool;
    }

    spec_setters!(gamma: "γ", "`Ones`", gamma_initializer, gamma_regularizer, gamma_constraint);
    spec_setters!(beta: "β", "`Zeros`", beta_initializer, beta_regularizer, beta_constraint);

    /// The number of channels in a group.
    fn group(&self, channels: usize) -> Result<usize> {
        let groups = match self.groups {
            -1 => channels,
            groups => usize::try_from(groups).unwrap_or(0),
        };
        if groups == 0 || !channels.is_multiple_of(groups) {
            let expected = format!("a divisor of the {channels} channels, or -1");
            return Err(Error::argument("groups", expected, self.groups));
        }
        Ok(channels / groups)
    }
}

impl<F> Default for GroupNormalization<F> {
    fn default() -> Self {
        GroupNormalization::new()
    }
}

/// The numbers that are computed together: several positions if there are few channels, so that the loops are long.
const NEAR: usize = 256;

/// The lines that are summed one by one; the sums of these blocks are then added, so that a long sum in f32 loses few
/// digits.
const BLOCK: usize = 64;

/// `sums = Σ over the lines`: `add` adds the numbers of a line to the sums of a block.
#[inline(always)]
fn sum_lines<F: Scalar>(lines: usize, [sums, block]: [&mut [F]; 2], add: impl Fn(usize, &mut [F])) {
    kernel::simd!(|| {
        sums.fill(F::zero());
        for start in (0..lines).step_by(BLOCK) {
            block.fill(F::zero());
            for line in start..lines.min(start + BLOCK) {
                add(line, &mut *block);
            }
            sums.iter_mut().zip(&*block).for_each(|(sum, &block)| *sum += block);
        }
    });
}

/// The number of samples per thread block.
fn block(width: usize) -> usize {
    (1_usize << 13).div_ceil(width.max(1))
}

/// A sample is processed in lines: the numbers of a few positions, the last line possibly of fewer. A column of the lines is a
/// channel of one of these positions; what a channel needs is repeated for each of its columns.
impl<F: Scalar> Groups<F> {
    /// The numbers of a line.
    fn columns(&self) -> usize {
        (NEAR.div_ceil(self.channels) * self.channels).min(self.width)
    }

    /// The number of lines.
    fn lines(&self) -> usize {
        self.width.div_ceil(self.columns())
    }

    /// The place of a line in a sample.
    #[inline(always)]
    fn line(&self, line: usize, columns: usize) -> Range<usize> {
        line * columns..self.width.min((line + 1) * columns)
    }

    /// The share of one number in a group.
    fn share(&self) -> F {
        F::one() / F::of((self.width / self.channels * self.group) as f64)
    }

    /// Adds the sums of the columns of each channel in the first of them.
    fn join(&self, sums: &mut [F]) {
        let (first, others) = sums.split_at_mut(self.channels);
        for other in others.chunks_exact(self.channels) {
            first.iter_mut().zip(other).for_each(|(sum, &other)| *sum += other);
        }
    }

    /// Copies the numbers of the channels to their other columns.
    fn repeat(&self, numbers: &mut [F]) {
        let (first, others) = numbers.split_at_mut(self.channels);
        others.chunks_exact_mut(self.channels).for_each(|other| other.copy_from_slice(first));
    }

    /// Replaces the sums of the channels by `f` of the mean of their group, in all columns.
    fn average(&self, sums: &mut [F], f: impl Fn(F) -> F) {
        for sums in sums[..self.channels].chunks_exact_mut(self.group) {
            let mean = f(kernel::sum(sums, sums, |sum, _| sum) * self.share());
            sums.fill(mean);
        }
        self.repeat(sums);
    }

    /// Writes μ and 1/√(v + ε) of the group of each column.
    fn statistics(&self, x: &[F], [mean, inverse]: [&mut [F]; 2], block: &mut [F], epsilon: F) {
        let (lines, columns) = (self.lines(), self.columns());
        sum_lines(lines, [&mut *mean, &mut *block], |line, sums| {
            let x = &x[self.line(line, columns)];
            sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
        });
        self.join(mean);
        self.average(mean, |mean| mean);
        let mean = &*mean;
        sum_lines(lines, [&mut *inverse, block], |line, sums| {
            let x = x[self.line(line, columns)].iter().zip(mean);
            sums.iter_mut().zip(x).for_each(|(sum, (&x, &mean))| *sum += (x - mean) * (x - mean));
        });
        self.join(inverse);
        self.average(inverse, |variance| F::one() / (variance + epsilon).sqrt());
    }

    /// Writes y, and μ and 1/√(v + ε) of each channel's group for each sample.
    fn normalize(&self, x: Batch<F>, mut y: BatchMut<F>, statistics: &mut [F], epsilon: F) {
        let (channels, columns, width) = (self.channels, self.columns(), self.width);
        let arrays = [(y.data(), width), (statistics, 2 * channels)];
        kernel::samples(x.rows(), block(width), arrays, &|range, [y, statistics]| {
            kernel::with_memory(3 * columns, |memory| {
                let (mean, rest) = memory.split_at_mut(columns);
                let (factor, shift) = rest.split_at_mut(columns);
                let samples = y.chunks_exact_mut(width).zip(statistics.chunks_exact_mut(2 * channels));
                for (row, (y, statistics)) in range.zip(samples) {
                    let x = x.row(row);
                    self.statistics(x, [&mut *mean, &mut *factor], shift, epsilon);
                    statistics[..channels].copy_from_slice(&mean[..channels]);
                    statistics[channels..].copy_from_slice(&factor[..channels]);
                    if let Some(gamma) = &self.gamma {
                        factor.iter_mut().zip(gamma.value()).for_each(|(factor, &gamma)| *factor *= gamma);
                        self.repeat(factor);
                    }
                    match &self.beta {
                        Some(beta) => shift[..channels].copy_from_slice(beta.value()),
                        None => shift.fill(F::zero()),
                    }
                    self.repeat(shift);
                    kernel::simd!(|| {
                        for line in 0..self.lines() {
                            let at = self.line(line, columns);
                            let of_column = mean.iter().zip(&*factor).zip(&*shift);
                            let numbers = y[at.clone()].iter_mut().zip(&x[at]).zip(of_column);
                            numbers.for_each(|((y, &x), ((&mean, &factor), &shift))| {
                                *y = (x - mean) * factor + shift;
                            });
                        }
                    });
                }
            });
        });
    }

    fn backward(&mut self, context: BackwardContext<F>, statistics: &[F]) {
        let (channels, columns, width) = (self.channels, self.columns(), self.width);
        let (x, dy, rows) = (context.x, context.dy.as_batch(), context.x.rows());
        let (sums, _) = context.scratch.take(2 * rows * channels);
        let (sums_dy, sums_dyx) = sums.split_at_mut(rows * channels);
        let mut dx = context.dx;
        let dx = dx.as_mut().map(BatchMut::data).unwrap_or_default();
        let arrays = [(&mut *sums_dy, channels), (&mut *sums_dyx, channels), (dx, width)];
        kernel::samples(rows, block(width), arrays, &|range, [sums_dy, sums_dyx, dx]| {
            kernel::with_memory(6 * columns, |memory| {
                let mut dx = dx.chunks_exact_mut(width);
                let sums = sums_dy.chunks_exact_mut(channels).zip(sums_dyx.chunks_exact_mut(channels));
                for (row, (sums_dy, sums_dyx)) in range.zip(sums) {
                    let (x, dy) = (x.row(row), dy.row(row));
                    let [mean, inverse, ..] = parts(memory, columns);
                    let (mean_of, inverse_of) =
                        statistics[row * 2 * channels..][..2 * channels].split_at(channels);
                    for (to, from) in [(mean, mean_of), (inverse, inverse_of)] {
                        to[..channels].copy_from_slice(from);
                        self.repeat(to);
                    }
                    self.write_sums(x, dy, [&mut *sums_dy, &mut *sums_dyx], memory);
                    if let Some(dx) = dx.next() {
                        self.propagate(x, dy, dx, memory);
                    }
                }
            });
        });
        if let Some(beta) = &mut self.beta {
            kernel::sum_rows(Batch::new(sums_dy, channels), beta.grad_mut());
        }
        if let Some(gamma) = &mut self.gamma {
            kernel::sum_rows(Batch::new(sums_dyx, channels), gamma.grad_mut());
        }
    }

    /// Writes Σ dy and Σ dy·x̂ of each channel of a sample whose μ and 1/√(v + ε) are in the memory. Leaves Σ dy and
    /// Σ dy·(x − μ) of each channel there.
    fn write_sums(&self, x: &[F], dy: &[F], [sums_dy, sums_dyx]: [&mut [F]; 2], memory: &mut [F]) {
        let (channels, columns) = (self.channels, self.columns());
        let [mean, inverse, sums, block] = parts(memory, columns);
        let mean = &*mean;
        sum_lines(self.lines(), [&mut *sums, block], |line, sums| {
            let at = self.line(line, columns);
            let (sums, sums_x) = sums.split_at_mut(columns);
            let numbers = dy[at.clone()].iter().zip(&x[at]).zip(mean);
            sums.iter_mut().zip(sums_x).zip(numbers).for_each(|((sum, sum_x), ((&dy, &x), &mean))| {
                *sum += dy;
                *sum_x += dy * (x - mean);
            });
        });
        let (sums, sums_x) = sums.split_at_mut(columns);
        self.join(sums);
        self.join(sums_x);
        sums_dy.copy_from_slice(&sums[..channels]);
        let numbers = sums_dyx.iter_mut().zip(sums_x).zip(inverse);
        numbers.for_each(|((to, sum_x), inverse)| *to = *sum_x * *inverse);
    }

    /// Writes dx of a sample from what [`Groups::write_sums`] leaves in the memory.
    fn propagate(&self, x: &[F], dy: &[F], dx: &mut [F], memory: &mut [F]) {
        let columns = self.columns();
        let [mean, inverse, sums, block] = parts(memory, columns);
        let ((g, gx), factor) = (sums.split_at_mut(columns), &mut block[..columns]);
        // dx = dy·factor − g − (x − μ)·gx.
        factor.copy_from_slice(inverse);
        if let Some(gamma) = &self.gamma {
            for numbers in [&mut *factor, &mut *g, &mut *gx] {
                numbers.iter_mut().zip(gamma.value()).for_each(|(number, &gamma)| *number *= gamma);
            }
            self.repeat(factor);
        }
        self.average(g, |mean| mean);
        self.average(gx, |mean| mean);
        g.iter_mut().zip(&*inverse).for_each(|(g, &inverse)| *g *= inverse);
        gx.iter_mut().zip(&*inverse).for_each(|(gx, &inverse)| *gx = *gx * inverse * inverse * inverse);
        kernel::simd!(|| {
            for line in 0..self.lines() {
                let at = self.line(line, columns);
                let of_column = mean.iter().zip(&*factor).zip(g.iter().zip(&*gx));
                let numbers = dx[at.clone()].iter_mut().zip(x[at.clone()].iter().zip(&dy[at])).zip(of_column);
                numbers.for_each(|((dx, (&x, &dy)), ((&mean, &factor), (&g, &gx)))| {
                    *dx = dy * factor - g - (x - mean) * gx;
                });
            }
        });
    }
}

/// The memory of a backward pass over a sample: two parts of one number per column, and two of two.
fn parts<F>(memory: &mut [F], columns: usize) -> [&mut [F]; 4] {
    let (mean, rest) = memory.split_at_mut(columns);
    let (inverse, rest) = rest.split_at_mut(columns);
    let (sums, block) = rest.split_at_mut(2 * columns);
    [mean, inverse, sums, block]
}

impl<F: Scalar> Layer<F> for GroupNormalization<F> {
    saved!("GroupNormalization");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_epsilon(self.epsilon)?;
        last_axis(input, "channels")?;
        let axis = self.axis.indices(input)?;
        let &[axis] = &axis[..] else {
            return Err(Error::argument("axis", "one axis", format!("{:?}", self.axis.0)));
        };
        let channels = input[axis];
        let group = self.group(channels)?;
        self.params = Groups {
            gamma: self.scale.then(|| self.gamma.param("gamma", &[channels], context)).transpose()?,
            beta: self.center.then(|| self.beta.param("beta", &[channels], context)).transpose()?,
            channels,
            group,
            width: input.iter().product(),
        };
        self.moved = MovedAxes::of(&[axis], input);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let (params, epsilon) = (&self.params, F::of(self.epsilon));
        self.moved.forward(x, y, scratch, |x, y, scratch| {
            let (x, y) = (x.reshape(params.width), y.reshape(params.width));
            let (statistics, _) = scratch.take(2 * x.rows() * params.channels);
            params.normalize(x, y, statistics, epsilon);
        });
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let (params, epsilon) = (&self.params, F::of(self.epsilon));
        self.moved.forward(x, y, step.scratch, |x, y, _| {
            let (x, y) = (x.reshape(params.width), y.reshape(params.width));
            self.statistics.resize(2 * x.rows() * params.channels, F::zero());
            params.normalize(x, y, &mut self.statistics, epsilon);
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let width = self.params.width;
        self.moved.backward(context, |context| {
            let (dy, dx) = (context.dy.reshape(width), context.dx.map(|dx| dx.reshape(width)));
            let context = BackwardContext { x: context.x.reshape(width), dy, dx, ..context };
            self.params.backward(context, &self.statistics);
        });
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.params.gamma.iter().chain(&self.params.beta).map(Part::Param).for_each(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.params.gamma.iter_mut().chain(&mut self.params.beta).map(PartMut::Param).for_each(f);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::Passes,
            is_normalization: true,
            memory: self.moved.memory() + Memory::per_row(4 * self.params.channels),
            ..LayerTraits::default()
        }
    }
}

impl<F> fmt::Debug for GroupNormalization<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "GroupNormalization({} groups)", self.groups)
    }
}

settings!([F] GroupNormalization<F> {
    "groups": groups, "axis": axis, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma,
    "beta": beta,
});
