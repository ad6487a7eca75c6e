//! Bilinear interpolation of images that are enlarged by whole factors: along each axis,
//! y[i] = (1 − w)·x[a] + w·x[b], with a = ⌊(i + ½)/s − ½⌋, b = a + 1 and w the rest, both within the axis.
//! dx[a] += (1 − w)·dy[i], dx[b] += w·dy[i].

use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The factors along both axes, and the shape of the input.
#[derive(Debug, Clone)]
pub(super) struct Bilinear {
    size: [usize; 2],
    input: [usize; 2],
    channels: usize,
}

/// The two cells between which an output lies, and the share of the second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Between {
    pub(crate) first: usize,
    pub(crate) second: usize,
    /// The share of the second cell, in units of `1 / (2·size)`.
    pub(crate) share: usize,
}

/// Returns where the outputs of an axis of this length lie.
pub(crate) fn between(size: usize, len: usize) -> impl Iterator<Item = Between> {
    // In units of 1/(2·size), output i lies at 2·i + 1 − size from the centre of the first cell.
    let outer = (0..size / 2).map(|_| Between { first: 0, second: 0, share: 0 });
    let inner = (0..len).flat_map(move |first| {
        let second = (first + 1).min(len - 1);
        (1 - size % 2..2 * size).step_by(2).map(move |share| Between { first, second, share })
    });
    outer.chain(inner).take(size * len)
}

impl Bilinear {
    /// Prepares for images of this shape.
    pub(super) fn new(size: [usize; 2], input: &[usize]) -> Self {
        Bilinear { size, input: [input[0], input[1]], channels: input[2] }
    }

    /// The outputs along an axis: the two cells, and their shares.
    #[inline(always)]
    fn between<F: Scalar>(&self, axis: usize) -> impl Iterator<Item = ([usize; 2], [F; 2])> {
        let unit = F::of(2.0 * self.size[axis] as f64);
        between(self.size[axis], self.input[axis]).map(move |Between { first, second, share }| {
            let second_share = F::of(share as f64) / unit;
            ([first, second], [F::one() - second_share, second_share])
        })
    }

    pub(super) fn forward<F: Scalar>(&self, x: Batch<F>, mut y: BatchMut<F>) {
        let (width, channels, line) = (y.width(), self.channels, self.input[1] * self.channels);
        kernel::samples(x.rows(), block(width), [(y.data(), width)], &|range, [y]| {
            kernel::with_memory(line, |between| {
                kernel::simd!(|| {
                    for (place, sample) in range.enumerate() {
                        let x = x.row(sample);
                        let rows = y[place * width..][..width].chunks_exact_mut(line * self.size[1]);
                        for (y, (cells, shares)) in rows.zip(self.between::<F>(0)) {
                            mix(between, cells.map(|row| &x[row * line..][..line]), shares);
                            for (y, (cells, shares)) in
                                y.chunks_exact_mut(channels.max(1)).zip(self.between::<F>(1))
                            {
                                mix(y, cells.map(|cell| &between[cell * channels..][..channels]), shares);
                            }
                        }
                    }
                });
            });
        });
    }

    pub(super) fn backward<F: Scalar>(&self, dy: Batch<F>, mut dx: BatchMut<F>) {
        let (width, channels, line) = (dx.width(), self.channels, self.input[1] * self.channels);
        let rows = dx.rows();
        kernel::samples(rows, block(dy.width()), [(dx.data(), width)], &|range, [dx]| {
            kernel::with_memory(line, |between| {
                kernel::simd!(|| {
                    dx.fill(F::zero());
                    for (place, sample) in range.enumerate() {
                        let dx = &mut dx[place * width..][..width];
                        let rows = kernel::rows_of(dy.row(sample), line * self.size[1]);
                        for (dy, (cells, shares)) in rows.zip(self.between::<F>(0)) {
                            between.fill(F::zero());
                            for (dy, (cells, shares)) in
                                kernel::rows_of(dy, channels).zip(self.between::<F>(1))
                            {
                                for (cell, share) in cells.into_iter().zip(shares) {
                                    add(&mut between[cell * channels..][..channels], dy, share);
                                }
                            }
                            for (row, share) in cells.into_iter().zip(shares) {
                                add(&mut dx[row * line..][..line], between, share);
                            }
                        }
                    }
                });
            });
        });
    }
}

/// The number of samples per thread block.
fn block(width: usize) -> usize {
    (1_usize << 14).div_ceil(width.max(1))
}

/// `to = a·s + b·t`
#[inline(always)]
fn mix<F: Scalar>(to: &mut [F], [a, b]: [&[F]; 2], [s, t]: [F; 2]) {
    to.iter_mut().zip(a).zip(b).for_each(|((to, &a), &b)| *to = a * s + b * t);
}

/// `to += from·share`
#[inline(always)]
fn add<F: Scalar>(to: &mut [F], from: &[F], share: F) {
    to.iter_mut().zip(from).for_each(|(to, &from)| *to += from * share);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn outputs_lie_between_the_centres_of_cells() {
        for size in 1..6 {
            for len in 1..5 {
                let found: Vec<Between> = between(size, len).collect();
                assert_eq!(found.len(), size * len);
                for (i, &Between { first, second, share }) in found.iter().enumerate() {
                    let at = ((i as f64 + 0.5) / size as f64 - 0.5).clamp(0.0, (len - 1) as f64);
                    let share = share as f64 / (2 * size) as f64;
                    let here = first as f64 * (1.0 - share) + second as f64 * share;
                    assert!((here - at).abs() < 1e-12, "{size} {len}: {i} at {here}, not {at}");
                }
            }
        }
    }
}
