//! Convolutions in the sense of neural networks: kernels slide over the input without being flipped.

pub(super) mod conv;
pub(super) mod conv_transpose;
pub(super) mod depthwise;
mod depthwise_filters;
mod filters;
pub(super) mod separable;

pub use conv::{Conv1D, Conv2D};
pub use conv_transpose::{Conv1DTranspose, Conv2DTranspose};
pub use depthwise::{DepthwiseConv1D, DepthwiseConv2D};
pub use separable::{SeparableConv1D, SeparableConv2D};

use super::window::Window;
use crate::kernel;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::BatchMut;

/// The number of values of unfolded input computed at a time, so that they stay in the cache.
const NEAR: usize = 1 << 15;

/// The number of samples per block.
fn block(window: &Window, width: usize) -> usize {
    (NEAR / (window.places() * width).max(1)).max(1)
}

/// z ← z + b.
fn add_bias<F: Scalar>(bias: Option<&Param<F>>, z: BatchMut<F>) {
    let Some(bias) = bias.map(Param::value) else { return };
    let (width, mut z) = (bias.len(), z.reshape(bias.len()));
    let rows = z.rows();
    kernel::samples(rows, NEAR.div_ceil(width), [(z.data(), width)], &|_, [z]| {
        kernel::simd!(|| {
            z.chunks_exact_mut(width).for_each(|row| row.iter_mut().zip(bias).for_each(|(z, b)| *z += *b));
        });
    });
}

/// The setters of a layer's window, for one and for two axes.
macro_rules! window_setters {
    ($layer:ident) => {
        impl<F: Scalar> $layer<1, F> {
            crate::config::setters! {
                /// The number of steps by which the window moves. Default: 1.
                strides: usize => sliding.strides[0];
                /// The distance between the taps of the window, in steps. Default: 1.
                dilation_rate: usize => sliding.dilation[0];
            }
        }

        impl<F: Scalar> $layer<2, F> {
            crate::config::setters! {
                /// The number of rows and columns by which the window moves. Default: `[1, 1]`.
                strides: [usize; 2] => sliding.strides;
                /// The distance between the taps of the window, in rows and columns. Default: `[1, 1]`.
                dilation_rate: [usize; 2] => sliding.dilation;
            }
        }
    };
}
use window_setters;
