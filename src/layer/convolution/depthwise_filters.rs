//! The filters of a depthwise convolution: their product with the input, and its gradients.

use std::ops::Range;

use super::block;
use crate::error::Result;
use crate::kernel;
use crate::layer::check::check_positive;
use crate::layer::window::{Sliding, Window};
use crate::param::{BuildContext, Param, Spec};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

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

    /// The number of filters per channel.
    fn multiplier(&self) -> usize {
        self.width() / self.window.channels
    }

    /// z of all samples, with the bias if there is one.
    pub(super) fn product(&self, x: Batch<F>, bias: Option<&Param<F>>, mut z: BatchMut<F>) {
        let (all, width, size) = (self.window.channels, self.width(), self.outputs());
        let (k, m, bias) = (self.kernel.value(), self.multiplier(), bias.map(Param::value));
        kernel::samples(x.rows(), block(&self.window, width), [(z.data(), size)], &|range, [z]| {
            for (sample, z) in range.zip(z.chunks_exact_mut(size)) {
                let x = x.row(sample);
                kernel::simd!(|| {
                    for (place, z) in z.chunks_exact_mut(width.max(1)).enumerate() {
                        z.fill(F::zero());
                        self.each_tap(place, |tap, cell| {
                            add_products(z, &k[tap * width..][..width], &x[cell * all..][..all], m);
                        });
                        if let Some(bias) = bias {
                            z.iter_mut().zip(bias).for_each(|(z, b)| *z += *b);
                        }
                    }
                });
            }
        });
    }

    /// dK and db of some samples, added to `sum`: all of dK, then db.
    fn add_gradient(&self, x: Batch<F>, dz: Batch<F>, samples: Range<usize>, sum: &mut [F]) {
        let (all, width, m) = (self.window.channels, self.width(), self.multiplier());
        let (dk, db) = sum.split_at_mut(self.kernel.len());
        for (x, dz) in samples.map(|sample| (x.row(sample), dz.row(sample))) {
            kernel::simd!(|| {
                for (place, dz) in kernel::rows_of(dz, width).enumerate() {
                    self.each_tap(place, |tap, cell| {
                        add_products(&mut dk[tap * width..][..width], dz, &x[cell * all..][..all], m);
                    });
                    db.iter_mut().zip(dz).for_each(|(db, dz)| *db += *dz);
                }
            });
        }
    }

    /// Writes dK, and db if there is a bias.
    pub(super) fn write_gradient(
        &mut self,
        x: Batch<F>,
        dz: Batch<F>,
        bias: Option<&mut Param<F>>,
        scratch: &mut Scratch<F>,
    ) {
        let mut sums = std::mem::take(&mut self.sums);
        let weights = self.kernel.len();
        let (total, _) = scratch.take(weights + bias.as_ref().map_or(0, |bias| bias.len()));
        kernel::sum_over(x.rows(), &mut sums, total, &|samples, sum| {
            self.add_gradient(x, dz, samples, sum);
        });
        self.sums = sums;
        self.kernel.grad_mut().copy_from_slice(&total[..weights]);
        bias.into_iter().for_each(|bias| bias.grad_mut().copy_from_slice(&total[weights..]));
    }

    /// dx of all samples.
    pub(super) fn input_gradient(&self, dz: Batch<F>, mut dx: BatchMut<F>) {
        let (all, width, k, m) = (self.window.channels, self.width(), self.kernel.value(), self.multiplier());
        let (rows, size) = (dx.rows(), dx.width());
        kernel::samples(rows, block(&self.window, width), [(dx.data(), size)], &|range, [dx]| {
            for (dz, dx) in range.map(|sample| dz.row(sample)).zip(dx.chunks_exact_mut(size)) {
                kernel::simd!(|| {
                    dx.fill(F::zero());
                    for (place, dz) in kernel::rows_of(dz, width).enumerate() {
                        self.each_tap(place, |tap, cell| {
                            sum_products(&mut dx[cell * all..][..all], dz, &k[tap * width..][..width], m);
                        });
                    }
                });
            }
        });
    }

    /// Calls `f` with tap and cell of everything that the window covers at a position.
    #[inline(always)]
    fn each_tap(&self, place: usize, mut f: impl FnMut(usize, usize)) {
        self.window.stretches_at(place, |s| (0..s.len).for_each(|i| f(s.tap + i, s.cell + i)));
    }
}

/// `to[c·m + j] += a[c·m + j]·x[c]`.
#[inline(always)]
fn add_products<F: Scalar>(to: &mut [F], a: &[F], x: &[F], m: usize) {
    if m == 1 {
        return to.iter_mut().zip(x.iter().zip(a)).for_each(|(to, (x, a))| *to += *x * *a);
    }
    for (c, x) in x.iter().enumerate() {
        for (to, a) in to[c * m..][..m].iter_mut().zip(&a[c * m..][..m]) {
            *to += *x * *a;
        }
    }
}

/// `to[c] += Σⱼ a[c·m + j]·b[c·m + j]`.
#[inline(always)]
fn sum_products<F: Scalar>(to: &mut [F], a: &[F], b: &[F], m: usize) {
    if m == 1 {
        return to.iter_mut().zip(a.iter().zip(b)).for_each(|(to, (a, b))| *to += *a * *b);
    }
    for (c, to) in to.iter_mut().enumerate() {
        for (a, b) in a[c * m..][..m].iter().zip(&b[c * m..][..m]) {
            *to += *a * *b;
        }
    }
}
