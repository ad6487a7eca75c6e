//! Layers that change their input at random in training and not at all in a prediction.
//!
//! The random numbers of a row depend on the seed of the model, the layer, the step and the position of the row in
//! the batch, never on a thread.

mod alpha_dropout;
mod dropout;
mod gaussian;
pub(super) mod spatial_dropout;

pub use alpha_dropout::AlphaDropout;
pub use dropout::Dropout;
pub use gaussian::{GaussianDropout, GaussianNoise};
pub use spatial_dropout::{SpatialDropout1D, SpatialDropout2D};

use std::fmt;

use super::{LayerTraits, Memory, Step};
use crate::kernel;
use crate::param::BuildContext;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The random numbers of the last batch, and the salt of their streams.
#[derive(Clone)]
struct Noise<F> {
    salt: u64,
    /// The number of random numbers per row.
    width: usize,
    values: Vec<F>,
}

impl<F> Noise<F> {
    fn new() -> Self {
        Noise { salt: 0, width: 0, values: Vec::new() }
    }
}

impl<F: Scalar> Noise<F> {
    /// Prepares for this number of random numbers per row.
    fn build(&mut self, width: usize, context: &mut BuildContext) {
        (self.salt, self.width) = (context.rng().bits(), width);
    }

    /// Calls `fill` with the random stream and the numbers of each row.
    fn draw(&mut self, rows: usize, step: &Step<F>, fill: impl Fn(&mut Rng, &mut [F]) + Sync) {
        let (width, salt) = (self.width, self.salt);
        if self.values.len() < rows * width {
            self.values.resize(rows * width, F::zero());
        }
        let block = (1_usize << 11).div_ceil(width);
        kernel::samples(rows, block, [(&mut self.values, width)], &|range, [values]| {
            for (row, values) in range.zip(values.chunks_exact_mut(width)) {
                fill(&mut step.rng(salt, row), values);
            }
        });
    }

    /// Draws 0 with probability `rate`, else `kept`. Two numbers share the 64 bits of one draw.
    fn draw_mask(&mut self, rows: usize, step: &Step<F>, rate: f64, kept: f64) {
        let (bound, kept) = ((rate * 4_294_967_296.0) as u32, F::of(kept));
        self.draw(rows, step, |rng, mask| {
            let mut words = [0; 128];
            for values in mask.chunks_mut(words.len()) {
                for pair in words[..values.len().next_multiple_of(2)].chunks_exact_mut(2) {
                    let bits = rng.bits();
                    (pair[0], pair[1]) = (bits as u32, (bits >> 32) as u32);
                }
                let words = &words[..values.len()];
                kernel::simd!(|| {
                    for (value, word) in values.iter_mut().zip(words) {
                        *value = if *word >= bound { kept } else { F::zero() };
                    }
                });
            }
        });
    }

    /// Draws normal numbers.
    fn draw_normal(&mut self, rows: usize, step: &Step<F>, mean: f64, stddev: f64) {
        self.draw(rows, step, |rng, values| {
            values.iter_mut().for_each(|value| *value = F::of(mean + stddev * rng.normal()));
        });
    }

    /// `to = f(from, noise)`, number by number.
    fn apply(&self, from: Batch<F>, mut to: BatchMut<F>, f: impl Fn(F, F) -> F + Sync) {
        kernel::map_both(to.data(), from.data(), &self.values[..from.data().len()], f);
    }

    /// The traits of a layer with this noise.
    fn traits(&self, drop_rate: f64) -> LayerTraits {
        let memory = Memory::per_row(self.width);
        LayerTraits {
            mask: crate::layer::MaskRule::Passes,
            is_affine: true,
            is_noise: true,
            drop_rate,
            memory,
            ..LayerTraits::default()
        }
    }
}

impl<F> fmt::Debug for Noise<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} numbers", self.values.len())
    }
}
