//! Copies of some columns of a matrix.

use std::ops::Range;

use crate::scalar::Scalar;

/// Copies these columns of a matrix with `width` columns.
pub(super) fn pick<F: Scalar>(from: &[F], width: usize, columns: Range<usize>, to: &mut [F]) {
    let rows = to.chunks_exact_mut(columns.len()).zip(from.chunks_exact(width));
    rows.for_each(|(to, from)| to.copy_from_slice(&from[columns.clone()]));
}

/// Copies the columns back.
pub(super) fn put<F: Scalar>(from: &[F], width: usize, columns: Range<usize>, to: &mut [F]) {
    let rows = to.chunks_exact_mut(width).zip(from.chunks_exact(columns.len()));
    rows.for_each(|(to, from)| to[columns.clone()].copy_from_slice(from));
}
