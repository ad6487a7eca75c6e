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

    /// z of all samples: each position is summed over the taps, row by row of channels.
    pub(super) fn product(&self, x: Batch<F>, bias: Option<&Param<F>>, mut z: BatchMut<F>) {
        let (width, size, k) = (self.width(), self.outputs(), self.kernel.value());
        let bias = bias.map(Param::value);
        kernel::samples(x.rows(), block(&self.window, width), [(z.data(), size)], &|range, [z]| {
            for (sample, z) in range.zip(z.chunks_exact_mut(size)) {
                self.with_repeated(x.row(sample), |x| {
                    kernel::simd!(|| {
                        for (place, z) in z.chunks_exact_mut(width.max(1)).enumerate() {
                            z.fill(F::zero());
                            self.each_tap(place, |tap, cell| {
                                let terms = x[cell * width..][..width].iter().zip(&k[tap * width..][..width]);
                                z.iter_mut().zip(terms).for_each(|(z, (x, k))| *z += *x * *k);
                            });
                            if let Some(bias) = bias {
                                z.iter_mut().zip(bias).for_each(|(z, b)| *z += *b);
                            }
                        }
                    });
                });
            }
        });
    }

    /// dK and db of some samples, added to `sum`: all of dK, then db.
    fn add_gradient(&self, x: Batch<F>, dz: Batch<F>, samples: Range<usize>, sum: &mut [F]) {
        let width = self.width();
        let (dk, db) = sum.split_at_mut(self.kernel.len());
        for sample in samples {
            let dz = dz.row(sample);
            self.with_repeated(x.row(sample), |x| {
                kernel::simd!(|| {
                    for (place, dz) in kernel::rows_of(dz, width).enumerate() {
                        self.each_tap(place, |tap, cell| {
                            let terms = x[cell * width..][..width].iter().zip(dz);
                            let dk = dk[tap * width..][..width].iter_mut();
                            dk.zip(terms).for_each(|(dk, (x, dz))| *dk += *x * *dz);
                        });
                        db.iter_mut().zip(dz).for_each(|(db, dz)| *db += *dz);
                    }
                });
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
        let (width, k, m) = (self.width(), self.kernel.value(), self.multiplier());
        let (rows, size) = (dx.rows(), dx.width());
        kernel::samples(rows, block(&self.window, width), [(dx.data(), size)], &|range, [dx]| {
            for (sample, dx) in range.zip(dx.chunks_exact_mut(size)) {
                if m == 1 {
                    self.fold(dz.row(sample), k, dx);
                } else {
                    kernel::with_memory(size * m, |each| {
                        self.fold(dz.row(sample), k, each);
                        let sums = dx.iter_mut().zip(each.chunks_exact(m));
                        sums.for_each(|(dx, each)| *dx = each.iter().copied().sum());
                    });
                }
            }
        });
    }

    /// Σ K·dz of each cell over the overlapping windows.
    fn fold(&self, dz: &[F], k: &[F], dx: &mut [F]) {
        let width = self.width();
        kernel::simd!(|| {
            dx.fill(F::zero());
            for (place, dz) in kernel::rows_of(dz, width).enumerate() {
                self.each_tap(place, |tap, cell| {
                    let terms = dz.iter().zip(&k[tap * width..][..width]);
                    let dx = dx[cell * width..][..width].iter_mut();
                    dx.zip(terms).for_each(|(dx, (dz, k))| *dx += *dz * *k);
                });
            }
        });
    }

    /// Calls `f` with x in which each channel is repeated for its m filters, so that all loops are over contiguous numbers.
    fn with_repeated<R>(&self, x: &[F], f: impl FnOnce(&[F]) -> R) -> R {
        let m = self.multiplier();
        if m == 1 {
            return f(x);
        }
        kernel::with_memory(x.len() * m, |repeated| {
            repeated.chunks_exact_mut(m).zip(x).for_each(|(to, x)| to.fill(*x));
            f(repeated)
        })
    }

    /// The number of filters per channel.
    fn multiplier(&self) -> usize {
        self.kernel.shape().last().copied().unwrap_or(1)
    }

    /// Calls `f` with tap and cell of everything that the window covers at a position.
    #[inline(always)]
    fn each_tap(&self, place: usize, mut f: impl FnMut(usize, usize)) {
        self.window.stretches_at(place, |s| (0..s.len).for_each(|i| f(s.tap + i, s.cell + i)));
    }
}
