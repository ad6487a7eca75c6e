//! Products of whole matrices: which instruction set, how many threads, who does which part.

use std::any::TypeId;
use std::cell::RefCell;
use std::ops::Range;

use super::product::{self, BLOCK, Part, Product, SPAN};
use super::row::{self, GROUP};
use super::samples::with_memory;
use super::tile::Start;
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

/// What a product starts from.
#[derive(Clone, Copy)]
pub(super) enum From<'a, F> {
    /// C = A·B.
    Zero,
    /// C = bias + A·B, the same row for every row of C.
    Bias(&'a [F]),
    /// C = C + A·B.
    Add,
    /// C = C + s·(A·B), for a summed axis of one block.
    Scaled(F),
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

/// C = A·B, or that added to `from`: `c` is `rows × n`, the summed axis `k` long.
pub(super) fn matmul<F: Scalar>(
    isa: Isa,
    (a, b): (Strided<F>, Strided<F>),
    from: From<F>,
    c: &mut [F],
    (rows, n, k): (usize, usize, usize),
) {
    let (start, bias) = match from {
        From::Zero => (Start::Zero, None),
        From::Bias(bias) => (Start::Bias(bias.as_ptr()), Some(bias)),
        From::Add => (Start::Add, None),
        From::Scaled(s) => (Start::Scaled(s), None),
    };
    debug_assert!(k <= BLOCK || !matches!(from, From::Scaled(_)));
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
        start,
    };
    if rows == 1 && b.col == 1 && k > BLOCK && matches!(from, From::Zero | From::Bias(_)) {
        return one_row(isa, product, bias, c);
    }
    let threads = if rows * n * k < ALONE { 1 } else { super::threads() };
    let spans = k.div_ceil(SPAN);
    if threads > 1 && spans >= threads && rows * n <= FEW {
        return by_spans(isa, product, &mut c[..rows * n], threads);
    }
    let parts = Parts::new(rows, n, threads, b.col != 1);
    let shared = Shared(product);
    super::each(parts.count(), &|task| {
        let (rows, cols) = parts.get(task);
        let Shared(product) = &shared;
        // SAFETY: the operands hold all rows and columns, by the check above; no two parts share a number
        // of C; the machine has `isa`.
        unsafe { span_by_span(isa, product, rows, cols) };
    });
}

/// Products of at most this many numbers are cut along their summed axis, where that is long.
const FEW: usize = 1 << 14;

/// The steps of a span.
fn steps(span: usize, k: usize) -> Range<usize> {
    span * SPAN..k.min((span + 1) * SPAN)
}

/// A product with few numbers over a long axis: threads take spans of it, and the sums of the spans are added in order.
fn by_spans<F: Scalar>(isa: Isa, product: Product<F>, c: &mut [F], threads: usize) {
    let spans = product.k.div_ceil(SPAN);
    let rows = c.len() / product.n;
    with_memory(c.len() * (spans - 1), |sums: &mut [F]| {
        let shared = Shared((product, sums.as_mut_ptr()));
        super::each(threads, &|task| {
            let Shared((product, sums)) = &shared;
            for span in task * spans / threads..(task + 1) * spans / threads {
                let own = Product { c: sums.wrapping_add((span.max(1) - 1) * rows * product.n), start: Start::Zero, ..*product };
                let product = if span == 0 { product } else { &own };
                let part = Part { rows: 0..rows, cols: 0..product.n, steps: steps(span, product.k) };
                // SAFETY: the caller checked the operands; no two spans write to the same place; the machine has `isa`.
                unsafe { part_of(isa, product, part) };
            }
        });
        for sums in sums.chunks_exact(c.len()) {
            super::wide(|| add(c, sums));
        }
    });
}

/// Rows and columns of C: the first span goes straight there, the sums of the others are added to it.
///
/// # Safety
/// The machine has `isa`, the operands hold what the part reads, and nobody else touches that part of C.
unsafe fn span_by_span<F: Scalar>(isa: Isa, product: &Product<F>, rows: Range<usize>, cols: Range<usize>) {
    let part = |span| Part { rows: rows.clone(), cols: cols.clone(), steps: steps(span, product.k) };
    // SAFETY: handed on.
    unsafe { part_of(isa, product, part(0)) };
    let spans = product.k.div_ceil(SPAN);
    if spans <= 1 {
        return;
    }
    let width = cols.len();
    with_memory(rows.len() * width, |sums: &mut [F]| {
        let c = sums.as_mut_ptr().wrapping_sub(rows.start * width + cols.start);
        let own = Product { c, c_row: width, start: Start::Zero, ..*product };
        for span in 1..spans {
            // SAFETY: as before; `own` ends in the memory of this thread.
            unsafe { part_of(isa, &own, part(span)) };
            for (row, sums) in rows.clone().zip(sums.chunks_exact(width)) {
                // SAFETY: these numbers of C belong to the part.
                let c = unsafe {
                    std::slice::from_raw_parts_mut(product.c.add(row * product.c_row + cols.start), width)
                };
                super::wide(|| add(c, sums));
            }
        }
    });
}

/// C = x·B (+ bias) for one row: the sums of blocks of the summed axis, added up in order, span by span.
fn one_row<F: Scalar>(isa: Isa, product: Product<F>, bias: Option<&[F]>, c: &mut [F]) {
    let (n, blocks) = (product.n, product.k.div_ceil(BLOCK));
    SUMS.with_borrow_mut(|(narrow, wide)| {
        let sums = memory::<F>(narrow, wide, blocks * n);
        let to = Shared((product, sums.as_mut_ptr()));
        let group = |group: usize| {
            let Shared((product, sums)) = &to;
            // SAFETY: the operands were checked; the groups' places in the sums differ; the machine has `isa`.
            unsafe { groups(isa, product, group, *sums) };
        };
        let alone = n * product.k < ALONE / 4;
        let count = blocks.div_ceil(GROUP);
        if alone {
            (0..count).for_each(group)
        } else {
            super::each_short(count, &group)
        }
        let c = &mut c[..n];
        let (first, others) = sums.split_at_mut(n * blocks.min(SPAN / BLOCK));
        match bias {
            Some(bias) => c.iter_mut().zip(bias).zip(&*first).for_each(|((c, b), sum)| *c = *b + *sum),
            None => c.copy_from_slice(&first[..n]),
        }
        first[n..].chunks_exact(n).for_each(|sum| add(c, sum));
        for span in others.chunks_mut(n * SPAN / BLOCK) {
            let (sum, more) = span.split_at_mut(n);
            more.chunks_exact(n).for_each(|block| add(sum, block));
            add(c, sum);
        }
    });
}

/// `c ← c + sums`.
fn add<F: Scalar>(c: &mut [F], sums: &[F]) {
    c.iter_mut().zip(sums).for_each(|(c, sum)| *c += *sum);
}

thread_local! {
    /// Memory for the sums of blocks, kept by each thread.
    static SUMS: RefCell<(Vec<f32>, Vec<f64>)> = const { RefCell::new((Vec::new(), Vec::new())) };
}

/// The first `len` numbers of the memory for numbers of type `F`.
fn memory<'a, F: Scalar>(narrow: &'a mut Vec<f32>, wide: &'a mut Vec<f64>, len: usize) -> &'a mut [F] {
    if narrow.len() < len && TypeId::of::<F>() == TypeId::of::<f32>() {
        narrow.resize(len, 0.0);
    }
    if wide.len() < len && TypeId::of::<F>() == TypeId::of::<f64>() {
        wide.resize(len, 0.0);
    }
    let start = match TypeId::of::<F>() == TypeId::of::<f32>() {
        true => narrow.as_mut_ptr().cast::<F>(),
        false => wide.as_mut_ptr().cast::<F>(),
    };
    // SAFETY: F is the type of that vector, which has at least `len` numbers and is borrowed as long.
    unsafe { std::slice::from_raw_parts_mut(start, len) }
}

/// Computes the blocks of one group.
///
/// # Safety
/// The machine has `isa`, the operands hold what is read, and nobody else touches these sums.
unsafe fn groups<F: Scalar>(isa: Isa, product: &Product<F>, group: usize, sums: *mut F) {
    let product: *const Product<F> = product;
    // SAFETY: F is the type that its id names, so the casts change nothing; the rest is handed on.
    unsafe {
        if TypeId::of::<F>() == TypeId::of::<f32>() {
            let (product, sums) = (&*product.cast::<Product<f32>>(), sums.cast::<f32>());
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => row::avx512_f32(product, group, sums),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => row::avx2_f32(product, group, sums),
                Isa::Portable => row::portable_f32(product, group, sums),
            }
        } else {
            let (product, sums) = (&*product.cast::<Product<f64>>(), sums.cast::<f64>());
            match isa {
                #[cfg(target_arch = "x86_64")]
                Isa::Avx512 => row::avx512_f64(product, group, sums),
                #[cfg(target_arch = "x86_64")]
                Isa::Avx2 => row::avx2_f64(product, group, sums),
                Isa::Portable => row::portable_f64(product, group, sums),
            }
        }
    }
}

/// A product that threads may share.
struct Shared<T>(T);

// SAFETY: A and B are only read, and no two parts of C, or groups of sums, overlap.
unsafe impl<T> Sync for Shared<T> {}

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
unsafe fn part_of<F: Scalar>(isa: Isa, product: &Product<F>, part: Part) {
    let product: *const Product<F> = product;
    PACK.with_borrow_mut(|(narrow, wide)| {
        // SAFETY: F is the type that its id names, so the cast changes nothing; the rest is handed on.
        unsafe {
            if TypeId::of::<F>() == TypeId::of::<f32>() {
                let product = &*product.cast::<Product<f32>>();
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => product::avx512_f32(product, part, narrow),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => product::avx2_f32(product, part, narrow),
                    Isa::Portable => product::portable_f32(product, part, narrow),
                }
            } else {
                let product = &*product.cast::<Product<f64>>();
                match isa {
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx512 => product::avx512_f64(product, part, wide),
                    #[cfg(target_arch = "x86_64")]
                    Isa::Avx2 => product::avx2_f64(product, part, wide),
                    Isa::Portable => product::portable_f64(product, part, wide),
                }
            }
        }
    });
}
