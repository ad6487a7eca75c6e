//! Output on the terminal above the progress bars, with or without colours. All text for a terminal passes here, the
//! place to remove control characters of names.

use std::fmt;
use std::io::Write;

/// Runs `write`, which prints above the bars of all running trainings.
fn above(write: impl FnOnce()) {
    #[cfg(feature = "progress")]
    super::screen::screen().above(write);
    #[cfg(not(feature = "progress"))]
    write();
}

/// The number of columns of a terminal at standard error. Without one, the variable `COLUMNS`, or 80.
pub(crate) fn width() -> usize {
    #[cfg(feature = "progress")]
    if let Some((_, columns)) = console::Term::stderr().size_checked().filter(|(_, columns)| *columns > 0) {
        return columns.into();
    }
    let columns = std::env::var("COLUMNS").ok().and_then(|columns| columns.trim().parse().ok());
    columns.filter(|columns| *columns > 0).unwrap_or(80)
}

/// Writes the result of `text`, called with whether to use colours, to standard error.
///
/// `anstream` removes the colours if no-color.org, bixense.com/clicolors or the terminal asks for none. Without the
/// feature `progress` there are none.
pub(crate) fn print(text: impl FnOnce(bool) -> String) {
    #[cfg(feature = "progress")]
    let mut to = anstream::stderr();
    #[cfg(not(feature = "progress"))]
    let mut to = std::io::stderr();
    let text = text(cfg!(feature = "progress"));
    if !text.is_empty() {
        // A closed pipe does not stop the training.
        above(|| drop(to.write_all(text.as_bytes())));
    }
}

/// Prints a line. A closed pipe does not stop the training.
pub(super) fn print_line(line: impl fmt::Display) {
    above(|| drop(writeln!(std::io::stdout(), "{line}")));
}
