//! The arithmetic that takes the time: matrix products, row sums, scans. The only place for threads,
//! instruction sets and `unsafe`.

use ndarray::linalg::general_mat_mul;

use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// `y = x·w + b`: `x` is m × k, `w` k × n, `b` n long.
pub(crate) fn affine<F: Scalar>(x: Batch<F>, w: Batch<F>, b: Option<&[F]>, mut y: BatchMut<F>) {
    debug_assert_eq!((x.width(), w.width()), (w.rows(), y.width()));
    match b {
        Some(b) => y.iter_mut().for_each(|row| row.copy_from_slice(b)),
        None => y.data().fill(F::zero()),
    }
    general_mat_mul(F::one(), &x.array(), &w.array(), F::one(), &mut y.array());
}

/// `dw = xᵀ·dy`: the gradient of an [`affine`]'s weights.
pub(crate) fn affine_weights<F: Scalar>(x: Batch<F>, dy: Batch<F>, mut dw: BatchMut<F>) {
    debug_assert_eq!((dw.rows(), dw.width()), (x.width(), dy.width()));
    general_mat_mul(F::one(), &x.array().t(), &dy.array(), F::zero(), &mut dw.array());
}

/// `dx = dy·wᵀ`: the gradient of an [`affine`]'s input.
pub(crate) fn affine_input<F: Scalar>(dy: Batch<F>, w: Batch<F>, mut dx: BatchMut<F>) {
    debug_assert_eq!((w.rows(), w.width()), (dx.width(), dy.width()));
    general_mat_mul(F::one(), &dy.array(), &w.array().t(), F::zero(), &mut dx.array());
}

/// `sums = Σ rows`: the gradient of an [`affine`]'s bias.
pub(crate) fn sum_rows<F: Scalar>(rows: Batch<F>, sums: &mut [F]) {
    sums.fill(F::zero());
    for row in rows.iter() {
        sums.iter_mut().zip(row).for_each(|(sum, x)| *sum += *x);
    }
}

/// Whether every number is finite.
pub(crate) fn all_finite<F: Scalar>(values: &[F]) -> bool {
    // A finite number times 0 is 0; NaN and the infinities give NaN. Whole blocks, so that it vectorises.
    values.chunks(256).all(|block| block.iter().fold(F::zero(), |sum, &x| sum + x * F::zero()) == F::zero())
}
