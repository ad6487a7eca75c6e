//! The way forward through the steps of a sequence.

use super::cell::Cell;
use super::params::Params;
use super::rnn::Rnn;
use super::tape::Tape;
use crate::kernel;
use crate::layer::Step;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

impl<C: Cell, F: Scalar> Rnn<C, F> {
    /// Runs all steps, and writes the output.
    pub(super) fn run(
        &self,
        built: &Params<F>,
        x: Batch<F>,
        mut y: BatchMut<F>,
        memory: &mut [F],
        masks: Option<&[F]>,
    ) {
        let size = self.size(built, x.rows());
        let (u, wide) = (size.units, size.units * size.gates);
        let mut tape = Tape::new(size, memory);
        let (inputs_mask, state_mask) = masks.map_or((None, None), |masks| {
            let (inputs, state) = masks.split_at(size.rows * size.inputs);
            (Some(inputs), Some(state))
        });
        tape.load(x, self.go_backwards, inputs_mask.filter(|_| self.dropout > 0.0));
        let (bias, _) = built.biases(wide);
        kernel::affine(
            Batch::new(tape.x, size.inputs),
            built.kernel.matrix(),
            bias,
            BatchMut::new(tape.a, wide),
        );
        tape.start();
        built.with_weights(self.cell.last_gate_reads_own(), u, wide, &mut |weights| {
            for step in 0..size.steps {
                tape.mask_state(step, state_mask.filter(|_| self.recurrent_dropout > 0.0));
                self.cell.step(weights, tape.moment(step, [&mut [], &mut [], &mut []]));
            }
        });
        let len = size.rows * u;
        for (row, y) in y.iter_mut().enumerate() {
            if self.return_sequences {
                for (step, y) in y.chunks_exact_mut(u).enumerate() {
                    y.copy_from_slice(&tape.h[(step + 1) * len + row * u..][..u]);
                }
            } else {
                y.copy_from_slice(&tape.h[size.steps * len + row * u..][..u]);
            }
        }
    }

    /// Draws one mask a row for the inputs, and one for the state.
    pub(super) fn draw_masks(&mut self, rows: usize, inputs: usize, step: &Step<F>) {
        let units = self.units;
        self.masks.resize(rows * (inputs + units), F::zero());
        let (of_inputs, of_states) = self.masks.split_at_mut(rows * inputs);
        let masks = of_inputs.chunks_exact_mut(inputs).zip(of_states.chunks_exact_mut(units));
        for (row, (inputs, state)) in masks.enumerate() {
            let mut rng = step.rng(self.salt, row);
            for (rate, mask) in [(self.dropout, inputs), (self.recurrent_dropout, state)] {
                let kept = F::of(1.0 / (1.0 - rate));
                mask.iter_mut().for_each(|m| *m = if rng.uniform() < rate { F::zero() } else { kept });
            }
        }
    }
}
