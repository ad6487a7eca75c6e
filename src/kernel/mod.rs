//! The time-critical arithmetic: matrix products, row sums, element-wise loops. The only module with threads, instruction
//! sets and `unsafe`.
//!
//! Products are split by rows or columns, and every number is summed in the same order whatever its part, so the bits do
//! not depend on the number of threads or rows. `matrixmultiply`, which `ndarray` calls, promises no order of the sums, and
//! adds no bias and no activation to a product.

mod exponential;
mod gemv;
mod isa;
mod matmul;
#[cfg(target_arch = "aarch64")]
mod neon;
mod product;
mod samples;
mod simd;
mod split_k;
#[cfg(feature = "rayon")]
mod thread_pool;
mod threads;
mod tile;
mod vector;
#[cfg(target_arch = "x86_64")]
mod x86;

pub(crate) use exponential::{softmax, sums_of_exponentials};
pub(crate) use isa::check_isa;
pub(crate) use samples::{PARTS, samples, sum_over, with_memory};
pub(crate) use simd::{
    Registers, all_finite, all_within, combine, gather, largest, map_both, map_with, pieces, rows_of, simd,
    sum, sum_rows,
};
#[cfg(any(feature = "csv", feature = "parquet"))]
pub(crate) use threads::each_item;
pub(crate) use threads::{Session, each_alone, threads};

use isa::Isa;
use matmul::{Epilogue, Size, Strided, matmul};

use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// `y = x·w + b`: `x` is m × k, `w` k × n, `b` n long.
pub(crate) fn affine<F: Scalar>(x: Batch<F>, w: Batch<F>, b: Option<&[F]>, mut y: BatchMut<F>) {
    debug_assert_eq!((x.width(), w.width()), (w.rows(), y.width()));
    let size = Size { m: x.rows(), n: w.width(), k: x.width() };
    matmul(Isa::get(), rows(x), rows(w), b.map_or(Epilogue::Zero, Epilogue::Bias), y.data(), size);
}

/// `y += x·w`.
pub(crate) fn add_affine<F: Scalar>(x: Batch<F>, w: Batch<F>, mut y: BatchMut<F>) {
    debug_assert_eq!((x.width(), w.width()), (w.rows(), y.width()));
    let size = Size { m: x.rows(), n: w.width(), k: x.width() };
    matmul(Isa::get(), rows(x), rows(w), Epilogue::Add, y.data(), size);
}

/// `dw = xᵀ·dy`: the gradient of an [`affine`]'s weights.
pub(crate) fn affine_weights<F: Scalar>(x: Batch<F>, dy: Batch<F>, mut dw: BatchMut<F>) {
    debug_assert_eq!((dw.rows(), dw.width()), (x.width(), dy.width()));
    let size = Size { m: x.width(), n: dy.width(), k: x.rows() };
    matmul(Isa::get(), columns(x), rows(dy), Epilogue::Zero, dw.data(), size);
}

/// `dw += xᵀ·dy`.
pub(crate) fn add_affine_weights<F: Scalar>(x: Batch<F>, dy: Batch<F>, mut dw: BatchMut<F>) {
    debug_assert_eq!((dw.rows(), dw.width()), (x.width(), dy.width()));
    let size = Size { m: x.width(), n: dy.width(), k: x.rows() };
    matmul(Isa::get(), columns(x), rows(dy), Epilogue::Add, dw.data(), size);
}

/// `dx = dy·wᵀ`: the gradient of an [`affine`]'s input.
pub(crate) fn affine_input<F: Scalar>(dy: Batch<F>, w: Batch<F>, mut dx: BatchMut<F>) {
    debug_assert_eq!((w.rows(), w.width()), (dx.width(), dy.width()));
    let size = Size { m: dy.rows(), n: w.rows(), k: dy.width() };
    matmul(Isa::get(), rows(dy), columns(w), Epilogue::Zero, dx.data(), size);
}

/// `dx += dy·wᵀ`.
pub(crate) fn add_affine_input<F: Scalar>(dy: Batch<F>, w: Batch<F>, mut dx: BatchMut<F>) {
    debug_assert_eq!((w.rows(), w.width()), (dx.width(), dy.width()));
    let size = Size { m: dy.rows(), n: w.rows(), k: dy.width() };
    matmul(Isa::get(), rows(dy), columns(w), Epilogue::Add, dx.data(), size);
}

/// A batch as a matrix.
fn rows<F>(batch: Batch<F>) -> Strided<F> {
    Strided { data: batch.data(), row: batch.width(), col: 1 }
}

/// A batch transposed.
fn columns<F>(batch: Batch<F>) -> Strided<F> {
    Strided { data: batch.data(), row: 1, col: batch.width() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;

    /// The plain product as the reference.
    fn plain<F: Scalar>(a: Strided<F>, b: Strided<F>, bias: Option<&[F]>, size: Size) -> Vec<f64> {
        let Size { m, n, k } = size;
        let number =
            |matrix: Strided<F>, i: usize, j: usize| matrix.data[i * matrix.row + j * matrix.col].as_f64();
        let sum = |i: usize, j: usize| (0..k).map(|p| number(a, i, p) * number(b, p, j)).sum::<f64>();
        let start = |j: usize| bias.map_or(0.0, |bias| bias[j].as_f64());
        (0..m * n).map(|place| start(place % n) + sum(place / n, place % n)).collect()
    }

    fn draw<F: Scalar>(len: usize, rng: &mut Rng) -> Vec<F> {
        (0..len).map(|_| F::of(rng.uniform() - 0.5)).collect()
    }

    #[track_caller]
    fn check<F: Scalar>(isa: Isa, [m, n, k]: [usize; 3], tolerance: f64) {
        let mut rng = Rng::stream(5, (m * 1_000_000 + n * 1000 + k) as u64);
        // One extra number in front, so that nothing is aligned.
        let (a, b, bias) =
            (draw::<F>(m * k + 1, &mut rng), draw::<F>(n * k + 1, &mut rng), draw::<F>(n, &mut rng));
        for (a_turned, b_turned, with_bias) in
            [(false, false, true), (true, false, false), (false, true, false)]
        {
            let side = |data, turned, rows: usize, cols: usize| match turned {
                false => Strided { data, row: cols, col: 1 },
                true => Strided { data, row: 1, col: rows },
            };
            let (a, b) = (side(&a[1..], a_turned, m, k), side(&b[1..], b_turned, k, n));
            let bias = with_bias.then_some(&bias[..]);
            let mut c = vec![F::of(f64::NAN); m * n];
            let size = Size { m, n, k };
            matmul(isa, a, b, bias.map_or(Epilogue::Zero, Epilogue::Bias), &mut c, size);
            for (found, expected) in c.iter().zip(plain(a, b, bias, size)) {
                let error = (found.as_f64() - expected).abs();
                assert!(error <= tolerance * (k as f64).sqrt().max(1.0), "{isa:?} {m}×{n}×{k}: {error}");
            }
        }
    }

    #[test]
    fn every_instruction_set_agrees_with_the_plain_product() {
        for &isa in Isa::available() {
            for size in [1, 2, 3, 5, 7, 8, 9, 15, 17, 24, 31, 33, 40, 48, 49, 99, 100, 101] {
                check::<f32>(isa, [size, 7, 3], 1e-6);
                check::<f32>(isa, [3, size, 130], 1e-6);
                check::<f32>(isa, [9, 40, size], 1e-6);
                check::<f64>(isa, [size, 7, 3], 1e-14);
                check::<f64>(isa, [3, size, 130], 1e-14);
                check::<f64>(isa, [9, 40, size], 1e-14);
            }
            check::<f32>(isa, [50, 40, 700], 1e-6);
            check::<f32>(isa, [70, 210, 300], 1e-6);
            check::<f32>(isa, [1, 40, 1500], 1e-6);
            check::<f32>(isa, [50, 40, 3000], 1e-6);
            check::<f32>(isa, [130, 131, 2100], 1e-6);
            check::<f32>(isa, [1, 17, 3000], 1e-6);
            check::<f64>(isa, [70, 210, 300], 1e-14);
            check::<f32>(isa, [4, 4, 0], 0.0);
        }
    }

    /// Products of several sizes by this instruction set.
    fn products<F: Scalar>(isa: Isa) -> Vec<F> {
        let sizes = [[1, 40, 1500], [3, 5, 200], [9, 49, 131], [53, 131, 1100], [64, 33, 7]];
        let product = |[m, n, k]: [usize; 3]| {
            let mut rng = Rng::stream(7, (m + n + k) as u64);
            let (x, w) = (draw::<F>(m * k, &mut rng), draw::<F>(n * k, &mut rng));
            let mut y = vec![F::zero(); m * n];
            let (a, b) = (Strided { data: &x, row: k, col: 1 }, Strided { data: &w, row: n, col: 1 });
            matmul(isa, a, b, Epilogue::Zero, &mut y, Size { m, n, k });
            y
        };
        sizes.into_iter().flat_map(product).collect()
    }

    #[test]
    fn instruction_sets_with_fused_multiply_add_give_the_same_bits() {
        let fused = |isa: &&Isa| cfg!(target_arch = "aarch64") || **isa != Isa::Portable;
        let mut sets = Isa::available().iter().filter(fused);
        let Some(&best) = sets.next() else { return };
        for &isa in sets {
            assert_eq!(products::<f32>(isa), products::<f32>(best), "{isa:?} and {best:?}");
            assert_eq!(products::<f64>(isa), products::<f64>(best), "{isa:?} and {best:?}");
        }
    }

    #[test]
    fn a_row_has_the_same_bits_alone_and_in_a_batch() {
        let mut rng = Rng::new(8);
        let (m, n, k) = (53, 131, 2500);
        let (x, w): (Vec<f32>, Vec<f32>) = (draw(m * k, &mut rng), draw(n * k, &mut rng));
        for &isa in Isa::available() {
            let product = |x: &[f32], m: usize| {
                let mut y = vec![0.0; m * n];
                let (a, b) = (Strided { data: x, row: k, col: 1 }, Strided { data: &w, row: n, col: 1 });
                matmul(isa, a, b, Epilogue::Zero, &mut y, Size { m, n, k });
                y
            };
            let together = product(&x, m);
            for i in 0..m {
                assert_eq!(product(&x[i * k..][..k], 1), together[i * n..][..n]);
            }
        }
    }

    #[test]
    fn rows_of_any_width_are_gathered() {
        for width in [1, 7, 33, 1000, 4001, 40_000] {
            let all: Vec<f32> = (0..5 * width).map(|i| i as f32).collect();
            let indices = [3, 0, 4, 3, 1, 2, 2, 0, 1, 4, 3];
            let mut to = vec![0.0; indices.len() * width];
            gather(&all, width, &indices, &mut to);
            for (row, index) in to.chunks_exact(width).zip(indices) {
                assert_eq!(row, &all[index * width..][..width]);
            }
        }
    }

    #[test]
    fn non_finite_values_are_detected_at_every_position() {
        let mut values = vec![1e38f32; 1000];
        assert!(all_finite(&values));
        for place in [0, 255, 256, 999] {
            for wrong in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY] {
                let kept = std::mem::replace(&mut values[place], wrong);
                assert!(!all_finite(&values) && !all_finite(&values[place..][..1]));
                values[place] = kept;
            }
        }
    }
}
