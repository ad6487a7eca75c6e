//! Rows that are normalized by their own statistics: y = γ·x̂ + β, with x̂ = (x − μ)/√(v + ε), or x̂ = x/√(mean(x²) + ε).
//! dβ = Σ dy, dγ = Σ dy·x̂, and with g = dy·γ: dx = (g − mean g − x̂·mean(g·x̂)) / √(v + ε), without mean g if μ is left out.

use crate::kernel;
use crate::layer::{BackwardContext, Memory, Part, PartMut};
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// What is subtracted from a row before it is scaled.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Center {
    Mean,
    Nothing,
}

/// The parameters of the normalization of rows.
#[derive(Debug, Clone)]
pub(super) struct Rows<F> {
    gamma: Option<Param<F>>,
    beta: Option<Param<F>>,
    center: Center,
    /// The sums of dγ, of parts of the rows.
    sums: Vec<F>,
}

impl<F> Rows<F> {
    /// The normalization with these parameters.
    pub(super) fn new(center: Center, gamma: Option<Param<F>>, beta: Option<Param<F>>) -> Self {
        Rows { gamma, beta, center, sums: Vec::new() }
    }
}

/// μ and 1/√(v + ε) of one vector; μ is 0 if nothing is subtracted.
#[inline(always)]
fn statistics<F: Scalar>(x: &[F], center: Center, epsilon: F) -> (F, F) {
    let count = F::of(x.len() as f64);
    let mean = match center {
        Center::Mean => kernel::sum(x, x, |x, _| x) / count,
        Center::Nothing => F::zero(),
    };
    let variance = kernel::sum(x, x, |x, _| (x - mean) * (x - mean)) / count;
    (mean, F::one() / (variance + epsilon).sqrt())
}

/// The rows of this width that a thread processes at a time.
fn block(width: usize) -> usize {
    (1_usize << 11).div_ceil(width.max(1))
}

/// y of one vector.
#[inline(always)]
fn normalize<F: Scalar>(x: &[F], y: &mut [F], [gamma, beta]: [Option<&[F]>; 2], (mean, inverse): (F, F)) {
    y.iter_mut().zip(x).for_each(|(y, &x)| *y = (x - mean) * inverse);
    if let Some(gamma) = gamma {
        y.iter_mut().zip(gamma).for_each(|(y, &gamma)| *y *= gamma);
    }
    if let Some(beta) = beta {
        y.iter_mut().zip(beta).for_each(|(y, &beta)| *y += beta);
    }
}

/// dx of one vector with these μ and 1/√(v + ε).
#[inline(always)]
fn propagate<F: Scalar>(
    x: &[F],
    dy: &[F],
    dx: &mut [F],
    gamma: Option<&[F]>,
    [mean, inverse]: [F; 2],
    center: Center,
) {
    let share = F::one() / F::of(x.len() as f64);
    dx.iter_mut().zip(dy).for_each(|(g, &dy)| *g = dy);
    if let Some(gamma) = gamma {
        dx.iter_mut().zip(gamma).for_each(|(g, &gamma)| *g *= gamma);
    }
    let mean_g = match center {
        Center::Mean => kernel::sum(dx, x, |g, _| g) * share,
        Center::Nothing => F::zero(),
    };
    let mean_gx = kernel::sum(dx, x, |g, x| g * ((x - mean) * inverse)) * share;
    let numbers = dx.iter_mut().zip(x);
    numbers.for_each(|(g, &x)| *g = (*g - mean_g - (x - mean) * inverse * mean_gx) * inverse);
}

impl<F: Scalar> Rows<F> {
    /// Normalizes the rows of `x`.
    pub(super) fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, epsilon: F) {
        let (width, center) = (x.width(), self.center);
        let line = [&self.gamma, &self.beta].map(|param| param.as_ref().map(Param::value));
        kernel::samples(x.rows(), block(width), [(y.data(), width)], &|range, [y]| {
            kernel::simd!(|| {
                for (place, row) in range.enumerate() {
                    let (x, y) = (x.row(row), &mut y[place * width..][..width]);
                    normalize(x, y, line, statistics(x, center, epsilon));
                }
            });
        });
    }

    /// Writes the gradients of the parameters and of the rows.
    pub(super) fn backward(&mut self, context: BackwardContext<F>, epsilon: F) {
        let (x, dy, width, center) = (context.x, context.dy.as_batch(), context.x.width(), self.center);
        let (of_rows, _) = context.scratch.take(2 * x.rows());
        kernel::samples(x.rows(), block(width), [(&mut *of_rows, 2)], &|range, [of_rows]| {
            kernel::simd!(|| {
                for (place, row) in range.enumerate() {
                    (of_rows[2 * place], of_rows[2 * place + 1]) = statistics(x.row(row), center, epsilon);
                }
            });
        });
        let of_rows = &*of_rows;
        self.parameter_gradients(x, dy, of_rows);
        let Some(mut dx) = context.dx else { return };
        let gamma = self.gamma.as_ref().map(Param::value);
        kernel::samples(x.rows(), block(width), [(dx.data(), width)], &|range, [dx]| {
            kernel::simd!(|| {
                for (place, row) in range.enumerate() {
                    let dx = &mut dx[place * width..][..width];
                    let of_row = [of_rows[2 * row], of_rows[2 * row + 1]];
                    propagate(x.row(row), dy.row(row), dx, gamma, of_row, center);
                }
            });
        });
    }

    /// dβ and dγ, from μ and 1/√(v + ε) of each row.
    fn parameter_gradients(&mut self, x: Batch<F>, dy: Batch<F>, of_rows: &[F]) {
        if let Some(beta) = &mut self.beta {
            kernel::sum_rows(dy, beta.grad_mut());
        }
        let Some(gamma) = &mut self.gamma else { return };
        kernel::sum_over(x.rows(), &mut self.sums, gamma.grad_mut(), &|rows, sums| {
            kernel::simd!(|| {
                for row in rows {
                    let (mean, inverse) = (of_rows[2 * row], of_rows[2 * row + 1]);
                    let terms = sums.iter_mut().zip(x.row(row)).zip(dy.row(row));
                    terms.for_each(|((sum, &x), &dy)| *sum += dy * ((x - mean) * inverse));
                }
            });
        });
    }

    pub(super) fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.gamma.iter().chain(&self.beta).map(Part::Param).for_each(f);
    }

    pub(super) fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        self.gamma.iter_mut().chain(&mut self.beta).map(PartMut::Param).for_each(f);
    }

    /// The memory of the sums.
    pub(super) fn memory(&self) -> Memory {
        Memory::fixed(2 * kernel::PARTS * self.gamma.as_ref().map_or(0, Param::len))
    }
}
