//! The cell of a recurrent layer: its equations for one time step.

use std::fmt::Debug;
use std::ops::Range;

use super::sequence_buffer::{RecurrentWeights, StateGrad, TimeStep};
use crate::activation::Activation;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The cell of a recurrent layer: [`SimpleCell`](crate::layer::SimpleCell), [`LstmCell`](crate::layer::LstmCell) or
/// [`GruCell`](crate::layer::GruCell).
///
/// The trait is sealed.
///
/// # Example
/// ```
/// use cornu::layer::{Lstm, LstmCell, Rnn};
/// use cornu::prelude::*;
/// let layer: Rnn<LstmCell> = Lstm::new(8);
/// assert_eq!(layer.kind(), "LSTM");
/// ```
pub trait Cell: Debug + Clone + Send + Sync + Equations + 'static {}

/// The equations of a cell, for one time step over all rows of a batch.
pub trait Equations: Settings {
    /// The layer's kind.
    const KIND: &'static str;

    /// The number of values per unit before the activations.
    const GATES: usize;

    /// Whether there is a second state besides the output.
    const HAS_CELL_STATE: bool = false;

    /// Whether the recurrent product has its own bias.
    fn has_two_biases(&self) -> bool {
        false
    }

    /// Whether the recurrent product of each gate reads its own copy of the state.
    fn reads_by_gate(&self) -> bool {
        false
    }

    /// The columns of the bias that start at 1.
    fn bias_ones(&self, units: usize) -> Range<usize> {
        let _ = units;
        0..0
    }

    /// Refuses settings that are out of range.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// One step forward: `at.input_sums` holds x·K + b, `at.next_state` is written.
    fn forward<F: Scalar>(&self, weights: &RecurrentWeights<F>, at: TimeStep<F>);

    /// One step backward: `grad.state` holds ∂ℓ/∂h of the step and becomes that of the step before, without the part
    /// through `grad.recurrent_inputs`; `at.input_sums` and `at.recurrent_sums` become ∂ℓ/∂(x·K + b) and
    /// ∂ℓ/∂(h·R + b').
    fn backward<F: Scalar>(&self, weights: &RecurrentWeights<F>, at: TimeStep<F>, grad: StateGrad<F>);
}

/// Refuses an activation with invalid parameters, or one that changes the width.
pub(super) fn check_activation(argument: &'static str, f: Activation) -> Result<()> {
    match f {
        Activation::Glu => Err(Error::argument(argument, "an activation that keeps the width", "glu")),
        _ => f.check(),
    }
}

/// The gates of a row, of `units` numbers each.
pub(super) fn split_gates<F, const N: usize>(row: &[F], units: usize) -> [&[F]; N] {
    std::array::from_fn(|gate| &row[gate * units..][..units])
}

/// The gates of a row, of `units` numbers each.
pub(super) fn split_gates_mut<F, const N: usize>(row: &mut [F], units: usize) -> [&mut [F]; N] {
    let mut rest = row;
    std::array::from_fn(|_| {
        let (gate, left) = std::mem::take(&mut rest).split_at_mut(units);
        rest = left;
        gate
    })
}

/// `y = f(z)`, for one or more gates of `units` numbers each.
pub(super) fn gate_forward<F: Scalar>(f: Activation, units: usize, z: &[F], y: &mut [F]) {
    y.copy_from_slice(z);
    f.apply(BatchMut::new(y, units));
}

/// `dy ← dy·f'`, for one or more gates of `units` numbers each.
pub(super) fn gate_backward<F: Scalar>(f: Activation, units: usize, z: &[F], y: &[F], dy: &mut [F]) {
    f.backward(Batch::new(z, units), Batch::new(y, units), BatchMut::new(dy, units));
}
