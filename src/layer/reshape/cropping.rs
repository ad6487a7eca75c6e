//! Cropping of sequences and images: y[t] = x[t + before]. dx[t + before] = dy[t], and 0 at the removed cells.

use super::{StridedCopy, check_size, strided_copy, strides};
use crate::config::settings;
use crate::error::{ExpectedAxis, ExpectedShape, Result};
use crate::layer::check::wrong_shape;
use crate::layer::window::{axis_names, channels};

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

/// Removes rows and columns at the edges of an image: `y[i, j] = x[i + top, j + left]`.
///
/// # Shapes
/// Input `(height, width, channels)`, output `(height − top − bottom, width − left − right, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::Array4;
/// let mut model = Sequential::new().input([4, 3, 1]).add(Cropping2D::new([1, 2], [0, 1]));
/// model.build()?;
/// let x = Array4::from_shape_fn((1, 4, 3, 1), |(_, i, j, _)| (10 * i + j) as f32);
/// assert_eq!(model.predict(&x)?, ndarray::array![[[[10.0], [11.0]]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`](crate::Error::InputShape) if no row or no column is left, and for samples of another
/// rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/cropping2d/>
#[derive(Debug, Clone)]
pub struct Cropping2D {
    cropping: [[usize; 2]; 2],
    copy: StridedCopy,
}

impl Cropping1D {
    /// Creates a layer that removes this number of steps at the start and at the end; Keras's default is 1 and 1.
    pub fn new(before: usize, after: usize) -> Self {
        Cropping1D { cropping: [before, after], copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        layout([self.cropping], input)
    }
}

impl Cropping2D {
    /// Creates a layer that removes rows above and below, and columns left and right; Keras's default is 0 each.
    pub fn new(rows: [usize; 2], columns: [usize; 2]) -> Self {
        Cropping2D { cropping: [rows, columns], copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        layout(self.cropping, input)
    }
}

/// Returns the shape without the removed cells, and the copies of the others.
fn layout<const D: usize>(cropping: [[usize; 2]; D], input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
    channels::<D>(input)?;
    let mut output = input.to_vec();
    for (axis, [before, after]) in cropping.into_iter().enumerate() {
        output[axis] = input[axis].saturating_sub(before).saturating_sub(after);
        if output[axis] == 0 {
            let length = before.saturating_add(after).saturating_add(1);
            let mut expected: Vec<_> = axis_names::<D>().iter().copied().map(ExpectedAxis::Named).collect();
            expected[axis] = ExpectedAxis::AtLeast { name: axis_names::<D>()[axis], length };
            return Err(wrong_shape(ExpectedShape::Axes(expected), input));
        }
    }
    check_size(&output)?;
    let from = strides(input);
    let start = cropping.iter().zip(&from).map(|([before, _], stride)| before * stride).sum();
    let copy = StridedCopy::new(&output, &from, &strides(&output)).starting_from(start);
    Ok((output, copy))
}

strided_copy!(Cropping1D);
strided_copy!(Cropping2D);

settings!([] Cropping1D { "cropping": cropping });
settings!([] Cropping2D { "cropping": cropping } only { "data_format": "channels_last" });
