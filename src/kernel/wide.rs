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

/// How many numbers a thread takes at a time.
const CHUNK: usize = 1 << 15;

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
