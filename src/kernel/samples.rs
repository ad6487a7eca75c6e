//! Work by samples: a batch split into blocks whose size does not depend on the number of threads.

use std::any::TypeId;
use std::cell::RefCell;
use std::ops::Range;

use super::simd::Pieces;
use super::threads;
use crate::scalar::Scalar;

/// The work on a block: the range of samples, and their part of each array.
type BlockWork<'a, F, const N: usize> = dyn Fn(Range<usize>, [&mut [F]; N]) + Sync + 'a;

/// Calls `work` with every block of `block` samples, on several threads; each array comes with its numbers per sample. If an
/// array is shorter, so is its last part.
pub(crate) fn samples<F: Scalar, const N: usize>(
    count: usize,
    block: usize,
    arrays: [(&mut [F], usize); N],
    work: &BlockWork<F, N>,
) {
    let shared = arrays.map(|(array, width)| {
        let len = array.len().min(count * width);
        Pieces::new(&mut array[..len], block * width)
    });
    threads::each(count.div_ceil(block), &|part| {
        // SAFETY: every part is used once.
        let arrays = std::array::from_fn(|i| unsafe { shared[i].get(part) });
        work(part * block..count.min((part + 1) * block), arrays);
    });
}

/// The number of parts for sums over all samples, for any number of threads.
pub(crate) const PARTS: usize = 8;

/// The rows of a part that are summed one by one; the sums of these blocks are then added, so that a long sum in f32 loses
/// few digits.
const BLOCK: usize = 256;

/// `total = Σ over all rows`: `add` adds some rows to the sums of a block; `sums` stores these and the sums of the part.
pub(crate) fn sum_over<F: Scalar>(
    rows: usize,
    sums: &mut Vec<F>,
    total: &mut [F],
    add: &(dyn Fn(Range<usize>, &mut [F]) + Sync),
) {
    if rows == 0 {
        return total.fill(F::zero());
    }
    let (width, size) = (total.len(), rows.div_ceil(PARTS).max(1));
    let parts = rows.div_ceil(size);
    let own = if size > BLOCK { 2 * width } else { width };
    if sums.len() < parts * own {
        sums.resize(parts * own, F::zero());
    }
    samples(parts, 1, [(sums, own)], &|part, [sums]| {
        let (sum, block) = sums.split_at_mut(width);
        let end = rows.min(part.end * size);
        let first = end.min(part.start * size + BLOCK);
        sum.fill(F::zero());
        add(part.start * size..first, sum);
        for start in (first..end).step_by(BLOCK) {
            block.fill(F::zero());
            add(start..end.min(start + BLOCK), block);
            super::map_with(sum, block, |a, b| a + b);
        }
    });
    total.copy_from_slice(&sums[..width]);
    for sums in sums[..parts * own].chunks_exact(own.max(1)).skip(1) {
        super::map_with(total, &sums[..width], |a, b| a + b);
    }
}

/// Buffers of either type.
type Memory = (Vec<f32>, Vec<f64>);

thread_local! {
    /// The buffers of a thread, one for each level of nested calls.
    static MEMORY: RefCell<Vec<Memory>> = const { RefCell::new(Vec::new()) };
}

/// Calls `f` with a buffer of `len` numbers of this thread, which contains values of an earlier call. A nested call gets
/// another buffer.
pub(crate) fn with_memory<F: Scalar, R>(len: usize, f: impl FnOnce(&mut [F]) -> R) -> R {
    let mut memory = MEMORY.with_borrow_mut(Vec::pop).unwrap_or_default();
    let start = if TypeId::of::<F>() == TypeId::of::<f32>() {
        grow(&mut memory.0, len).cast::<F>()
    } else {
        grow(&mut memory.1, len).cast::<F>()
    };
    // SAFETY: F is the type of that vector, which has at least `len` numbers and is not changed until `f` returns.
    let result = f(unsafe { std::slice::from_raw_parts_mut(start, len) });
    MEMORY.with_borrow_mut(|kept| kept.push(memory));
    result
}

/// Grows the vector to at least this length.
fn grow<F: Scalar>(memory: &mut Vec<F>, len: usize) -> *mut F {
    if memory.len() < len {
        memory.resize(len, F::zero());
    }
    memory.as_mut_ptr()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_sample_is_visited_once_with_its_part_of_each_array() {
        let (mut a, mut b) = (vec![0.0f64; 7 * 3], vec![0.0f64; 7 * 2]);
        samples(7, 2, [(&mut a, 3), (&mut b, 2)], &|range, [a, b]| {
            for (i, sample) in range.enumerate() {
                a[i * 3..][..3].iter_mut().for_each(|a| *a += sample as f64);
                b[i * 2..][..2].iter_mut().for_each(|b| *b += 1.0);
            }
        });
        assert!(a.iter().enumerate().all(|(i, &a)| a == (i / 3) as f64) && b.iter().all(|&b| b == 1.0));
    }

    #[test]
    fn long_sums_in_f32_stay_accurate() {
        for rows in [1, 7, 2048, 2049, 300_007] {
            let mut total = [0.0f32];
            sum_over(rows, &mut Vec::new(), &mut total, &|rows, sum| rows.for_each(|_| sum[0] += 1000.1));
            let exact = rows as f64 * 1000.1;
            assert!((f64::from(total[0]) / exact - 1.0).abs() < 2e-5, "{rows}: {} for {exact}", total[0]);
        }
    }

    #[test]
    fn nested_scratch_buffers_are_separate() {
        with_memory(4, |outer: &mut [f32]| {
            outer.fill(1.0);
            with_memory(4, |inner: &mut [f32]| inner.fill(2.0));
            assert_eq!(outer, [1.0; 4]);
        });
    }
}
