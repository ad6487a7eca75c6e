//! Gaussian noise: added, y = x + N(0, σ²), dx = dy; or multiplied, y = x ⊙ m, m ~ N(1, r/(1 − r)), dx = dy ⊙ m.

use super::{Drawn, check_rate, check_some};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::kernel;
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, Step, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Adds normal noise with mean 0 in training.
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(GaussianNoise::new(0.1));
/// model.build()?;
/// let x = ndarray::array![[1.0f32, 2.0, 3.0, 4.0]];
/// assert_eq!(model.predict(&x)?, x.into_dyn());    // a prediction adds nothing
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a standard deviation outside [0, 1], as in Keras.
///
/// # References
/// <https://keras.io/api/layers/regularization_layers/gaussian_noise/>
#[derive(Debug, Clone)]
pub struct GaussianNoise<F = f32> {
    stddev: f64,
    noise: Drawn<F>,
}

/// Multiplies by normal noise with mean 1 and variance `rate / (1 − rate)` in training.
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(GaussianDropout::new(0.2));
/// model.build()?;
/// let x = ndarray::array![[1.0f32, 2.0, 3.0, 4.0]];
/// assert_eq!(model.predict(&x)?, x.into_dyn());    // a prediction multiplies by 1
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a rate outside [0, 1).
///
/// # References
/// Srivastava et al. (2014), *Dropout: a simple way to prevent neural networks from overfitting*, section 10;
/// <https://keras.io/api/layers/regularization_layers/gaussian_dropout/>
#[derive(Debug, Clone)]
pub struct GaussianDropout<F = f32> {
    rate: f64,
    noise: Drawn<F>,
}

impl<F> GaussianNoise<F> {
    /// Creates a layer with noise of this standard deviation.
    pub fn new(stddev: f64) -> Self {
        GaussianNoise { stddev, noise: Drawn::new() }
    }
}

impl<F> GaussianDropout<F> {
    /// Creates a layer with noise of the same variance as dropout at this rate.
    pub fn new(rate: f64) -> Self {
        GaussianDropout { rate, noise: Drawn::new() }
    }
}

impl<F: Scalar> Drawn<F> {
    /// Draws normal numbers for all of x.
    fn normal(&mut self, x: Batch<F>, step: &Step<F>, mean: f64, stddev: f64) {
        self.draw(x.rows(), &|salt, row| step.rng(salt, row), &|rng, noise| {
            noise.iter_mut().for_each(|noise| *noise = F::of(mean + stddev * rng.normal()));
        });
    }
}

impl<F: Scalar> Layer<F> for GaussianNoise<F> {
    fn kind(&self) -> &str {
        "GaussianNoise"
    }

    saved!();

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        if !(0.0..=1.0).contains(&self.stddev) {
            return Err(Error::argument("stddev", "a number from 0 to 1", self.stddev));
        }
        self.noise.build(input.iter().product(), context.rng());
        check_some(input)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        self.noise.normal(x, step, 0.0, self.stddev);
        y.data().copy_from_slice(x.data());
        kernel::map_with(y.data(), &self.noise.values[..x.data().len()], |y, noise| y + noise);
    }

    fn backward(&mut self, pass: BackwardContext<F>) {
        if let Some(mut dx) = pass.dx {
            dx.data().copy_from_slice(pass.dy.as_batch().data());
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            is_noise: true,
            memory: Memory::per_row(self.noise.width),
            ..LayerTraits::default()
        }
    }
}

impl<F: Scalar> Layer<F> for GaussianDropout<F> {
    fn kind(&self) -> &str {
        "GaussianDropout"
    }

    saved!();

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_rate(self.rate)?;
        self.noise.build(input.iter().product(), context.rng());
        check_some(input)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        self.noise.normal(x, step, 1.0, (self.rate / (1.0 - self.rate)).sqrt());
        y.data().copy_from_slice(x.data());
        kernel::map_with(y.data(), &self.noise.values[..x.data().len()], |y, noise| y * noise);
    }

    fn backward(&mut self, pass: BackwardContext<F>) {
        let Some(mut dx) = pass.dx else { return };
        dx.data().copy_from_slice(pass.dy.as_batch().data());
        kernel::map_with(dx.data(), &self.noise.values[..pass.x.data().len()], |dx, noise| dx * noise);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            is_noise: true,
            memory: Memory::per_row(self.noise.width),
            ..LayerTraits::default()
        }
    }
}

settings!([F] GaussianNoise<F> { "stddev" required: stddev } ignore { "seed" });

settings!([F] GaussianDropout<F> { "rate" required: rate } ignore { "seed" });
