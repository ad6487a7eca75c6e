//! What one step of a recurrent layer does.

use std::fmt::Debug;

use super::tape::{Moment, Weights};
use crate::activation::Activation;
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// One step of a recurrent layer. Sealed: [`SimpleCell`](super::SimpleCell), [`LstmCell`](super::LstmCell) and
/// [`GruCell`](super::GruCell) are the cells.
///
/// # Example
/// ```
/// use cornu::layer::{Lstm, LstmCell, Rnn};
/// let layer: Rnn<LstmCell> = Lstm::new(8);
/// # let _ = layer;
/// ```
pub trait Cell: Debug + Clone + Send + Sync + Steps + 'static {}

/// The steps themselves, each over all rows of a batch.
pub trait Steps {
    /// The layer's kind.
    #[doc(hidden)]
    fn kind(&self) -> &'static str;

    /// How many numbers before the activations a unit has.
    #[doc(hidden)]
    fn gates(&self) -> usize;

    /// Whether there is a second state beside the output.
    #[doc(hidden)]
    fn has_cells(&self) -> bool {
        false
    }

    /// Whether the recurrent part has a bias of its own.
    #[doc(hidden)]
    fn has_two_biases(&self) -> bool {
        false
    }

    /// Whether the last gate's product reads the numbers of the cell's own in the place of the state.
    #[doc(hidden)]
    fn last_gate_reads_own(&self) -> bool {
        false
    }

    /// The columns of the bias that start at 1.
    #[doc(hidden)]
    fn ones(&self, units: usize) -> std::ops::Range<usize> {
        let _ = units;
        0..0
    }

    /// Refuses activations that make no function.
    #[doc(hidden)]
    fn check(&self) -> Result<()>;

    /// One step forward: `at.a` holds x·K + b, `at.next` is written.
    #[doc(hidden)]
    fn step<F: Scalar>(&self, weights: &Weights<F>, at: Moment<F>);

    /// One step backward: `at.dh` holds ∂ℓ/∂h of the step and becomes that of the step before; `at.a` and `at.q`
    /// become ∂ℓ/∂(x·K + b) and ∂ℓ/∂(h·R + b').
    #[doc(hidden)]
    fn back<F: Scalar>(&self, weights: &Weights<F>, at: Moment<F>);
}

/// `y = f(z)`, for one stretch of a row.
pub(super) fn gate<F: Scalar>(f: Activation, z: &[F], y: &mut [F]) {
    y.copy_from_slice(z);
    let width = y.len();
    f.apply(BatchMut::new(y, width));
}

/// `dy ← dy·f'`, for one stretch of a row.
pub(super) fn gate_back<F: Scalar>(f: Activation, z: &[F], y: &[F], dy: &mut [F]) {
    let width = y.len();
    f.backward(Batch::new(z, width), Batch::new(y, width), BatchMut::new(dy, width));
}
