//! Batch normalization: y = γ·x̂ + β, x̂ = (x − μ)/√(v + ε), with mean and variance over the batch.
//! dβ = Σ dy, dγ = Σ dy·x̂, dx = γ/√(v + ε) · (dy − dβ/N − x̂·dγ/N).

use std::fmt;

use super::channels::{Channels, STATISTICS, Steps, each_row};
use super::check_epsilon;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::last_axis;
use crate::layer::{
    BackwardContext, GlobalBatch, Layer, LayerTraits, MaskRule, Memory, Part, PartMut, Step, saved,
};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Normalizes each channel to mean 0 and variance 1 over the batch, then applies a trained scale and shift.
///
/// ```text
/// training:    μ, v over all rows and steps of the batch; moving ← moving·momentum + batch·(1 − momentum)
/// prediction:  μ, v the moving ones
/// y = γ·(x − μ)/√(v + ε) + β
/// ```
/// Rows that the mask of the input excludes do not count in the batch statistics. The variance is the population variance, divided by `N`, in the moving average too. A layer that is not trained
/// (see [`LayerExt::trainable`](crate::layer::LayerExt::trainable)) behaves as in a prediction and keeps its moving
/// statistics. Within [`TimeDistributed`](crate::layer::TimeDistributed), each step is a batch of its own. In a
/// [distributed](crate::Fit::distributed) training, the batch is the global batch of all ranks.
///
/// | setter | default |
/// |---|---|
/// | `axis` of the channels | −1, the last |
/// | `momentum` | 0.99 |
/// | `epsilon` ε | 1e-3 |
/// | `center`, `scale`: whether to use β, γ | true |
/// | `beta_initializer`, `gamma_initializer` | `Zeros`, `Ones` |
/// | `beta_regularizer`, `gamma_regularizer` | none |
/// | `beta_constraint`, `gamma_constraint` | none |
/// | `moving_mean_initializer`, `moving_variance_initializer` | `Zeros`, `Ones` |
///
/// # Shapes
/// Input and output `(..., channels)`, or with the channels along another axis, of the same shape; parameters `gamma`,
/// `beta`, and the untrained `moving_mean` and `moving_variance`, each `(channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([100, 1])
///     .add(Conv1D::new(8, 5).use_bias(false))
///     .add(BatchNormalization::new().momentum(0.9).epsilon(1e-5).center(true).scale(false))
///     .add(Activation::Relu);
/// model.build()?;
/// assert_eq!(model.weight("batch_normalization/moving_variance")?.shape(), [8]);
///
/// let mut model = Sequential::new().input([3, 28, 28]).add(BatchNormalization::new().axis(1));
/// model.build()?;
/// assert_eq!(model.weight("batch_normalization/gamma")?.shape(), [3]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for an axis that the samples do not have, a momentum outside [0, 1], an epsilon that is
/// not above 0, and for an input with a mask unless the axis is the last; [`Error::InputShape`] if an axis has length 0.
///
/// # References
/// Ioffe and Szegedy (2015), *Batch normalization: accelerating deep network training by reducing internal covariate
/// shift*; <https://keras.io/api/layers/normalization_layers/batch_normalization/>
#[derive(Clone)]
pub struct BatchNormalization<F = f32> {
    axis: JoinedAxes,
    momentum: f64,
    epsilon: f64,
    center: bool,
    scale: bool,
    gamma: Spec,
    beta: Spec,
    moving_mean: Initializer,
    moving_variance: Initializer,
    frozen: bool,
    params: Option<Channels<F>>,
    channels: MovedAxes,
    /// The steps that `TimeDistributed` makes.
    steps: Steps,
    /// μ, 1/√(v + ε) and v of the batch, for each step.
    statistics: Vec<F>,
    /// For several steps: the weighted means of their μ and v. One update of the moving statistics by these means
    /// equals one update per step.
    merged: Vec<F>,
    /// What the sums of the statistics of each step are divided by: the number of its rows.
    counts: Vec<F>,
    sums: Vec<F>,
}

impl<F> BatchNormalization<F> {
    /// Creates the layer with Keras's defaults.
    pub fn new() -> Self {
        BatchNormalization {
            axis: JoinedAxes(vec![-1]),
            momentum: 0.99,
            epsilon: 1e-3,
            center: true,
            scale: true,
            gamma: spec!("gamma", Initializer::Ones),
            beta: spec!("beta", Initializer::Zeros),
            moving_mean: Initializer::Zeros,
            moving_variance: Initializer::Ones,
            frozen: false,
            params: None,
            channels: MovedAxes::default(),
            steps: Steps::ONE,
            statistics: Vec::new(),
            merged: Vec::new(),
            counts: Vec::new(),
            sums: Vec::new(),
        }
    }

    setters! {
        /// The axis of the channels: from 1 for the first axis of a sample, or from −1 for the last. Default: −1.
        axis: isize => axis.0[0];
        /// The share of the moving statistics that each batch keeps. Default: 0.99.
        momentum: f64;
        /// ε, added to the variance. Default: 1e-3.
        epsilon: f64;
        /// Whether to add β. Default: true.
        center: bool;
        /// Whether to multiply by γ. Default: true.
        scale: bool;
    }

    spec_setters!(gamma: "γ", "`Ones`", gamma_initializer, gamma_regularizer, gamma_constraint);
    spec_setters!(beta: "β", "`Zeros`", beta_initializer, beta_regularizer, beta_constraint);

    setters! {
        /// The initial moving mean. Default: `Zeros`.
        moving_mean_initializer: Initializer => moving_mean;
        /// The initial moving variance. Default: `Ones`.
        moving_variance_initializer: Initializer => moving_variance;
    }
}

impl<F> Default for BatchNormalization<F> {
    fn default() -> Self {
        BatchNormalization::new()
    }
}

impl<F: Scalar> BatchNormalization<F> {
    /// Computes μ, 1/√(v + ε) and v of a step of the batch.
    fn compute_statistics(&mut self, x: Batch<F>, step: usize, global_batch: GlobalBatch) {
        let (channels, epsilon, steps) = (x.width(), F::of(self.epsilon), self.steps);
        let statistics = &mut self.statistics[STATISTICS * channels * step..][..STATISTICS * channels];
        let (mean, rest) = statistics.split_at_mut(channels);
        let (inverse, variance) = rest.split_at_mut(channels);
        let count = x.rows() / steps.count;
        kernel::sum_over(count, &mut self.sums, mean, &|rows, sum| {
            kernel::simd!(|| {
                for row in rows {
                    if !x.includes(steps.row(step, row)) {
                        continue;
                    }
                    sum.iter_mut().zip(x.row(steps.row(step, row))).for_each(|(sum, &x)| *sum += x);
                }
            });
        });
        let count = if x.mask().is_none() {
            global_batch.sum_and_rows(mean, count)
        } else {
            let count = (0..count).filter(|&row| x.includes(steps.row(step, row))).count();
            global_batch.sum_and_rows(mean, count) + F::of(MASK_EPSILON)
        };
        self.counts[step] = count;
        mean.iter_mut().for_each(|mean| *mean /= count);
        let mean = &*mean;
        kernel::sum_over(x.rows() / steps.count, &mut self.sums, inverse, &|rows, sum| {
            kernel::simd!(|| {
                for row in rows {
                    if !x.includes(steps.row(step, row)) {
                        continue;
                    }
                    let deviations = x.row(steps.row(step, row)).iter().zip(mean).map(|(&x, &mean)| x - mean);
                    sum.iter_mut().zip(deviations).for_each(|(sum, d)| *sum += d * d);
                }
            });
        });
        global_batch.sum(inverse);
        for (variance, inverse) in variance.iter_mut().zip(inverse) {
            *variance = *inverse / count;
            *inverse = F::one() / (*variance + epsilon).sqrt();
        }
    }

    /// Merges μ and v of all steps, in the order of their updates.
    fn merge_statistics(&mut self, channels: usize) {
        let mut weight = 1.0;
        for (step, statistics) in self.statistics.chunks_exact(STATISTICS * channels).enumerate() {
            let both = statistics[..channels].iter().chain(&statistics[2 * channels..]);
            // A later update counts more than the one before: by a factor of 1/momentum.
            weight = if step == 0 { 1.0 } else { weight * self.momentum + 1.0 };
            let share = F::of(1.0 / weight);
            self.merged.iter_mut().zip(both).for_each(|(merged, &new)| {
                *merged = if step == 0 { new } else { *merged + (new - *merged) * share }
            });
        }
    }

    /// The steps that the last batch normalized separately: a frozen layer normalizes all steps together.
    fn normalized(&self) -> Steps {
        if self.frozen { Steps::ONE } else { self.steps }
    }

    fn infer_channels(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(params) = &self.params else { return };
        let (memory, _) = scratch.take((STATISTICS + 2) * x.width());
        let (statistics, line) = memory.split_at_mut(STATISTICS * x.width());
        params.moving(F::of(self.epsilon), statistics);
        params.apply(x, y, statistics, Steps::ONE, line);
    }

    fn forward_channels(
        &mut self,
        x: Batch<F>,
        y: BatchMut<F>,
        scratch: &mut Scratch<F>,
        global_batch: GlobalBatch,
    ) {
        let (steps, channels) = (self.normalized(), x.width());
        if !self.frozen {
            // Allocated when a training begins: a small file may state many steps.
            self.statistics.resize(STATISTICS * channels * steps.count, F::zero());
            self.counts.resize(steps.count, F::zero());
            (0..steps.count).for_each(|at| self.compute_statistics(x, at, global_batch));
            if steps.count > 1 {
                self.merge_statistics(channels);
            }
        }
        let Some(params) = &self.params else { return };
        if self.frozen {
            params.moving(F::of(self.epsilon), &mut self.statistics);
        }
        let (line, _) = scratch.take(2 * channels * steps.count);
        params.apply(x, y, &self.statistics, steps, line);
    }

    fn backward_channels(&mut self, context: BackwardContext<F>) {
        let steps = self.normalized();
        let Some(params) = &mut self.params else { return };
        let (x, dy, channels) = (context.x, context.dy.as_batch(), context.x.width());
        let statistics =
            |step: usize| self.statistics[STATISTICS * channels * step..][..2 * channels].split_at(channels);
        // dβ, then dγ, of each step; then those of all steps.
        let (memory, _) = context.scratch.take(2 * channels * (steps.count + 1));
        let (of_steps, of_all) = memory.split_at_mut(2 * channels * steps.count);
        for (step, of_step) in of_steps.chunks_exact_mut(2 * channels).enumerate() {
            let (mean, inverse) = statistics(step);
            kernel::sum_over(x.rows() / steps.count, &mut self.sums, of_step, &|rows, sums| {
                let (d_beta, d_gamma) = sums.split_at_mut(channels);
                kernel::simd!(|| {
                    for row in rows {
                        let row = steps.row(step, row);
                        let (x, dy) = (&x.row(row)[..channels], &dy.row(row)[..channels]);
                        d_beta.iter_mut().zip(dy).for_each(|(d_beta, &dy)| *d_beta += dy);
                        let normal = x
                            .iter()
                            .zip(mean)
                            .zip(inverse)
                            .map(|((&x, &mean), &inverse)| (x - mean) * inverse);
                        let terms = d_gamma.iter_mut().zip(normal).zip(dy);
                        terms.for_each(|((d_gamma, normal), &dy)| *d_gamma += dy * normal);
                    }
                });
            });
        }
        of_all.copy_from_slice(&of_steps[..2 * channels]);
        for of_step in of_steps.chunks_exact(2 * channels).skip(1) {
            of_all.iter_mut().zip(of_step).for_each(|(of_all, of_step)| *of_all += *of_step);
        }
        let (d_beta, d_gamma) = of_all.split_at(channels);
        for (param, grad) in [(&mut params.beta, d_beta), (&mut params.gamma, d_gamma)] {
            param.iter_mut().for_each(|param| param.grad_mut().copy_from_slice(grad));
        }
        let Some(mut dx) = context.dx else { return };
        context.global_batch.sum(of_steps);
        if x.mask().is_some() && !self.frozen {
            // The mean of a masked batch is not exactly that of its rows, so their deviations do not sum to 0.
            for (step, of_step) in of_steps.chunks_exact_mut(2 * channels).enumerate() {
                let ((mean, inverse), (d_beta, d_gamma)) = (statistics(step), of_step.split_at_mut(channels));
                let share = F::of(MASK_EPSILON) / self.counts[step];
                for c in 0..channels {
                    d_beta[c] -= share * mean[c] * inverse[c] * d_gamma[c];
                }
            }
        }
        let of_steps = &*of_steps;
        let gammas = params.gamma.as_ref().map(Param::value);
        each_row(&mut dx, &|row, dx| {
            let step = steps.of(row);
            let (mean, inverse) = statistics(step);
            // Frozen statistics do not depend on x, and no statistics on masked rows.
            let share = match self.frozen || !x.includes(row) {
                true => F::zero(),
                false => F::one() / self.counts[step],
            };
            let (d_beta, d_gamma) = of_steps[2 * channels * step..][..2 * channels].split_at(channels);
            let factor = |c: usize| inverse[c] * gammas.map_or(F::one(), |gamma| gamma[c]);
            let (x, dy) = (x.row(row), dy.row(row));
            kernel::simd!(|| {
                for c in 0..channels {
                    let normal = (x[c] - mean[c]) * inverse[c];
                    dx[c] = factor(c) * (dy[c] - share * (d_beta[c] + normal * d_gamma[c]));
                }
            });
        });
    }
}

impl<F: Scalar> Layer<F> for BatchNormalization<F> {
    saved!("BatchNormalization");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_epsilon(self.epsilon)?;
        if !(0.0..=1.0).contains(&self.momentum) {
            return Err(Error::argument("momentum", "a number from 0 to 1", self.momentum));
        }
        last_axis(input, "channels")?;
        let axis = self.axis.indices(input)?;
        let &[axis] = &axis[..] else {
            return Err(Error::argument("axis", "one axis", format!("{:?}", self.axis.0)));
        };
        self.channels = MovedAxes::of(&[axis], input);
        let (channels, shape) = (input[axis], [input[axis]]);
        self.params = Some(Channels {
            gamma: self.scale.then(|| self.gamma.param("gamma", &shape, context)).transpose()?,
            beta: self.center.then(|| self.beta.param("beta", &shape, context)).transpose()?,
            mean: Param::fixed_within("moving_mean", &shape, &self.moving_mean, context)?,
            variance: Param::fixed_within("moving_variance", &shape, &self.moving_variance, context)?,
        });
        self.steps = Steps { count: context.steps(), len: input.iter().product::<usize>() / channels };
        self.statistics = vec![F::zero(); STATISTICS * channels];
        self.merged = vec![F::zero(); if self.steps.count == 1 { 0 } else { 2 * channels }];
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        self.channels.forward(x, y, scratch, |x, y, scratch| self.infer_channels(x, y, scratch));
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        let (channels, global_batch) = (std::mem::take(&mut self.channels), step.global_batch);
        channels.forward(x, y, step.scratch, |x, y, scratch| {
            self.forward_channels(x, y, scratch, global_batch);
        });
        self.channels = channels;
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let channels = std::mem::take(&mut self.channels);
        channels.backward(context, |context| self.backward_channels(context));
        self.channels = channels;
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        if let Some(Channels { gamma, beta, mean, variance }) = &self.params {
            gamma.iter().chain(beta).chain([mean, variance]).map(Part::Param).for_each(f);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        let frozen = self.frozen;
        let momentum = self.momentum.powi(i32::try_from(self.steps.count).unwrap_or(i32::MAX));
        f(PartMut::Frozen(&mut self.frozen));
        let Some(Channels { gamma, beta, mean, variance }) = &mut self.params else { return };
        gamma.iter_mut().chain(beta).map(PartMut::Param).for_each(&mut *f);
        let channels = mean.len();
        let batches = match self.steps.count {
            1 => [&self.statistics[..channels], &self.statistics[2 * channels..]],
            _ => [&self.merged[..channels], &self.merged[channels..]],
        };
        for (param, batch) in [mean, variance].into_iter().zip(batches) {
            match frozen {
                true => f(PartMut::Param(param)),
                false => f(PartMut::MovingAverage { param, batch, momentum }),
            }
        }
    }

    fn traits(&self) -> LayerTraits {
        let is_last = self.channels.are_last();
        LayerTraits {
            mask: if is_last { MaskRule::Uses { passes: true } } else { MaskRule::Refuses },
            by_last_axis: is_last,
            is_affine: true,
            is_normalization: true,
            memory: Memory::fixed({
                // The sums of dβ and dγ, of each part and of the block to which it is added.
                let channels = self.params.as_ref().map_or(0, |params| params.mean.len());
                STATISTICS * channels * self.steps.count + 2 * kernel::PARTS * 2 * channels
            }) + self.channels.memory(),
            ..LayerTraits::default()
        }
    }
}

/// Keras's addition to the number of rows of a masked batch.
const MASK_EPSILON: f64 = 1e-7;

impl<F> fmt::Debug for BatchNormalization<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "BatchNormalization(momentum {}, epsilon {})", self.momentum, self.epsilon)
    }
}

settings!([F] BatchNormalization<F> {
    "axis": axis, "momentum": momentum, "epsilon": epsilon, "center": center, "scale": scale, "gamma": gamma,
    "beta": beta, "moving_mean_initializer": moving_mean, "moving_variance_initializer": moving_variance,
} only { "synchronized": false, "renorm": false } ignore { "renorm_momentum" });
