//! Repeat: y[t] = x for t < n. dx = Σ dy[t].

use super::{StridedCopy, axes, check_size, strided_copy, strides};
use crate::config::settings;
use crate::error::Result;
use crate::layer::check::check_positive;

/// Repeats a vector `n` times, as steps of a sequence: `y[t] = x`.
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
/// At `build`: [`Error::Argument`](crate::Error::Argument) for `n` of 0, [`Error::InputShape`](crate::Error::InputShape) for samples that are not vectors.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/repeat_vector/>
#[derive(Debug, Clone)]
pub struct RepeatVector {
    n: usize,
    copy: StridedCopy,
}

impl RepeatVector {
    /// Creates a layer that repeats a vector `n` times.
    pub fn new(n: usize) -> Self {
        RepeatVector { n, copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        let [features] = axes(input, ["features"])?;
        check_positive(&[("n", self.n)])?;
        let output = vec![self.n, features];
        check_size(&output)?;
        let copy = StridedCopy::new(&output, &[0, 1], &strides(&output));
        Ok((output, copy))
    }
}

strided_copy!(RepeatVector);

settings!([] RepeatVector { "n" required: n });
