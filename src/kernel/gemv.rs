//! One row times a matrix, C = x·B: a prediction of one sample.
//!
//! The summed axis is split into the same blocks as in `product`, four of which are computed together to hide the latency
//! of the additions. The sums of all blocks are then added in order, so the bits are those of the tiles, whichever thread
//! computed a block.

use std::any::TypeId;

use super::isa::Isa;
use super::product::{ALONE, BLOCK, Product, SPLIT, inner_steps};
use super::samples::with_memory;
use super::simd::Shared;
use super::split_k::add;
use super::threads;
use super::vector::{Lanes, Vector};
use crate::scalar::Scalar;

/// The blocks that are computed together.
pub(super) const GROUP: usize = 4;

/// C = x·B (+ bias) for one row: the sums of blocks of the summed axis, added up in order, split by split.
pub(super) fn gemv<F: Scalar>(isa: Isa, product: Product<F>, bias: Option<&[F]>, c: &mut [F]) {
    let (n, blocks) = (product.n, product.k.div_ceil(BLOCK));
    with_memory(blocks * n, |sums: &mut [F]| {
        let to = Shared((product, sums.as_mut_ptr()));
        let group = |group: usize| {
            let Shared((product, sums)) = &to;
            // SAFETY: the operands were checked; the groups write to different sums; the machine has `isa`.
            unsafe { groups(isa, product, group, *sums) };
        };
        let alone = n * product.k < ALONE / 4;
        let count = blocks.div_ceil(GROUP);
        if alone {
            (0..count).for_each(group)
        } else {
            threads::each_short(count, &group)
        }
        let c = &mut c[..n];
        let (first, others) = sums.split_at_mut(n * blocks.min(SPLIT / BLOCK));
        match bias {
            Some(bias) => c.iter_mut().zip(bias).zip(&*first).for_each(|((c, b), sum)| *c = *b + *sum),
            None => c.copy_from_slice(&first[..n]),
        }
        first[n..].chunks_exact(n).for_each(|sum| add(c, sum));
        for split in others.chunks_mut(n * SPLIT / BLOCK) {
            let (sum, more) = split.split_at_mut(n);
            more.chunks_exact(n).for_each(|block| add(sum, block));
            add(c, sum);
        }
    });
}

/// Computes the blocks of one group.
///
/// # Safety
/// The machine has `isa`, the operands hold what is read, and no other thread accesses these sums.
unsafe fn groups<F: Scalar>(isa: Isa, product: &Product<F>, group: usize, sums: *mut F) {
    let product: *const Product<F> = product;
    // SAFETY: F is the type that its id names, so the casts change nothing; the caller guarantees the rest.
    unsafe {
        if TypeId::of::<F>() == TypeId::of::<f32>() {
            let (product, sums) = (&*product.cast::<Product<f32>>(), sums.cast::<f32>());
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => avx512_f32(product, group, sums),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => avx2_f32(product, group, sums),
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => neon_f32(product, group, sums),
                Isa::Portable => portable_f32(product, group, sums),
            }
        } else {
            let (product, sums) = (&*product.cast::<Product<f64>>(), sums.cast::<f64>());
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => avx512_f64(product, group, sums),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => avx2_f64(product, group, sums),
                #[cfg(target_arch = "aarch64")]
                Isa::Neon => neon_f64(product, group, sums),
                Isa::Portable => portable_f64(product, group, sums),
            }
        }
    }
}

/// The sums of the blocks of group `group`, each `n` long, at their places in `sums`.
///
/// # Safety
/// The machine has the instruction set; the operands hold all columns and steps, the columns of B are contiguous;
/// `sums` has space for every block, and no other thread accesses those of this group.
#[inline(always)]
unsafe fn blocks<V: Vector>(product: &Product<V::Number>, group: usize, sums: *mut V::Number) {
    let width = 3 * V::LANES;
    for start in (0..product.n).step_by(width) {
        let columns = width.min(product.n - start);
        // SAFETY: guaranteed by the caller.
        unsafe {
            match columns.div_ceil(V::LANES) {
                1 => panel::<V, 1>(product, group, start, columns, sums),
                2 => panel::<V, 2>(product, group, start, columns, sums),
                _ => panel::<V, 3>(product, group, start, columns, sums),
            }
        }
    }
}

/// The same for a panel of `N` registers of columns.
///
/// # Safety
/// As for [`blocks`].
#[inline(always)]
unsafe fn panel<V: Vector, const N: usize>(
    product: &Product<V::Number>,
    group: usize,
    start: usize,
    columns: usize,
    to: *mut V::Number,
) {
    let Product { n, k, a, a_step, b, b_step, .. } = *product;
    let first = group * GROUP * BLOCK;
    // SAFETY: every offset is that of a column, step or block within the operands.
    unsafe {
        let b = b.add(start);
        let mut sums = [[V::splat(V::Number::default()); N]; GROUP];
        let mut count = [V::LANES; N];
        count[N - 1] = columns - (N - 1) * V::LANES;
        let inner = inner_steps::<V>(product, start + N * V::LANES);
        if first + GROUP * BLOCK <= inner {
            for p in first..first + BLOCK {
                for (g, sums) in sums.iter_mut().enumerate() {
                    let p = p + g * BLOCK;
                    add_step(sums, *a.add(p * a_step), b.add(p * b_step), &count, V::MASKED);
                }
            }
        } else {
            for (g, sums) in sums.iter_mut().enumerate() {
                let (from, to) = ((first + g * BLOCK).min(k), (first + (g + 1) * BLOCK).min(k));
                for p in from..to {
                    let some = V::MASKED || p >= inner;
                    add_step(sums, *a.add(p * a_step), b.add(p * b_step), &count, some);
                }
            }
        }
        let left = k.div_ceil(BLOCK) - group * GROUP;
        for (g, sums) in sums.iter().enumerate().take(left) {
            let to = to.add((group * GROUP + g) * n + start);
            for j in 0..N {
                sums[j].store_some(to.add(j * V::LANES), count[j]);
            }
        }
    }
}

/// `sums += x · row of B`, with `count` columns of each register if `some`, or else with whole registers.
///
/// # Safety
/// As for [`blocks`].
#[inline(always)]
unsafe fn add_step<V: Vector, const N: usize>(
    sums: &mut [V; N],
    x: V::Number,
    b: *const V::Number,
    count: &[usize; N],
    some: bool,
) {
    // SAFETY: guaranteed by the caller; only the last register may be partly filled.
    unsafe {
        let x = V::splat(x);
        for j in 0..N {
            let b = b.add(j * V::LANES);
            let b = if some && j + 1 == N { V::load_some(b, count[j]) } else { V::load(b) };
            sums[j] = sums[j].fused(x, b);
        }
    }
}

/// One entry point for each instruction set and number type.
macro_rules! entries {
    ($($(#[$attribute:meta])* $name:ident, $number:ty, $register:ty;)*) => {$(
        /// The sums of the blocks of a group.
        ///
        /// # Safety
        /// As for [`blocks`].
        $(#[$attribute])*
        pub(super) unsafe fn $name(product: &Product<$number>, group: usize, sums: *mut $number) {
            // SAFETY: guaranteed by the caller.
            unsafe { blocks::<$register>(product, group, sums) }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{float32x4_t, float64x2_t};

entries! {
    portable_f32, f32, Lanes<f32, 4>;
    portable_f64, f64, Lanes<f64, 2>;
}
#[cfg(target_arch = "x86_64")]
entries! {
    #[target_feature(enable = "avx2,fma")]
    avx2_f32, f32, __m256;
    #[target_feature(enable = "avx2,fma")]
    avx2_f64, f64, __m256d;
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
    avx512_f32, f32, __m512;
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
    avx512_f64, f64, __m512d;
}
#[cfg(target_arch = "aarch64")]
entries! {
    neon_f32, f32, float32x4_t;
    neon_f64, f64, float64x2_t;
}
