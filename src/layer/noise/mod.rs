//! Layers that change their input at random in training and not at all in a prediction.
//!
//! The random numbers of a row depend on the seed of the model, the layer, the step and the position of the row in
//! the batch, never on a thread.

mod alpha_dropout;
mod dropout;
mod gaussian;

pub use alpha_dropout::AlphaDropout;
pub use dropout::{Dropout, SpatialDropout1D};
pub use gaussian::{GaussianDropout, GaussianNoise};

use std::fmt;

use crate::error::{Error, Result};
use crate::kernel;
use crate::rng::Rng;
use crate::scalar::Scalar;

/// The random numbers of a layer for a batch.
#[derive(Clone)]
struct Drawn<F> {
    /// Separates the streams of this layer from those of others.
    salt: u64,
    /// The number of values per row.
    width: usize,
    values: Vec<F>,
}

impl<F> fmt::Debug for Drawn<F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} numbers", self.values.len())
    }
}

impl<F> Drawn<F> {
    fn new() -> Self {
        Drawn { salt: 0, width: 0, values: Vec::new() }
    }
}

impl<F: Scalar> Drawn<F> {
    /// Draws the salt of a layer that draws `width` numbers per row.
    fn build(&mut self, width: usize, rng: &mut Rng) {
        (self.salt, self.width) = (rng.bits(), width);
    }

    /// Draws the numbers of `rows` rows, each row from its own stream.
    fn draw(
        &mut self,
        rows: usize,
        stream: &(dyn Fn(u64, usize) -> Rng + Sync),
        fill: &(dyn Fn(&mut Rng, &mut [F]) + Sync),
    ) {
        let width = self.width;
        if self.values.len() < rows * width {
            self.values.resize(rows * width, F::zero());
        }
        let salt = self.salt;
        kernel::samples(
            rows,
            (1_usize << 12).div_ceil(width),
            [(&mut self.values, width)],
            &|range, [values]| {
                for (row, values) in range.zip(values.chunks_exact_mut(width)) {
                    fill(&mut stream(salt, row), values);
                }
            },
        );
    }
}

/// Fills a mask with `kept`, and with 0 at this rate.
fn fill_mask<F: Scalar>(rng: &mut Rng, rate: f64, kept: F, mask: &mut [F]) {
    let bound = (rate * 4_294_967_296.0) as u64;
    for pair in mask.chunks_mut(2) {
        let bits = rng.bits();
        for (value, bits) in pair.iter_mut().zip([bits & 0xFFFF_FFFF, bits >> 32]) {
            *value = if bits >= bound { kept } else { F::zero() };
        }
    }
}

/// Refuses a rate outside `[0, 1)`.
fn check_rate(rate: f64) -> Result<()> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(Error::argument("rate", "a number of at least 0 and below 1", rate))
}

/// Refuses samples without values.
fn check_some(input: &[usize]) -> Result<Vec<usize>> {
    match input.contains(&0) {
        true => Err(Error::InputShape {
            expected: "(...), with no axis of length 0".into(),
            found: input.to_vec(),
        }),
        false => Ok(input.to_vec()),
    }
}
