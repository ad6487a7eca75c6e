//! Gaussian noise: added, y = x + N(0, σ²), dx = dy; or multiplied, y = x ⊙ m, m ~ N(1, r/(1 − r)), dx = dy ⊙ m.

use super::Noise;
use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::check::{check_not_empty, check_rate};
use crate::layer::{BackwardContext, Layer, LayerTraits, Step, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Adds normal noise with mean 0 in training.
///
/// ```text
/// training:    y = x + e    e ~ N(0, σ²) for each number, σ the standard deviation
/// prediction:  y = x
/// ```
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
    noise: Noise<F>,
}

/// Multiplies by normal noise with mean 1 and variance `rate / (1 − rate)` in training.
///
/// ```text
/// training:    y = x ⊙ m    m ~ N(1, r/(1 − r)) for each number
/// prediction:  y = x
/// ```
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
    noise: Noise<F>,
}

impl<F> GaussianNoise<F> {
    /// Creates a layer with noise of this standard deviation.
    pub fn new(stddev: f64) -> Self {
        GaussianNoise { stddev, noise: Noise::new() }
    }
}

impl<F> GaussianDropout<F> {
    /// Creates a layer with noise of the same variance as dropout at this rate.
    pub fn new(rate: f64) -> Self {
        GaussianDropout { rate, noise: Noise::new() }
    }
}

impl<F: Scalar> Layer<F> for GaussianNoise<F> {
    saved!("GaussianNoise");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        if !(0.0..=1.0).contains(&self.stddev) {
            return Err(Error::argument("stddev", "a number from 0 to 1", self.stddev));
        }
        check_not_empty(input)?;
        self.noise.build(input.iter().product(), context);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        self.noise.draw_normal(x.rows(), step, 0.0, self.stddev);
        self.noise.apply(x, y, |x, noise| x + noise);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let Some(mut dx) = context.dx {
            dx.data().copy_from_slice(context.dy.as_batch().data());
        }
    }

    fn traits(&self) -> LayerTraits {
        self.noise.traits(0.0)
    }
}

impl<F: Scalar> Layer<F> for GaussianDropout<F> {
    saved!("GaussianDropout");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_rate("rate", self.rate)?;
        check_not_empty(input)?;
        self.noise.build(input.iter().product(), context);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        self.noise.draw_normal(x.rows(), step, 1.0, (self.rate / (1.0 - self.rate)).sqrt());
        self.noise.apply(x, y, |x, noise| x * noise);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(dx) = context.dx else { return };
        self.noise.apply(context.dy.as_batch(), dx, |dy, noise| dy * noise);
    }

    fn traits(&self) -> LayerTraits {
        self.noise.traits(0.0)
    }
}

settings!([F] GaussianNoise<F> { "stddev" required: stddev } ignore { "seed" });

settings!([F] GaussianDropout<F> { "rate" required: rate } ignore { "seed" });
