//! Zero padding of sequences and images: y[t] = x[t − before], and 0 beyond the ends of x. dx[t] = dy[t + before].

use super::{StridedCopy, check_size, strided_copy, strides};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::window::channels;

/// Adds zeros before and after the steps of a sequence: `y[t] = x[t − before]`, and 0 beyond the ends of `x`.
///
/// # Shapes
/// Input `(steps, channels)`, output `(before + steps + after, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4, 3]).add(ZeroPadding1D::new(1, 2));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[7, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`] for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/zero_padding1d/>
#[derive(Debug, Clone)]
pub struct ZeroPadding1D {
    padding: [usize; 2],
    copy: StridedCopy,
}

/// Adds zeros around an image: `y[i, j] = x[i − top, j − left]`, and 0 beyond the edges of `x`.
///
/// # Shapes
/// Input `(height, width, channels)`, output `(top + height + bottom, left + width + right, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4, 4, 3]).add(ZeroPadding2D::new([1, 1], [2, 0]));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[6, 6, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::InputShape`] for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/zero_padding2d/>
#[derive(Debug, Clone)]
pub struct ZeroPadding2D {
    padding: [[usize; 2]; 2],
    copy: StridedCopy,
}

impl ZeroPadding1D {
    /// Creates a layer with this number of zeros before and after; Keras's default is 1 and 1.
    pub fn new(before: usize, after: usize) -> Self {
        ZeroPadding1D { padding: [before, after], copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        layout([self.padding], input)
    }
}

impl ZeroPadding2D {
    /// Creates a layer with zeros above and below, left and right; Keras's default is 1 each.
    pub fn new(rows: [usize; 2], columns: [usize; 2]) -> Self {
        ZeroPadding2D { padding: [rows, columns], copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        layout(self.padding, input)
    }
}

/// Returns the shape with the zeros, and the copies of the others.
fn layout<const D: usize>(padding: [[usize; 2]; D], input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
    channels::<D>(input)?;
    let mut output = input.to_vec();
    for (len, sides) in output.iter_mut().zip(padding) {
        *len = padded(*len, sides)?;
    }
    check_size(&output)?;
    let to = strides(&output);
    let start = padding.iter().zip(&to).map(|([before, _], stride)| before * stride).sum();
    Ok((output, StridedCopy::new(input, &strides(input), &to).starting_to(start)))
}

/// Returns the length with zeros at both ends.
fn padded(len: usize, [before, after]: [usize; 2]) -> Result<usize> {
    let sum = len.checked_add(before).and_then(|sum| sum.checked_add(after));
    sum.ok_or_else(|| Error::TooLarge { shape: vec![before, len, after] })
}

strided_copy!(ZeroPadding1D);
strided_copy!(ZeroPadding2D);

settings!([] ZeroPadding1D { "padding": padding } only { "data_format": "channels_last" });
settings!([] ZeroPadding2D { "padding": padding } only { "data_format": "channels_last" });
