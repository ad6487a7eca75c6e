//! Cropping: y[t] = x[t + before]. dx[t + before] = dy[t], and 0 at the removed steps.

use super::{StridedCopy, axes, check_size, strided_copy, strides};
use crate::config::settings;
use crate::error::{ExpectedAxis, ExpectedShape, Result};
use crate::layer::check::wrong_shape;

/// Removes steps at the start and at the end of a sequence: `y[t] = x[t + before]`.
///
/// # Shapes
/// Input `(steps, channels)`, output `(steps − before − after, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([5, 3]).add(Cropping1D::new(1, 1));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[3, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`](crate::Error::InputShape) if no step is left, and for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/cropping1d/>
#[derive(Debug, Clone)]
pub struct Cropping1D {
    cropping: [usize; 2],
    copy: StridedCopy,
}

impl Cropping1D {
    /// Creates a layer that removes this number of steps at the start and at the end; Keras's default is 1 and 1.
    pub fn new(before: usize, after: usize) -> Self {
        Cropping1D { cropping: [before, after], copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        let [steps, channels] = axes(input, ["steps", "channels"])?;
        let [before, after] = self.cropping;
        let left = steps.saturating_sub(before).saturating_sub(after);
        if left == 0 {
            let length = before.saturating_add(after).saturating_add(1);
            let steps = ExpectedAxis::AtLeast { name: "steps", length };
            let expected = ExpectedShape::Axes(vec![steps, ExpectedAxis::Named("channels")]);
            return Err(wrong_shape(expected, input));
        }
        let output = vec![left, channels];
        check_size(&output)?;
        let steps = strides(&output);
        let copy = StridedCopy::new(&output, &steps, &steps).starting_from(before * channels);
        Ok((output, copy))
    }
}

strided_copy!(Cropping1D);

settings!([] Cropping1D { "cropping": cropping });
