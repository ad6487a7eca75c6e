//! Blank lines. In a table of one column, a blank line is a missing value, unless no row follows it; other tables skip it.

use std::collections::VecDeque;
use std::ops::Range;

/// Blank lines that are rows if another row follows.
#[derive(Debug, Default)]
pub(super) struct Blanks {
    /// The lines, as runs.
    runs: VecDeque<Range<u64>>,
    /// The byte and line of the first.
    first: (u64, u64),
}

impl Blanks {
    /// Adds the blank line at this byte and line.
    pub(super) fn push(&mut self, (byte, line): (u64, u64)) {
        match self.runs.back_mut() {
            Some(run) if run.end == line => run.end += 1,
            last => {
                if last.is_none() {
                    self.first = (byte, line);
                }
                self.runs.push_back(line..line + 1);
            }
        }
    }

    /// Takes the next line.
    pub(super) fn pop(&mut self) -> Option<u64> {
        let run = self.runs.front_mut()?;
        let line = run.next();
        if run.is_empty() {
            self.runs.pop_front();
        }
        line
    }

    /// The byte and line of the first, while none was taken.
    pub(super) fn first(&self) -> Option<(u64, u64)> {
        (!self.runs.is_empty()).then_some(self.first)
    }

    pub(super) fn clear(&mut self) {
        self.runs.clear();
    }
}
