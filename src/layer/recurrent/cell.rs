//! One step of a recurrent layer.

use std::fmt::Debug;

use super::sequence_buffer::{Moment, Weights};
use crate::activation::Activation;
use crate::config::{Config, Fields};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The step of a recurrent layer: [`SimpleCell`](super::SimpleCell), [`LstmCell`](super::LstmCell) or
/// [`GruCell`](super::GruCell).
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
pub trait Cell: Debug + Clone + Send + Sync + Steps + 'static {}

/// The steps, each over all rows of a batch.
pub trait Steps {
    /// The layer's kind.
    #[doc(hidden)]
    fn kind(&self) -> &'static str;

    /// The number of values per unit before the activations.
    #[doc(hidden)]
    fn gates(&self) -> usize;

    /// Whether there is a second state besides the output.
    #[doc(hidden)]
    fn has_cells(&self) -> bool {
        false
    }

    /// Whether the recurrent part has its own bias.
    #[doc(hidden)]
    fn has_two_biases(&self) -> bool {
        false
    }

    /// Whether each gate reads its own state, masked or not.
    #[doc(hidden)]
    fn reads_by_gate(&self) -> bool {
        false
    }

    /// The columns of the bias that start at 1.
    #[doc(hidden)]
    fn ones(&self, units: usize) -> std::ops::Range<usize> {
        let _ = units;
        0..0
    }

    /// The activation of the new state.
    #[doc(hidden)]
    fn activation(&self) -> Activation;

    /// The same, mutably.
    #[doc(hidden)]
    fn activation_mut(&mut self) -> &mut Activation;

    /// Refuses activations with invalid parameters.
    #[doc(hidden)]
    fn check(&self) -> Result<()>;

    #[doc(hidden)]
    fn write(&self, to: &mut Config);

    #[doc(hidden)]
    fn read(&mut self, from: &mut Fields) -> Result<()>;

    /// One step forward: `at.a` holds x·K + b, `at.next` is written.
    #[doc(hidden)]
    fn step<F: Scalar>(&self, weights: &Weights<F>, at: Moment<F>);

    /// One step backward: `at.dh` holds ∂ℓ/∂h of the step and becomes that of the step before; `at.a` and `at.q`
    /// become ∂ℓ/∂(x·K + b) and ∂ℓ/∂(h·R + b').
    #[doc(hidden)]
    fn back<F: Scalar>(&self, weights: &Weights<F>, at: Moment<F>);
}

/// Refuses an activation with invalid parameters, or one that changes the width.
pub(super) fn check_activation(argument: &'static str, f: Activation) -> Result<()> {
    match f {
        Activation::Glu => Err(Error::argument(argument, "an activation that keeps the width", "glu")),
        _ => f.check(),
    }
}

/// `y = f(z)`, for one or more gates of `units` numbers each.
pub(super) fn gate<F: Scalar>(f: Activation, units: usize, z: &[F], y: &mut [F]) {
    y.copy_from_slice(z);
    f.apply(BatchMut::new(y, units));
}

/// `dy ← dy·f'`, for one or more gates of `units` numbers each.
pub(super) fn gate_back<F: Scalar>(f: Activation, units: usize, z: &[F], y: &[F], dy: &mut [F]) {
    f.backward(Batch::new(z, units), Batch::new(y, units), BatchMut::new(dy, units));
}

/// Implements the settings of a cell.
macro_rules! by_settings {
    () => {
        fn write(&self, to: &mut crate::config::Config) {
            crate::config::Settings::write(self, to);
        }

        fn read(&mut self, from: &mut crate::config::Fields) -> Result<()> {
            crate::config::Settings::read(self, from)
        }
    };
}
pub(super) use by_settings;
