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
    /// The inputs of each step, copy after copy. At the end of a backward pass the layer writes their gradients here.
    pub(super) inputs: &'a mut [F],
    /// x·K + b. The forward pass of the cell adds the recurrent sums, its backward pass writes the gradients here.
    pub(super) input_sums: &'a mut [F],
    /// The gates, after their activations.
    gates: &'a mut [F],
    /// h·R + b'. The backward pass of the cell writes the gradients here.
    pub(super) recurrent_sums: &'a mut [F],
    /// The inputs of the recurrent product, copy after copy: the masked state before the step.
    pub(super) recurrent_inputs: &'a mut [F],
    /// One value per unit that the cell keeps for its backward pass.
    cache: &'a mut [F],
    /// The states: zeros, then the output of each step.
    pub(super) states: &'a mut [F],
    cell_states: &'a mut [F],
}

/// One time step of a sequence buffer.
#[derive(Debug)]
pub struct TimeStep<'a, F> {
    pub(super) activation: Activation,
    pub(super) units: usize,
    pub(super) input_sums: &'a mut [F],
    pub(super) gates: &'a mut [F],
    pub(super) recurrent_sums: &'a mut [F],
    /// One for each copy.
    pub(super) recurrent_inputs: [&'a mut [F]; MAX_GATES],
    pub(super) cache: &'a mut [F],
    /// The state before the step, and after it.
    pub(super) state: &'a [F],
    pub(super) next_state: &'a mut [F],
    pub(super) cell_state: &'a [F],
    pub(super) next_cell_state: &'a mut [F],
    /// Three numbers per unit and row.
    pub(super) scratch: &'a mut [F],
}

/// The gradients of the state in a backward pass.
#[derive(Debug)]
pub struct StateGrad<'a, F> {
    pub(super) state: &'a mut [F],
    pub(super) cell_state: &'a mut [F],
    /// The gradients of the inputs of the recurrent product, copy after copy, to be written.
    pub(super) recurrent_inputs: &'a mut [F],
}

/// The weights of the recurrent product.
#[derive(Debug)]
pub struct RecurrentWeights<'a, F> {
    /// R.
    pub(super) kernel: Batch<'a, F>,
    pub(super) bias: Option<&'a [F]>,
    /// R split by gate, if each gate reads its own state.
    pub(super) parts: Option<&'a [F]>,
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
        let part = |len| {
            let (part, left) = std::mem::take(&mut rest).split_at_mut(len);
            rest = left;
            part
        };
        let [inputs, input_sums, gates, recurrent_sums, recurrent_inputs, cache, states, cell_states] =
            size.parts().map(part);
        SequenceBuffer {
            size,
            inputs,
            input_sums,
            gates,
            recurrent_sums,
            recurrent_inputs,
            cache,
            states,
            cell_states,
        }
    }

    /// Copies the inputs, last step first if `backwards`, times the masks if there are any.
    pub(super) fn load(&mut self, x: Batch<F>, backwards: bool, masks: Option<&[F]>) {
        for (to, place) in self.inputs.chunks_exact_mut(self.size.inputs).zip(self.size.inputs(backwards)) {
            copy_masked(to, &x.row(place.row)[place.columns], masks.map(|masks| &masks[place.mask..]));
        }
    }

    /// The reverse of [`SequenceBuffer::load`], for the gradients of the inputs: those of all copies are added.
    pub(super) fn unload(&self, mut dx: BatchMut<F>, backwards: bool, masks: Option<&[F]>) {
        dx.data().fill(F::zero());
        for (from, place) in self.inputs.chunks_exact(self.size.inputs).zip(self.size.inputs(backwards)) {
            let dx = &mut dx.row_mut(place.row)[place.columns];
            add_masked(dx, from, masks.map(|masks| &masks[place.mask..]));
        }
    }

    /// Starts with states of 0.
    pub(super) fn start(&mut self) {
        let first = self.size.rows * self.size.units;
        self.states[..first].fill(F::zero());
        if self.size.has_cell_state {
            self.cell_states[..first].fill(F::zero());
        }
    }

    /// Writes the input of the recurrent product of this step: the state, times the masks if there are any.
    pub(super) fn mask_state(&mut self, step: usize, masks: Option<&[F]>) {
        let len = self.size.rows * self.size.units;
        let state = &self.states[step * len..][..len];
        let copies = self.recurrent_inputs.chunks_exact_mut((self.size.steps * len).max(1));
        for (copy, inputs) in copies.enumerate() {
            copy_masked(&mut inputs[step * len..][..len], state, masks.map(|masks| &masks[copy * len..]));
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
        let (states, next_states) = self.states.split_at_mut((step + 1) * len);
        let (cell_state, next_cell_state): (&[F], &mut [F]) = match has_cell_state {
            true => {
                let (states, next_states) = self.cell_states.split_at_mut((step + 1) * len);
                (&states[step * len..], &mut next_states[..len])
            }
            false => (&[], &mut []),
        };
        let mut copies = self.recurrent_inputs.chunks_exact_mut((steps * len).max(1));
        let recurrent_inputs =
            [(); MAX_GATES].map(|()| copies.next().map(|copy| &mut copy[step * len..][..len]));
        TimeStep {
            activation,
            units,
            input_sums: &mut self.input_sums[step * width..][..width],
            gates: &mut self.gates[step * width..][..width],
            recurrent_sums: &mut self.recurrent_sums[step * width..][..width],
            recurrent_inputs: recurrent_inputs.map(Option::unwrap_or_default),
            cache: &mut self.cache[step * len..][..len],
            state: &states[step * len..],
            next_state: &mut next_states[..len],
            cell_state,
            next_cell_state,
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
    /// Writes the recurrent sums, `h·R + b'`, of all gates, or only of these if each gate reads its own state.
    pub(super) fn product(&self, gates: Range<usize>, at: &mut TimeStep<F>) {
        let (u, width) = (self.kernel.rows(), self.kernel.width());
        let Some(parts) = self.parts else {
            let inputs = Batch::new(at.recurrent_inputs[0], u);
            return kernel::affine(inputs, self.kernel, self.bias, BatchMut::new(at.recurrent_sums, width));
        };
        let out = &mut at.scratch[..at.state.len()];
        for gate in gates {
            let bias = self.bias.map(|bias| &bias[gate * u..][..u]);
            let inputs = Batch::new(at.recurrent_inputs[gate], u);
            kernel::affine(inputs, part(parts, gate, u), bias, BatchMut::new(out, u));
            put(out, gate, u, BatchMut::new(at.recurrent_sums, width));
        }
    }

    /// Writes the gradients of the inputs, `dq·Rᵀ` with those of the recurrent sums, of all gates, or only of these if
    /// each gate reads its own state.
    pub(super) fn backward(&self, gates: Range<usize>, at: &mut TimeStep<F>, grad: &mut StateGrad<F>) {
        let (u, len) = (self.kernel.rows(), at.state.len());
        let dq = Batch::new(at.recurrent_sums, self.kernel.width());
        let Some(parts) = self.parts else {
            return kernel::affine_input(dq, self.kernel, BatchMut::new(grad.recurrent_inputs, u));
        };
        for gate in gates {
            let dq_of_gate = &mut at.scratch[..len];
            pick(dq, gate, u, dq_of_gate);
            let inputs = BatchMut::new(&mut grad.recurrent_inputs[gate * len..][..len], u);
            kernel::affine_input(Batch::new(dq_of_gate, u), part(parts, gate, u), inputs);
        }
    }
}

/// R of one gate.
fn part<F: Scalar>(parts: &[F], gate: usize, units: usize) -> Batch<'_, F> {
    let len = units * units;
    Batch::new(&parts[gate * len..][..len], units)
}
