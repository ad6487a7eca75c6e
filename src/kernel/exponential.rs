//! Softmax and log-sum-exp, with the exponentials of many rows computed together.

use super::simd::{map, simd};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The number of exponentials computed at a time without a buffer for all.
const LEN: usize = 128;

/// `y ← e^y / Σ e^y` in each row, without overflow.
pub(crate) fn softmax<F: Scalar>(mut y: BatchMut<F>) {
    for row in y.iter_mut() {
        let max = largest(row);
        row.iter_mut().for_each(|y| *y -= max);
    }
    map(y.data(), F::exponential);
    for row in y.iter_mut() {
        let sum: F = row.iter().copied().sum();
        row.iter_mut().for_each(|y| *y /= sum);
    }
}

/// Computes the largest number m of each row and `Σ e^(y − m)`; `m + ln Σ` is the logarithm of `Σ e^y` of the row.
pub(crate) fn sums_of_exponentials<F: Scalar>(y: Batch<F>, mut each: impl FnMut(F, F)) {
    let mut memory = [F::zero(); LEN];
    let width = y.width().max(1);
    for rows in y.data().chunks(width * (LEN / width).max(1)) {
        if width > LEN {
            let max = largest(rows);
            let sum = rows.chunks(LEN).fold(F::zero(), |sum, part| {
                let terms = &mut memory[..part.len()];
                simd!(|| terms.iter_mut().zip(part).for_each(|(e, &y)| *e = (y - max).exponential()));
                terms.iter().fold(sum, |sum, &e| sum + e)
            });
            each(max, sum);
            continue;
        }
        let terms = &mut memory[..rows.len()];
        for (terms, row) in terms.chunks_exact_mut(width).zip(rows.chunks_exact(width)) {
            let max = largest(row);
            terms.iter_mut().zip(row).for_each(|(e, &y)| *e = y - max);
        }
        simd!(|| terms.iter_mut().for_each(|e| *e = e.exponential()));
        for (terms, row) in terms.chunks_exact(width).zip(rows.chunks_exact(width)) {
            each(largest(row), terms.iter().copied().sum());
        }
    }
}

/// The largest number, or NaN if there is a NaN.
fn largest<F: Scalar>(row: &[F]) -> F {
    row.iter().fold(-F::infinity(), |max, &y| if y > max || y.is_nan() { y } else { max })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_of_any_width_agree_with_the_plain_formula() {
        for width in [1, 2, 3, 31, 127, 128, 129, 400] {
            let y: Vec<f64> = (0..5 * width).map(|i| ((i * 37) % 101) as f64 / 7.0 - 5.0).collect();
            let (mut soft, mut row) = (y.clone(), 0);
            softmax(BatchMut::new(&mut soft, width));
            sums_of_exponentials(Batch::new(&y, width), |max, sum| {
                let of = |values: &[f64]| values[row * width..][..width].to_vec();
                let plain: f64 = of(&y).iter().map(|y| y.exp()).sum();
                assert!((max + sum.ln() - plain.ln()).abs() < 1e-14, "{width}");
                for (p, y) in of(&soft).iter().zip(of(&y)) {
                    assert!((p - y.exp() / plain).abs() < 1e-15, "{width}");
                }
                row += 1;
            });
            assert_eq!(row, 5);
        }
    }

    #[test]
    fn nan_propagates() {
        sums_of_exponentials(Batch::new(&[1.0f32, f32::NAN, 2.0], 3), |max, sum| {
            assert!(max.is_nan() && sum.is_nan());
        });
        let mut y = [f32::NAN, 1.0, 1.0, 1.0];
        softmax(BatchMut::new(&mut y, 2));
        assert!(y[..2].iter().all(|y| y.is_nan()) && y[2..] == [0.5, 0.5]);
    }
}
