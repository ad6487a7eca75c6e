//! Repeat: n copies of each sample, one after another.

use super::{StridedCopy, check_rank, check_size, moving, strides};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Repeats a vector `n` times, as steps of a sequence.
///
/// # Shapes
/// Input `(features)`, output `(n, features)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(RepeatVector::new(3));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[3, 4][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for `n` of 0, [`Error::InputShape`] for samples that are not vectors.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/repeat_vector/>
#[derive(Debug, Clone)]
pub struct RepeatVector {
    n: usize,
    moves: StridedCopy,
}

impl RepeatVector {
    /// Creates a layer that repeats a vector `n` times.
    pub fn new(n: usize) -> Self {
        RepeatVector { n, moves: StridedCopy::default() }
    }

    fn moved(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        check_rank(input, 1, "(features)")?;
        if self.n == 0 {
            return Err(Error::argument("n", "at least 1", 0));
        }
        let output = vec![self.n, input[0]];
        check_size(&output)?;
        let moves = StridedCopy::new(&output, (0, &[0, 1]), (0, &strides(&output)));
        Ok((output, moves))
    }
}

moving!(RepeatVector);

settings!([] RepeatVector { "n" required: n });
