//! Alpha dropout: y = a·(x ⊙ k + α'·(1 − k)) + b, k = 0 with probability r. dx = a·dy ⊙ k. In a prediction y = x.

use super::{Drawn, check_rate, check_some, fill_mask};
use crate::config::settings;
use crate::error::Result;
use crate::kernel;
use crate::layer::{BackwardContext, Layer, LayerTraits, Memory, PartMut, Step, saved};
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
    mask: Drawn<F>,
}

impl<F> AlphaDropout<F> {
    /// Creates a layer that drops this share of the numbers; 0 drops nothing.
    pub fn new(rate: f64) -> Self {
        AlphaDropout { rate, mask: Drawn::new() }
    }

    /// a and b.
    fn factors(&self) -> (f64, f64) {
        let a = 1.0 / ((1.0 - self.rate) * (1.0 + self.rate * LOWEST * LOWEST)).sqrt();
        (a, -a * LOWEST * self.rate)
    }
}

impl<F: Scalar> Layer<F> for AlphaDropout<F> {
    fn kind(&self) -> &str {
        "AlphaDropout"
    }

    saved!();

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_rate(self.rate)?;
        self.mask.build(input.iter().product(), context.rng());
        check_some(input)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, mut y: BatchMut<F>, step: &mut Step<F>) {
        let (rate, step) = (self.rate, &*step);
        self.mask.draw(x.rows(), &|salt, row| step.rng(salt, row), &|rng, mask| {
            fill_mask(rng, rate, F::one(), mask);
        });
        let (a, b) = self.factors();
        let (a, b, lowest) = (F::of(a), F::of(b), F::of(LOWEST));
        y.data().copy_from_slice(x.data());
        kernel::map_with(y.data(), &self.mask.values[..x.data().len()], |x, k| {
            a * (x * k + lowest * (F::one() - k)) + b
        });
    }

    fn backward(&mut self, pass: BackwardContext<F>) {
        let Some(mut dx) = pass.dx else { return };
        let a = F::of(self.factors().0);
        dx.data().copy_from_slice(pass.dy.as_batch().data());
        kernel::map_with(dx.data(), &self.mask.values[..pass.x.data().len()], |dx, k| a * dx * k);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::DropRate(&mut self.rate));
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            is_affine: true,
            is_noise: true,
            drop_rate: self.rate,
            memory: Memory::per_row(self.mask.width),
            ..LayerTraits::default()
        }
    }
}

settings!([F] AlphaDropout<F> { "rate" required: rate } ignore { "seed" });
