//! Pooling: the largest or the mean of what a window covers, channel by channel.

mod average;
mod global;
mod max;

pub use average::{AveragePooling, AveragePooling1D, AveragePooling2D};
pub use global::{
    GlobalAveragePooling, GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalMaxPooling,
    GlobalMaxPooling1D, GlobalMaxPooling2D,
};
pub use max::{MaxPooling, MaxPooling1D, MaxPooling2D};

use super::window::{Padding, Sliding};
use crate::error::{Error, Result};

/// How many numbers a thread takes at a time.
const NEAR: usize = 1 << 14;

/// The window of a pool, which moves by its own size where no strides are given.
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

/// The setters of a pool over windows, for one and for two axes.
macro_rules! pool_setters {
    ($pool:ident) => {
        impl $pool<1> {
            /// A pool over so many steps; Keras's default for the largest is 2.
            pub fn new(pool_size: usize) -> Self {
                $pool { size: [pool_size], strides: None, padding: Padding::Valid, window: None }
            }

            /// How many steps the window moves at a time. Default: the pool's size.
            pub fn strides(mut self, strides: usize) -> Self {
                self.strides = Some([strides]);
                self
            }
        }

        impl $pool<2> {
            /// A pool over so many rows and columns; Keras's default for the largest is `[2, 2]`.
            pub fn new(pool_size: [usize; 2]) -> Self {
                $pool { size: pool_size, strides: None, padding: Padding::Valid, window: None }
            }

            /// How many rows and columns the window moves at a time. Default: the pool's size.
            pub fn strides(mut self, strides: [usize; 2]) -> Self {
                self.strides = Some(strides);
                self
            }
        }

        impl<const D: usize> $pool<D> {
            /// What happens at the ends: windows within the input, or windows that are cut there.
            /// Default: [`Padding::Valid`].
            pub fn padding(mut self, padding: Padding) -> Self {
                self.padding = padding;
                self
            }
        }
    };
}

use pool_setters;
