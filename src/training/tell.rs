//! How findings are told to a person while a program runs.

use std::io::{IsTerminal, Write};

use crate::diagnosis::{Finding, Findings, colour};

/// Writes findings where a person sees them, and a program that reads the output does not.
pub(super) fn tell(findings: &Findings, shown: &dyn Fn(&Finding) -> bool) {
    let mut text = String::new();
    if findings.write(&mut text, shown).is_err() || text.is_empty() {
        return;
    }
    let mut to = std::io::stderr();
    let is = |name: &str, value: &dyn Fn(&std::ffi::OsStr) -> bool| {
        std::env::var_os(name).is_some_and(|v| value(&v))
    };
    // As no-color.org has it; and a terminal that says it can do nothing is believed.
    let plain = is("NO_COLOR", &|value| !value.is_empty()) || is("TERM", &|value| value == "dumb");
    let coloured = to.is_terminal() && !plain;
    let text = if coloured { colour(&text) } else { text };
    // A closed pipe is no reason to stop training.
    let _ = write!(to, "{text}");
}
