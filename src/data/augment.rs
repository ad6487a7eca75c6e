//! Random changes to signals, redrawn each time a sample is trained on.

use super::BatchSource;
use crate::error::{Error, Result};
use crate::hash::spread;
use crate::rng::Rng;
use crate::scalar::Scalar;

/// A [`BatchSource`] that changes its samples at random during training.
///
/// Samples of evaluation and validation are unchanged, or cropped to their middle if there is a crop.
///
/// A sample is `(steps, channels)` or `(steps)`. The changes are applied in this order:
///
/// | setting | change |
/// |---|---|
/// | [`mixup`](Augment::mixup) | `λ · sample + (1 − λ) · other`, and the same for the targets, with `λ` from `Beta(α, α)` and another sample of the batch |
/// | [`shift`](Augment::shift) | by up to `steps` to either side; the first or last value is repeated |
/// | [`crop`](Augment::crop) | `steps` steps from a random position |
/// | [`scaling`](Augment::scaling) | each channel times `1 + deviation · n`, with `n` normal |
/// | [`jitter`](Augment::jitter) | each number plus `deviation · n`, with `n` normal |
///
/// The random numbers depend only on the seed, the epoch and the row. They are therefore the same on any number of
/// threads and after resuming from a backup. The partner in a mixup also depends on the batch, so no sample held out
/// for validation is mixed in.
///
/// # Example
/// ```
/// use cornu::data::{Augment, source_fn};
/// use cornu::prelude::*;
/// let waves = source_fn(40, [32, 1], [1], |index, x: &mut [f32], y: &mut [f32]| {
///     let wave = |t: usize| (t as f32 * if index % 2 == 0 { 0.2 } else { 0.5 }).sin();
///     x.iter_mut().enumerate().for_each(|(t, x)| *x = wave(t));
///     y[0] = (index % 2) as f32;
///     Ok(())
/// });
/// let waves = Augment::new(waves).seed(7).shift(4).crop(24).scaling(0.1).jitter(0.05);
/// let mut model = Sequential::new().add(Flatten::new()).add(Dense::new(2));
/// model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new().from_logits(true), ())?;
/// let history = model.fit_source(&waves, &Fit::new().epochs(2).verbose(Verbose::Silent))?;
/// assert_eq!(history.epochs().len(), 2);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// During training: [`Error::Argument`] for a crop longer than the samples, or for a deviation or `α` that is not
/// above 0. A loss with class indices as targets refuses mixed ones; use one-hot targets with mixup.
///
/// # References
/// Um et al. (2017), *Data augmentation of wearable sensor data for Parkinson's disease monitoring using convolutional
/// neural networks*; Zhang et al. (2018), *mixup: beyond empirical risk minimization*.
#[derive(Debug, Clone)]
pub struct Augment<S> {
    source: S,
    seed: u64,
    jitter: Option<f64>,
    scaling: Option<f64>,
    shift: usize,
    crop: Option<usize>,
    mixup: Option<f64>,
}

impl<S> Augment<S> {
    /// Wraps a source without changing its samples; each setter adds a change.
    pub fn new(source: S) -> Self {
        Augment { source, seed: 0, jitter: None, scaling: None, shift: 0, crop: None, mixup: None }
    }

    /// The seed of the random numbers. Default: 0.
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds normal noise of this standard deviation to each number. Default: none.
    pub fn jitter(mut self, deviation: f64) -> Self {
        self.jitter = Some(deviation);
        self
    }

    /// Scales each channel of a sample by a normal factor of mean 1 and this standard deviation. Default: none.
    pub fn scaling(mut self, deviation: f64) -> Self {
        self.scaling = Some(deviation);
        self
    }

    /// Shifts a sample by up to `steps` steps to either side. Default: none.
    pub fn shift(mut self, steps: usize) -> Self {
        self.shift = steps;
        self
    }

    /// Crops a sample to `steps` steps, at a random position in training and from the middle otherwise. Default: none.
    pub fn crop(mut self, steps: usize) -> Self {
        self.crop = Some(steps);
        self
    }

    /// Mixes each sample and its target with another one of the batch; `alpha` is often 0.2. Default: none.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Augment, BatchSource, source_fn};
    /// let rows = source_fn(2, [1], [2], |index, x: &mut [f64], y: &mut [f64]| {
    ///     (x[0], y[index]) = (index as f64, 1.0);
    ///     Ok(())
    /// });
    /// let (mut x, mut y) = ([0.0; 2], [0.0; 4]);
    /// Augment::new(rows).mixup(0.2).fill_epoch(0, &[0, 1], &mut x, &mut y)?;
    /// assert!((0.0..=1.0).contains(&x[0]) && (y[0] + y[1] - 1.0).abs() < 1e-12);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn mixup(mut self, alpha: f64) -> Self {
        self.mixup = Some(alpha);
        self
    }

    /// Returns the steps and channels of the source's samples, and the steps after cropping.
    fn sizes<F: Scalar>(&self) -> Result<(usize, usize, usize)>
    where
        S: BatchSource<F>,
    {
        let shape = self.source.input_shape();
        let steps = shape.first().copied().unwrap_or(1);
        let kept = self.crop.unwrap_or(steps);
        if kept == 0 || kept > steps {
            return Err(Error::argument("crop", format!("1 to {steps} steps, as the samples have"), kept));
        }
        for (argument, value) in [("jitter", self.jitter), ("scaling", self.scaling), ("mixup", self.mixup)] {
            if let Some(value) = value
                && !(value > 0.0 && value.is_finite())
            {
                return Err(Error::argument(argument, "a finite number above 0", value));
            }
        }
        Ok((steps, shape[1..].iter().product(), kept))
    }
}

impl<F: Scalar, S: BatchSource<F>> BatchSource<F> for Augment<S> {
    fn count(&self) -> usize {
        self.source.count()
    }

    fn input_shape(&self) -> Vec<usize> {
        let mut shape = self.source.input_shape();
        if let (Some(crop), Some(steps)) = (self.crop, shape.first_mut()) {
            *steps = crop;
        }
        shape
    }

    fn target_shape(&self) -> Vec<usize> {
        self.source.target_shape()
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let (steps, channels, kept) = self.sizes::<F>()?;
        if kept == steps {
            return self.source.fill(indices, x, y);
        }
        let mut whole = vec![F::zero(); indices.len() * steps * channels];
        self.source.fill(indices, &mut whole, y)?;
        let from = (steps - kept) / 2 * channels;
        for (to, whole) in x.chunks_exact_mut(kept * channels).zip(whole.chunks_exact(steps * channels)) {
            to.copy_from_slice(&whole[from..][..kept * channels]);
        }
        Ok(())
    }

    fn fill_epoch(&self, epoch: u64, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let (steps, channels, kept) = self.sizes::<F>()?;
        let (wide, tall) = (steps * channels, y.len() / indices.len().max(1));
        let mut whole = vec![F::zero(); indices.len() * wide];
        self.source.fill_epoch(epoch, indices, &mut whole, y)?;
        let targets = y.to_vec();
        for (i, &index) in indices.iter().enumerate() {
            let seed = self.seed.wrapping_add(spread(epoch + 1));
            let mut rng = Rng::stream(seed, index as u64);
            let mut draw = |from: usize| ((rng.uniform() * from as f64) as usize).min(from.saturating_sub(1));
            let (other, moved, start) = (
                draw(indices.len()),
                draw(2 * self.shift + 1) as isize - self.shift as isize,
                draw(steps - kept + 1),
            );
            let (mut sample, mut mixed) = (&whole[i * wide..][..wide], Vec::new());
            if let Some(alpha) = self.mixup {
                let share = F::of(rng.beta(alpha));
                let mix = |a: &[F], b: &[F]| -> Vec<F> {
                    a.iter().zip(b).map(|(a, b)| share * *a + (F::one() - share) * *b).collect()
                };
                mixed = mix(sample, &whole[other * wide..][..wide]);
                y[i * tall..][..tall]
                    .copy_from_slice(&mix(&targets[i * tall..][..tall], &targets[other * tall..][..tall]));
            }
            if !mixed.is_empty() {
                sample = &mixed;
            }
            let mut factor =
                || self.scaling.map_or(F::one(), |deviation| F::of(1.0 + deviation * rng.normal()));
            let factors: Vec<F> = (0..channels).map(|_| factor()).collect();
            let to = &mut x[i * kept * channels..][..kept * channels];
            for (step, to) in to.chunks_exact_mut(channels.max(1)).enumerate() {
                let from = (start + step).saturating_add_signed(-moved).min(steps - 1);
                for (channel, to) in to.iter_mut().enumerate() {
                    *to = sample[from * channels + channel] * factors[channel];
                    if let Some(deviation) = self.jitter {
                        *to += F::of(deviation * rng.normal());
                    }
                }
            }
        }
        Ok(())
    }
}
