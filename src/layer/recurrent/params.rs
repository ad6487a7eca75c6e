//! The parameters of a recurrent layer.

use super::sequence_buffer::{SequenceBuffer, Size};
use super::weights::{Weights, join_gates, split_by_gate, split_transposed};
use crate::kernel;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The parameters, and the number of steps per sample.
#[derive(Debug, Clone)]
pub(super) struct Params<F> {
    pub(super) steps: usize,
    pub(super) kernel: Param<F>,
    pub(super) recurrent: Param<F>,
    pub(super) bias: Option<Param<F>>,
}

/// The direction of a pass.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Pass {
    Forward,
    Backward,
}

impl<F: Scalar> Params<F> {
    fn width(&self) -> usize {
        self.kernel.matrix().width()
    }

    /// Calls `f` with the weights split by gate.
    pub(super) fn with_weights(&self, size: &Size, pass: Pass, f: impl FnOnce(Weights<F>)) {
        let (u, width) = (size.units, self.width());
        kernel::with_memory(self.kernel.len() + self.recurrent.len() + width, |memory: &mut [F]| {
            let (kernel, rest) = memory.split_at_mut(self.kernel.len());
            let (recurrent, sums) = rest.split_at_mut(self.recurrent.len());
            split_by_gate(self.kernel.matrix(), u, kernel);
            match pass {
                Pass::Forward => split_by_gate(self.recurrent.matrix(), u, recurrent),
                Pass::Backward => split_transposed(self.recurrent.matrix(), recurrent),
            }
            let biases = self.bias.as_ref().map(|bias| bias.value().split_at(width));
            let (bias, last_bias) = match biases {
                Some((bias, other)) if size.separates_last => {
                    // Of the other gates only the sum of both products is needed.
                    let last = width - u;
                    sums.copy_from_slice(bias);
                    sums[..last].iter_mut().zip(other).for_each(|(sum, b)| *sum += *b);
                    (Some(&*sums), Some(&other[last..]))
                }
                biases => (biases.map(|(bias, _)| bias), None),
            };
            f(Weights { units: u, kernel, recurrent, bias, last_bias });
        });
    }

    /// The number of values of the gradient as [`Params::add_gradient`] writes it.
    pub(super) fn gradient_len(&self, size: &Size) -> usize {
        let separate = if size.separates_last { size.units } else { 0 };
        let biases = if self.bias.is_some() { self.width() + separate } else { 0 };
        self.kernel.len() + self.recurrent.len() + biases
    }

    /// Adds the gradients of a block of rows: those of K and of R, gate after gate, then those of the biases.
    pub(super) fn add_gradient(&self, sequence: &SequenceBuffer<F>, total: &mut [F]) {
        let Size { units: u, inputs, gates, separates_last, .. } = sequence.size;
        let (dk, rest) = total.split_at_mut(self.kernel.len());
        let (dr, db) = rest.split_at_mut(self.recurrent.len());
        let parts = dk.chunks_exact_mut(inputs * u).zip(dr.chunks_exact_mut(u * u));
        for (gate, (dk, dr)) in parts.enumerate() {
            let (x, h) = (sequence.input(gate), sequence.recurrent_input(gate));
            let (da, dq) = (sequence.grad(gate), sequence.recurrent_grad(gate));
            kernel::add_affine_weights(Batch::new(x, inputs), da, BatchMut::new(dk, u));
            kernel::add_affine_weights(Batch::new(h, u), dq, BatchMut::new(dr, u));
        }
        if db.is_empty() {
            return;
        }
        let grads = (0..gates).map(|gate| sequence.grad(gate));
        let last = separates_last.then(|| sequence.recurrent_grad(gates - 1));
        for (db, grad) in db.chunks_exact_mut(u).zip(grads.chain(last)) {
            kernel::with_memory(u, |sums| {
                kernel::sum_rows(grad, sums);
                kernel::map_with(db, sums, |a, b| a + b);
            });
        }
    }

    /// Writes the gradients, which [`Params::add_gradient`] has summed.
    pub(super) fn write_gradient(&mut self, size: &Size, total: &[F]) {
        let (u, width) = (size.units, self.width());
        let (dk, rest) = total.split_at(self.kernel.len());
        let (dr, db) = rest.split_at(self.recurrent.len());
        join_gates(dk, u, self.kernel.grad_matrix());
        join_gates(dr, u, self.recurrent.grad_matrix());
        let Some(bias) = &mut self.bias else { return };
        let (of_x, of_h) = bias.grad_mut().split_at_mut(width);
        of_x.copy_from_slice(&db[..width]);
        if size.separates_last {
            of_h.copy_from_slice(&db[..width]);
            of_h[width - u..].copy_from_slice(&db[width..]);
        }
    }
}
