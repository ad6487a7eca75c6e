//! Alpha dropout: y = a·(x ⊙ k + α'·(1 − k)) + b, k = 0 with probability r. dx = a·dy ⊙ k. In a prediction y = x.

use super::Noise;
use crate::config::settings;
use crate::error::Result;
use crate::layer::check::{check_not_empty, check_rate};
use crate::layer::{BackwardContext, Layer, LayerTraits, PartMut, Step, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// The limit of SELU for large negative inputs, −1.6733 · 1.0507.
const LOWEST: f64 = -1.758_099_340_847_376_6;

/// Dropout for networks with `Selu`: sets numbers to SELU's minimum and keeps mean and variance.
///
/// ```text
/// y = a·(x·k + α'·(1 − k)) + b    k = 0 with probability r, else 1
/// α' = −1.7581    a = 1/√((1 − r)(1 + r·α'²))    b = −a·α'·r
/// ```
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new()
///     .input([4])
///     .add(Dense::new(8).activation(Activation::Selu).kernel_initializer(Initializer::LecunNormal))
///     .add(AlphaDropout::new(0.1));
/// model.build()?;
/// let x = ndarray::array![[1.0f32, 2.0, 3.0, 4.0]];
/// assert_eq!(model.predict(&x)?, model.predict(&x)?);    // a prediction drops nothing
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a rate outside [0, 1).
///
/// # References
/// Klambauer et al. (2017), *Self-normalizing neural networks*;
/// <https://keras.io/api/layers/regularization_layers/alpha_dropout/>
#[derive(Debug, Clone)]
pub struct AlphaDropout<F = f32> {
    rate: f64,
    /// 1 for each number that is kept.
    mask: Noise<F>,
}

impl<F> AlphaDropout<F> {
    /// Creates a layer that drops this share of the numbers; 0 drops nothing.
    pub fn new(rate: f64) -> Self {
        AlphaDropout { rate, mask: Noise::new() }
    }

    /// a and b.
    fn factors(&self) -> (f64, f64) {
        let a = 1.0 / ((1.0 - self.rate) * (1.0 + self.rate * LOWEST * LOWEST)).sqrt();
        (a, -a * LOWEST * self.rate)
    }
}

impl<F: Scalar> Layer<F> for AlphaDropout<F> {
    saved!("AlphaDropout");

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
        self.mask.draw_mask(x.rows(), step, self.rate, 1.0);
        let (a, b) = self.factors();
        let (a, b, lowest) = (F::of(a), F::of(b), F::of(LOWEST));
        self.mask.apply(x, y, |x, k| a * (x * k + lowest * (F::one() - k)) + b);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(dx) = context.dx else { return };
        let a = F::of(self.factors().0);
        self.mask.apply(context.dy.as_batch(), dx, |dy, k| a * dy * k);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::DropRate(&mut self.rate));
    }

    fn traits(&self) -> LayerTraits {
        self.mask.traits(self.rate)
    }
}

settings!([F] AlphaDropout<F> { "rate" required: rate } ignore { "seed" });
