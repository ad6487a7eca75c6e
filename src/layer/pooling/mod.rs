//! Pooling: the maximum or mean of a window, per channel.

pub(super) mod adaptive;
pub(super) mod average;
pub(super) mod global;
pub(super) mod max;

pub use adaptive::{
    AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveMaxPooling1D, AdaptiveMaxPooling2D,
};
pub use average::{AveragePooling1D, AveragePooling2D};
pub use global::{GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling1D, GlobalMaxPooling2D};
pub use max::{MaxPooling1D, MaxPooling2D};

use super::window::{Padding, Sliding, Stretch, Window};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The number of values per thread block.
const NEAR: usize = 1 << 14;

/// Windows over the cells of a sample: of one size, or adaptive.
trait Windows: Sync {
    fn channels(&self) -> usize;

    /// The number of windows.
    fn places(&self) -> usize;

    /// Calls `f` with every run of contiguous cells, window by window.
    fn stretches(&self, f: impl FnMut(Stretch));

    /// The same, with the cells of a window in the order in which the first of several largest ones gets the gradient.
    fn in_order_of_ties(&self, f: impl FnMut(Stretch));
}

impl Windows for Window {
    fn channels(&self) -> usize {
        self.channels
    }

    fn places(&self) -> usize {
        Window::places(self)
    }

    #[inline(always)]
    fn stretches(&self, f: impl FnMut(Stretch)) {
        Window::stretches(self, f);
    }

    #[inline(always)]
    fn in_order_of_ties(&self, f: impl FnMut(Stretch)) {
        Window::stretches(self, f);
    }
}

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
