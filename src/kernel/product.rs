//! C = A·B in blocks: the summed axis in blocks of [`BLOCK`], columns in panels of three registers, rows in
//! tiles. Packs what would be read with large strides again and again.

use std::ops::Range;

use super::tile::{Start, Tile, tile};
use super::vector::{Lanes, Vector};

/// Steps along the summed axis that are added up in registers before C is touched.
pub(super) const BLOCK: usize = 128;

/// C = A·B, or bias + A·B, with any strides of A and B; the rows of C are contiguous.
#[derive(Clone, Copy)]
pub(super) struct Product<T> {
    /// Columns of C.
    pub(super) n: usize,
    /// The length of the summed axis.
    pub(super) k: usize,
    pub(super) a: *const T,
    pub(super) a_row: usize,
    pub(super) a_step: usize,
    pub(super) b: *const T,
    pub(super) b_step: usize,
    pub(super) b_col: usize,
    pub(super) c: *mut T,
    /// The distance between rows of C.
    pub(super) c_row: usize,
    pub(super) bias: Option<*const T>,
    /// Whether the product is added to what lies in C; then there is no bias.
    pub(super) adds: bool,
}

/// The most rows of a tile.
const ROWS: usize = 8;

/// How the loops are cut for one instruction set: registers `V` and `H`, and `R` rows in the widest tiles.
///
/// # Safety
/// The machine has the instruction set; the operands hold all rows and columns asked for; nobody else writes
/// that part of C or reads it meanwhile.
#[inline(always)]
unsafe fn run<V, H, const R: usize>(
    product: &Product<V::Number>,
    rows: Range<usize>,
    cols: Range<usize>,
    pack: &mut Vec<V::Number>,
) where
    V: Vector,
    H: Vector<Number = V::Number>,
{
    let Product { n, k, a, a_row, a_step, b, b_step, b_col, c, c_row, bias, adds } = *product;
    let width = 3 * V::LANES;
    let panels = cols.len().div_ceil(width);
    let pack_b = b_col != 1 || (n > width && rows.len() > R);
    let pack_a = a_step != 1 && panels > 1 && rows.len() > 1;
    let stride = panels * width;
    let b_size = if pack_b { BLOCK * stride } else { 0 };
    let a_size = if pack_a { ROWS * BLOCK } else { 0 };
    if pack.len() < b_size + a_size {
        pack.resize(b_size + a_size, V::Number::default());
    }
    let (b_pack, a_pack) = pack.split_at_mut(b_size);
    // SAFETY: every offset is that of a row, column or step within the operands or the packs.
    unsafe {
        for first in (0..k.max(1)).step_by(BLOCK) {
            let depth = BLOCK.min(k - first);
            if pack_b {
                let from = b.add(first * b_step + cols.start * b_col);
                copy_steps::<H>(from, b_step, b_col, depth, cols.len(), b_pack, stride);
            }
            let mut row = rows.start;
            while row < rows.end {
                let left = rows.end - row;
                let most = if cols.len() <= V::LANES { ROWS } else { R };
                let count = [8, 4, 2, 1].into_iter().find(|&count| count <= left.min(most)).unwrap_or(1);
                let from = a.add(row * a_row + first * a_step);
                let (a, a_row, a_step) = if pack_a {
                    copy_steps::<H>(from, a_step, a_row, depth, count, a_pack, count);
                    (a_pack.as_ptr(), 1, count)
                } else {
                    (from, a_row, a_step)
                };
                for start in (0..cols.len()).step_by(width) {
                    let (b, b_step) = match pack_b {
                        true => (b_pack.as_ptr().add(start), stride),
                        false => (b.add(first * b_step + cols.start + start), b_step),
                    };
                    let at = cols.start + start;
                    let from = match (first, bias) {
                        (0, Some(bias)) => Start::Bias(bias.add(at)),
                        (0, None) if !adds => Start::Zero,
                        _ => Start::Add,
                    };
                    let c = c.add(row * c_row + at);
                    let t = Tile { k: depth, a, a_row, a_step, b, b_step, c, c_row, last: 0, start: from };
                    columns::<V, H>(t, width.min(cols.len() - start), count);
                }
                row += count;
            }
        }
    }
}

/// Runs the tile of this many columns and rows.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn columns<V: Vector, H: Vector<Number = V::Number>>(t: Tile<V::Number>, columns: usize, rows: usize) {
    let (full, rest) = (columns / V::LANES, columns % V::LANES);
    macro_rules! rows {
        ($t:expr, $n:literal, $half:literal) => {
            match rows {
                8 => tile::<V, H, 8, $n, $half>($t),
                4 => tile::<V, H, 4, $n, $half>($t),
                2 => tile::<V, H, 2, $n, $half>($t),
                _ => tile::<V, H, 1, $n, $half>($t),
            }
        };
    }
    let whole = Tile { last: V::LANES, ..t };
    let some = Tile { last: rest, ..t };
    // SAFETY: handed on.
    unsafe {
        match (full, rest, rest <= H::LANES) {
            (3, _, _) => rows!(whole, 3, false),
            (2, 0, _) => rows!(whole, 2, false),
            (1, 0, _) => rows!(whole, 1, false),
            (2, _, true) => rows!(some, 2, true),
            (1, _, true) => rows!(some, 1, true),
            (0, _, true) => rows!(some, 0, true),
            (2, _, false) => rows!(some, 3, false),
            (1, _, false) => rows!(some, 2, false),
            _ => rows!(some, 1, false),
        }
    }
}

/// Copies `steps × count` numbers, `step` and `item` apart, to rows of `stride`.
///
/// # Safety
/// The machine has the instruction set of `H`; `from` holds the numbers; `to` has `steps` rows.
#[inline(always)]
unsafe fn copy_steps<H: Vector>(
    from: *const H::Number,
    step: usize,
    item: usize,
    steps: usize,
    count: usize,
    to: &mut [H::Number],
    stride: usize,
) {
    debug_assert!(steps == 0 || (steps - 1) * stride + count <= to.len());
    let to = to.as_mut_ptr();
    // SAFETY: the offsets are those of the items and steps asked for.
    unsafe {
        if item == 1 {
            for p in 0..steps {
                let (from, to) = (from.add(p * step), to.add(p * stride));
                let full = count - count % H::LANES;
                for i in (0..full).step_by(H::LANES) {
                    H::load(from.add(i)).store(to.add(i));
                }
                for i in full..count {
                    *to.add(i) = *from.add(i);
                }
            }
            return;
        }
        // Squares, so that each line of memory is read and written while it is near.
        const SIDE: usize = 8;
        for i in (0..count).step_by(SIDE) {
            for p in (0..steps).step_by(SIDE) {
                let (from, to) = (from.add(p * step + i * item), to.add(p * stride + i));
                if step == 1 && i + SIDE <= count && p + SIDE <= steps {
                    H::transpose(from, item, to, stride);
                    continue;
                }
                for q in 0..SIDE.min(steps - p) {
                    for j in 0..SIDE.min(count - i) {
                        *to.add(q * stride + j) = *from.add(q * step + j * item);
                    }
                }
            }
        }
    }
}

/// One entry for each instruction set and number type.
macro_rules! entries {
    ($($(#[$attribute:meta])* $name:ident, $number:ty, $full:ty, $half:ty, $rows:literal;)*) => {$(
        /// Computes a part of C.
        ///
        /// # Safety
        /// The machine has the instruction set; the operands hold all rows and columns asked for; nobody else
        /// reads or writes that part of C meanwhile.
        $(#[$attribute])*
        pub(super) unsafe fn $name(
            product: &Product<$number>,
            rows: Range<usize>,
            cols: Range<usize>,
            pack: &mut Vec<$number>,
        ) {
            // SAFETY: handed on.
            unsafe { run::<$full, $half, $rows>(product, rows, cols, pack) }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m128, __m128d, __m256, __m256d, __m512, __m512d};

entries! {
    portable_f32, f32, Lanes<f32, 8>, Lanes<f32, 4>, 4;
    portable_f64, f64, Lanes<f64, 4>, Lanes<f64, 2>, 4;
}
#[cfg(target_arch = "x86_64")]
entries! {
    #[target_feature(enable = "avx2,fma")]
    avx2_f32, f32, __m256, __m128, 4;
    #[target_feature(enable = "avx2,fma")]
    avx2_f64, f64, __m256d, __m128d, 4;
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
    avx512_f32, f32, __m512, __m256, 8;
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
    avx512_f64, f64, __m512d, __m256d, 8;
}
