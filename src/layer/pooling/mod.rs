//! Pooling: the maximum or mean of a window, per channel.

pub(super) mod average;
pub(super) mod global;
pub(super) mod max;

pub use average::{AveragePooling1D, AveragePooling2D};
pub use global::{GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D};
pub use max::{MaxPooling1D, MaxPooling2D};

use super::window::{Padding, Sliding};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The number of values per thread block.
const NEAR: usize = 1 << 14;

/// The larger number, or NaN if one is NaN.
#[inline(always)]
fn larger<F: Scalar>(y: F, x: F) -> F {
    if y >= x || y.is_nan() { y } else { x }
}

/// The window of a pool; without strides it moves by its own size.
fn sliding<const D: usize>(
    size: [usize; D],
    strides: Option<[usize; D]>,
    padding: Padding,
) -> Result<Sliding<D>> {
    if padding == Padding::Causal {
        return Err(Error::argument("padding", "Valid or Same", "Causal"));
    }
    Ok(Sliding { size, strides: strides.unwrap_or(size), dilation: [1; D], padding, what: "pool_size" })
}

/// The constructors and setters of a pool over windows, for one and for two axes.
macro_rules! window_pool {
    ($pool:ident) => {
        impl $pool<1> {
            /// Creates a pool over this number of steps; Keras's default for max pooling is 2.
            pub fn new(pool_size: usize) -> Self {
                $pool { size: [pool_size], strides: None, padding: Padding::Valid, window: None }
            }

            /// The number of steps by which the window moves. Default: the size of the pool.
            pub fn strides(mut self, strides: usize) -> Self {
                self.strides = Some([strides]);
                self
            }
        }

        impl $pool<2> {
            /// Creates a pool over this number of rows and columns; Keras's default for max pooling is `[2, 2]`.
            pub fn new(pool_size: [usize; 2]) -> Self {
                $pool { size: pool_size, strides: None, padding: Padding::Valid, window: None }
            }

            /// The number of rows and columns by which the window moves. Default: the size of the pool.
            pub fn strides(mut self, strides: [usize; 2]) -> Self {
                self.strides = Some(strides);
                self
            }
        }

        impl<const D: usize> $pool<D> {
            setters! {
                /// The padding at the ends: windows lie within the input, or are cut off there. Default:
                /// [`Padding::Valid`].
                padding: Padding;
            }

            /// Places the window over an input, and returns the shape of the output.
            fn place(&mut self, input: &[usize]) -> Result<Vec<usize>> {
                let window = sliding(self.size, self.strides, self.padding)?.over(input)?;
                let output = window.output_shape(D, window.channels);
                self.window = Some(window);
                Ok(output)
            }
        }
    };
}

use window_pool;
