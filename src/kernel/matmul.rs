//! Matrix products: the number of threads, and the split into parts.

use std::ops::Range;

use super::gemv::gemv;
use super::isa::Isa;
use super::product::{ALONE, BLOCK, Product, SPLIT};
use super::simd::Shared;
use super::split_k::{FEW, split_by_split, split_k};
use super::threads;
use super::tile::Start;
use crate::scalar::Scalar;

/// A matrix to read: its numbers and its row and column strides.
#[derive(Clone, Copy)]
pub(super) struct Strided<'a, F> {
    pub(super) data: &'a [F],
    pub(super) row: usize,
    pub(super) col: usize,
}

impl<F> Strided<'_, F> {
    /// Whether a matrix of this size is within bounds.
    fn holds(&self, rows: usize, cols: usize) -> bool {
        rows == 0 || cols == 0 || (rows - 1) * self.row + (cols - 1) * self.col < self.data.len()
    }
}

/// The lengths of a product: C is `m × n`, and the summed axis has length `k`.
#[derive(Clone, Copy)]
pub(super) struct Size {
    pub(super) m: usize,
    pub(super) n: usize,
    pub(super) k: usize,
}

/// The operation on C in addition to the product.
#[derive(Clone, Copy)]
pub(super) enum Epilogue<'a, F> {
    /// C = A·B.
    Zero,
    /// C = bias + A·B, with the same bias for every row of C.
    Bias(&'a [F]),
    /// C = C + A·B.
    Add,
}

/// C = A·B with this epilogue: `c` is `m × n`, and the summed axis has length `k`.
pub(super) fn matmul<F: Scalar>(
    isa: Isa,
    a: Strided<F>,
    b: Strided<F>,
    epilogue: Epilogue<F>,
    c: &mut [F],
    size: Size,
) {
    let Size { m: rows, n, k } = size;
    let (start, bias) = match epilogue {
        Epilogue::Zero => (Start::Zero, None),
        Epilogue::Bias(bias) => (Start::Bias(bias.as_ptr()), Some(bias)),
        Epilogue::Add => (Start::Add, None),
    };
    // Checked once here; the kernels below trust their pointers.
    assert!(
        a.holds(rows, k) && b.holds(k, n) && c.len() >= rows * n && bias.is_none_or(|bias| bias.len() >= n)
    );
    if rows == 0 || n == 0 {
        return;
    }
    let product = Product {
        n,
        k,
        a: a.data.as_ptr(),
        a_row: a.row,
        a_step: a.col,
        b: b.data.as_ptr(),
        b_step: b.row,
        b_col: b.col,
        c: c.as_mut_ptr(),
        c_row: n,
        start,
    };
    if rows == 1 && b.col == 1 && k > BLOCK && matches!(epilogue, Epilogue::Zero | Epilogue::Bias(_)) {
        return gemv(isa, product, bias, c);
    }
    let threads = if rows * n * k < ALONE { 1 } else { threads::threads() };
    let splits = k.div_ceil(SPLIT);
    if threads > 1 && splits >= threads && rows * n <= FEW {
        return split_k(isa, product, &mut c[..rows * n], threads);
    }
    let parts = Parts::new(rows, n, threads, b.col != 1);
    let shared = Shared(product);
    threads::each(parts.count(), &|task| {
        let (rows, cols) = parts.get(task);
        let Shared(product) = &shared;
        // SAFETY: the operands hold all rows and columns, by the check above; no two parts share a number
        // of C; the machine has `isa`.
        unsafe { split_by_split(isa, product, rows, cols) };
    });
}

/// Splits C by rows; or by columns if there are few rows or B must be packed.
struct Parts {
    rows: usize,
    cols: usize,
    /// The rows and columns of a part.
    size: (usize, usize),
}

impl Parts {
    fn new(rows: usize, cols: usize, threads: usize, packs: bool) -> Self {
        // Whole registers and tiles, and enough parts that a late helper still finds one.
        let whole =
            |items: usize, unit: usize, parts: usize| items.div_ceil(unit).div_ceil(parts).max(1) * unit;
        let by_columns = cols >= 64 * threads && (packs || cols > rows);
        let size = match (threads, by_columns) {
            (1, _) => (rows, cols),
            (_, true) if cols >= 256 * threads => (rows, whole(cols, 16, 2 * threads)),
            (_, true) => (rows, whole(cols, 16, threads)),
            (_, false) if rows >= 128 * threads => (whole(rows, 8, 4 * threads), cols),
            (_, false) => (rows.div_ceil(threads), cols),
        };
        Parts { rows, cols, size }
    }

    fn count(&self) -> usize {
        self.rows.div_ceil(self.size.0) * self.cols.div_ceil(self.size.1)
    }

    fn get(&self, task: usize) -> (Range<usize>, Range<usize>) {
        let across = self.cols.div_ceil(self.size.1);
        let cut = |part: usize, size: usize, all: usize| part * size..all.min((part + 1) * size);
        (cut(task / across, self.size.0, self.rows), cut(task % across, self.size.1, self.cols))
    }
}
