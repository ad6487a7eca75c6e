//! The per-channel parameters of batch normalization, and y = γ·(x − μ)/√(v + ε) + β for given statistics.

use crate::kernel;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The numbers per channel: μ, 1/√(v + ε) and v.
pub(super) const STATISTICS: usize = 3;

/// The steps of a batch, which are normalized separately; each has `len` consecutive rows per sample.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps {
    pub(super) count: usize,
    pub(super) len: usize,
}

impl Steps {
    /// All rows are normalized together.
    pub(super) const ONE: Steps = Steps { count: 1, len: 1 };

    /// The step of a row.
    #[inline]
    pub(super) fn of(self, row: usize) -> usize {
        if self.count == 1 { 0 } else { row / self.len % self.count }
    }

    /// The row that is number `index` of those of a step.
    #[inline]
    pub(super) fn row(self, step: usize, index: usize) -> usize {
        match self.count {
            1 => index,
            count => (index / self.len * count + step) * self.len + index % self.len,
        }
    }
}

#[derive(Debug, Clone)]
pub(super) struct Channels<F> {
    pub(super) gamma: Option<Param<F>>,
    pub(super) beta: Option<Param<F>>,
    pub(super) mean: Param<F>,
    pub(super) variance: Param<F>,
}

impl<F: Scalar> Channels<F> {
    /// Writes μ and 1/√(v + ε) of the moving statistics.
    pub(super) fn moving(&self, epsilon: F, statistics: &mut [F]) {
        let (mean, inverse) = statistics.split_at_mut(self.mean.len());
        mean.copy_from_slice(self.mean.value());
        let variances = inverse.iter_mut().zip(self.variance.value());
        variances.for_each(|(inverse, &v)| *inverse = F::one() / (v + epsilon).sqrt());
    }

    /// Writes y from the statistics, [`STATISTICS`] numbers per channel and step. `line` is scratch memory for the
    /// factor and shift of each channel and step.
    pub(super) fn apply(
        &self,
        x: Batch<F>,
        mut y: BatchMut<F>,
        statistics: &[F],
        steps: Steps,
        line: &mut [F],
    ) {
        let channels = self.mean.len();
        let each = statistics.chunks_exact(STATISTICS * channels).zip(line.chunks_exact_mut(2 * channels));
        for (statistics, line) in each {
            let (mean, inverse) = statistics.split_at(channels);
            let (factor, shift) = line.split_at_mut(channels);
            for c in 0..channels {
                factor[c] = inverse[c] * self.gamma.as_ref().map_or(F::one(), |gamma| gamma.value()[c]);
                shift[c] = self.beta.as_ref().map_or(F::zero(), |beta| beta.value()[c]) - mean[c] * factor[c];
            }
        }
        let line = &*line;
        each_row(&mut y, &|row, y| {
            let (factor, shift) = line[2 * channels * steps.of(row)..][..2 * channels].split_at(channels);
            let line = factor.iter().zip(shift);
            let values = y.iter_mut().zip(x.row(row)).zip(line);
            kernel::simd!(|| values.for_each(|((y, &x), (&a, &b))| *y = x * a + b));
        });
    }
}

/// Calls `f` with the index and the values of every row, on several threads.
pub(super) fn each_row<F: Scalar>(to: &mut BatchMut<F>, f: &(dyn Fn(usize, &mut [F]) + Sync)) {
    let (rows, width) = (to.rows(), to.width());
    kernel::samples(rows, (1_usize << 13).div_ceil(width.max(1)), [(to.data(), width)], &|range, [to]| {
        range.zip(to.chunks_exact_mut(width)).for_each(|(row, to)| f(row, to));
    });
}
