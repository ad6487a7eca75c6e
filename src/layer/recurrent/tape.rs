//! What a recurrent layer remembers of a batch: for every step, in the order in which the steps are processed, all rows.

use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// How large a batch is.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) steps: usize,
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) gates: usize,
    pub(super) cells: bool,
}

/// The memory of a batch, cut in its parts.
pub(super) struct Tape<'a, F> {
    size: Size,
    /// The inputs of each step.
    pub(super) x: &'a mut [F],
    /// x·K + b, then the sums before the activations, then their gradients.
    pub(super) a: &'a mut [F],
    /// The gates, after their activations.
    gates: &'a mut [F],
    /// h·R + b', then its gradient.
    pub(super) q: &'a mut [F],
    /// What the recurrent product reads: the state before the step, masked.
    pub(super) read: &'a mut [F],
    /// A number of the cell's own for each unit.
    pub(super) own: &'a mut [F],
    /// The states: zeros, then the output of each step.
    pub(super) h: &'a mut [F],
    c: &'a mut [F],
}

/// One step of a tape.
#[allow(missing_docs, missing_debug_implementations)]
pub struct Moment<'a, F> {
    pub(super) units: usize,
    pub(super) a: &'a mut [F],
    pub(super) gates: &'a mut [F],
    pub(super) q: &'a mut [F],
    pub(super) read: &'a [F],
    pub(super) own: &'a mut [F],
    /// The state before the step, and after it.
    pub(super) h: &'a [F],
    pub(super) next: &'a mut [F],
    pub(super) c: &'a [F],
    pub(super) next_c: &'a mut [F],
    /// ∂ℓ/∂h, and ∂ℓ/∂c; empty on the way forward.
    pub(super) dh: &'a mut [F],
    pub(super) dc: &'a mut [F],
    /// ∂ℓ/∂read, to be written.
    pub(super) dread: &'a mut [F],
}

/// The weights of the recurrent product.
#[allow(missing_docs, missing_debug_implementations)]
pub struct Weights<'a, F> {
    /// R.
    pub(super) kernel: Batch<'a, F>,
    pub(super) bias: Option<&'a [F]>,
    /// Columns of R picked out, where a cell asks for them: those before the last gate, and those of it.
    pub(super) parts: (&'a [F], &'a [F]),
}

impl Size {
    /// The lengths of the parts, in order.
    fn parts(&self) -> [usize; 8] {
        let all = self.rows * self.steps;
        let states = self.rows * (self.steps + 1) * self.units;
        let wide = all * self.gates * self.units;
        let one = all * self.units;
        [all * self.inputs, wide, wide, wide, one, one, states, if self.cells { states } else { 0 }]
    }

    /// How many numbers a tape has.
    pub(super) fn len(&self) -> usize {
        self.parts().iter().sum()
    }
}

impl<'a, F: Scalar> Tape<'a, F> {
    /// Cuts the memory, which has room for it.
    pub(super) fn new(size: Size, memory: &'a mut [F]) -> Self {
        let mut rest = memory;
        let parts = size.parts().map(|len| {
            let (part, left) = std::mem::take(&mut rest).split_at_mut(len);
            rest = left;
            part
        });
        let [x, a, gates, q, read, own, h, c] = parts;
        Tape { size, x, a, gates, q, read, own, h, c }
    }

    /// Copies the inputs to the tape, last step first where `backwards`, and times the mask where there is one.
    pub(super) fn load(&mut self, x: Batch<F>, backwards: bool, mask: Option<&[F]>) {
        let Size { rows, steps, inputs, .. } = self.size;
        for (step, to) in self.x.chunks_exact_mut((rows * inputs).max(1)).enumerate() {
            let time = if backwards { steps - 1 - step } else { step };
            for (row, to) in to.chunks_exact_mut(inputs).enumerate() {
                let from = &x.row(row)[time * inputs..][..inputs];
                match mask {
                    None => to.copy_from_slice(from),
                    Some(mask) => {
                        let mask = &mask[row * inputs..][..inputs];
                        to.iter_mut().zip(from).zip(mask).for_each(|((to, x), m)| *to = *x * *m);
                    }
                }
            }
        }
    }

    /// Starts with states of 0.
    pub(super) fn start(&mut self) {
        let first = self.size.rows * self.size.units;
        self.h[..first].fill(F::zero());
        if self.size.cells {
            self.c[..first].fill(F::zero());
        }
    }

    /// Makes what the recurrent product of this step reads: the state, times the mask where there is one.
    pub(super) fn mask_state(&mut self, step: usize, mask: Option<&[F]>) {
        let len = self.size.rows * self.size.units;
        let (read, h) = (&mut self.read[step * len..][..len], &self.h[step * len..][..len]);
        match mask {
            None => read.copy_from_slice(h),
            Some(mask) => read.iter_mut().zip(h).zip(mask).for_each(|((read, h), m)| *read = *h * *m),
        }
    }

    /// One step, to go forward, or with gradients to go backward.
    pub(super) fn moment<'m>(&'m mut self, step: usize, [dh, dc, dread]: [&'m mut [F]; 3]) -> Moment<'m, F> {
        let Size { rows, units, gates, cells, .. } = self.size;
        let (wide, len) = (rows * units * gates, rows * units);
        let (before, after) = self.h.split_at_mut((step + 1) * len);
        let (c, next_c) =
            if cells { self.c.split_at_mut((step + 1) * len) } else { (&mut [][..], &mut [][..]) };
        let take = |c: usize| if cells { c } else { 0 };
        Moment {
            units,
            a: &mut self.a[step * wide..][..wide],
            gates: &mut self.gates[step * wide..][..wide],
            q: &mut self.q[step * wide..][..wide],
            read: &self.read[step * len..][..len],
            own: &mut self.own[step * len..][..len],
            h: &before[step * len..],
            next: &mut after[..len],
            c: &c[take(step * len)..],
            next_c: &mut next_c[..take(len)],
            dh,
            dc,
            dread,
        }
    }
}

impl<F: Scalar> Weights<'_, F> {
    /// `q = read·R + b'`, for all gates.
    pub(super) fn product(&self, read: &[F], q: &mut [F]) {
        let (units, width) = (self.kernel.rows(), self.kernel.width());
        kernel::affine(Batch::new(read, units), self.kernel, self.bias, BatchMut::new(q, width));
    }

    /// `dread = dq·Rᵀ`.
    pub(super) fn back(&self, dq: &[F], dread: &mut [F]) {
        let (units, width) = (self.kernel.rows(), self.kernel.width());
        kernel::affine_input(Batch::new(dq, width), self.kernel, BatchMut::new(dread, units));
    }
}
