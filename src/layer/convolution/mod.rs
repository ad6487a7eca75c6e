//! Convolutions in the sense of neural networks: kernels slide over the input without being flipped.

pub(super) mod conv;
mod depthwise;
mod depthwise_filters;
mod filters;
mod separable;

pub use conv::{Conv1D, Conv2D};
pub use depthwise::DepthwiseConv1D;
pub use separable::SeparableConv1D;

use super::window::Window;

/// The number of values of unfolded input computed at a time, so that they stay in the cache.
const NEAR: usize = 1 << 15;

/// The number of samples per block.
fn block(window: &Window, width: usize) -> usize {
    (NEAR / (window.places() * width).max(1)).max(1)
}
