//! The memory of a recurrent layer for a batch: all rows of each step, in the order in which steps are processed.

use std::ops::Range;

use super::by_gate::{pick, put};
use crate::activation::Activation;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The largest number of gates of a cell.
const MAX_GATES: usize = 4;

/// The sizes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) steps: usize,
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) gates: usize,
    pub(super) has_cell_state: bool,
    /// The number of copies of the inputs, and of the state, that the gates read: one for all, or one each.
    pub(super) input_copies: usize,
    pub(super) state_copies: usize,
}

/// The memory of a batch, split into its parts.
pub(super) struct SequenceBuffer<'a, F> {
    size: Size,
    /// The inputs of each step, copy after copy.
    pub(super) x: &'a mut [F],
    /// x·K + b, then the sums before the activations, then their gradients.
    pub(super) a: &'a mut [F],
    /// The gates, after their activations.
    gates: &'a mut [F],
    /// h·R + b', then its gradient.
    pub(super) q: &'a mut [F],
    /// The input of the recurrent product, copy after copy: the masked state before the step.
    pub(super) h_in: &'a mut [F],
    /// One value per unit that the cell keeps for its backward pass.
    cache: &'a mut [F],
    /// The states: zeros, then the output of each step.
    pub(super) h: &'a mut [F],
    c: &'a mut [F],
}

/// One time step of a sequence buffer.
#[derive(Debug)]
pub struct TimeStep<'a, F> {
    pub(super) activation: Activation,
    pub(super) units: usize,
    pub(super) a: &'a mut [F],
    pub(super) gates: &'a mut [F],
    pub(super) q: &'a mut [F],
    /// One for each copy.
    pub(super) h_in: [&'a mut [F]; MAX_GATES],
    pub(super) cache: &'a mut [F],
    /// The state before the step, and after it.
    pub(super) h: &'a [F],
    pub(super) h_next: &'a mut [F],
    pub(super) c: &'a [F],
    pub(super) c_next: &'a mut [F],
    /// Three numbers per unit and row.
    pub(super) scratch: &'a mut [F],
}

/// The gradients of the state in a backward pass.
#[derive(Debug)]
pub struct StateGrad<'a, F> {
    pub(super) dh: &'a mut [F],
    pub(super) dc: &'a mut [F],
    /// ∂ℓ/∂h_in, copy after copy, to be written.
    pub(super) dh_in: &'a mut [F],
}

/// The weights of the recurrent product.
#[derive(Debug)]
pub struct RecurrentWeights<'a, F> {
    /// R.
    pub(super) kernel: Batch<'a, F>,
    pub(super) bias: Option<&'a [F]>,
    /// R split by gate if each gate reads its own state; otherwise empty.
    pub(super) parts: &'a [F],
}

impl Size {
    /// The lengths of the parts, in order.
    fn parts(&self) -> [usize; 8] {
        let all = self.rows * self.steps;
        let states = self.rows * (self.steps + 1) * self.units;
        let gates = all * self.gates * self.units;
        let one = all * self.units;
        let cells = if self.has_cell_state { states } else { 0 };
        [
            all * self.inputs * self.input_copies,
            gates,
            gates,
            gates,
            one * self.state_copies,
            one,
            states,
            cells,
        ]
    }

    /// The length of the buffer.
    pub(super) fn len(&self) -> usize {
        self.parts().iter().sum()
    }

    /// The place of each input vector of the buffer, in order; the last step comes first if `backwards`.
    fn inputs(self, backwards: bool) -> impl Iterator<Item = InputPlace> {
        let Size { rows, steps, inputs, input_copies, .. } = self;
        (0..input_copies * steps * rows).map(move |i| {
            let (copy, step, row) = (i / (rows * steps), i / rows % steps, i % rows);
            let time = if backwards { steps - 1 - step } else { step };
            InputPlace {
                row,
                columns: time * inputs..(time + 1) * inputs,
                mask: (copy * rows + row) * inputs,
            }
        })
    }
}

/// Where an input vector stands in the batch, and where its mask starts.
struct InputPlace {
    row: usize,
    columns: Range<usize>,
    mask: usize,
}

impl<'a, F: Scalar> SequenceBuffer<'a, F> {
    /// Splits the memory, which must be large enough.
    pub(super) fn new(size: Size, memory: &'a mut [F]) -> Self {
        let mut rest = memory;
        let [x, a, gates, q, h_in, cache, h, c] = size.parts().map(|len| {
            let (part, left) = std::mem::take(&mut rest).split_at_mut(len);
            rest = left;
            part
        });
        SequenceBuffer { size, x, a, gates, q, h_in, cache, h, c }
    }

    /// Copies the inputs, last step first if `backwards`, times the masks if there are any.
    pub(super) fn load(&mut self, x: Batch<F>, backwards: bool, masks: Option<&[F]>) {
        for (to, place) in self.x.chunks_exact_mut(self.size.inputs).zip(self.size.inputs(backwards)) {
            copy_masked(to, &x.row(place.row)[place.columns], masks.map(|masks| &masks[place.mask..]));
        }
    }

    /// The reverse of [`SequenceBuffer::load`], for the gradients of the inputs: those of all copies are added.
    pub(super) fn unload(&self, mut dx: BatchMut<F>, backwards: bool, masks: Option<&[F]>) {
        dx.data().fill(F::zero());
        for (from, place) in self.x.chunks_exact(self.size.inputs).zip(self.size.inputs(backwards)) {
            let dx = &mut dx.row_mut(place.row)[place.columns];
            add_masked(dx, from, masks.map(|masks| &masks[place.mask..]));
        }
    }

    /// Starts with states of 0.
    pub(super) fn start(&mut self) {
        let first = self.size.rows * self.size.units;
        self.h[..first].fill(F::zero());
        if self.size.has_cell_state {
            self.c[..first].fill(F::zero());
        }
    }

    /// Writes the input of the recurrent product of this step: the state, times the masks if there are any.
    pub(super) fn mask_state(&mut self, step: usize, masks: Option<&[F]>) {
        let len = self.size.rows * self.size.units;
        let h = &self.h[step * len..][..len];
        for (copy, h_in) in self.h_in.chunks_exact_mut((self.size.steps * len).max(1)).enumerate() {
            copy_masked(&mut h_in[step * len..][..len], h, masks.map(|masks| &masks[copy * len..]));
        }
    }

    /// Returns one time step, with scratch memory for the cell.
    pub(super) fn time_step<'s>(
        &'s mut self,
        step: usize,
        activation: Activation,
        scratch: &'s mut [F],
    ) -> TimeStep<'s, F> {
        let Size { rows, steps, units, gates, has_cell_state, .. } = self.size;
        let (width, len) = (rows * units * gates, rows * units);
        let (h, h_next) = self.h.split_at_mut((step + 1) * len);
        let (c, c_next): (&[F], &mut [F]) = match has_cell_state {
            true => {
                let (c, c_next) = self.c.split_at_mut((step + 1) * len);
                (&c[step * len..], &mut c_next[..len])
            }
            false => (&[], &mut []),
        };
        let mut copies = self.h_in.chunks_exact_mut((steps * len).max(1));
        let h_in = [(); MAX_GATES].map(|()| copies.next().map(|copy| &mut copy[step * len..][..len]));
        TimeStep {
            activation,
            units,
            a: &mut self.a[step * width..][..width],
            gates: &mut self.gates[step * width..][..width],
            q: &mut self.q[step * width..][..width],
            h_in: h_in.map(Option::unwrap_or_default),
            cache: &mut self.cache[step * len..][..len],
            h: &h[step * len..],
            h_next: &mut h_next[..len],
            c,
            c_next,
            scratch,
        }
    }
}

/// `to = from`, or `from ⊙ mask`; the mask may be longer.
fn copy_masked<F: Scalar>(to: &mut [F], from: &[F], mask: Option<&[F]>) {
    match mask {
        None => to.copy_from_slice(from),
        Some(mask) => to.iter_mut().zip(from).zip(mask).for_each(|((to, x), m)| *to = *x * *m),
    }
}

/// `to += from`, or `from ⊙ mask`; the mask may be longer.
pub(super) fn add_masked<F: Scalar>(to: &mut [F], from: &[F], mask: Option<&[F]>) {
    match mask {
        None => to.iter_mut().zip(from).for_each(|(to, x)| *to += *x),
        Some(mask) => to.iter_mut().zip(from).zip(mask).for_each(|((to, x), m)| *to += *x * *m),
    }
}

impl<F: Scalar> RecurrentWeights<'_, F> {
    /// `q = h_in·R + b'`, for all gates, or only these if each gate reads its own state.
    pub(super) fn product(&self, gates: Range<usize>, at: &mut TimeStep<F>) {
        let (u, width) = (self.kernel.rows(), self.kernel.width());
        if self.parts.is_empty() {
            let (h_in, q) = (Batch::new(at.h_in[0], u), BatchMut::new(at.q, width));
            return kernel::affine(h_in, self.kernel, self.bias, q);
        }
        let out = &mut at.scratch[..at.h.len()];
        for gate in gates {
            let bias = self.bias.map(|bias| &bias[gate * u..][..u]);
            kernel::affine(Batch::new(at.h_in[gate], u), self.part(gate), bias, BatchMut::new(out, u));
            put(out, gate, u, BatchMut::new(at.q, width));
        }
    }

    /// `dh_in = dq·Rᵀ`, for all gates, or only these if each gate reads its own state.
    pub(super) fn backward(&self, gates: Range<usize>, at: &mut TimeStep<F>, grad: &mut StateGrad<F>) {
        let (u, len) = (self.kernel.rows(), at.h.len());
        let dq = Batch::new(at.q, self.kernel.width());
        if self.parts.is_empty() {
            return kernel::affine_input(dq, self.kernel, BatchMut::new(grad.dh_in, u));
        }
        for gate in gates {
            let dq_of_gate = &mut at.scratch[..len];
            pick(dq, gate, u, dq_of_gate);
            let dh_in = BatchMut::new(&mut grad.dh_in[gate * len..][..len], u);
            kernel::affine_input(Batch::new(dq_of_gate, u), self.part(gate), dh_in);
        }
    }

    /// R of one gate.
    fn part(&self, gate: usize) -> Batch<'_, F> {
        let u = self.kernel.rows();
        Batch::new(&self.parts[gate * u * u..][..u * u], u)
    }
}
