//! Recurrent layers: a cell that reads a sequence step by step and carries a state.

mod bidirectional;
mod by_gate;
mod cell;
mod gru;
mod lstm;
mod params;
mod rnn;
mod sequence_buffer;
mod simple;

pub(super) use bidirectional::from_fields as bidirectional_from_fields;
pub use bidirectional::{Bidirectional, MergeMode};
pub use cell::Cell;
pub use gru::{Gru, GruCell};
pub use lstm::{Lstm, LstmCell};
pub use rnn::Rnn;
pub use simple::{SimpleCell, SimpleRnn};
