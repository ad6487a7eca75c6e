//! Up-sampling: repeats each step.

use super::{StridedCopy, check_rank, check_size, moving, strides};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Repeats each step of a sequence `size` times: a, b becomes a, a, b, b.
///
/// # Shapes
/// Input `(steps, channels)`, output `(size·steps, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([5, 3]).add(UpSampling1D::new(2));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[10, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a size of 0, [`Error::InputShape`] for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/up_sampling1d/>
#[derive(Debug, Clone)]
pub struct UpSampling1D {
    size: usize,
    moves: StridedCopy,
}

impl UpSampling1D {
    /// Creates a layer that repeats each step `size` times; Keras's default is 2.
    pub fn new(size: usize) -> Self {
        UpSampling1D { size, moves: StridedCopy::default() }
    }

    fn moved(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        check_rank(input, 2, "(steps, channels)")?;
        let &[steps, channels] = input else { return Err(Error::NotBuilt) };
        if self.size == 0 {
            return Err(Error::argument("size", "at least 1", 0));
        }
        let long = steps.checked_mul(self.size).ok_or_else(|| Error::TooLarge { shape: input.to_vec() })?;
        let output = vec![long, channels];
        check_size(&output)?;
        let sizes = [steps, self.size, channels];
        let moves = StridedCopy::new(&sizes, (0, &[channels, 0, 1]), (0, &strides(&sizes)));
        Ok((output, moves))
    }
}

moving!(UpSampling1D);

settings!([] UpSampling1D { "size": size });
