//! A random orthogonal matrix: Q of the QR decomposition of a normal matrix.

use crate::rng::Rng;

/// Returns `rows × cols` numbers, row-major, whose shorter side is orthonormal, times `gain`.
///
/// The columns are orthogonalized one by one, each twice to remove rounding errors. The diagonal of R is positive,
/// which makes the matrix uniform over all orthogonal matrices.
pub(super) fn orthogonal(rows: usize, cols: usize, gain: f64, rng: &mut Rng) -> Vec<f64> {
    let (long, short) = (rows.max(cols), rows.min(cols));
    // Stored column by column.
    let mut columns = vec![0.0; long * short];
    for done in 0..short {
        let (before, rest) = columns.split_at_mut(done * long);
        let column = &mut rest[..long];
        loop {
            column.iter_mut().for_each(|x| *x = rng.normal());
            let drawn = norm(column);
            for _ in 0..2 {
                for other in before.chunks_exact(long) {
                    let dot: f64 = column.iter().zip(other).map(|(a, b)| a * b).sum();
                    column.iter_mut().zip(other).for_each(|(a, b)| *a -= dot * b);
                }
            }
            let left = norm(column);
            // Redraw a column that depends linearly on the others.
            if left > 1e-8 * drawn {
                column.iter_mut().for_each(|x| *x /= left);
                break;
            }
        }
    }
    let at = |i: usize, j: usize| if rows >= cols { columns[j * long + i] } else { columns[i * long + j] };
    (0..rows * cols).map(|place| gain * at(place / cols, place % cols)).collect()
}

fn norm(column: &[f64]) -> f64 {
    column.iter().map(|x| x * x).sum::<f64>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shorter_side_is_orthonormal() {
        for (rows, cols) in [(5, 5), (7, 3), (3, 12), (1, 4), (40, 40)] {
            let q = orthogonal(rows, cols, 2.0, &mut Rng::new(4));
            let at = |i: usize, j: usize| if rows >= cols { q[j * cols + i] } else { q[i * cols + j] };
            let (long, short) = (rows.max(cols), rows.min(cols));
            for (a, b) in (0..short).flat_map(|a| (0..short).map(move |b| (a, b))) {
                let dot: f64 = (0..long).map(|j| at(a, j) * at(b, j)).sum();
                let expected = if a == b { 4.0 } else { 0.0 };
                assert!((dot - expected).abs() < 1e-12, "{rows}×{cols}: {dot}");
            }
        }
    }
}
