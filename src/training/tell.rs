//! How findings are told to a person while a program runs.

use std::io::{IsTerminal, Write};

use crate::diagnosis::{Finding, Findings};

/// Writes findings where a person sees them, and a program that reads the output does not.
pub(super) fn tell(findings: &Findings, shown: &dyn Fn(&Finding) -> bool) {
    let mut text = String::new();
    if findings.write(&mut text, shown).is_err() || text.is_empty() {
        return;
    }
    let mut to = std::io::stderr();
    let coloured = to.is_terminal() && std::env::var_os("NO_COLOR").is_none();
    let text = if coloured { colour(&text) } else { text };
    // A closed pipe is no reason to stop training.
    let _ = write!(to, "{text}");
}

/// The heads of findings in colour.
fn colour(text: &str) -> String {
    let paint = |line: &str| {
        let code = match line.split('[').next() {
            Some("error") => "1;31",
            Some("warning") => "1;33",
            Some("note") => "1;36",
            _ => return format!("{line}\n"),
        };
        format!("\x1b[{code}m{line}\x1b[0m\n")
    };
    text.lines().map(paint).collect()
}
