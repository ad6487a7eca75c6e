//! The memory of a recurrent layer for a block of rows: all rows of each step, in the order in which steps are processed.

use std::ops::Range;

use super::weights::Weights;
use crate::activation::Activation;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The largest number of gates of a cell.
const MAX_GATES: usize = 4;

/// The number of recurrent weights that stay in the cache.
const NEAR: usize = 1 << 18;

/// The sizes of a block.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) steps: usize,
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) gates: usize,
    pub(super) has_cell_state: bool,
    /// Whether the recurrent product of the last gate is separate.
    pub(super) separates_last: bool,
    /// Whether the values before the activations are kept.
    pub(super) keeps_sums: bool,
    /// The number of copies of the inputs that the gates read: one for all, or one each.
    pub(super) input_copies: usize,
    /// The same for the state: none if the gates read the state itself, or one each.
    pub(super) state_copies: usize,
}

/// The memory of a block, split into its parts.
pub(super) struct SequenceBuffer<'a, F> {
    pub(super) size: Size,
    /// The inputs of each step, copy after copy. At the end of a backward pass the layer writes their gradients here.
    inputs: &'a mut [F],
    /// x·K + b of each gate and step, to which the cell adds the recurrent product; then the values after the activations.
    /// The backward pass of the cell writes the gradients of the sums here.
    gates: &'a mut [F],
    /// The sums before the activations, if kept.
    sums: &'a mut [F],
    /// The inputs of the recurrent product, copy after copy: the masked state before the step.
    recurrent_inputs: &'a mut [F],
    /// One value per unit that the cell keeps for its backward pass.
    cache: &'a mut [F],
    /// The states: zeros, then the output of each step.
    states: &'a mut [F],
    cell_states: &'a mut [F],
}

/// One time step of a sequence buffer. Each slice has a number per row and unit.
#[derive(Debug)]
pub struct TimeStep<'a, F> {
    pub(super) activation: Activation,
    pub(super) gates: [&'a mut [F]; MAX_GATES],
    sums: [&'a mut [F]; MAX_GATES],
    /// The inputs of the recurrent product of each gate; empty if they are the state.
    pub(super) recurrent_inputs: [&'a mut [F]; MAX_GATES],
    pub(super) cache: &'a mut [F],
    /// The state before the step, and after it.
    pub(super) state: &'a [F],
    pub(super) next_state: &'a mut [F],
    pub(super) cell_state: &'a [F],
    pub(super) next_cell_state: &'a mut [F],
    pub(super) units: usize,
}

/// The gradients of the state in a backward pass.
#[derive(Debug)]
pub struct StateGrad<'a, F> {
    pub(super) state: &'a mut [F],
    pub(super) cell_state: &'a mut [F],
    /// The masks of the state, copy after copy.
    pub(super) masks: Option<&'a [F]>,
    /// Memory for the cell, with a number per row and unit; the last is for the products.
    pub(super) scratch: [&'a mut [F]; 4],
}

impl Size {
    /// The lengths of the parts per row, in order.
    fn parts(&self) -> [usize; 7] {
        let one = self.steps * self.units;
        let states = one + self.units;
        [
            self.steps * self.inputs * self.input_copies,
            one * self.gates,
            if self.keeps_sums { one * self.gates } else { 0 },
            one * self.state_copies,
            one,
            states,
            if self.has_cell_state { states } else { 0 },
        ]
    }

    /// The length of the buffer per row.
    pub(super) fn per_row(&self) -> usize {
        self.parts().iter().sum()
    }

    /// The rows whose steps run on one thread. The recurrent weights are read again at every step: if they do not stay in
    /// the cache, by many rows at a time.
    pub(super) fn block(&self) -> usize {
        if self.gates * self.units * self.units <= NEAR { 8 } else { 256 }
    }

    /// The numbers of a step, and of all steps.
    fn lens(&self) -> (usize, usize) {
        (self.rows * self.units, self.rows * self.units * self.steps)
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

/// Where an input vector stands in the block, and where its mask starts.
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
            let (part, left) = std::mem::take(&mut rest).split_at_mut(size.rows * len);
            rest = left;
            part
        };
        let [inputs, gates, sums, recurrent_inputs, cache, states, cell_states] = size.parts().map(part);
        SequenceBuffer { size, inputs, gates, sums, recurrent_inputs, cache, states, cell_states }
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

    /// Starts with x·K + b of all steps and with these states, each row after the other, or with 0 if there are none.
    pub(super) fn start(&mut self, weights: &Weights<F>, initial: &[F]) {
        let Size { units: u, inputs, .. } = self.size;
        let (first, all) = self.size.lens();
        for (gate, sums) in self.gates.chunks_exact_mut(all).enumerate() {
            let x = Batch::new(copy(self.inputs, self.size.input_copies, gate), inputs);
            let bias = weights.bias.map(|bias| &bias[gate * u..][..u]);
            kernel::affine(x, weights.kernel(gate, inputs), bias, BatchMut::new(sums, u));
        }
        let own = if self.size.has_cell_state { first } else { 0 };
        let (states, cell_states) = (&mut self.states[..first], &mut self.cell_states[..own]);
        states.fill(F::zero());
        cell_states.fill(F::zero());
        let width = if own == 0 { u } else { 2 * u };
        for (row, initial) in initial.chunks_exact(width).enumerate() {
            let (state, cell_state) = initial.split_at(u);
            states[row * u..][..u].copy_from_slice(state);
            if !cell_state.is_empty() {
                cell_states[row * u..][..u].copy_from_slice(cell_state);
            }
        }
    }

    /// Writes the states after the last step as [`SequenceBuffer::start`] takes them, unless `to` is empty.
    pub(super) fn write_last_states(&self, to: &mut [F]) {
        let (u, last) = (self.size.units, self.size.lens().1);
        let width = if self.size.has_cell_state { 2 * u } else { u };
        for (row, to) in to.chunks_exact_mut(width).enumerate() {
            let (state, cell_state) = to.split_at_mut(u);
            state.copy_from_slice(&self.states[last + row * u..][..u]);
            if !cell_state.is_empty() {
                cell_state.copy_from_slice(&self.cell_states[last + row * u..][..u]);
            }
        }
    }

    /// Writes the input of the recurrent product of this step: the state, times the masks if there are any.
    pub(super) fn mask_state(&mut self, step: usize, masks: Option<&[F]>) {
        let (len, all) = self.size.lens();
        let state = &self.states[step * len..][..len];
        for (copy, inputs) in self.recurrent_inputs.chunks_exact_mut(all).enumerate() {
            copy_masked(&mut inputs[step * len..][..len], state, masks.map(|masks| &masks[copy * len..]));
        }
    }

    /// Returns one time step.
    pub(super) fn time_step(&mut self, step: usize, activation: Activation) -> TimeStep<'_, F> {
        let Size { units, has_cell_state, .. } = self.size;
        let (len, all) = self.size.lens();
        let place = step * len..(step + 1) * len;
        let (state, next_state) = states_around(self.states, &place);
        let (cell_state, next_cell_state) = match has_cell_state {
            true => states_around(self.cell_states, &place),
            false => Default::default(),
        };
        TimeStep {
            activation,
            gates: by_gate(self.gates, all, &place),
            sums: by_gate(self.sums, all, &place),
            recurrent_inputs: by_gate(self.recurrent_inputs, all, &place),
            cache: &mut self.cache[place],
            state,
            next_state,
            cell_state,
            next_cell_state,
            units,
        }
    }

    /// Undoes a step of a row: the states after it are those before.
    pub(super) fn keep_state(&mut self, step: usize, row: usize) {
        let (len, u) = (self.size.lens().0, self.size.units);
        let before = step * len + row * u;
        self.states.copy_within(before..before + u, before + len);
        if self.size.has_cell_state {
            self.cell_states.copy_within(before..before + u, before + len);
        }
    }

    /// After the backward pass of the cell: clears the gradients of the sums of a step of a row.
    pub(super) fn clear_grads(&mut self, step: usize, row: usize) {
        let ((len, all), u) = (self.size.lens(), self.size.units);
        let own = step * len + row * u..step * len + (row + 1) * u;
        self.gates.chunks_exact_mut(all).for_each(|gate| gate[own.clone()].fill(F::zero()));
        if self.size.separates_last {
            self.cache[own].fill(F::zero());
        }
    }

    /// Returns the state after a step.
    pub(super) fn state_after(&self, step: usize) -> Batch<'_, F> {
        let len = self.size.lens().0;
        Batch::new(&self.states[(step + 1) * len..][..len], self.size.units)
    }

    /// The inputs of a gate at all steps.
    pub(super) fn input(&self, gate: usize) -> &[F] {
        copy(self.inputs, self.size.input_copies, gate)
    }

    /// The inputs of the recurrent product of a gate at all steps.
    pub(super) fn recurrent_input(&self, gate: usize) -> &[F] {
        match self.size.state_copies {
            0 => &self.states[..self.size.lens().1],
            copies => copy(self.recurrent_inputs, copies, gate),
        }
    }

    /// After the backward pass of the cell: the gradients of the sums of a gate at all steps.
    pub(super) fn grad(&self, gate: usize) -> Batch<'_, F> {
        Batch::new(copy(self.gates, self.size.gates, gate), self.size.units)
    }

    /// The same for the recurrent product.
    pub(super) fn recurrent_grad(&self, gate: usize) -> Batch<'_, F> {
        match self.size.separates_last && gate + 1 == self.size.gates {
            true => Batch::new(self.cache, self.size.units),
            false => self.grad(gate),
        }
    }

    /// Replaces the inputs by their gradients.
    pub(super) fn write_input_grads(&mut self, weights: &Weights<F>) {
        let Size { inputs, gates, input_copies, .. } = self.size;
        let len = self.inputs.len() / input_copies;
        for gate in 0..gates {
            let da = Batch::new(copy(self.gates, gates, gate), self.size.units);
            let own = if input_copies == 1 { 0 } else { gate };
            let dx = BatchMut::new(&mut self.inputs[own * len..][..len], inputs);
            let w = weights.kernel(gate, inputs);
            if own == gate { kernel::affine_input(da, w, dx) } else { kernel::add_affine_input(da, w, dx) }
        }
    }
}

/// The copy that a gate reads.
fn copy<F>(array: &[F], copies: usize, gate: usize) -> &[F] {
    let len = array.len() / copies;
    &array[if copies == 1 { 0 } else { gate * len }..][..len]
}

/// The part of each gate at one step, empty if there is no such gate.
fn by_gate<'a, F>(array: &'a mut [F], all: usize, place: &Range<usize>) -> [&'a mut [F]; MAX_GATES] {
    let mut gates = array.chunks_exact_mut(all);
    [(); MAX_GATES].map(|()| gates.next().map(|gate| &mut gate[place.clone()]).unwrap_or_default())
}

/// The states before and after a step.
fn states_around<'a, F>(states: &'a mut [F], place: &Range<usize>) -> (&'a [F], &'a mut [F]) {
    let (states, next_states) = states.split_at_mut(place.end);
    (&states[place.start..], &mut next_states[..place.len()])
}

/// The input of the recurrent product of a gate: the state, if the gate has none of its own.
fn own_input<'a, F>(own: &'a [F], state: &'a [F]) -> &'a [F] {
    if own.is_empty() { state } else { own }
}

impl<F: Scalar> TimeStep<'_, F> {
    /// Adds h·R to the sums of these gates.
    pub(super) fn add_products(&mut self, weights: &Weights<F>, gates: Range<usize>) {
        for gate in gates {
            let h = Batch::new(own_input(self.recurrent_inputs[gate], self.state), self.units);
            kernel::add_affine(h, weights.recurrent(gate), BatchMut::new(self.gates[gate], self.units));
        }
    }

    /// Writes h·R + b' of the last gate to the cache.
    pub(super) fn write_last_product(&mut self, weights: &Weights<F>, gate: usize) {
        let h = Batch::new(own_input(self.recurrent_inputs[gate], self.state), self.units);
        let to = BatchMut::new(self.cache, self.units);
        kernel::affine(h, weights.recurrent(gate), weights.last_bias, to);
    }

    /// Replaces the sums of a gate by `f` of them.
    pub(super) fn activate(&mut self, gate: usize, f: Activation) {
        let values = &mut *self.gates[gate];
        if !self.sums[gate].is_empty() {
            self.sums[gate].copy_from_slice(values);
        }
        f.apply(BatchMut::new(values, self.units));
    }

    /// Replaces the values of a gate by the gradients of its sums, `dy·f'`.
    pub(super) fn write_grad(&mut self, gate: usize, f: Activation, dy: &mut [F]) {
        let (sums, values) = (Batch::new(&*self.sums[gate], self.units), &mut *self.gates[gate]);
        f.backward(sums, Batch::new(values, self.units), BatchMut::new(dy, self.units));
        values.copy_from_slice(dy);
    }
}

impl<'a, F: Scalar> StateGrad<'a, F> {
    /// The mask of the state that a gate reads.
    pub(super) fn mask(&self, gate: usize) -> Option<&'a [F]> {
        self.masks.map(|masks| &masks[gate * self.state.len()..])
    }

    /// Adds dq·Rᵀ of a gate, times the masks if there are any, to the gradient of the state.
    pub(super) fn add_product(&mut self, weights: &Weights<F>, gate: usize, dq: &[F]) {
        let (u, mask) = (weights.units, self.mask(gate));
        let (dq, w) = (Batch::new(dq, u), weights.recurrent(gate));
        if mask.is_none() {
            return kernel::add_affine(dq, w, BatchMut::new(self.state, u));
        }
        kernel::affine(dq, w, None, BatchMut::new(self.scratch[3], u));
        add_masked(self.state, self.scratch[3], mask);
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
