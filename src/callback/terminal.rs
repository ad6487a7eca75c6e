//! What may be written where a person looks: a bar or lines, in colour or plain, beside the bars of other trainings.

use std::ffi::OsString;
use std::fmt;
use std::io::{IsTerminal, Write};

/// What a variable of the environment is set to.
type Variable<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn is_set(variable: Variable, name: &str) -> bool {
    variable(name).is_some_and(|value| !value.is_empty())
}

fn is(variable: Variable, name: &str, value: &str) -> bool {
    variable(name).is_some_and(|set| set == value)
}

/// Whether colours are welcome, as no-color.org and bixense.com/clicolors have it; a terminal that says it can do nothing is
/// believed.
fn colours(terminal: bool, variable: Variable) -> bool {
    let forced = is_set(variable, "CLICOLOR_FORCE") && !is(variable, "CLICOLOR_FORCE", "0");
    let plain = is(variable, "CLICOLOR", "0") || is(variable, "TERM", "dumb");
    !is_set(variable, "NO_COLOR") && (forced || terminal && !plain)
}

/// Whether a line can be drawn over and over, as cargo has it: not in the log of a CI, nor where nothing can move the cursor.
#[cfg(feature = "progress")]
fn redraws(terminal: bool, variable: Variable) -> bool {
    let log = is_set(variable, "CI") && !is(variable, "CI", "false");
    let dumb = is(variable, "TERM", "dumb") || (cfg!(unix) && variable("TERM").is_none());
    terminal && !log && !dumb
}

/// Whether standard output is a terminal on which a bar can be drawn.
#[cfg(feature = "progress")]
pub(super) fn has_bar() -> bool {
    redraws(std::io::stdout().is_terminal(), &|name| std::env::var_os(name))
}

/// Writes above the bars of the trainings under way.
fn above(write: impl FnOnce()) {
    #[cfg(feature = "progress")]
    super::screen::screen().above(write);
    #[cfg(not(feature = "progress"))]
    write();
}

/// Writes to standard error, where a person sees it and a program that reads the output does not, what `text` makes for
/// colours or without.
pub(crate) fn tell(text: impl FnOnce(bool) -> String) {
    let mut to = std::io::stderr();
    let text = text(colours(to.is_terminal(), &|name| std::env::var_os(name)));
    // A closed pipe is no reason to stop training.
    above(|| drop(to.write_all(text.as_bytes())));
}

/// Prints a line; a closed pipe is no reason to stop training.
pub(super) fn say(line: impl fmt::Display) {
    above(|| drop(writeln!(std::io::stdout(), "{line}")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(decide: fn(bool, Variable) -> bool, set: &[(&str, &str)], expected: [bool; 2]) {
        let variable =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        assert_eq!([true, false].map(|terminal| decide(terminal, &variable)), expected, "{set:?}");
    }

    #[test]
    fn colours_are_for_terminals_that_want_them() {
        let (terminal_alone, never, always) = ([true, false], [false, false], [true, true]);
        check(colours, &[], terminal_alone);
        check(colours, &[("TERM", "xterm"), ("NO_COLOR", ""), ("CLICOLOR", "1")], terminal_alone);
        check(colours, &[("NO_COLOR", "1")], never);
        check(colours, &[("NO_COLOR", "1"), ("CLICOLOR_FORCE", "1")], never);
        check(colours, &[("CLICOLOR", "0")], never);
        check(colours, &[("TERM", "dumb")], never);
        check(colours, &[("CLICOLOR_FORCE", "1")], always);
        check(colours, &[("CLICOLOR_FORCE", "0")], terminal_alone);
    }

    #[test]
    #[cfg(feature = "progress")]
    fn bars_are_for_terminals_that_move_the_cursor() {
        let xterm = ("TERM", "xterm-256color");
        check(redraws, &[xterm], [true, false]);
        check(redraws, &[xterm, ("NO_COLOR", "1")], [true, false]);
        check(redraws, &[xterm, ("CI", "false")], [true, false]);
        check(redraws, &[xterm, ("CI", "true")], [false, false]);
        check(redraws, &[("TERM", "dumb")], [false, false]);
    }
}
