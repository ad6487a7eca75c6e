//! Element-wise loops, compiled for each instruction set; long ones run on several threads.

use super::isa::Isa;
use super::threads;
use crate::scalar::Scalar;

/// Runs a loop, given as a closure without arguments, with the widest registers of the machine. The bits are the same on
/// all machines, because only products (see `matmul`) use fused instructions.
///
/// The macro writes the closure once for each instruction set: only what is inlined into a function with that set is compiled
/// for it, and the compiler inlines a closure that is called in one place. A call that is not inlined into the closure and
/// takes or returns a slice can prevent this, so what the closure calls should be `#[inline]`; `zip` with `chunks_exact` calls
/// a method that is not.
macro_rules! simd {
    ($work:expr) => {
        match $crate::kernel::Registers::widest() {
            #[cfg(all(feature = "simd", target_arch = "x86_64"))]
            $crate::kernel::Registers::Avx512(registers) => registers.run($work),
            #[cfg(all(feature = "simd", target_arch = "x86_64"))]
            $crate::kernel::Registers::Avx2(registers) => registers.run($work),
            $crate::kernel::Registers::Basic => ($work)(),
        }
    };
}
pub(crate) use simd;

/// The rows of this width, for loops within [`simd`]: the compiler sees that the width is not 0, so that it need not call the
/// panic of `chunks_exact`.
#[inline(always)]
pub(crate) fn rows_of<F>(values: &[F], width: usize) -> std::slice::ChunksExact<'_, F> {
    values.chunks_exact(width.max(1))
}

/// The registers for loops in plain Rust; see [`simd`]. Without the feature `simd`, those that every machine has.
pub(crate) enum Registers {
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    Avx512(Avx512),
    #[cfg(all(feature = "simd", target_arch = "x86_64"))]
    Avx2(Avx2),
    /// Those that every machine has for which the program is compiled.
    Basic,
}

/// A type that exists only on machines with an instruction set, and runs work that is compiled for it.
#[cfg(all(feature = "simd", target_arch = "x86_64"))]
macro_rules! set {
    ($name:ident, $features:literal) => {
        pub(crate) struct $name(());

        impl $name {
            #[inline]
            pub(crate) fn run<R>(self, work: impl FnOnce() -> R) -> R {
                #[target_feature(enable = $features)]
                fn run<R>(work: impl FnOnce() -> R) -> R {
                    work()
                }
                // SAFETY: `Isa::get` names only what this machine has.
                unsafe { run(work) }
            }
        }
    };
}

#[cfg(all(feature = "simd", target_arch = "x86_64"))]
set!(Avx512, "avx2,fma,avx512f,avx512vl");
#[cfg(all(feature = "simd", target_arch = "x86_64"))]
set!(Avx2, "avx2,fma");

impl Registers {
    /// The widest registers of this machine.
    #[inline]
    pub(crate) fn widest() -> Registers {
        match Isa::get() {
            #[cfg(all(feature = "simd", target_arch = "x86_64"))]
            Isa::Avx512 => Registers::Avx512(Avx512(())),
            #[cfg(all(feature = "simd", target_arch = "x86_64"))]
            Isa::Avx2 => Registers::Avx2(Avx2(())),
            _ => Registers::Basic,
        }
    }
}

/// The numbers that a thread processes at a time; fewer are not worth a second thread.
const CHUNK: usize = 1 << 12;

/// Gathers the rows with these indices. For long rows each thread copies the columns that it will need in the product along
/// them.
pub(crate) fn gather<F: Scalar>(all: &[F], width: usize, indices: &[usize], to: &mut [F]) {
    let rows = to.chunks_exact_mut(width.max(1)).zip(indices);
    if width * indices.len() <= CHUNK {
        return rows.for_each(|(to, &index)| to.copy_from_slice(&all[index * width..][..width]));
    }
    let count = indices.len().min(to.len() / width);
    let shared = Pieces::new(to, width);
    let size = width.div_ceil(threads::threads()).next_multiple_of(LINE);
    threads::each(width.div_ceil(size), &|part| {
        let columns = part * size..width.min((part + 1) * size);
        let piece = |row: usize| &all[indices[row] * width..][columns.clone()];
        for row in 0..count {
            // SAFETY: every part has columns of its own.
            let to = unsafe { shared.get_range(row, columns.clone()) };
            let next = piece((row + 1).min(count - 1)).chunks(FETCH);
            for ((to, from), next) in to.chunks_mut(FETCH).zip(piece(row).chunks(FETCH)).zip(next) {
                next.chunks(LINE / size_of::<F>()).for_each(|line| fetch(line.as_ptr()));
                to.copy_from_slice(from);
            }
        }
    });
}

/// The bytes of a cache line.
const LINE: usize = 64;
/// The numbers of the next row that are prefetched while as many of this row are copied.
const FETCH: usize = 256;

/// Prefetches the cache line of this address, if the machine can.
#[inline(always)]
fn fetch<F>(address: *const F) {
    #[cfg(target_arch = "x86_64")]
    // SAFETY: every x86-64 machine has the instruction, and it is harmless for any address.
    unsafe {
        use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
        _mm_prefetch::<_MM_HINT_T0>(address.cast());
    }
    #[cfg(not(target_arch = "x86_64"))]
    let _ = address;
}

/// The work on a piece: its range, and the piece of each array.
type PieceWork<'a, F, const N: usize> = dyn Fn(std::ops::Range<usize>, [&mut [F]; N]) + Sync + 'a;

/// Calls `work` with pieces of several arrays of one length, the same piece of each, on several threads. Optional arrays may
/// be empty.
pub(crate) fn pieces<F: Scalar, const N: usize>(len: usize, arrays: [&mut [F]; N], work: &PieceWork<F, N>) {
    // Every piece of the first array but the first begins with a cache line, as do those of arrays that are equally far from
    // one: storing a register that reaches into a second line takes twice the time.
    let lead = arrays.first().map_or(0, |array| array.as_ptr().align_offset(LINE));
    let lead = if lead < LINE { lead } else { 0 };
    let shared = arrays.map(Pieces::whole);
    threads::each(len.saturating_sub(lead).div_ceil(CHUNK).max(1), &|part| {
        let start = if part == 0 { 0 } else { lead + part * CHUNK };
        let range = start..len.min(lead + (part + 1) * CHUNK);
        // SAFETY: every part is used once.
        let arrays = std::array::from_fn(|i| unsafe { shared[i].within(range.clone()) });
        work(range, arrays);
    });
}

/// `y ← f(y)`, element by element, on several threads for long arrays.
pub(crate) fn map<F: Scalar>(y: &mut [F], f: impl Fn(F) -> F + Sync) {
    pieces(y.len(), [y], &|_, [y]| simd!(|| y.iter_mut().for_each(|y| *y = f(*y))));
}

/// `y ← f(y, x)`, element by element, on several threads for long arrays.
pub(crate) fn map_with<F: Scalar>(y: &mut [F], x: &[F], f: impl Fn(F, F) -> F + Sync) {
    debug_assert_eq!(y.len(), x.len());
    pieces(y.len(), [y], &|range, [y]| {
        let x = &x[range];
        simd!(|| y.iter_mut().zip(x).for_each(|(y, x)| *y = f(*y, *x)));
    });
}

/// `y = f(a, b)`, element by element, on several threads for long arrays.
pub(crate) fn map_both<F: Scalar>(y: &mut [F], a: &[F], b: &[F], f: impl Fn(F, F) -> F + Sync) {
    debug_assert_eq!([a.len(), b.len()], [y.len(); 2]);
    pieces(y.len(), [y], &|range, [y]| combine(y, [&a[range.clone()], &b[range]], |_, [a, b]| f(a, b)));
}

/// `y ← f(y, [x₀, x₁, ...])`, element by element, on this thread.
pub(crate) fn combine<F: Scalar, const N: usize>(y: &mut [F], x: [&[F]; N], f: impl Fn(F, [F; N]) -> F) {
    let x = x.map(|x| x[..y.len()].as_ptr());
    // SAFETY: each array has as many numbers as `y`, and none is written here.
    simd!(|| y.iter_mut().enumerate().for_each(|(i, y)| *y = f(*y, x.map(|x| unsafe { *x.add(i) }))));
}

/// A slice split into parts, each written by one thread.
pub(super) struct Pieces<F> {
    start: *mut F,
    len: usize,
    size: usize,
}

// SAFETY: the callers of `get` take each part once.
unsafe impl<F: Send> Sync for Pieces<F> {}

impl<F> Pieces<F> {
    pub(super) fn new(slice: &mut [F], size: usize) -> Self {
        Pieces { start: slice.as_mut_ptr(), len: slice.len(), size }
    }

    /// One part.
    fn whole(slice: &mut [F]) -> Self {
        let size = slice.len();
        Pieces::new(slice, size)
    }

    /// The numbers `range` of the slice, as far as it has them.
    ///
    /// # Safety
    /// As for [`Pieces::get_range`].
    #[allow(clippy::mut_from_ref)] // the caller promises disjoint parts
    unsafe fn within(&self, range: std::ops::Range<usize>) -> &mut [F] {
        // SAFETY: guaranteed by the caller.
        unsafe { self.get_range(0, range.start.min(self.len)..range.end.min(self.len)) }
    }

    /// The numbers `range` of part `part`.
    ///
    /// # Safety
    /// No number is taken twice while the slice is borrowed.
    #[allow(clippy::mut_from_ref)] // the caller promises disjoint parts
    unsafe fn get_range(&self, part: usize, range: std::ops::Range<usize>) -> &mut [F] {
        debug_assert!(range.end <= self.size && part * self.size + range.end <= self.len);
        // SAFETY: the range lies within the slice.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(part * self.size + range.start), range.len()) }
    }

    /// Part `part`, empty if the slice ends before it.
    ///
    /// # Safety
    /// No part is taken twice while the slice is borrowed.
    #[allow(clippy::mut_from_ref)] // the caller promises disjoint parts
    pub(super) unsafe fn get(&self, part: usize) -> &mut [F] {
        let from = (part * self.size).min(self.len);
        let to = (from + self.size).min(self.len);
        // SAFETY: the range lies within the slice, and overlaps no other part.
        unsafe { std::slice::from_raw_parts_mut(self.start.add(from), to - from) }
    }
}

/// Operands shared by threads.
pub(super) struct Shared<T>(pub(super) T);

// SAFETY: shared data is only read, or written in disjoint parts.
unsafe impl<T> Sync for Shared<T> {}

/// Whether every number is finite.
pub(crate) fn all_finite<F: Scalar>(values: &[F]) -> bool {
    all_within(F::max_value(), values)
}

/// Whether the magnitude of every number is at most `limit`; false for NaN.
pub(crate) fn all_within<F: Scalar>(limit: F, values: &[F]) -> bool {
    if values.len() <= CHUNK {
        // No early exit, so that the loop vectorizes; NaN fails the comparison.
        return simd!(|| values.iter().fold(true, |within, x| within & (x.abs() <= limit)));
    }
    largest(values) <= limit
}

/// The largest absolute value, or NaN if there is a NaN.
pub(crate) fn largest<F: Scalar>(values: &[F]) -> F {
    if values.len() <= 64 {
        return values.iter().fold(F::zero(), larger);
    }
    let mut parts = [F::zero(); 64];
    let size = values.len().div_ceil(parts.len()).max(CHUNK);
    let shared = Pieces::new(&mut parts, 1);
    threads::each(values.len().div_ceil(size), &|part| {
        // SAFETY: every part is used once.
        let own = unsafe { shared.get(part) };
        own[0] = simd!(|| largest_of(&values[part * size..values.len().min((part + 1) * size)]));
    });
    largest_of(&parts)
}

/// The larger of two absolute values; not `max`, which drops NaN.
#[inline]
fn larger<F: Scalar>(most: F, x: &F) -> F {
    if x.abs() > most || x.is_nan() { x.abs() } else { most }
}

/// The same on this thread.
#[inline]
fn largest_of<F: Scalar>(values: &[F]) -> F {
    // Several at a time, to hide the latency of the comparison.
    let mut lanes = [F::zero(); 64];
    let chunks = values.chunks_exact(lanes.len());
    let rest = chunks.remainder();
    chunks.for_each(|chunk| lanes.iter_mut().zip(chunk).for_each(|(most, x)| *most = larger(*most, x)));
    lanes.iter().chain(rest).fold(F::zero(), larger)
}

/// `sums = Σ rows`: the gradient of the bias of an affine map.
pub(crate) fn sum_rows<F: Scalar>(rows: crate::tensor::Batch<F>, sums: &mut [F]) {
    let width = rows.width();
    if rows.rows() == 0 {
        return sums.fill(F::zero());
    }
    if width > 0 && LANES.is_multiple_of(width) {
        return sum_short_rows(rows, sums);
    }
    let (parts, shared) = (width.div_ceil(LANES), Pieces::new(sums, LANES));
    let part = |part: usize| {
        // SAFETY: every part is used once.
        let sums = unsafe { shared.get(part) };
        simd!(|| sum_columns(rows, part * LANES, sums));
    };
    match rows.data().len() <= 8 * CHUNK {
        true => (0..parts).for_each(part),
        false => threads::each(parts, &part),
    }
}

/// The sums of the columns from `first`, as many as `sums` has.
#[inline(always)]
fn sum_columns<F: Scalar>(rows: crate::tensor::Batch<F>, first: usize, sums: &mut [F]) {
    let columns = rows_of(rows.data(), rows.width());
    if sums.len() == LANES {
        let mut lanes = [F::zero(); LANES];
        for row in columns {
            lanes.iter_mut().zip(&row[first..][..LANES]).for_each(|(sum, x)| *sum += *x);
        }
        return sums.copy_from_slice(&lanes);
    }
    sums.fill(F::zero());
    for row in columns {
        sums.iter_mut().zip(&row[first..]).for_each(|(sum, x)| *sum += *x);
    }
}

/// The number of sums in registers.
const LANES: usize = 16;

/// The same for rows shorter than a register: several rows are added in the lanes, and then the lanes to each other.
fn sum_short_rows<F: Scalar>(rows: crate::tensor::Batch<F>, sums: &mut [F]) {
    let mut lanes = [F::zero(); LANES];
    simd!(|| {
        let groups = rows.data().chunks_exact(LANES);
        lanes.iter_mut().zip(groups.remainder()).for_each(|(sum, x)| *sum = *x);
        for group in groups {
            lanes.iter_mut().zip(group).for_each(|(sum, x)| *sum += *x);
        }
    });
    sums.copy_from_slice(&lanes[..sums.len()]);
    for row in lanes.chunks_exact(sums.len()).skip(1) {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
    }
}

/// `Σ f(x, y)` over the elements of two slices of one length, in [`LANES`] sums that are then added pairwise: in the same
/// order whatever the width of the registers. To be called within [`simd`].
#[inline(always)]
pub(crate) fn sum<F: Scalar>(x: &[F], y: &[F], f: impl Fn(F, F) -> F) -> F {
    let whole = x.len() - x.len() % LANES;
    let mut lanes = [F::zero(); LANES];
    for start in (0..whole).step_by(LANES) {
        let (x, y) = (&x[start..][..LANES], &y[start..][..LANES]);
        for (i, lane) in lanes.iter_mut().enumerate() {
            *lane += f(x[i], y[i]);
        }
    }
    for (lane, i) in lanes.iter_mut().zip(whole..x.len()) {
        *lane += f(x[i], y[i]);
    }
    for half in [8, 4, 2, 1] {
        let (low, high) = lanes.split_at_mut(half);
        low.iter_mut().zip(high).for_each(|(low, high)| *low += *high);
    }
    lanes[0]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use crate::tensor::Batch;

    /// Compares `sum_rows` with sums in the order of the rows: bit for bit if it adds in that order too, else within the
    /// rounding of both.
    #[track_caller]
    fn check<F: Scalar>(rows: usize, width: usize) {
        let mut rng = Rng::stream(6, (rows * 1000 + width) as u64);
        let data: Vec<F> = (0..rows * width).map(|_| F::of(rng.uniform() - 0.5)).collect();
        let mut sums = vec![F::nan(); width];
        sum_rows(Batch::new(&data, width), &mut sums);
        let in_order = width >= LANES || !LANES.is_multiple_of(width) || rows * width <= LANES;
        for (place, &sum) in sums.iter().enumerate() {
            let column = || data.iter().skip(place).step_by(width);
            let expected = column().fold(F::zero(), |sum, &x| sum + x);
            let size = column().fold(F::zero(), |sum, x| sum + x.abs());
            let tolerance = if in_order { F::zero() } else { F::of(rows as f64) * F::epsilon() * size };
            assert!(
                (sum - expected).abs() <= tolerance,
                "{rows}×{width}, {place}: {sum:?}, not {expected:?}"
            );
        }
    }

    #[test]
    fn every_number_is_in_one_piece_of_each_array() {
        let memory: Vec<f32> = (0..9100).map(|i| i as f32).collect();
        for len in [0, 1, 15, 16, 17, 4095, 4096, 4097, 4112, 8192, 9000] {
            for offset in [0, 1, 7, 15, 31] {
                let (mut a, mut b, x) = (memory.clone(), memory.clone(), &memory[..len]);
                let arrays = [&mut a[offset..][..len], &mut [], &mut b[3..][..len]];
                pieces(len, arrays, &|range, [a, none, b]| {
                    assert!(none.is_empty() && [a.len(), b.len()] == [range.len(); 2]);
                    for (i, (a, b)) in range.zip(a.iter_mut().zip(b)) {
                        assert_eq!([*a, *b], [(offset + i) as f32, (3 + i) as f32]);
                        (*a, *b) = (*a + 1.0, *b + 1.0);
                    }
                });
                for (changed, from) in [(&a, offset), (&b, 3)] {
                    let is_within = |i: usize| (from..from + len).contains(&i);
                    assert!((0..9100).all(|i| changed[i] == i as f32 + f32::from(u8::from(is_within(i)))));
                }
                pieces(len, [&mut [], &mut a[offset..][..len]], &|_, [none, a]| {
                    assert!(none.is_empty());
                    a.fill(-1.0);
                });
                assert!(a[offset..][..len].iter().all(|a| *a == -1.0));
                map_both(&mut b[offset..][..len], x, x, |x, y| x * 2.0 + y);
                assert!(b[offset..][..len].iter().zip(x).all(|(b, x)| *b == 3.0 * x));
            }
        }
    }

    #[test]
    fn sums_by_lanes_agree_with_plain_sums() {
        for len in [0, 1, 15, 16, 17, 31, 32, 100] {
            let x: Vec<f64> = (0..len).map(f64::from).collect();
            let expected: f64 = x.iter().map(|x| x * x + 1.0).sum();
            assert_eq!(sum(&x, &x, |x, y| x * y + 1.0), expected);
        }
    }

    #[test]
    fn rows_of_any_width_are_summed() {
        for rows in [0, 1, 2, 3, 5, 7, 15, 16, 17, 33, 130, 1001] {
            for width in [1, 2, 3, 4, 5, 7, 8, 9, 15, 16, 17, 31, 32, 33, 40, 49, 101] {
                check::<f32>(rows, width);
                check::<f64>(rows, width);
            }
        }
    }
}
