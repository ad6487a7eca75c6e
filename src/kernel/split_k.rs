//! Products over a long summed axis: threads compute splits of it, and the sums of the splits are added in order.

use std::any::TypeId;
use std::cell::RefCell;
use std::ops::Range;

use super::isa::Isa;
use super::product::{self, Part, Product, SPLIT};
use super::samples::with_memory;
use super::simd::{Pieces, Shared, simd};
use super::threads;
use super::tile::Start;
use crate::scalar::Scalar;

/// Products with at most this many numbers are split along the summed axis, if that is long.
pub(super) const FEW: usize = 1 << 16;

/// At least the numbers of a cache line.
const LINE: usize = 16;

/// The steps of a split.
fn steps(split: usize, k: usize) -> Range<usize> {
    split * SPLIT..k.min((split + 1) * SPLIT)
}

/// A product with few numbers over a long axis: threads compute splits, and the sums of the splits are added in order.
pub(super) fn split_k<F: Scalar>(isa: Isa, product: Product<F>, c: &mut [F], threads: usize) {
    let splits = product.k.div_ceil(SPLIT);
    let rows = c.len() / product.n;
    with_memory(c.len() * (splits - 1), |sums: &mut [F]| {
        let shared = Shared((product, sums.as_mut_ptr()));
        threads::each(threads, &|task| {
            let Shared((product, sums)) = &shared;
            for split in task * splits / threads..(task + 1) * splits / threads {
                let own = Product {
                    c: sums.wrapping_add((split.max(1) - 1) * rows * product.n),
                    start: Start::Zero,
                    ..*product
                };
                let product = if split == 0 { product } else { &own };
                let part = Part { rows: 0..rows, cols: 0..product.n, steps: steps(split, product.k) };
                // SAFETY: the caller checked the operands; no two splits write to the same place; the machine has `isa`.
                unsafe { part_of(isa, product, part) };
            }
        });
        // Half of the sums are in the cache of another core, so each thread fetches a share of them.
        let (len, size) = (c.len(), c.len().div_ceil(threads).next_multiple_of(LINE));
        let pieces = Pieces::new(c, size);
        threads::each(len.div_ceil(size), &|part| {
            // SAFETY: every part is used once.
            let c = unsafe { pieces.get(part) };
            for sums in sums.chunks_exact(len) {
                simd!(|| add(c, &sums[part * size..][..c.len()]));
            }
        });
    });
}

/// Computes these rows and columns of C: the first split is stored directly, and the sums of the others are added.
///
/// # Safety
/// The machine has `isa`, the operands hold what the part reads, and no other thread accesses that part of C.
pub(super) unsafe fn split_by_split<F: Scalar>(
    isa: Isa,
    product: &Product<F>,
    rows: Range<usize>,
    cols: Range<usize>,
) {
    let part = |split| Part { rows: rows.clone(), cols: cols.clone(), steps: steps(split, product.k) };
    // SAFETY: guaranteed by the caller.
    unsafe { part_of(isa, product, part(0)) };
    let splits = product.k.div_ceil(SPLIT);
    if splits <= 1 {
        return;
    }
    let width = cols.len();
    with_memory(rows.len() * width, |sums: &mut [F]| {
        let c = sums.as_mut_ptr().wrapping_sub(rows.start * width + cols.start);
        let own = Product { c, c_row: width, start: Start::Zero, ..*product };
        for split in 1..splits {
            // SAFETY: as before; `own` is within the buffer of this thread.
            unsafe { part_of(isa, &own, part(split)) };
            for (row, sums) in rows.clone().zip(sums.chunks_exact(width)) {
                // SAFETY: these numbers of C belong to the part.
                let c = unsafe {
                    std::slice::from_raw_parts_mut(product.c.add(row * product.c_row + cols.start), width)
                };
                simd!(|| add(c, sums));
            }
        }
    });
}

/// `c ← c + sums`.
pub(super) fn add<F: Scalar>(c: &mut [F], sums: &[F]) {
    c.iter_mut().zip(sums).for_each(|(c, sum)| *c += *sum);
}

thread_local! {
    /// The packing buffer of each thread.
    static PACK: RefCell<(Vec<f32>, Vec<f64>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// Computes one part of C.
///
/// # Safety
/// The machine has `isa`, the operands hold what the part reads, and no other thread accesses that part of C.
unsafe fn part_of<F: Scalar>(isa: Isa, product: &Product<F>, part: Part) {
    let product: *const Product<F> = product;
    PACK.with_borrow_mut(|(pack_f32, pack_f64)| {
        // SAFETY: F is the type that its id names, so the cast changes nothing; the caller guarantees the rest.
        unsafe {
            if TypeId::of::<F>() == TypeId::of::<f32>() {
                let product = &*product.cast::<Product<f32>>();
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => product::avx512_f32(product, part, pack_f32),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => product::avx2_f32(product, part, pack_f32),
                    #[cfg(target_arch = "aarch64")]
                    Isa::Neon => product::neon_f32(product, part, pack_f32),
                    Isa::Portable => product::portable_f32(product, part, pack_f32),
                }
            } else {
                let product = &*product.cast::<Product<f64>>();
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => product::avx512_f64(product, part, pack_f64),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => product::avx2_f64(product, part, pack_f64),
                    #[cfg(target_arch = "aarch64")]
                    Isa::Neon => product::neon_f64(product, part, pack_f64),
                    Isa::Portable => product::portable_f64(product, part, pack_f64),
                }
            }
        }
    });
}
