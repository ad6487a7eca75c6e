//! The memory of a recurrent layer for a batch: all rows of each step, in the order in which steps are processed.

use std::ops::Range;

use super::by_gate::{pick, put};
use crate::kernel;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The largest number of gates of a cell.
const MOST: usize = 4;

/// The sizes of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct Size {
    pub(super) rows: usize,
    pub(super) steps: usize,
    pub(super) inputs: usize,
    pub(super) units: usize,
    pub(super) gates: usize,
    pub(super) cells: bool,
    /// The number of copies of the inputs, and of the state, that the gates read: one for all, or one each.
    pub(super) loads: usize,
    pub(super) reads: usize,
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
    /// What the recurrent product reads, copy after copy: the masked state before the step.
    pub(super) read: &'a mut [F],
    /// One value per unit for the cell.
    pub(super) own: &'a mut [F],
    /// The states: zeros, then the output of each step.
    pub(super) h: &'a mut [F],
    c: &'a mut [F],
}

/// One step of a sequence buffer.
#[allow(missing_docs, missing_debug_implementations)]
pub struct Moment<'a, F> {
    pub(super) units: usize,
    pub(super) a: &'a mut [F],
    pub(super) gates: &'a mut [F],
    pub(super) q: &'a mut [F],
    /// One for each copy.
    pub(super) reads: [&'a mut [F]; MOST],
    pub(super) own: &'a mut [F],
    /// The state before the step, and after it.
    pub(super) h: &'a [F],
    pub(super) next: &'a mut [F],
    pub(super) c: &'a [F],
    pub(super) next_c: &'a mut [F],
    /// ∂ℓ/∂h, and ∂ℓ/∂c; empty in the forward pass.
    pub(super) dh: &'a mut [F],
    pub(super) dc: &'a mut [F],
    /// ∂ℓ/∂reads, copy after copy, to be written.
    pub(super) dread: &'a mut [F],
    /// Three numbers per unit and row, as scratch memory of the step.
    pub(super) work: &'a mut [F],
}

/// The weights of the recurrent product.
#[allow(missing_docs, missing_debug_implementations)]
pub struct Weights<'a, F> {
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
        let wide = all * self.gates * self.units;
        let one = all * self.units;
        let cells = if self.cells { states } else { 0 };
        [all * self.inputs * self.loads, wide, wide, wide, one * self.reads, one, states, cells]
    }

    /// The length of the buffer.
    pub(super) fn len(&self) -> usize {
        self.parts().iter().sum()
    }
}

impl<'a, F: Scalar> SequenceBuffer<'a, F> {
    /// Splits the memory, which must be large enough.
    pub(super) fn new(size: Size, memory: &'a mut [F]) -> Self {
        let mut rest = memory;
        let parts = size.parts().map(|len| {
            let (part, left) = std::mem::take(&mut rest).split_at_mut(len);
            rest = left;
            part
        });
        let [x, a, gates, q, read, own, h, c] = parts;
        SequenceBuffer { size, x, a, gates, q, read, own, h, c }
    }

    /// Copies the inputs, last step first if `backwards`, times the masks if there are any.
    pub(super) fn load(&mut self, x: Batch<F>, backwards: bool, masks: Option<&[F]>) {
        let Size { rows, steps, inputs, .. } = self.size;
        for (place, to) in self.x.chunks_exact_mut(inputs).enumerate() {
            let (copy, step, row) = (place / (rows * steps), place / rows % steps, place % rows);
            let time = if backwards { steps - 1 - step } else { step };
            let from = &x.row(row)[time * inputs..][..inputs];
            match masks {
                None => to.copy_from_slice(from),
                Some(masks) => {
                    let mask = &masks[(copy * rows + row) * inputs..][..inputs];
                    to.iter_mut().zip(from).zip(mask).for_each(|((to, x), m)| *to = *x * *m);
                }
            }
        }
    }

    /// The reverse of [`SequenceBuffer::load`], for the gradients of the inputs: those of all copies are added.
    pub(super) fn unload(&self, mut dx: BatchMut<F>, backwards: bool, masks: Option<&[F]>) {
        let Size { rows, steps, inputs, .. } = self.size;
        dx.data().fill(F::zero());
        for (place, from) in self.x.chunks_exact(inputs).enumerate() {
            let (copy, step, row) = (place / (rows * steps), place / rows % steps, place % rows);
            let time = if backwards { steps - 1 - step } else { step };
            let dx = &mut dx.row_mut(row)[time * inputs..][..inputs];
            match masks {
                None => dx.iter_mut().zip(from).for_each(|(dx, d)| *dx += *d),
                Some(masks) => {
                    let mask = &masks[(copy * rows + row) * inputs..][..inputs];
                    dx.iter_mut().zip(from).zip(mask).for_each(|((dx, d), m)| *dx += *d * *m);
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

    /// Computes what the recurrent product of this step reads: the state, times the masks if there are any.
    pub(super) fn mask_state(&mut self, step: usize, masks: Option<&[F]>) {
        let Size { rows, steps, units, .. } = self.size;
        let len = rows * units;
        let h = &self.h[step * len..][..len];
        for (copy, read) in self.read.chunks_exact_mut((steps * len).max(1)).enumerate() {
            let read = &mut read[step * len..][..len];
            match masks {
                None => read.copy_from_slice(h),
                Some(masks) => {
                    let mask = &masks[copy * len..][..len];
                    read.iter_mut().zip(h).zip(mask).for_each(|((read, h), m)| *read = *h * *m);
                }
            }
        }
    }

    /// Returns one step, with gradients if it is to go backward.
    pub(super) fn moment<'m>(
        &'m mut self,
        step: usize,
        [dh, dc, dread, work]: [&'m mut [F]; 4],
    ) -> Moment<'m, F> {
        let Size { rows, steps, units, gates, cells, .. } = self.size;
        let (wide, len) = (rows * units * gates, rows * units);
        let (before, after) = self.h.split_at_mut((step + 1) * len);
        let (c, next_c) =
            if cells { self.c.split_at_mut((step + 1) * len) } else { (&mut [][..], &mut [][..]) };
        let mut copies = self.read.chunks_exact_mut((steps * len).max(1));
        let reads = [(); MOST].map(|()| copies.next().map(|copy| &mut copy[step * len..][..len]));
        let take = |c: usize| if cells { c } else { 0 };
        Moment {
            units,
            a: &mut self.a[step * wide..][..wide],
            gates: &mut self.gates[step * wide..][..wide],
            q: &mut self.q[step * wide..][..wide],
            reads: reads.map(Option::unwrap_or_default),
            own: &mut self.own[step * len..][..len],
            h: &before[step * len..],
            next: &mut after[..len],
            c: &c[take(step * len)..],
            next_c: &mut next_c[..take(len)],
            dh,
            dc,
            dread,
            work,
        }
    }
}

impl<F: Scalar> Weights<'_, F> {
    /// `q = reads·R + b'`, for all gates, or only these if each gate reads its own state.
    pub(super) fn product(&self, gates: Range<usize>, at: &mut Moment<F>) {
        let (u, width) = (self.kernel.rows(), self.kernel.width());
        if self.parts.is_empty() {
            let (read, q) = (Batch::new(at.reads[0], u), BatchMut::new(at.q, width));
            return kernel::affine(read, self.kernel, self.bias, q);
        }
        let out = &mut at.work[..at.h.len()];
        for gate in gates {
            let bias = self.bias.map(|bias| &bias[gate * u..][..u]);
            let part = Batch::new(&self.parts[gate * u * u..][..u * u], u);
            kernel::affine(Batch::new(at.reads[gate], u), part, bias, BatchMut::new(out, u));
            put(out, gate, u, BatchMut::new(at.q, width));
        }
    }

    /// `dread = dq·Rᵀ`, for all gates, or only these if each gate reads its own state.
    pub(super) fn back(&self, gates: Range<usize>, at: &mut Moment<F>) {
        let (u, width, len) = (self.kernel.rows(), self.kernel.width(), at.h.len());
        let dq = Batch::new(at.q, width);
        if self.parts.is_empty() {
            return kernel::affine_input(dq, self.kernel, BatchMut::new(at.dread, u));
        }
        for gate in gates {
            let dq_of_gate = &mut at.work[..len];
            pick(dq, gate, u, dq_of_gate);
            let part = Batch::new(&self.parts[gate * u * u..][..u * u], u);
            let dread = BatchMut::new(&mut at.dread[gate * len..][..len], u);
            kernel::affine_input(Batch::new(dq_of_gate, u), part, dread);
        }
    }
}

/// Draws the masks of each row for the inputs, then those for the state; for a rate of 0 none is needed.
pub(super) fn draw_masks<F: Scalar>(
    masks: &mut Vec<F>,
    count: usize,
    size: &Size,
    rates: [f64; 2],
    rng: &dyn Fn(usize) -> Rng,
) {
    let Size { rows, inputs, units, .. } = *size;
    masks.resize(count * rows * (inputs + units), F::zero());
    let (of_inputs, of_states) = masks.split_at_mut(count * rows * inputs);
    for row in 0..rows {
        let mut rng = rng(row);
        for place in (0..count).map(|gate| gate * rows + row) {
            let inputs = &mut of_inputs[place * inputs..][..inputs];
            let state = &mut of_states[place * units..][..units];
            for (rate, mask) in rates.into_iter().zip([inputs, state]).filter(|(rate, _)| *rate > 0.0) {
                let kept = F::of(1.0 / (1.0 - rate));
                mask.iter_mut().for_each(|m| *m = if rng.uniform() < rate { F::zero() } else { kept });
            }
        }
    }
}
