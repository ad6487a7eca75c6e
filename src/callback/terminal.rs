//! Text for a person: beside the progress bars, in colours or plain.

use std::fmt;
use std::io::Write;

/// Writes above the bars of the trainings under way.
fn above(write: impl FnOnce()) {
    #[cfg(feature = "progress")]
    super::screen::screen().above(write);
    #[cfg(not(feature = "progress"))]
    write();
}

/// Writes to standard error the text that `text` returns for colours (`true`) or for none. `anstream` removes the colours
/// where no-color.org, bixense.com/clicolors or the terminal asks for none. Without the feature `progress` there are none.
pub(crate) fn tell(text: impl FnOnce(bool) -> String) {
    #[cfg(feature = "progress")]
    let mut to = anstream::stderr();
    #[cfg(not(feature = "progress"))]
    let mut to = std::io::stderr();
    let text = text(cfg!(feature = "progress"));
    if !text.is_empty() {
        // A closed pipe is no reason to stop training.
        above(|| drop(to.write_all(text.as_bytes())));
    }
}

/// Prints a line; a closed pipe is no reason to stop training.
pub(super) fn say(line: impl fmt::Display) {
    above(|| drop(writeln!(std::io::stdout(), "{line}")));
}
