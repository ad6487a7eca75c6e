//! Strided copies between boxes: y[to + Σ iₐ·toₐ] = x[from + Σ iₐ·fromₐ] over all indices i of the axes a, and 0
//! elsewhere. dx sums dy over the places to which each number was copied. Memory does not grow with the size of the
//! box.

use crate::error::{Error, Result};
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// An axis of the box: its length, and its strides in the source and the destination.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axis {
    pub(super) len: usize,
    pub(super) from: usize,
    pub(super) to: usize,
}

/// A run along the last axis: its first positions, and the axis.
#[derive(Debug, Clone, Copy)]
pub(super) struct Run {
    pub(super) from: usize,
    pub(super) to: usize,
    pub(super) axis: Axis,
}

/// The copies of a sample.
#[derive(Debug, Clone, Default)]
pub(super) struct StridedCopy {
    axes: Vec<Axis>,
    from: usize,
    to: usize,
}

/// Runs below this length are short.
const SHORT: usize = 16;

/// Returns the strides of a contiguous shape.
pub(super) fn strides(shape: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; shape.len()];
    for axis in (1..shape.len()).rev() {
        strides[axis - 1] = strides[axis] * shape[axis];
    }
    strides
}

/// Refuses a sample with more numbers than any machine would compute.
pub(super) fn check_size(output: &[usize]) -> Result<()> {
    match crate::tensor::elements::<u64>(output)? > u32::MAX as usize {
        true => Err(Error::TooLarge { shape: output.to_vec() }),
        false => Ok(()),
    }
}

impl StridedCopy {
    /// Creates the copies over a box of these sizes, with the strides in source and destination, in the order of the
    /// destination.
    pub(super) fn new(sizes: &[usize], from: &[usize], to: &[usize]) -> Self {
        let mut axes: Vec<Axis> = Vec::new();
        for ((&len, &from), &to) in sizes.iter().zip(from).zip(to).filter(|((len, _), _)| **len != 1) {
            match axes.last_mut() {
                // Merge two axes that are contiguous in source and destination.
                Some(outer) if outer.from == len * from && outer.to == len * to => {
                    *outer = Axis { len: outer.len * len, from, to };
                }
                _ => axes.push(Axis { len, from, to }),
            }
        }
        // A short last axis makes many short runs, so the longest axis takes its place. Sums keep their order, since
        // a number is copied to several positions along one axis only, or that axis stays last.
        if axes.last().is_some_and(|last| last.len < SHORT) {
            let several = axes.iter().filter(|axis| axis.from == 0).count() > 1;
            let free = (0..axes.len()).filter(|&place| !several || axes[place].from != 0);
            if let Some(longest) = free.max_by_key(|&place| axes[place].len) {
                let axis = axes.remove(longest);
                axes.push(axis);
            }
        }
        StridedCopy { axes, from: 0, to: 0 }
    }

    /// Starts at this place of the source instead of 0.
    pub(super) fn starting_from(self, from: usize) -> Self {
        StridedCopy { from, ..self }
    }

    /// Starts at this place of the destination instead of 0.
    pub(super) fn starting_to(self, to: usize) -> Self {
        StridedCopy { to, ..self }
    }

    /// Calls `f` with each run; positions that take the same number from the source come in order.
    pub(super) fn each(&self, f: &mut impl FnMut(Run)) {
        walk(&self.axes, self.from, self.to, f);
    }

    pub(super) fn forward<F: Scalar>(&self, x: Batch<F>, mut y: BatchMut<F>) {
        let (width, block) = (y.width(), block(y.width()));
        let moved: usize = self.axes.iter().map(|axis| axis.len).product();
        kernel::samples(x.rows(), block, [(y.data(), width)], &|range, [y]| {
            for (sample, y) in range.zip(y.chunks_exact_mut(width)) {
                let x = x.row(sample);
                if moved != width {
                    y.fill(F::zero());
                }
                self.each(&mut |run| run.copy(x, y));
            }
        });
    }

    pub(super) fn backward<F: Scalar>(&self, dy: Batch<F>, dx: Option<BatchMut<F>>) {
        let Some(mut dx) = dx else { return };
        let (rows, width) = (dx.rows(), dx.width());
        kernel::samples(rows, block(dy.width()), [(dx.data(), width)], &|range, [dx]| {
            dx.fill(F::zero());
            for (sample, dx) in range.zip(dx.chunks_exact_mut(width)) {
                let dy = dy.row(sample);
                self.each(&mut |run| run.add(dy, dx));
            }
        });
    }
}

fn walk(axes: &[Axis], from: usize, to: usize, f: &mut impl FnMut(Run)) {
    match axes {
        [] => f(Run { from, to, axis: Axis { len: 1, from: 1, to: 1 } }),
        &[axis] => f(Run { from, to, axis }),
        [outer, inner @ ..] => {
            (0..outer.len).for_each(|i| walk(inner, from + i * outer.from, to + i * outer.to, f));
        }
    }
}

impl Run {
    /// The source and destination positions, one by one.
    pub(super) fn places(self) -> impl Iterator<Item = (usize, usize)> {
        (0..self.axis.len).map(move |i| (self.from + i * self.axis.from, self.to + i * self.axis.to))
    }

    fn copy<F: Scalar>(self, x: &[F], y: &mut [F]) {
        let Run { from, to, axis: Axis { len, from: step, to: 1 } } = self else {
            return self.places().for_each(|(from, to)| y[to] = x[from]);
        };
        let y = &mut y[to..][..len];
        match step {
            0 => y.fill(x[from]),
            // Moving a few numbers takes less time than calling a copy.
            1 => y.iter_mut().zip(&x[from..][..len]).for_each(|(y, x)| *y = *x),
            _ => y.iter_mut().zip(x[from..].iter().step_by(step)).for_each(|(y, x)| *y = *x),
        }
    }

    fn add<F: Scalar>(self, dy: &[F], dx: &mut [F]) {
        let Run { from, to, axis: Axis { len, from: 1, to: 1 } } = self else {
            return self.places().for_each(|(from, to)| dx[from] += dy[to]);
        };
        dx[from..][..len].iter_mut().zip(&dy[to..][..len]).for_each(|(dx, dy)| *dx += *dy);
    }
}

/// The number of samples per thread block.
fn block(width: usize) -> usize {
    (1_usize << 14).div_ceil(width.max(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn axes_that_are_contiguous_on_both_sides_are_merged() {
        let copy = StridedCopy::new(&[4, 1, 3], &[3, 3, 1], &[3, 3, 1]);
        assert_eq!(copy.axes, [Axis { len: 12, from: 1, to: 1 }]);
        let turned = StridedCopy::new(&[3, 4], &[1, 3], &[4, 1]);
        assert_eq!(turned.axes, [Axis { len: 3, from: 1, to: 4 }, Axis { len: 4, from: 3, to: 1 }]);
        assert_eq!(strides(&[2, 3, 4]), [12, 4, 1]);
    }
}
