//! The fault operators: small changes of a program, each with the findings that may name its fault.
//!
//! The findings are chosen by the fault alone: those whose page describes it, and not those that describe a symptom.

mod network;
mod outputs;
mod preparation;
mod rows;
mod settings;

use super::program::Program;

pub struct Operator {
    pub name: &'static str,
    /// The codes of the findings that name the fault. Empty if there is no such finding yet.
    pub causes: &'static [&'static str],
    /// Whether an edit of the network, the settings or the scale of the data repairs it. Lost or misplaced rows, for
    /// example, can only be repaired where the data come from.
    pub is_repairable: bool,
    /// Changes the program; `None` if the fault does not exist for it.
    pub apply: fn(&mut Program) -> Option<()>,
}

/// All operators.
pub fn all() -> impl Iterator<Item = &'static Operator> {
    [outputs::ALL, network::ALL, settings::ALL, preparation::ALL, rows::ALL].into_iter().flatten()
}

/// `Some` if the condition holds.
fn when(condition: bool) -> Option<()> {
    condition.then_some(())
}
