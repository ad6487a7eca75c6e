//! Group normalization: y = γ·x̂ + β, x̂ = (x − μ)/√(v + ε), with mean and variance over all positions of a group of
//! channels, for each sample. dβ = Σ dy, dγ = Σ dy·x̂, and with g = dy·γ: dx = (g − mean g − x̂·mean(g·x̂)) / √(v + ε).

use super::check_epsilon;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::last_axis;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, saved};
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
#[derive(Debug, Clone)]
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
}

/// The parameters, and the sizes of the groups; the channels are the last axis.
#[derive(Debug, Clone)]
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

/// The positions that are summed one by one; the sums of these blocks are then added, so that a long sum in f32 loses few
/// digits.
const BLOCK: usize = 64;

/// `sums = Σ over the positions`: `add` adds the numbers of a position to the sums of a block.
#[inline(always)]
fn sum_positions<F: Scalar>(positions: usize, [sums, block]: [&mut [F]; 2], add: impl Fn(usize, &mut [F])) {
    sums.fill(F::zero());
    for start in (0..positions).step_by(BLOCK) {
        block.fill(F::zero());
        (start..positions.min(start + BLOCK)).for_each(|position| add(position, block));
        sums.iter_mut().zip(&*block).for_each(|(sum, &block)| *sum += block);
    }
}

/// The number of samples per thread block.
fn block(width: usize) -> usize {
    (1_usize << 13).div_ceil(width.max(1))
}

impl<F: Scalar> Groups<F> {
    /// The share of one number in a group.
    fn share(&self) -> F {
        F::one() / F::of((self.width / self.channels * self.group) as f64)
    }

    /// Replaces the sums of channels by `f` of the mean of their group.
    #[inline(always)]
    fn average(&self, sums: &mut [F], f: impl Fn(F) -> F) {
        for sums in sums.chunks_exact_mut(self.group.max(1)) {
            let mean = f(kernel::sum(sums, sums, |sum, _| sum) * self.share());
            sums.fill(mean);
        }
    }

    /// Writes μ and 1/√(v + ε) of each channel's group.
    #[inline(always)]
    fn statistics(&self, x: &[F], [mean, inverse]: [&mut [F]; 2], block: &mut [F], epsilon: F) {
        let (channels, positions) = (self.channels, self.width / self.channels);
        sum_positions(positions, [&mut *mean, &mut *block], |position, sums| {
            let x = &x[position * channels..][..channels];
            sums.iter_mut().zip(x).for_each(|(sum, &x)| *sum += x);
        });
        self.average(mean, |mean| mean);
        let mean = &*mean;
        sum_positions(positions, [&mut *inverse, block], |position, sums| {
            let x = &x[position * channels..][..channels];
            let terms = sums.iter_mut().zip(x).zip(mean);
            terms.for_each(|((sum, &x), &mean)| *sum += (x - mean) * (x - mean));
        });
        self.average(inverse, |variance| F::one() / (variance + epsilon).sqrt());
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, epsilon: F) {
        let (channels, width) = (self.channels, self.width);
        kernel::samples(x.rows(), block(width), [(y.data(), width)], &|range, [y]| {
            kernel::with_memory(3 * channels, |memory| {
                let (mean, rest) = memory.split_at_mut(channels);
                let (factor, shift) = rest.split_at_mut(channels);
                kernel::simd!(|| {
                    for (place, row) in range.enumerate() {
                        let (x, y) = (x.row(row), &mut y[place * width..][..width]);
                        self.statistics(x, [&mut *mean, &mut *factor], shift, epsilon);
                        if let Some(gamma) = &self.gamma {
                            factor
                                .iter_mut()
                                .zip(gamma.value())
                                .for_each(|(factor, &gamma)| *factor *= gamma);
                        }
                        match &self.beta {
                            Some(beta) => shift.copy_from_slice(beta.value()),
                            None => shift.fill(F::zero()),
                        }
                        let positions = y.chunks_exact_mut(channels.max(1)).zip(kernel::rows_of(x, channels));
                        for (y, x) in positions {
                            let line = mean.iter().zip(&*factor).zip(&*shift);
                            let numbers = y.iter_mut().zip(x).zip(line);
                            numbers.for_each(|((y, &x), ((&mean, &factor), &shift))| {
                                *y = (x - mean) * factor + shift;
                            });
                        }
                    }
                });
            });
        });
    }

    fn backward(&mut self, context: BackwardContext<F>, epsilon: F) {
        let (channels, width) = (self.channels, self.width);
        let (x, dy, rows) = (context.x, context.dy.as_batch(), context.x.rows());
        let (memory, _) = context.scratch.take(4 * rows * channels);
        let (statistics, sums) = memory.split_at_mut(2 * rows * channels);
        let (sums_dy, sums_dyx) = sums.split_at_mut(rows * channels);
        // μ and 1/√(v + ε), Σ dy and Σ dy·x̂ of each channel of each sample.
        let arrays =
            [(&mut *statistics, 2 * channels), (&mut *sums_dy, channels), (&mut *sums_dyx, channels)];
        kernel::samples(rows, block(width), arrays, &|range, [statistics, sums_dy, sums_dyx]| {
            kernel::with_memory(channels, |block| {
                kernel::simd!(|| {
                    for (place, row) in range.enumerate() {
                        let (x, dy) = (x.row(row), dy.row(row));
                        let (mean, inverse) =
                            statistics[place * 2 * channels..][..2 * channels].split_at_mut(channels);
                        self.statistics(x, [&mut *mean, &mut *inverse], block, epsilon);
                        let (mean, inverse) = (&*mean, &*inverse);
                        let sums = &mut sums_dy[place * channels..][..channels];
                        sum_positions(width / channels, [sums, &mut *block], |position, sums| {
                            let dy = &dy[position * channels..][..channels];
                            sums.iter_mut().zip(dy).for_each(|(sum, &dy)| *sum += dy);
                        });
                        let sums = &mut sums_dyx[place * channels..][..channels];
                        sum_positions(width / channels, [sums, &mut *block], |position, sums| {
                            let at = position * channels;
                            let numbers = x[at..][..channels].iter().zip(&dy[at..][..channels]);
                            let numbers = sums.iter_mut().zip(numbers).zip(mean.iter().zip(inverse));
                            numbers.for_each(|((sum, (&x, &dy)), (&mean, &inverse))| {
                                *sum += dy * ((x - mean) * inverse);
                            });
                        });
                    }
                });
            });
        });
        let (statistics, sums_dy, sums_dyx) = (&*statistics, &*sums_dy, &*sums_dyx);
        if let Some(beta) = &mut self.beta {
            kernel::sum_rows(Batch::new(sums_dy, channels), beta.grad_mut());
        }
        if let Some(gamma) = &mut self.gamma {
            kernel::sum_rows(Batch::new(sums_dyx, channels), gamma.grad_mut());
        }
        let Some(mut dx) = context.dx else { return };
        let this = &*self;
        kernel::samples(rows, block(width), [(dx.data(), width)], &|range, [dx]| {
            kernel::with_memory(3 * channels, |memory| {
                let (gamma, rest) = memory.split_at_mut(channels);
                let (mean_g, mean_gx) = rest.split_at_mut(channels);
                match &this.gamma {
                    Some(param) => gamma.copy_from_slice(param.value()),
                    None => gamma.fill(F::one()),
                }
                let gamma = &*gamma;
                kernel::simd!(|| {
                    for (place, row) in range.enumerate() {
                        let (x, dy) = (x.row(row), dy.row(row));
                        let (mean, inverse) =
                            statistics[row * 2 * channels..][..2 * channels].split_at(channels);
                        for (to, sums) in [(&mut *mean_g, sums_dy), (&mut *mean_gx, sums_dyx)] {
                            let sums = sums[row * channels..][..channels].iter().zip(gamma);
                            to.iter_mut().zip(sums).for_each(|(to, (&sum, &gamma))| *to = sum * gamma);
                            this.average(to, |mean| mean);
                        }
                        let dx = dx[place * width..][..width].chunks_exact_mut(channels.max(1));
                        let positions = kernel::rows_of(x, channels).zip(kernel::rows_of(dy, channels));
                        for (dx, (x, dy)) in dx.zip(positions) {
                            for c in 0..channels {
                                let centered = (x[c] - mean[c]) * inverse[c];
                                dx[c] = (dy[c] * gamma[c] - mean_g[c] - centered * mean_gx[c]) * inverse[c];
                            }
                        }
                    }
                });
            });
        });
    }
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
        let (epsilon, width) = (F::of(self.epsilon), self.params.width);
        self.moved.forward(x, y, scratch, |x, y, _| {
            self.params.infer(x.reshape(width), y.reshape(width), epsilon);
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let (epsilon, width) = (F::of(self.epsilon), self.params.width);
        self.moved.backward(context, |context| {
            let (dy, dx) = (context.dy.reshape(width), context.dx.map(|dx| dx.reshape(width)));
            self.params.backward(BackwardContext { x: context.x.reshape(width), dy, dx, ..context }, epsilon);
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

settings!([F] GroupNormalization<F> {
    "groups": groups, "axis": axis, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma,
    "beta": beta,
});
