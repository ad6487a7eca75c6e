//! The weights of a recurrent layer with a matrix for each gate, so that products read and write contiguous memory.

use crate::layer::columns::{pick, put};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The weights, gate after gate.
#[derive(Debug, Clone, Copy)]
pub struct Weights<'a, F> {
    pub(super) units: usize,
    /// K.
    pub(super) kernel: &'a [F],
    /// R of each gate, in a backward pass transposed.
    pub(super) recurrent: &'a [F],
    pub(super) bias: Option<&'a [F]>,
    /// The bias of the recurrent product of the last gate, if that product is separate.
    pub(super) last_bias: Option<&'a [F]>,
}

impl<'a, F: Scalar> Weights<'a, F> {
    /// K of a gate.
    pub(super) fn kernel(&self, gate: usize, inputs: usize) -> Batch<'a, F> {
        let len = inputs * self.units;
        Batch::new(&self.kernel[gate * len..][..len], self.units)
    }

    /// R of a gate, or Rᵀ.
    pub(super) fn recurrent(&self, gate: usize) -> Batch<'a, F> {
        let len = self.units * self.units;
        Batch::new(&self.recurrent[gate * len..][..len], self.units)
    }
}

/// Copies the columns of each gate, gate after gate.
pub(super) fn split_by_gate<F: Scalar>(from: Batch<F>, units: usize, to: &mut [F]) {
    for (gate, part) in to.chunks_exact_mut(from.rows() * units).enumerate() {
        pick(from.data(), from.width(), gate * units..(gate + 1) * units, part);
    }
}

/// The same, each gate transposed.
pub(super) fn split_transposed<F: Scalar>(from: Batch<F>, to: &mut [F]) {
    for (column, part) in to.chunks_exact_mut(from.rows()).enumerate() {
        part.iter_mut().zip(from.iter()).for_each(|(to, row)| *to = row[column]);
    }
}

/// Copies the matrices of the gates back.
pub(super) fn join_gates<F: Scalar>(from: &[F], units: usize, mut to: BatchMut<F>) {
    let (rows, width) = (to.rows(), to.width());
    for (gate, part) in from.chunks_exact(rows * units).enumerate() {
        put(part, width, gate * units..(gate + 1) * units, to.data());
    }
}
