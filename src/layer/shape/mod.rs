//! Layers that only move numbers to other places: y[i] = x[from i], or 0. dx sums dy over the places it went to.

mod cropping;
mod padding;
mod permute;
mod repeat;
mod reshape;
mod up_sampling;

pub use cropping::Cropping1D;
pub use padding::{ZeroPadding1D, ZeroPadding2D};
pub use permute::Permute;
pub use repeat::RepeatVector;
pub use reshape::Reshape;
pub use up_sampling::UpSampling1D;

use std::fmt;

use crate::error::{Error, Result};
use crate::kernel;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Where each number of an output sample comes from; `None` is 0.
#[derive(Clone, Default)]
struct Moves(Vec<Option<u32>>);

impl fmt::Debug for Moves {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} numbers", self.0.len())
    }
}

impl Moves {
    /// The moves of an output of this shape, each place by its indices.
    fn new(output: &[usize], rng: &mut Rng, from: impl Fn(&[usize]) -> Option<usize>) -> Result<Self> {
        let count = crate::tensor::elements::<u64>(output)?;
        if count > u32::MAX as usize {
            return Err(Error::TooLarge { shape: output.to_vec() });
        }
        rng.take_room::<Option<u32>>(count, output)?;
        let mut at = vec![0; output.len()];
        let moves = (0..count).map(|_| {
            let place = from(&at).map(|place| place as u32);
            for (index, &size) in at.iter_mut().zip(output).rev() {
                *index += 1;
                if *index < size {
                    break;
                }
                *index = 0;
            }
            place
        });
        Ok(Moves(moves.collect()))
    }

    fn forward<F: Scalar>(&self, x: Batch<F>, mut y: BatchMut<F>) {
        let (width, block) = (y.width(), block(y.width()));
        kernel::samples(x.rows(), block, [(y.data(), width)], &|range, [y]| {
            for (sample, y) in range.zip(y.chunks_exact_mut(width)) {
                let x = x.row(sample);
                y.iter_mut()
                    .zip(&self.0)
                    .for_each(|(y, from)| *y = from.map_or(F::zero(), |from| x[from as usize]));
            }
        });
    }

    fn backward<F: Scalar>(&self, dy: Batch<F>, dx: Option<BatchMut<F>>) {
        let Some(mut dx) = dx else { return };
        let (rows, width) = (dx.rows(), dx.width());
        kernel::samples(rows, block(dy.width()), [(dx.data(), width)], &|range, [dx]| {
            dx.fill(F::zero());
            for (sample, dx) in range.zip(dx.chunks_exact_mut(width)) {
                for (dy, from) in dy.row(sample).iter().zip(&self.0) {
                    if let Some(from) = from {
                        dx[*from as usize] += *dy;
                    }
                }
            }
        });
    }
}

/// How many samples a thread takes at a time.
fn block(width: usize) -> usize {
    (1_usize << 14).div_ceil(width.max(1))
}

/// Refuses samples of another rank, or without a number.
fn check_rank(input: &[usize], rank: usize, expected: &str) -> Result<()> {
    if input.len() != rank || input.contains(&0) {
        return Err(Error::InputShape { expected: expected.into(), found: input.to_vec() });
    }
    Ok(())
}

/// A layer with a field `moves`, which `build` fills, and a method `moved` that tells it and the output's shape.
macro_rules! moving {
    ($layer:ident) => {
        impl<F: Scalar> Layer<F> for $layer {
            fn kind(&self) -> &str {
                stringify!($layer)
            }

            saved!();

            fn build(&mut self, input: &[usize], rng: &mut Rng) -> Result<Vec<usize>> {
                let (output, moves) = self.moved(input, rng)?;
                self.moves = moves;
                Ok(output)
            }

            fn is_affine(&self) -> bool {
                true
            }

            fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
                self.moves.forward(x, y);
            }

            fn backward(&mut self, pass: Pass<F>) {
                self.moves.backward(pass.dy.as_batch(), pass.dx);
            }
        }
    };
}

use moving;
