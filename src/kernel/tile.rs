//! The innermost loop: a tile of `R` rows of C in registers, accumulated along the summed axis.
//!
//! C[i, j] = Σₚ A[i, p]·B[p, j], summed in order of p, one fused product at a time. The sum does not depend on the tile,
//! and therefore neither on the batch nor on the threads.

use super::vector::{Halves, Vector};

/// The initial value of a tile.
#[derive(Clone, Copy)]
pub(super) enum Start<T> {
    /// C = Σ.
    Zero,
    /// C = bias + Σ, with one number for each column.
    Bias(*const T),
    /// C = C + Σ.
    Add,
}

/// The operands of a tile: pointers to its first numbers, and the distances between rows and between steps
/// along the summed axis.
#[derive(Clone, Copy)]
pub(super) struct Tile<T> {
    pub(super) k: usize,
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    pub(super) b: *const T,
    pub(super) b_step: usize,
    pub(super) c: *mut T,
    pub(super) c_row: usize,
    /// Without masked loads: the steps in which whole registers of B can be loaded, since those that reach beyond the
    /// columns reach into later rows of B.
    pub(super) whole: usize,
    /// Without masked loads: B in the other steps, with space for whole registers.
    pub(super) edge: *const T,
    pub(super) edge_step: usize,
    /// Columns in the last register.
    pub(super) last: usize,
    pub(super) start: Start<T>,
}

/// `R` rows of `N` registers, the last of them filled to `last`. With `HALF`, another `last` columns beyond these fill
/// half a register at most: two rows share one there. Only with masked loads.
///
/// # Safety
/// The machine has the instruction set of `V`; `a`, `b`, `edge` and `c` (and a bias) hold all that the tile reads or
/// writes, and no other thread writes it.
#[inline(always)]
pub(super) unsafe fn tile<V: Halves, const R: usize, const N: usize, const HALF: bool>(t: Tile<V::Number>) {
    let full = if HALF { N } else { N - 1 };
    let a_row = if V::PACKED_ROWS { 1 } else { t.a_row };
    // SAFETY: all pointers stay within the operands, as the caller promises.
    unsafe {
        let zero = V::splat(V::Number::default());
        let mut sums = [[zero; N]; R];
        // The sums of rows 2i and 2i + 1 beyond the whole registers, if there are any.
        let mut pairs = [zero; R];
        let (mut b, mut b_step) = (t.b, t.b_step);
        for p in 0..t.k {
            if !V::MASKED && p == t.whole {
                (b, b_step) = (t.edge, t.edge_step);
            }
            let a = t.a.add(p * t.a_step);
            let mut row = [zero; N];
            for (j, register) in row.iter_mut().enumerate() {
                let whole = !V::MASKED || j < full;
                let b = b.add(j * V::LANES);
                *register = if whole { V::load(b) } else { V::load_some(b, t.last) };
            }
            if HALF {
                let rest = b.add(N * V::LANES);
                let half = V::twice(V::Half::load_some(rest, t.last));
                for i in 0..R {
                    let x = V::splat(*a.add(i * a_row));
                    for j in 0..N {
                        sums[i][j] = sums[i][j].fused(x, row[j]);
                    }
                    if i % 2 == 1 {
                        let x = V::pair(*a.add((i - 1) * a_row), *a.add(i * a_row));
                        pairs[i / 2] = pairs[i / 2].fused(x, half);
                    } else if i + 1 == R {
                        pairs[i / 2] = pairs[i / 2].fused(x, half);
                    }
                }
            } else {
                V::outer(&mut sums, a, a_row, &row);
            }
            // The pointer may end behind the operand; it is not read there.
            b = b.wrapping_add(b_step);
        }
        // Written out row by row: sums with a computed index would not stay in registers.
        macro_rules! finish_rows {
            ($($i:literal)*) => {$(
                if $i < R {
                    let c = t.c.add($i * t.c_row);
                    let from = match t.start {
                        Start::Zero => std::ptr::null(),
                        Start::Bias(bias) => bias,
                        Start::Add => c.cast_const(),
                    };
                    for (j, sum) in sums[$i].iter().enumerate().take(full) {
                        let at = j * V::LANES;
                        let sum = if from.is_null() { *sum } else { V::load(from.add(at)).add(*sum) };
                        sum.store(c.add(at));
                    }
                    let at = full * V::LANES;
                    if HALF {
                        finish(pairs[$i / 2].halves()[$i % 2], t.last, from, c, at);
                    } else {
                        finish(sums[$i][N - 1], t.last, from, c, at);
                    }
                }
            )*};
        }
        finish_rows!(0 1 2 3 4 5 6 7);
    }
}

/// Stores the last, partly filled register of a row, added to what `from` holds unless it is null.
///
/// # Safety
/// As for [`tile`].
#[inline(always)]
unsafe fn finish<V: Vector>(sum: V, last: usize, from: *const V::Number, c: *mut V::Number, at: usize) {
    // SAFETY: `last` numbers from `at` on belong to the row.
    unsafe {
        let sum = if from.is_null() { sum } else { V::load_some(from.add(at), last).add(sum) };
        sum.store_some(c.add(at), last);
    }
}
