//! Convolutions, as every network library means them: kernels that slide over the input without being turned.

mod conv;
mod depthwise;
mod filters;
mod separable;

pub use conv::{Conv, Conv1D, Conv2D};
pub use depthwise::DepthwiseConv1D;
pub use separable::SeparableConv1D;

use super::window::Window;
use crate::kernel;
use crate::scalar::Scalar;

/// In how many parts, whatever the number of threads, a batch is cut to sum up the gradient of a kernel.
const PARTS: usize = 8;

/// How many numbers of unfolded input are made at a time: as many as stay near a core.
const NEAR: usize = 1 << 15;

/// How many samples make a block.
fn block(window: &Window, width: usize) -> usize {
    (NEAR / (window.places() * width).max(1)).max(1)
}

/// `grad = Σ over all samples`: `add` adds the gradient of some samples to a part's sum of `width` numbers.
fn sum_parts<F: Scalar>(
    rows: usize,
    sums: &mut Vec<F>,
    grad: &mut [F],
    add: &(dyn Fn(std::ops::Range<usize>, &mut [F]) + Sync),
) {
    let (width, size) = (grad.len(), rows.div_ceil(PARTS).max(1));
    let parts = rows.div_ceil(size);
    if sums.len() < parts * width {
        sums.resize(parts * width, F::zero());
    }
    kernel::samples(parts, 1, [(sums, width)], &|part, [sum]| {
        sum.fill(F::zero());
        add(part.start * size..rows.min(part.end * size), sum);
    });
    grad.copy_from_slice(&sums[..width]);
    for sum in sums[..parts * width].chunks_exact(width).skip(1) {
        kernel::map_with(grad, sum, |a, b| a + b);
    }
}
