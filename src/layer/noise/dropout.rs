//! Dropout: y = x ⊙ m, m = 0 with probability r, else 1/(1 − r). dx = dy ⊙ m. In a prediction y = x.

use super::Noise;
use crate::config::settings;
use crate::error::Result;
use crate::layer::check::{check_not_empty, check_rate};
use crate::layer::{BackwardContext, Layer, LayerTraits, PartMut, Step, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Sets each number to 0 with probability `rate` in training, and scales the others to keep the mean.
///
/// ```text
/// training:    y = x ⊙ m    m = 0 with probability r, else 1/(1 − r), for each number
/// prediction:  y = x
/// ```
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(Dropout::new(0.5));
/// model.build()?;
/// let x = ndarray::array![[1.0f32, 2.0, 3.0, 4.0]];
/// assert_eq!(model.predict(&x)?, x.into_dyn());    // a prediction drops nothing
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a rate outside [0, 1).
///
/// # References
/// Srivastava et al. (2014), *Dropout: a simple way to prevent neural networks from overfitting*;
/// <https://keras.io/api/layers/regularization_layers/dropout/>
#[derive(Debug, Clone)]
pub struct Dropout<F = f32> {
    rate: f64,
    mask: Noise<F>,
}

impl<F> Dropout<F> {
    /// Creates a layer that drops this share of the numbers; 0 drops nothing.
    pub fn new(rate: f64) -> Self {
        Dropout { rate, mask: Noise::new() }
    }
}

impl<F: Scalar> Layer<F> for Dropout<F> {
    saved!("Dropout");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_rate("rate", self.rate)?;
        check_not_empty(input)?;
        self.mask.build(input.iter().product(), context);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        self.mask.draw_mask(x.rows(), step, self.rate, 1.0 / (1.0 - self.rate));
        self.mask.apply(x, y, |x, m| x * m);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(dx) = context.dx else { return };
        self.mask.apply(context.dy.as_batch(), dx, |dy, m| dy * m);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::DropRate(&mut self.rate));
    }

    fn traits(&self) -> LayerTraits {
        self.mask.traits(self.rate)
    }
}

settings!([F] Dropout<F> { "rate" required: rate } ignore { "seed" });
