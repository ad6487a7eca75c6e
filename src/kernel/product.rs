//! C = A·B in blocks: the summed axis in splits of blocks of [`BLOCK`], columns in panels of at most three registers,
//! rows in tiles. Packs operands that would be read repeatedly with large strides.

use std::ops::Range;

use super::tile::{Start, Tile, tile};
use super::vector::{Halves, Lanes, Vector};

/// The steps of the summed axis that are accumulated in registers before C is accessed.
pub(super) const BLOCK: usize = 128;
/// The steps that are summed separately and then added to C, so that threads can split a long axis and long sums lose few
/// digits.
pub(super) const SPLIT: usize = 8 * BLOCK;

/// Products with fewer multiplications use one thread.
pub(super) const ALONE: usize = 1 << 18;

/// C = A·B with an initial value and any strides of A and B; the rows of C are contiguous.
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
    /// A bias is that of column 0.
    pub(super) start: Start<T>,
}

/// A part of a product: these rows and columns of C, summed over these steps.
#[derive(Clone)]
pub(super) struct Part {
    pub(super) rows: Range<usize>,
    pub(super) cols: Range<usize>,
    pub(super) steps: Range<usize>,
}

/// Splits items into pieces whose sizes differ by at most one.
#[derive(Clone, Copy)]
struct Even {
    pieces: usize,
    least: usize,
    longer: usize,
}

impl Even {
    fn new(items: usize, most: usize) -> Self {
        let pieces = items.div_ceil(most).max(1);
        Even { pieces, least: items / pieces, longer: items % pieces }
    }

    fn start(&self, piece: usize) -> usize {
        piece * self.least + piece.min(self.longer)
    }

    fn len(&self, piece: usize) -> usize {
        self.least + usize::from(piece < self.longer)
    }
}

/// The most rows of a tile.
const ROWS: usize = 8;
/// The tiles that use one panel of columns before the next, so that the panel stays in the L1 cache.
const TILES: usize = 4;

/// Runs the tile of this many columns and rows. A function of its own leaves all registers to the tile.
type RunTile<T> = unsafe fn(&Tile<T>, usize, usize);

/// The blocked loops for one instruction set, with tiles of at most `R` rows and `N` registers `V`.
///
/// # Safety
/// The machine has the instruction set; the operands hold the part; no other thread reads or writes that part of C.
#[inline(always)]
unsafe fn run<V: Halves, const R: usize, const N: usize>(
    product: &Product<V::Number>,
    part: Part,
    pack: &mut Vec<V::Number>,
    run_tile: RunTile<V::Number>,
) {
    let Product { a, a_row, a_step, b, b_step, b_col, c, c_row, start, .. } = *product;
    let Part { rows, cols, steps } = part;
    let panels = Even::new(cols.len().div_ceil(V::LANES), N);
    let tiles = Even::new(rows.len(), if cols.len() <= V::LANES { most_rows(R) } else { R });
    let pack_b = b_col != 1 || (panels.pieces > 1 && rows.len() > R);
    let pack_a = rows.len() > 1 && (V::PACKED_ROWS || a_step != 1 && panels.pieces > 1);
    let b_size = if pack_b { BLOCK * cols.len().next_multiple_of(V::LANES) } else { 0 };
    let a_size = if pack_a { TILES * ROWS * BLOCK } else { 0 };
    let edge_size = if V::MASKED { 0 } else { V::LANES * V::LANES.max(N) };
    if pack.len() < b_size + a_size + edge_size {
        pack.resize(b_size + a_size + edge_size, V::Number::default());
    }
    let (b_pack, rest) = pack.split_at_mut(b_size);
    let (a_pack, edge) = rest.split_at_mut(a_size);
    let end = cols.start + cols.len().next_multiple_of(V::LANES);
    let inner = if pack_b { product.k } else { inner_steps::<V>(product, end) };
    let columns = |panel: usize| {
        let from = panels.start(panel) * V::LANES;
        from..cols.len().min(from + panels.len(panel) * V::LANES)
    };
    let (blocks, chunks) = (steps.len().div_ceil(BLOCK).max(1), tiles.pieces.div_ceil(TILES));
    for turn in 0..blocks * chunks {
        // A packed block is used completely before the next; rows that are read in place are read in one pass.
        let (block, chunk) =
            if pack_b { (turn / chunks, turn % chunks) } else { (turn % blocks, turn / blocks) };
        let first = steps.start + block * BLOCK;
        let depth = BLOCK.min(steps.end - first);
        let chunk = chunk * TILES..tiles.pieces.min((chunk + 1) * TILES);
        // SAFETY: every offset is that of a row, column or step within the operands or the packs.
        unsafe {
            // Rows of B are read in one pass over all panels.
            let at_once = if b_col == 1 { 8 } else { BLOCK };
            for (p, panel) in (0..depth)
                .step_by(at_once)
                .flat_map(|p| (0..panels.pieces).map(move |panel| (p, panel)))
                .filter(|_| pack_b && chunk.start == 0)
            {
                let (columns, stride) = (columns(panel), panels.len(panel) * V::LANES);
                let from = b.add((first + p) * b_step + (cols.start + columns.start) * b_col);
                let to = &mut b_pack[columns.start * BLOCK + p * stride..];
                copy_steps::<V>(from, b_step, b_col, at_once.min(depth - p), columns.len(), to, stride);
            }
            for tile in chunk.clone().filter(|_| pack_a) {
                let from = a.add((rows.start + tiles.start(tile)) * a_row + first * a_step);
                let to = &mut a_pack[(tile - chunk.start) * ROWS * BLOCK..];
                let count = tiles.len(tile);
                copy_steps::<V>(from, a_step, a_row, depth, count, to, count);
            }
            for panel in 0..panels.pieces {
                let columns = columns(panel);
                let at = cols.start + columns.start;
                let edge_step = panels.len(panel) * V::LANES;
                let last = panel + 1 == panels.pieces;
                let whole = if last { inner.saturating_sub(first).min(depth) } else { depth };
                if whole < depth {
                    let from = b.add((first + whole) * b_step + at);
                    copy_steps::<V>(from, b_step, 1, depth - whole, columns.len(), edge, edge_step);
                }
                let (b, b_step) = match pack_b {
                    true => (b_pack.as_ptr().add(columns.start * BLOCK), edge_step),
                    false => (b.add(first * b_step + at), b_step),
                };
                let start = match start {
                    _ if block > 0 => Start::Add,
                    Start::Bias(bias) => Start::Bias(bias.add(at)),
                    start => start,
                };
                for tile in chunk.clone() {
                    let (row, count) = (rows.start + tiles.start(tile), tiles.len(tile));
                    let (a, a_row, a_step) = match pack_a {
                        true => (a_pack.as_ptr().add((tile - chunk.start) * ROWS * BLOCK), 1, count),
                        false => (a.add(row * a_row + first * a_step), a_row, a_step),
                    };
                    let c = c.wrapping_add(row * c_row + at);
                    let edge = edge.as_ptr();
                    let t = Tile {
                        k: depth,
                        a,
                        a_row,
                        a_step,
                        b,
                        b_step,
                        c,
                        c_row,
                        whole,
                        edge,
                        edge_step,
                        last: 0,
                        start,
                    };
                    run_tile(&t, columns.len(), count);
                }
            }
        }
    }
}

/// The steps in which registers that end before column `end` can be loaded: without masked loads, a register may reach over
/// the end of a row of B, but not over that of the last row.
pub(super) fn inner_steps<V: Vector>(product: &Product<V::Number>, end: usize) -> usize {
    let over = if V::MASKED { 0 } else { end.saturating_sub(product.n) };
    product.k.saturating_sub(over.div_ceil(product.b_step.max(1)))
}

/// The most rows of a tile of one register. The portable path, whose tiles have 4 rows, saves the code of higher ones.
const fn most_rows(most: usize) -> usize {
    if most > 4 { ROWS } else { most }
}

/// Whether tiles of this many rows and registers exist.
const fn exists(most: usize, rows: usize, registers: usize, half: bool) -> bool {
    rows <= most || registers + half as usize <= 1 && rows <= most_rows(most)
}

/// Runs the tile of this many columns and rows.
///
/// # Safety
/// As for [`run`].
#[inline(always)]
unsafe fn of_width<V: Halves, const R: usize, const N: usize>(
    t: Tile<V::Number>,
    columns: usize,
    rows: usize,
) {
    let (full, rest) = (columns / V::LANES, columns % V::LANES);
    macro_rules! rows {
        ($t:expr, $n:literal, $half:literal) => {
            match rows {
                8 if const { exists(R, 8, $n, $half) } => tile::<V, 8, $n, $half>($t),
                7 if const { exists(R, 7, $n, $half) } => tile::<V, 7, $n, $half>($t),
                6 if const { exists(R, 6, $n, $half) } => tile::<V, 6, $n, $half>($t),
                5 if const { exists(R, 5, $n, $half) } => tile::<V, 5, $n, $half>($t),
                4 => tile::<V, 4, $n, $half>($t),
                3 => tile::<V, 3, $n, $half>($t),
                2 => tile::<V, 2, $n, $half>($t),
                _ => tile::<V, 1, $n, $half>($t),
            }
        };
    }
    let whole = Tile { last: V::LANES, ..t };
    let some = Tile { last: rest, ..t };
    // SAFETY: guaranteed by the caller.
    unsafe {
        match (full, rest, V::MASKED && rest <= V::Half::LANES) {
            (3, _, _) if N == 3 => rows!(whole, 3, false),
            (2, 0, _) => rows!(whole, 2, false),
            (1, 0, _) => rows!(whole, 1, false),
            (2, _, true) if N == 3 => rows!(some, 2, true),
            (1, _, true) => rows!(some, 1, true),
            (0, _, true) => rows!(some, 0, true),
            (2, _, false) if N == 3 => rows!(some, 3, false),
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
        // Squares, so that each cache line is read and written while it is in the cache.
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

/// One entry point for each instruction set and number type.
macro_rules! entries {
    ($($(#[$attribute:meta])* $name:ident, $number:ty, $register:ty, $rows:literal, $registers:literal;)*) => {$(
        /// Computes a part of C.
        ///
        /// # Safety
        /// The machine has the instruction set; the operands hold the part; no other thread reads or writes that part of C.
        $(#[$attribute])*
        pub(super) unsafe fn $name(product: &Product<$number>, part: Part, pack: &mut Vec<$number>) {
            $(#[$attribute])*
            #[inline(never)]
            unsafe fn run_tile(t: &Tile<$number>, columns: usize, rows: usize) {
                // SAFETY: as for the part.
                unsafe { of_width::<$register, $rows, $registers>(*t, columns, rows) }
            }
            // SAFETY: guaranteed by the caller.
            unsafe { run::<$register, $rows, $registers>(product, part, pack, run_tile) }
        }
    )*};
}

#[cfg(target_arch = "x86_64")]
use std::arch::x86_64::{__m256, __m256d, __m512, __m512d};

#[cfg(target_arch = "aarch64")]
use std::arch::aarch64::{float32x4_t, float64x2_t};

entries! {
    portable_f32, f32, Lanes<f32, 4>, 4, 2;
    portable_f64, f64, Lanes<f64, 2>, 4, 2;
}
#[cfg(target_arch = "x86_64")]
entries! {
    #[target_feature(enable = "avx2,fma")]
    avx2_f32, f32, __m256, 6, 2;
    #[target_feature(enable = "avx2,fma")]
    avx2_f64, f64, __m256d, 6, 2;
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
    avx512_f32, f32, __m512, 8, 3;
    #[target_feature(enable = "avx2,fma,avx512f,avx512vl")]
    avx512_f64, f64, __m512d, 8, 3;
}
#[cfg(target_arch = "aarch64")]
entries! {
    neon_f32, f32, float32x4_t, 8, 3;
    neon_f64, f64, float64x2_t, 8, 3;
}
