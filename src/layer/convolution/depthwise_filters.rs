//! The filters of a depthwise convolution: their product with the input, and its gradients.

use super::block;
use crate::error::Result;
use crate::kernel;
use crate::layer::check::check_positive;
use crate::layer::window::{Sliding, Window};
use crate::param::{BuildContext, Param, Spec};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// K of shape `(taps ..., channels, m)`, and the window that it covers.
#[derive(Clone)]
pub(super) struct DepthwiseFilters<F> {
    pub(super) window: Window,
    pub(super) kernel: Param<F>,
    sums: Vec<F>,
}

/// The setters that the layers with such filters share.
macro_rules! depthwise_setters {
    () => {
        crate::config::setters! {
            /// The number of kernels per channel. Default: 1.
            depth_multiplier: usize;
            /// The activation `f`. Default: `Linear`.
            activation: crate::activation::Activation => activation.function;
            /// The padding at the ends. Default: [`Padding::Valid`].
            padding: Padding => sliding.padding;
            /// Whether to add the bias `b`. Default: true.
            use_bias: bool;
        }
    };
}
pub(super) use depthwise_setters;

impl<F: Scalar> DepthwiseFilters<F> {
    pub(super) fn new<const D: usize>(
        name: &'static str,
        kernel: &Spec,
        sliding: &Sliding<D>,
        depth_multiplier: usize,
        input: &[usize],
        context: &mut BuildContext,
    ) -> Result<Self> {
        check_positive(&[("depth_multiplier", depth_multiplier)])?;
        sliding.check_not_causal()?;
        let window = sliding.over(input)?;
        let shape = [&sliding.size[..], &[window.channels, depth_multiplier]].concat();
        let kernel = kernel.param(name, &shape, context)?;
        Ok(DepthwiseFilters { window, kernel, sums: Vec::new() })
    }

    /// The number of values of z per position.
    pub(super) fn width(&self) -> usize {
        self.kernel.len() / self.window.taps()
    }

    /// The number of values of z per sample.
    pub(super) fn outputs(&self) -> usize {
        self.window.places() * self.width()
    }

    /// z of all samples, without bias.
    pub(super) fn product(&self, x: Batch<F>, mut z: BatchMut<F>) {
        let (all, width, size) = (self.window.channels, self.width(), self.outputs());
        let k = self.kernel.value();
        kernel::samples(x.rows(), block(&self.window, width), [(z.data(), size)], &|range, [z]| {
            z.fill(F::zero());
            for (x, z) in range.map(|sample| x.row(sample)).zip(z.chunks_exact_mut(size)) {
                self.each_tap(|place, tap, cell| {
                    let (z, k) = (&mut z[place * width..][..width], &k[tap * width..][..width]);
                    let x = &x[cell * all..][..all];
                    let m = width / all;
                    z.iter_mut().zip(k).enumerate().for_each(|(i, (z, k))| *z += x[i / m] * *k);
                });
            }
        });
    }

    /// Writes dK.
    pub(super) fn write_gradient(&mut self, x: Batch<F>, dz: Batch<F>) {
        let (mut sums, mut dk) = (std::mem::take(&mut self.sums), self.kernel.grad.take());
        let (all, width) = (self.window.channels, self.width());
        let m = width / all;
        kernel::sum_over(x.rows(), &mut sums, dk.as_deref_mut().unwrap_or_default(), &|samples, dk| {
            for sample in samples {
                let (x, dz) = (x.row(sample), dz.row(sample));
                self.each_tap(|place, tap, cell| {
                    let (x, dz) = (&x[cell * all..][..all], &dz[place * width..][..width]);
                    let dk = &mut dk[tap * width..][..width];
                    dk.iter_mut().zip(dz).enumerate().for_each(|(i, (dk, dz))| *dk += x[i / m] * *dz);
                });
            }
        });
        (self.sums, self.kernel.grad) = (sums, dk);
    }

    /// dx of all samples.
    pub(super) fn input_gradient(&self, dz: Batch<F>, mut dx: BatchMut<F>) {
        let (all, width, k) = (self.window.channels, self.width(), self.kernel.value());
        let (m, rows, size) = (width / all, dx.rows(), dx.width());
        kernel::samples(rows, block(&self.window, width), [(dx.data(), size)], &|range, [dx]| {
            dx.fill(F::zero());
            for (dz, dx) in range.map(|sample| dz.row(sample)).zip(dx.chunks_exact_mut(size)) {
                self.each_tap(|place, tap, cell| {
                    let (dz, k) = (&dz[place * width..][..width], &k[tap * width..][..width]);
                    let dx = &mut dx[cell * all..][..all];
                    dz.iter().zip(k).enumerate().for_each(|(i, (dz, k))| dx[i / m] += *dz * *k);
                });
            }
        });
    }

    /// Calls `f` with position, tap and cell of everything that the window covers.
    #[inline(always)]
    fn each_tap(&self, mut f: impl FnMut(usize, usize, usize)) {
        self.window.stretches(|s| (0..s.len).for_each(|i| f(s.place, s.tap + i, s.cell + i)));
    }
}
