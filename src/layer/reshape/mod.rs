//! Layers that change the shape of a sample or rearrange its numbers.

mod cropping;
mod flatten;
mod padding;
mod permute;
mod repeat;
mod reshape;
mod up_sampling;

pub use cropping::Cropping1D;
pub use flatten::Flatten;
pub use padding::{ZeroPadding1D, ZeroPadding2D};
pub use permute::Permute;
pub use repeat::RepeatVector;
pub use reshape::Reshape;
pub use up_sampling::UpSampling1D;

use crate::error::{Error, Result};
use crate::layer::strided_copy::{StridedCopy, check_size, strides};

/// Refuses samples of another rank, or without values.
fn check_rank(input: &[usize], rank: usize, expected: &str) -> Result<()> {
    if input.len() != rank || input.contains(&0) {
        return Err(Error::InputShape { expected: expected.into(), found: input.to_vec() });
    }
    Ok(())
}

/// Implements a layer with a field `moves`, which `build` fills, and a method `moved` that returns it with the output
/// shape.
macro_rules! moving {
    ($layer:ident) => {
        impl<F: Scalar> Layer<F> for $layer {
            fn kind(&self) -> &str {
                stringify!($layer)
            }

            saved!();

            fn build(&mut self, input: &[usize], _: &mut crate::param::BuildContext) -> Result<Vec<usize>> {
                let (output, moves) = self.moved(input)?;
                self.moves = moves;
                Ok(output)
            }

            fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
                self.moves.forward(x, y);
            }

            fn backward(&mut self, pass: BackwardContext<F>) {
                self.moves.backward(pass.dy.as_batch(), pass.dx);
            }

            fn traits(&self) -> LayerTraits {
                LayerTraits { is_affine: true, ..LayerTraits::default() }
            }
        }
    };
}

use moving;
