//! How findings are told to a person while a program runs.

use crate::callback::terminal;
use crate::diagnosis::{Finding, Findings, colour};

/// Writes findings where a person sees them, and a program that reads the output does not.
pub(super) fn tell(findings: &Findings, shown: &dyn Fn(&Finding) -> bool) {
    let mut text = String::new();
    if findings.write(&mut text, shown).is_ok() && !text.is_empty() {
        terminal::tell(|coloured| if coloured { colour(&text) } else { text });
    }
}
