//! The filters of a convolution: products of kernel and unfolded input, and their gradients.
//!
//! U is computed for a block of samples at a time, so that it stays in the cache.

use std::ops::Range;

use super::block;
use crate::kernel;
use crate::layer::columns::{pick, put};
use crate::layer::window::Window;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

#[derive(Clone)]
pub(super) struct Filters<F> {
    pub(super) window: Window,
    pub(super) groups: usize,
    pub(super) kernel: Param<F>,
    pub(super) bias: Option<Param<F>>,
}

impl<F: Scalar> Filters<F> {
    fn filters(&self) -> usize {
        self.kernel.shape().last().copied().unwrap_or(1)
    }

    /// The channels and filters of a group.
    fn group(&self, group: usize) -> (Range<usize>, Range<usize>) {
        let (channels, filters) = (self.window.channels / self.groups, self.filters() / self.groups);
        (group * channels..(group + 1) * channels, group * filters..(group + 1) * filters)
    }

    /// The number of values of a window in one group.
    fn patch(&self) -> usize {
        self.window.taps() * self.window.channels / self.groups
    }

    fn block(&self) -> usize {
        block(&self.window, self.patch())
    }

    /// The numbers of the columns of W and z of a group, which are copied if there are several groups.
    fn copied(&self, rows: usize) -> usize {
        if self.groups == 1 { 0 } else { self.filters() / self.groups * (rows + self.patch()) }
    }

    /// z of all samples. With several groups, the columns of W and z of each group are copied first.
    pub(super) fn product(&self, x: Batch<F>, mut z: BatchMut<F>) {
        let (places, patch, filters) = (self.window.places(), self.patch(), self.filters());
        let bias = self.bias.as_ref().map(Param::value);
        kernel::samples(x.rows(), self.block(), [(z.data(), places * filters)], &|range, [z]| {
            let rows = range.len() * places;
            let each = filters / self.groups;
            let own = self.copied(rows);
            kernel::with_memory(rows * patch + own, |memory| {
                let (unfolded, memory) = memory.split_at_mut(rows * patch);
                for group in 0..self.groups {
                    let (channels, columns) = self.group(group);
                    self.unfold(x, range.clone(), channels, unfolded);
                    let u = Batch::new(unfolded, patch);
                    if self.groups == 1 {
                        kernel::affine(u, self.kernel.matrix(), bias, BatchMut::new(z, filters));
                        continue;
                    }
                    let (part, w) = memory.split_at_mut(each * rows);
                    pick(self.kernel.value(), filters, columns.clone(), w);
                    let bias = bias.map(|bias| &bias[columns.clone()]);
                    kernel::affine(u, Batch::new(w, each), bias, BatchMut::new(part, each));
                    put(part, filters, columns, z);
                }
            });
        });
    }

    /// U of some samples.
    fn unfold(&self, x: Batch<F>, range: Range<usize>, channels: Range<usize>, to: &mut [F]) {
        let size = self.window.places() * self.window.taps() * channels.len();
        for (sample, to) in range.zip(to.chunks_exact_mut(size)) {
            self.window.unfold(x.row(sample), channels.clone(), to);
        }
    }

    /// dW and db of some samples, added to `sum`: all of dW, then db.
    pub(super) fn add_gradient(&self, x: Batch<F>, dz: Batch<F>, samples: Range<usize>, sum: &mut [F]) {
        let (places, patch, filters) = (self.window.places(), self.patch(), self.filters());
        let (dw, db) = sum.split_at_mut(patch * filters);
        let each = filters / self.groups;
        for start in samples.clone().step_by(self.block()) {
            let range = start..samples.end.min(start + self.block());
            let rows = range.len() * places;
            let dz = dz.rows_from(start, range.len()).reshape(filters);
            if !db.is_empty() {
                dz.iter().for_each(|dz| db.iter_mut().zip(dz).for_each(|(db, dz)| *db += *dz));
            }
            let own = self.copied(rows);
            kernel::with_memory(rows * patch + own, |memory| {
                let (unfolded, memory) = memory.split_at_mut(rows * patch);
                for group in 0..self.groups {
                    let (channels, columns) = self.group(group);
                    self.unfold(x, range.clone(), channels, unfolded);
                    let u = Batch::new(unfolded, patch);
                    if self.groups == 1 {
                        kernel::add_affine_weights(u, dz, BatchMut::new(dw, filters));
                        continue;
                    }
                    let (part, own) = memory.split_at_mut(each * rows);
                    pick(dz.data(), filters, columns.clone(), part);
                    pick(dw, filters, columns.clone(), own);
                    kernel::add_affine_weights(u, Batch::new(part, each), BatchMut::new(own, each));
                    put(own, filters, columns, dw);
                }
            });
        }
    }

    /// dx of all samples.
    pub(super) fn input_gradient(&self, dz: Batch<F>, mut dx: BatchMut<F>) {
        let (places, patch, filters) = (self.window.places(), self.patch(), self.filters());
        let (rows, width, each) = (dx.rows(), dx.width(), filters / self.groups);
        kernel::samples(rows, self.block(), [(dx.data(), width)], &|range, [dx]| {
            let rows = range.len() * places;
            dx.fill(F::zero());
            let dz = dz.rows_from(range.start, range.len()).reshape(filters);
            let own = self.copied(rows);
            kernel::with_memory(rows * patch + own, |memory| {
                let (unfolded, memory) = memory.split_at_mut(rows * patch);
                for group in 0..self.groups {
                    let (channels, columns) = self.group(group);
                    let du = BatchMut::new(unfolded, patch);
                    if self.groups == 1 {
                        kernel::affine_input(dz, self.kernel.matrix(), du);
                    } else {
                        let (part, w) = memory.split_at_mut(each * rows);
                        pick(dz.data(), filters, columns.clone(), part);
                        pick(self.kernel.value(), filters, columns, w);
                        kernel::affine_input(Batch::new(part, each), Batch::new(w, each), du);
                    }
                    for (du, dx) in unfolded.chunks_exact(places * patch).zip(dx.chunks_exact_mut(width)) {
                        self.window.fold(du, channels.clone(), dx);
                    }
                }
            });
        });
    }
}
