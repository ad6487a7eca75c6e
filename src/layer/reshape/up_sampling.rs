//! Up-sampling: y[t] = x[⌊t / size⌋]. dx[t] sums the dy of the size copies of step t.

use super::{StridedCopy, axes, check_size, strided_copy, strides};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::check::check_positive;

/// Repeats each step of a sequence `size` times: `y[t] = x[⌊t / size⌋]`.
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
    copy: StridedCopy,
}

impl UpSampling1D {
    /// Creates a layer that repeats each step `size` times; Keras's default is 2.
    pub fn new(size: usize) -> Self {
        UpSampling1D { size, copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        let [steps, channels] = axes(input, ["steps", "channels"])?;
        check_positive(&[("size", self.size)])?;
        let long = steps.checked_mul(self.size).ok_or_else(|| Error::TooLarge { shape: input.to_vec() })?;
        let output = vec![long, channels];
        check_size(&output)?;
        let sizes = [steps, self.size, channels];
        let copy = StridedCopy::new(&sizes, &[channels, 0, 1], &strides(&sizes));
        Ok((output, copy))
    }
}

strided_copy!(UpSampling1D);

settings!([] UpSampling1D { "size": size });
