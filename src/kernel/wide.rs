//! Loops over numbers, compiled for each instruction set; long ones on several threads.

use super::matmul::Isa;
use crate::scalar::Scalar;

/// Runs a loop with the widest registers that the machine has. The bits are the same on all of them: only
/// products (see `matmul`) use fused instructions.
#[inline]
pub(crate) fn wide<R>(work: impl FnOnce() -> R) -> R {
    match Isa::best() {
        // SAFETY: `best` names only what this machine has.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx512 => unsafe { avx512(work) },
        // SAFETY: as above.
        #[cfg(target_arch = "x86_64")]
        Isa::Avx2 => unsafe { avx2(work) },
        Isa::Portable => work(),
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
fn avx512<R>(work: impl FnOnce() -> R) -> R {
    work()
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn avx2<R>(work: impl FnOnce() -> R) -> R {
    work()
}

/// How many numbers a thread takes at a time; fewer are not worth a second thread.
const CHUNK: usize = 1 << 15;

/// Copies the rows of these indices together, several threads at a time where they are long.
pub(crate) fn gather<F: Scalar>(all: &[F], width: usize, indices: &[usize], to: &mut [F]) {
    let rows = to.chunks_exact_mut(width.max(1)).zip(indices);
    if width * indices.len() <= CHUNK {
        return rows.for_each(|(to, &index)| to.copy_from_slice(&all[index * width..][..width]));
    }
    let each = (CHUNK / width).max(1);
    let shared = Pieces::new(to, each * width);
    super::each(shared.count(), &|part| {
        let indices = &indices[part * each..];
        // SAFETY: every part is handed out once.
        let to = unsafe { shared.get(part) };
        for (to, &index) in to.chunks_exact_mut(width).zip(indices) {
            to.copy_from_slice(&all[index * width..][..width]);
        }
    });
}

/// What is done with a piece: where it lies, and the piece of each array.
type PieceWork<'a, F, const N: usize> = dyn Fn(std::ops::Range<usize>, [&mut [F]; N]) + Sync + 'a;

/// Calls `work` with pieces of several arrays of one length, the same piece of each, on several threads.
pub(crate) fn pieces<F: Scalar, const N: usize>(len: usize, arrays: [&mut [F]; N], work: &PieceWork<F, N>) {
    let shared = arrays.map(|array| Pieces::new(array, CHUNK));
    super::each(len.div_ceil(CHUNK), &|part| {
        // SAFETY: every part is handed out once.
        let arrays = std::array::from_fn(|i| unsafe { shared[i].get(part) });
        work(part * CHUNK..len.min((part + 1) * CHUNK), arrays);
    });
}

/// `y ← f(y)`, number by number, on several threads where there are many.
pub(crate) fn map<F: Scalar>(y: &mut [F], f: impl Fn(F) -> F + Sync) {
    pieces(y.len(), [y], &|_, [y]| wide(|| y.iter_mut().for_each(|y| *y = f(*y))));
}

/// `y ← f(y, x)`, number by number, on several threads where there are many.
pub(crate) fn map_with<F: Scalar>(y: &mut [F], x: &[F], f: impl Fn(F, F) -> F + Sync) {
    debug_assert_eq!(y.len(), x.len());
    pieces(y.len(), [y], &|range, [y]| {
        let x = &x[range];
        wide(|| y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*y, *x)));
    });
}

/// A slice cut in parts that threads may write to, each its own.
pub(super) struct Pieces<F> {
    start: *mut F,
    len: usize,
    size: usize,
}

// SAFETY: `get` asks its callers to take each part once.
unsafe impl<F: Send> Sync for Pieces<F> {}

impl<F> Pieces<F> {
    pub(super) fn new(slice: &mut [F], size: usize) -> Self {
        Pieces { start: slice.as_mut_ptr(), len: slice.len(), size }
    }

    fn count(&self) -> usize {
        self.len.div_ceil(self.size)
    }

    /// Part `part`, empty where the slice ends before it.
    ///
    /// # Safety
    /// No part is taken twice while the slice is borrowed.
    #[allow(clippy::mut_from_ref)]
    pub(super) unsafe fn get(&self, part: usize) -> &mut [F] {
        let from = (part * self.size).min(self.len);
        let to = (from + self.size).min(self.len);
        // SAFETY: the range lies within the slice, and overlaps no other part.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), to - from) }
    }
}

/// Whether every number is finite.
pub(crate) fn all_finite<F: Scalar>(values: &[F]) -> bool {
    let found = std::sync::atomic::AtomicBool::new(true);
    super::each(values.len().div_ceil(CHUNK), &|part| {
        let values = &values[part * CHUNK..values.len().min((part + 1) * CHUNK)];
        // Without a way out in the middle, so that it vectorises; NaN is not at most the largest number.
        let finite = wide(|| values.iter().fold(true, |finite, x| finite & (x.abs() <= F::max_value())));
        if !finite {
            found.store(false, std::sync::atomic::Ordering::Relaxed);
        }
    });
    found.into_inner()
}

/// `sums = Σ rows`: the gradient of the bias of an affine map.
pub(crate) fn sum_rows<F: Scalar>(rows: crate::tensor::Batch<F>, sums: &mut [F]) {
    sums.fill(F::zero());
    wide(|| {
        for row in rows.iter() {
            sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
        }
    });
}
