//! The states that a recurrent layer carries from batch to batch.

use crate::error::Result;
use crate::kernel;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Scratch;

/// The states of a recurrent layer that is [stateful](crate::layer::Rnn::stateful): row `i` of a batch starts with the states after row
/// `i` of the batch before.
///
/// # Example
/// ```
/// use cornu::layer::{Layer, Part};
/// use cornu::prelude::*;
/// let layer: Gru = Gru::new(2).stateful(true);
/// layer.visit(&mut |part| if let Part::States(states) = part { assert_eq!(states.rows(), 0) });
/// ```
#[derive(Debug, Clone, Default)]
pub struct States<F> {
    pub(super) are_kept: bool,
    /// The number of values per row.
    width: usize,
    /// The values after the last training batch, row after row; empty if they are 0.
    values: Vec<F>,
    /// Memory for those after the current batch.
    next: Vec<F>,
}

impl<F: Scalar> States<F> {
    /// Whether the layer is stateful.
    pub fn are_kept(&self) -> bool {
        self.are_kept
    }

    /// The number of rows of the batches; 0 before the first training batch and after a reset.
    pub fn rows(&self) -> usize {
        self.values.len().checked_div(self.width).unwrap_or(0)
    }

    /// Sets the states to 0. The next batch may have another number of rows.
    pub fn reset(&mut self) {
        self.values.clear();
    }

    /// Makes the layer start with states of 0 in every batch, or no longer.
    pub(crate) fn keep(&mut self, are_kept: bool) {
        self.are_kept = are_kept;
        self.reset();
    }

    pub(super) fn set_width(&mut self, width: usize) {
        if self.width != width {
            self.reset();
        }
        self.width = width;
    }

    /// The number of values per row that are kept.
    pub(super) fn width(&self) -> usize {
        if self.are_kept { self.width } else { 0 }
    }

    /// The states with which a training batch of `rows` rows starts; empty if they are not kept.
    pub(super) fn begin(&mut self, rows: usize) -> Vec<F> {
        let mut states = std::mem::take(&mut self.next);
        states.clear();
        if self.are_kept {
            states.extend_from_slice(&self.values);
            states.resize(rows * self.width, F::zero());
        }
        states
    }

    /// Stores the states after a training batch, unless they are not finite: such a step fails.
    pub(super) fn end(&mut self, states: Vec<F>) {
        self.next = states;
        if kernel::all_finite(&self.next) {
            std::mem::swap(&mut self.values, &mut self.next);
        }
    }

    /// Calls `run` with the states with which a prediction for `rows` rows starts, which it replaces by those after it. The memory
    /// of the prediction keeps them under `key`.
    pub(super) fn carry(&self, rows: usize, key: u64, scratch: &mut Scratch<F>, run: impl FnOnce(&mut [F])) {
        if !self.are_kept {
            return run(&mut []);
        }
        let states = scratch.carried(key, || self.values.clone());
        states.resize(rows * self.width, F::zero());
        run(states);
    }

    /// Saves or restores the values.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        match self.are_kept {
            true => {
                state.list("states", &mut self.values, F::zero, |value, state| state.item("value", value))
            }
            false => Ok(()),
        }
    }
}
