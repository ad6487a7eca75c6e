//! The format of shapes, lists of names and arguments in messages.

use std::fmt;

/// Shows a shape as `(6000, 1)`.
pub(crate) struct Shape<'a>(pub &'a [usize]);

impl fmt::Display for Shape<'_> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let sizes: Vec<String> = self.0.iter().map(usize::to_string).collect();
        write!(f, "({})", sizes.join(", "))
    }
}

pub(super) fn listed(known: &[String]) -> String {
    match known {
        [] => "none".into(),
        _ => known.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "),
    }
}

/// The number of a row of a table, shown as a line number if the file has lines.
#[derive(Debug, Clone, Copy)]
pub(crate) struct RowNumber {
    /// From 0, without the header.
    pub(crate) row: usize,
    pub(crate) line: Option<std::num::NonZeroU64>,
}

impl std::fmt::Display for RowNumber {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self.line {
            Some(line) => write!(f, "line {line}"),
            None => write!(f, "row {}", self.row),
        }
    }
}
