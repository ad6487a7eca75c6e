//! The cell of a recurrent layer: its equations for one time step.

use std::fmt::Debug;
use std::ops::Range;

use super::sequence_buffer::{StateGrad, TimeStep};
use super::weights::Weights;
use crate::activation::Activation;
use crate::config::Settings;
use crate::error::{Error, Result};
use crate::scalar::Scalar;

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

    /// Whether the recurrent product of the last gate is separate, with a bias of its own.
    fn separates_last(&self) -> bool {
        false
    }

    /// Whether the backward pass needs the values before the activations, of which `activation` is that of the state.
    fn needs_sums(&self, activation: Activation) -> bool {
        let _ = activation;
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

    /// One step forward: `at.gates` holds x·K + b and becomes the values of the gates, `at.next_state` is written.
    fn forward<F: Scalar>(&self, weights: &Weights<F>, at: TimeStep<F>);

    /// One step backward: `grad.state` holds ∂ℓ/∂h of the step and becomes that of the step before; `at.gates` becomes
    /// ∂ℓ/∂(x·K + b).
    fn backward<F: Scalar>(&self, weights: &Weights<F>, at: TimeStep<F>, grad: StateGrad<F>);
}

/// Refuses an activation with invalid parameters, or one that changes the width.
pub(super) fn check_activation(argument: &'static str, f: Activation) -> Result<()> {
    match f {
        Activation::Glu => Err(Error::argument(argument, "an activation that keeps the width", "glu")),
        _ => f.check(),
    }
}
