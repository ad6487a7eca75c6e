//! The parameters of a recurrent layer.

use super::tape::Weights;
use crate::kernel;
use crate::param::Param;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

#[derive(Debug, Clone)]
pub(super) struct Params<F> {
    pub(super) steps: usize,
    pub(super) kernel: Param<F>,
    pub(super) recurrent: Param<F>,
    pub(super) bias: Option<Param<F>>,
}

impl<F: Scalar> Params<F> {
    /// The bias of the inputs' product, and of the recurrent one.
    pub(super) fn biases(&self, wide: usize) -> (Option<&[F]>, Option<&[F]>) {
        match self.bias.as_ref().map(Param::value) {
            None => (None, None),
            Some(bias) if bias.len() == wide => (Some(bias), None),
            Some(bias) => (Some(&bias[..wide]), Some(&bias[wide..])),
        }
    }

    /// Calls `f` with the recurrent weights; the columns of the last gate are picked out where it asks for them.
    pub(super) fn with_weights(&self, picked: bool, u: usize, wide: usize, f: &mut dyn FnMut(&Weights<F>)) {
        let (kernel, bias) = (self.recurrent.matrix(), self.biases(wide).1);
        if !picked {
            return f(&Weights { kernel, bias, parts: (&[], &[]) });
        }
        kernel::with_memory(u * wide, |memory: &mut [F]| {
            let (first, last) = memory.split_at_mut(u * (wide - u));
            let rows = first.chunks_exact_mut(wide - u).zip(last.chunks_exact_mut(u));
            for ((first, last), row) in rows.zip(kernel.iter()) {
                first.copy_from_slice(&row[..wide - u]);
                last.copy_from_slice(&row[wide - u..]);
            }
            f(&Weights { kernel, bias, parts: (first, last) });
        });
    }
}

/// The gradient of the last gate's columns of R, whose product read other numbers.
pub(super) fn add_last_gate<F: Scalar>(
    read: Batch<F>,
    dq: Batch<F>,
    grad: &mut [F],
    (u, wide): (usize, usize),
) {
    kernel::with_memory(read.data().len() + u * u, |memory: &mut [F]| {
        let (last, dr) = memory.split_at_mut(read.data().len());
        for (to, dq) in last.chunks_exact_mut(u).zip(dq.iter()) {
            to.copy_from_slice(&dq[wide - u..]);
        }
        kernel::affine_weights(read, Batch::new(last, u), BatchMut::new(dr, u));
        for (grad, dr) in grad.chunks_exact_mut(wide).zip(dr.chunks_exact(u)) {
            grad[wide - u..].copy_from_slice(dr);
        }
    });
}
