//! The parameters of a recurrent layer.

use super::by_gate::{self, pick};
use super::sequence_buffer::{RecurrentWeights, Size};
use crate::kernel;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The parameters, and the number of steps per sample.
#[derive(Debug, Clone)]
pub(super) struct Params<F> {
    pub(super) steps: usize,
    pub(super) kernel: Param<F>,
    pub(super) recurrent: Param<F>,
    pub(super) bias: Option<Param<F>>,
}

/// The input and the gradient of a product, from which the gradient of its weights follows.
pub(super) struct Product<'a, F> {
    /// The input, copy after copy.
    pub(super) input: &'a [F],
    pub(super) copies: usize,
    pub(super) grad: Batch<'a, F>,
}

impl<F: Scalar> Params<F> {
    /// The bias of the input product, and of the recurrent one.
    pub(super) fn biases(&self) -> (Option<&[F]>, Option<&[F]>) {
        let width = self.kernel.matrix().width();
        match self.bias.as_ref().map(Param::value) {
            None => (None, None),
            Some(bias) if bias.len() == width => (Some(bias), None),
            Some(bias) => (Some(&bias[..width]), Some(&bias[width..])),
        }
    }

    /// Calls `f` with the recurrent weights, split by gate if each gate reads its own state, and with scratch memory
    /// of three numbers per unit and row for the cell.
    pub(super) fn with_recurrent_weights(
        &self,
        size: &Size,
        f: &mut dyn FnMut(&RecurrentWeights<F>, &mut [F]),
    ) {
        let (kernel, bias) = (self.recurrent.matrix(), self.biases().1);
        let (u, is_split) = (size.units, size.state_copies > 1);
        let by_gate = if is_split { self.recurrent.len() } else { 0 };
        kernel::with_memory(by_gate + 3 * size.rows * u, |memory: &mut [F]| {
            let (parts, scratch) = memory.split_at_mut(by_gate);
            parts.chunks_exact_mut(u * u).enumerate().for_each(|(gate, part)| pick(kernel, gate, u, part));
            let parts = is_split.then_some(&*parts);
            f(&RecurrentWeights { kernel, bias, parts }, scratch);
        });
    }

    /// Writes the gradients, from the products with the kernel and with the recurrent kernel.
    pub(super) fn write_gradients(&mut self, x: Product<F>, h: Product<F>) {
        by_gate::affine_weights(x.input, x.copies, x.grad, self.kernel.grad_matrix());
        by_gate::affine_weights(h.input, h.copies, h.grad, self.recurrent.grad_matrix());
        let Some(bias) = &mut self.bias else { return };
        let (of_x, of_h) = bias.grad_mut().split_at_mut(x.grad.width());
        kernel::sum_rows(x.grad, of_x);
        if !of_h.is_empty() {
            kernel::sum_rows(h.grad, of_h);
        }
    }
}
