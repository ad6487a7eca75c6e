//! Products of whole matrices: which instruction set, how many threads, who does which part.

use std::any::TypeId;
use std::cell::RefCell;
use std::ops::Range;

use super::product::{self, Product};
use crate::scalar::Scalar;

/// A matrix to read: its numbers, and the distances between its rows and between its columns.
#[derive(Clone, Copy)]
pub(super) struct Strided<'a, F> {
    pub(super) data: &'a [F],
    pub(super) row: usize,
    pub(super) col: usize,
}

impl<F> Strided<'_, F> {
    /// Whether a matrix of this size lies within the numbers.
    fn holds(&self, rows: usize, cols: usize) -> bool {
        rows == 0 || cols == 0 || (rows - 1) * self.row + (cols - 1) * self.col < self.data.len()
    }
}

/// An instruction set, chosen when the program runs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Isa {
    #[cfg(target_arch = "x86_64")]
    Avx512,
    #[cfg(target_arch = "x86_64")]
    Avx2,
    Portable,
}

impl Isa {
    /// The best that this machine has.
    pub(super) fn best() -> Isa {
        #[cfg(target_arch = "x86_64")]
        {
            let avx2 = std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma");
            let avx512 =
                std::is_x86_feature_detected!("avx512f") && std::is_x86_feature_detected!("avx512vl");
            match (avx2, avx512) {
                (true, true) => return Isa::Avx512,
                (true, false) => return Isa::Avx2,
                _ => {}
            }
        }
        Isa::Portable
    }
}

/// Products with fewer multiplications than this stay on one thread.
const ALONE: usize = 1 << 18;

/// C = A·B (+ bias): `c` is `rows × n`, the summed axis `k` long.
pub(super) fn matmul<F: Scalar>(
    isa: Isa,
    (a, b): (Strided<F>, Strided<F>),
    bias: Option<&[F]>,
    c: &mut [F],
    (rows, n, k): (usize, usize, usize),
) {
    // Checked here once, so that the kernels below may trust their pointers.
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
        bias: bias.map(<[F]>::as_ptr),
    };
    let work = rows * n * k;
    let parts = Parts::new(rows, n, if work < ALONE { 1 } else { super::threads() }, b.col != 1);
    let shared = Shared(product);
    super::each(parts.count(), &|task| {
        let (rows, cols) = parts.get(task);
        let Shared(product) = &shared;
        // SAFETY: the operands hold all rows and columns, by the check above; no two parts share a number
        // of C; the machine has `isa`.
        unsafe { part(isa, product, rows, cols) };
    });
}

/// A product that threads may share.
struct Shared<F>(Product<F>);

// SAFETY: A and B are only read, and no two parts of C overlap.
unsafe impl<F: Sync> Sync for Shared<F> {}

/// C cut in rows, or where these are few or B has to be packed, in columns.
struct Parts {
    rows: usize,
    cols: usize,
    /// Rows and columns of a part.
    size: (usize, usize),
}

impl Parts {
    fn new(rows: usize, cols: usize, threads: usize, packs: bool) -> Self {
        // Whole registers and whole tiles, and enough parts that a helper who comes late still finds one.
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

thread_local! {
    /// Memory for packing, kept by each thread.
    static PACK: RefCell<(Vec<f32>, Vec<f64>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// Computes one part of C.
///
/// # Safety
/// The machine has `isa`, the operands hold what the part reads, and nobody else touches that part of C.
unsafe fn part<F: Scalar>(isa: Isa, product: &Product<F>, rows: Range<usize>, cols: Range<usize>) {
    let product: *const Product<F> = product;
    PACK.with_borrow_mut(|(narrow, wide)| {
        // SAFETY: F is the type that its id names, so the cast changes nothing; the rest is handed on.
        unsafe {
            if TypeId::of::<F>() == TypeId::of::<f32>() {
                let product = &*product.cast::<Product<f32>>();
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => product::avx512_f32(product, rows, cols, narrow),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => product::avx2_f32(product, rows, cols, narrow),
                    Isa::Portable => product::portable_f32(product, rows, cols, narrow),
                }
            } else {
                let product = &*product.cast::<Product<f64>>();
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => product::avx512_f64(product, rows, cols, wide),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => product::avx2_f64(product, rows, cols, wide),
                    Isa::Portable => product::portable_f64(product, rows, cols, wide),
                }
            }
        }
    });
}
