//! The activations that act on a whole row, such as softmax.
//!
//! Softmax: y = e^x / Σ e^x. dx = y ⊙ (dy − ⟨dy, y⟩).

use super::functions::{sigmoid, sigmoid_slope, step};
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// `dy ← y ⊙ (dy − ⟨dy, y⟩)`
pub(super) fn softmax_slope<F: Scalar>(y: Batch<F>, mut dy: BatchMut<F>) {
    for (y, dy) in y.iter().zip(dy.iter_mut()) {
        let dot: F = dy.iter().zip(y).map(|(&dy, &y)| dy * y).sum();
        dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = y * (*dy - dot));
    }
}

pub(super) fn log_softmax<F: Scalar>(mut y: BatchMut<F>) {
    for row in y.iter_mut() {
        let mut shift = (F::zero(), F::zero());
        kernel::sums_of_exponentials(Batch::new(row, row.len()), |max, sum| shift = (max, sum.logarithm()));
        // The sum of both would round the logarithm to the precision of the largest.
        row.iter_mut().for_each(|y| *y = *y - shift.0 - shift.1);
    }
}

/// dx = dy − e^y · Σ dy.
pub(super) fn log_softmax_slope<F: Scalar>(y: Batch<F>, mut dy: BatchMut<F>) {
    for (y, dy) in y.iter().zip(dy.iter_mut()) {
        let sum: F = dy.iter().copied().sum();
        dy.iter_mut().zip(y).for_each(|(dy, y)| *dy -= y.exponential() * sum);
    }
}

/// y = max(x − τ, 0) with τ such that Σ y = 1 (Martins and Astudillo, 2016).
pub(super) fn sparsemax<F: Scalar>(mut y: BatchMut<F>) {
    for row in y.iter_mut() {
        // Sparsemax is the same for shifted rows, and precise for small numbers.
        let max = largest(row.iter().copied());
        row.iter_mut().for_each(|y| *y -= max);
        let tau = sparsemax_threshold(row);
        row.iter_mut().for_each(|y| *y = if *y - tau < F::zero() { F::zero() } else { *y - tau });
    }
}

/// Finds the τ of a row by repeatedly dropping what lies below it, without sorting or allocation.
fn sparsemax_threshold<F: Scalar>(row: &[F]) -> F {
    let mut tau = -F::infinity();
    loop {
        let (mut count, mut sum) = (F::zero(), F::zero());
        for &x in row.iter().filter(|&&x| x > tau) {
            count += F::one();
            sum += x;
        }
        let next = (sum - F::one()) / count;
        if next <= tau || next.is_nan() {
            return if next.is_nan() { next } else { tau };
        }
        tau = next;
    }
}

/// On the support, dx = dy − mean of dy over the support; elsewhere 0.
pub(super) fn sparsemax_slope<F: Scalar>(y: Batch<F>, mut dy: BatchMut<F>) {
    for (y, dy) in y.iter().zip(dy.iter_mut()) {
        let count: F = y.iter().map(|&y| step::<F>(y > F::zero())).sum();
        let sum: F = y.iter().zip(&*dy).map(|(&y, &dy)| dy * step(y > F::zero())).sum();
        dy.iter_mut().zip(y).for_each(|(dy, &y)| *dy = (*dy - sum / count) * step(y > F::zero()));
    }
}

/// y = a · σ(b), x = (a, b).
pub(super) fn glu<F: Scalar>(x: Batch<F>, mut y: BatchMut<F>) {
    for (x, y) in x.iter().zip(y.iter_mut()) {
        let (a, b) = x.split_at(y.len());
        y.iter_mut().zip(a.iter().zip(b)).for_each(|(y, (&a, &b))| *y = a * sigmoid(b));
    }
}

/// da = dy · σ(b), db = dy · a · σ(b) · (1 − σ(b)).
pub(crate) fn glu_backward<F: Scalar>(x: Batch<F>, dy: Batch<F>, mut dx: BatchMut<F>) {
    for ((x, dy), dx) in x.iter().zip(dy.iter()).zip(dx.iter_mut()) {
        let (a, b) = x.split_at(dy.len());
        let (da, db) = dx.split_at_mut(dy.len());
        for i in 0..dy.len() {
            da[i] = dy[i] * sigmoid(b[i]);
            db[i] = dy[i] * a[i] * sigmoid_slope(b[i]);
        }
    }
}

/// Returns the largest number, or NaN if there is one.
fn largest<F: Scalar>(values: impl Iterator<Item = F>) -> F {
    values.fold(-F::infinity(), |max, x| if x > max || x.is_nan() { x } else { max })
}
