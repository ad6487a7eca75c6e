//! The lines that are redrawn at the bottom of a terminal, one for each training under way, and what is printed above them.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The lines of the trainings under way, in the order of their numbers, whatever thread they train on.
pub(super) struct Screen {
    lines: BTreeMap<usize, String>,
    /// What draws them, all as one; only while there are any.
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

    /// Takes the line of this training away.
    pub(super) fn hide(&mut self, number: usize) {
        if self.lines.remove(&number).is_none() {
            return;
        }
        if self.lines.is_empty() {
            self.drawn.take().inspect(ProgressBar::finish_and_clear);
        } else if let Some(drawn) = &self.drawn {
            drawn.set_message(joined(&self.lines));
            // At once, however short the last drawing is ago.
            drawn.suspend(|| ());
        }
    }

    /// Has something written above the lines.
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
    fn trainings_at_once_have_a_line_each_and_leave_none() {
        let mut screen = Screen::on(|| ProgressDrawTarget::term_like_with_hz(Box::new(terminal()), 255));
        let say = |screen: &Screen, line: &str| {
            screen.above(|| terminal().write_line(line).expect("a terminal in memory"));
        };
        screen.show(2, "#2 Epoch 1/3 57/100".into());
        shows(&["#2 Epoch 1/3 57/100"]);
        screen.show(1, "#1 Epoch 1/3 1/100".into());
        shows(&["#1 Epoch 1/3 1/100", "#2 Epoch 1/3 57/100"]);
        say(&screen, "#2 Epoch 1/3 - loss: 1.0000");
        shows(&["#2 Epoch 1/3 - loss: 1.0000", "#1 Epoch 1/3 1/100", "#2 Epoch 1/3 57/100"]);
        screen.hide(2);
        shows(&["#2 Epoch 1/3 - loss: 1.0000", "#1 Epoch 1/3 1/100"]);
        screen.show(2, "#2 Epoch 2/3 3/100".into());
        say(&screen, "warning: the disk is full");
        let told = ["#2 Epoch 1/3 - loss: 1.0000", "warning: the disk is full"];
        shows(&[told[0], told[1], "#1 Epoch 1/3 1/100", "#2 Epoch 2/3 3/100"]);
        screen.hide(1);
        screen.hide(1);
        screen.hide(2);
        shows(&told);
        say(&screen, "done");
        screen.show(3, "Epoch 1/9".into());
        shows(&[told[0], told[1], "done", "Epoch 1/9"]);
        screen.hide(3);
        shows(&[told[0], told[1], "done"]);
    }
}
