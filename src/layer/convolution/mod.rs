//! Convolutions, as every network library means them: kernels that slide over the input without being turned.

mod conv;
mod depthwise;
mod filters;
mod separable;

pub use conv::{Conv, Conv1D, Conv2D};
pub use depthwise::DepthwiseConv1D;
pub use separable::SeparableConv1D;

use super::window::Window;

/// How many numbers of unfolded input are made at a time: as many as stay near a core.
const NEAR: usize = 1 << 15;

/// How many samples make a block.
fn block(window: &Window, width: usize) -> usize {
    (NEAR / (window.places() * width).max(1)).max(1)
}
