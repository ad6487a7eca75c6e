//! Recurrent layers: a cell that reads a sequence step by step and carries a state.

mod bidirectional;
pub(super) mod cell;
pub(super) mod gru;
pub(super) mod lstm;
mod params;
pub(super) mod rnn;
mod sequence_buffer;
pub(super) mod simple;
mod stacked;
pub(super) mod states;
mod step_mask;
mod weights;

pub(super) use bidirectional::from_fields as bidirectional_from_fields;
pub use bidirectional::{Bidirectional, MergeMode};
pub use gru::Gru;
pub use lstm::Lstm;
pub use simple::SimpleRnn;
pub use stacked::StackedRnnCells;
pub(super) use stacked::from_fields as stacked_from_fields;
