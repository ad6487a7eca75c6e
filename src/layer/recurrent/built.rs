//! The parameters of a recurrent layer, and their use by its steps.

use super::by_gate::{self, pick};
use super::sequence_buffer::{Size, Weights};
use crate::kernel;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The parameters, and the number of steps per sample.
#[derive(Debug, Clone)]
pub(super) struct Built<F> {
    pub(super) steps: usize,
    pub(super) kernel: Param<F>,
    pub(super) recurrent: Param<F>,
    pub(super) bias: Option<Param<F>>,
}

impl<F: Scalar> Built<F> {
    /// The bias of the input product, and of the recurrent one.
    pub(super) fn biases(&self, wide: usize) -> (Option<&[F]>, Option<&[F]>) {
        match self.bias.as_ref().map(Param::value) {
            None => (None, None),
            Some(bias) if bias.len() == wide => (Some(bias), None),
            Some(bias) => (Some(&bias[..wide]), Some(&bias[wide..])),
        }
    }

    /// Calls `f` with the recurrent weights, split by gate if each gate reads its own state, and with scratch memory
    /// of three numbers per unit and row for the cell.
    pub(super) fn with_weights(&self, size: &Size, f: &mut dyn FnMut(&Weights<F>, &mut [F])) {
        let (u, wide) = (size.units, size.units * size.gates);
        let (kernel, bias) = (self.recurrent.matrix(), self.biases(wide).1);
        let cut = if size.reads > 1 { u * wide } else { 0 };
        kernel::with_memory(cut + 3 * size.rows * u, |memory: &mut [F]| {
            let (parts, work) = memory.split_at_mut(cut);
            parts.chunks_exact_mut(u * u).enumerate().for_each(|(gate, part)| pick(kernel, gate, u, part));
            f(&Weights { kernel, bias, parts }, work);
        });
    }
    /// Adds the gradients of the input product and of the recurrent one, from what they read, the number of copies,
    /// and the gradient of their results.
    pub(super) fn take_gradients(
        &mut self,
        (x, loads, da): (&[F], usize, Batch<F>),
        (read, reads, dq): (&[F], usize, Batch<F>),
    ) {
        by_gate::affine_weights(x, loads, da, self.kernel.grad_matrix());
        by_gate::affine_weights(read, reads, dq, self.recurrent.grad_matrix());
        let Some(bias) = &mut self.bias else { return };
        let (own, recurrent) = bias.grad.split_at_mut(da.width());
        kernel::sum_rows(da, own);
        if !recurrent.is_empty() {
            kernel::sum_rows(dq, recurrent);
        }
    }
}
