//! The progress lines at the bottom of a terminal, one for each running training, and the output above them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::io::IsTerminal;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The progress lines of all running trainings, in the order of their numbers.
pub(super) struct Screen {
    lines: BTreeMap<usize, String>,
    /// The bar that draws all lines together; `None` if there are none.
    drawn: Option<ProgressBar>,
    target: fn() -> ProgressDrawTarget,
}

/// The screen of this process.
pub(super) fn screen() -> MutexGuard<'static, Screen> {
    static SCREEN: Mutex<Screen> = Mutex::new(Screen::stdout());
    SCREEN.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Screen {
    /// Draws to standard output, at most ten times a second.
    const fn stdout() -> Self {
        Screen::on(|| ProgressDrawTarget::stdout_with_hz(10))
    }

    const fn on(target: fn() -> ProgressDrawTarget) -> Self {
        Screen { lines: BTreeMap::new(), drawn: None, target }
    }

    /// Shows this line for this training.
    pub(super) fn show(&mut self, number: usize, line: String) {
        self.lines.insert(number, line);
        let target = self.target;
        let drawn = self.drawn.get_or_insert_with(|| {
            let bar = ProgressBar::with_draw_target(None, target());
            bar.set_style(
                ProgressStyle::with_template("{msg}").unwrap_or_else(|_| ProgressStyle::default_bar()),
            );
            bar
        });
        drawn.set_message(joined(&self.lines));
    }

    /// Removes the line of this training.
    pub(super) fn hide(&mut self, number: usize) {
        if self.lines.remove(&number).is_none() {
            return;
        }
        if self.lines.is_empty() {
            self.drawn.take().inspect(ProgressBar::finish_and_clear);
        } else if let Some(drawn) = &self.drawn {
            drawn.set_message(joined(&self.lines));
            // Redraw at once, ignoring the rate limit.
            drawn.suspend(|| ());
        }
    }

    /// Runs `write`, which prints above the lines.
    pub(super) fn above(&self, write: impl FnOnce()) {
        match &self.drawn {
            Some(drawn) => drawn.suspend(write),
            None => write(),
        }
    }
}

fn joined(lines: &BTreeMap<usize, String>) -> String {
    lines.values().map(|line| &**line).collect::<Vec<_>>().join("\n")
}

/// The value of an environment variable.
type Variable<'a> = &'a dyn Fn(&str) -> Option<OsString>;

fn is_set(variable: Variable, name: &str) -> bool {
    variable(name).is_some_and(|value| !value.is_empty())
}

fn is(variable: Variable, name: &str, value: &str) -> bool {
    variable(name).is_some_and(|set| set == value)
}

/// Whether a line can be redrawn, by cargo's rules: not in CI logs, nor if the cursor cannot move.
fn redraws(terminal: bool, variable: Variable) -> bool {
    let log = is_set(variable, "CI") && !is(variable, "CI", "false");
    let dumb = is(variable, "TERM", "dumb") || (cfg!(unix) && variable("TERM").is_none());
    terminal && !log && !dumb
}

/// Whether standard output is a terminal on which a bar can be drawn.
pub(super) fn has_bar() -> bool {
    redraws(std::io::stdout().is_terminal(), &|name| std::env::var_os(name))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;

    use indicatif::{InMemoryTerm, TermLike};

    use super::*;

    thread_local!(static TERMINAL: RefCell<InMemoryTerm> = RefCell::new(InMemoryTerm::new(6, 40)));

    fn terminal() -> InMemoryTerm {
        TERMINAL.with_borrow(Clone::clone)
    }

    #[track_caller]
    fn shows(lines: &[&str]) {
        assert_eq!(terminal().contents(), lines.join("\n"));
    }

    #[test]
    fn concurrent_trainings_have_one_line_each_and_leave_none() {
        let mut screen = Screen::on(|| ProgressDrawTarget::term_like_with_hz(Box::new(terminal()), 255));
        let print_line = |screen: &Screen, line: &str| {
            screen.above(|| terminal().write_line(line).expect("a terminal in memory"));
        };
        screen.show(2, "#2 Epoch 1/3 57/100".into());
        shows(&["#2 Epoch 1/3 57/100"]);
        screen.show(1, "#1 Epoch 1/3 1/100".into());
        shows(&["#1 Epoch 1/3 1/100", "#2 Epoch 1/3 57/100"]);
        print_line(&screen, "#2 Epoch 1/3 - loss: 1.0000");
        shows(&["#2 Epoch 1/3 - loss: 1.0000", "#1 Epoch 1/3 1/100", "#2 Epoch 1/3 57/100"]);
        screen.hide(2);
        shows(&["#2 Epoch 1/3 - loss: 1.0000", "#1 Epoch 1/3 1/100"]);
        screen.show(2, "#2 Epoch 2/3 3/100".into());
        print_line(&screen, "warning: the disk is full");
        let printed = ["#2 Epoch 1/3 - loss: 1.0000", "warning: the disk is full"];
        shows(&[printed[0], printed[1], "#1 Epoch 1/3 1/100", "#2 Epoch 2/3 3/100"]);
        screen.hide(1);
        screen.hide(1);
        screen.hide(2);
        shows(&printed);
        print_line(&screen, "done");
        screen.show(3, "Epoch 1/9".into());
        shows(&[printed[0], printed[1], "done", "Epoch 1/9"]);
        screen.hide(3);
        shows(&[printed[0], printed[1], "done"]);
    }

    #[track_caller]
    fn check(decide: fn(bool, Variable) -> bool, set: &[(&str, &str)], expected: [bool; 2]) {
        let variable =
            |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| OsString::from(value));
        assert_eq!([true, false].map(|terminal| decide(terminal, &variable)), expected, "{set:?}");
    }

    #[test]
    fn bars_require_a_terminal_with_cursor_movement() {
        let xterm = ("TERM", "xterm-256color");
        check(redraws, &[xterm], [true, false]);
        check(redraws, &[xterm, ("NO_COLOR", "1")], [true, false]);
        check(redraws, &[xterm, ("CI", "false")], [true, false]);
        check(redraws, &[xterm, ("CI", "true")], [false, false]);
        check(redraws, &[("TERM", "dumb")], [false, false]);
    }
}
