//! The settings of a recurrent layer, beside those of its cell, and how it reads.

use std::fmt;

use super::{Cell, Rnn};
use crate::config::settings;
use crate::scalar::Scalar;

settings!([C: Cell, F: Scalar] Rnn<C, F> {
    "units" required: units, "use_bias": use_bias, "return_sequences": return_sequences,
    "go_backwards": go_backwards, "dropout": dropout, "recurrent_dropout": recurrent_dropout,
    "kernel": kernel, "recurrent": recurrent, "bias": bias,
} only { "return_state": false, "stateful": false }
ignore { "unroll", "seed", "implementation", "zero_output_for_mask" } with { cell });

impl<C: Cell, F: Scalar> fmt::Debug for Rnn<C, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{}({}", self.cell.kind(), self.units)?;
        let options = [(self.return_sequences, "sequences"), (self.go_backwards, "backwards")];
        options.iter().filter(|(is, _)| *is).try_for_each(|(_, name)| write!(f, ", {name}"))?;
        write!(f, ")")
    }
}
