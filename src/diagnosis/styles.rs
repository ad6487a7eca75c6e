//! The styles of a report on a terminal, as rustc has them: severities in their colours, arrows and bars in blue, titles bold.
//!
//! The crate `anstyle` writes the escape codes. `anstream` removes them if they are disabled (`callback/terminal.rs`).

use anstyle::{AnsiColor, Color, Style};

use super::severity::Severity;

/// A style for each part of a report.
#[derive(Debug)]
pub(super) struct Styles {
    error: Style,
    warning: Style,
    note: Style,
    /// Arrows, bars and equals signs.
    pub(super) frame: Style,
    /// Titles, and words such as `help`.
    pub(super) bold: Style,
}

impl Styles {
    /// Plain text.
    pub(super) const PLAIN: Styles = Styles {
        error: Style::new(),
        warning: Style::new(),
        note: Style::new(),
        frame: Style::new(),
        bold: Style::new(),
    };
    /// The colours of rustc.
    pub(super) const COLOURED: Styles = Styles {
        error: bold(AnsiColor::Red),
        warning: bold(AnsiColor::Yellow),
        note: bold(AnsiColor::Green),
        frame: bold(AnsiColor::Blue),
        bold: Style::new().bold(),
    };

    /// The style of a severity and its code.
    pub(super) fn severity(&self, severity: Severity) -> Style {
        match severity {
            Severity::Error => self.error,
            Severity::Warning => self.warning,
            Severity::Note => self.note,
        }
    }
}

const fn bold(color: AnsiColor) -> Style {
    Style::new().bold().fg_color(Some(Color::Ansi(color)))
}

#[cfg(test)]
mod tests {
    use super::super::finding::Finding;
    use super::super::findings::Findings;
    use super::super::layout::Layout;
    use super::*;

    #[test]
    fn each_part_of_a_report_has_its_style() {
        let finding = Finding::new("X0001", Severity::Error, "too large [for it]")
            .evidence("rms 7 = 8")
            .suggestion("add: it");
        let mut findings = Findings::default();
        findings.take(vec![finding]);
        let mut coloured = String::new();
        findings.write(&mut coloured, &Layout::new(true, 80)).unwrap();
        let lines: Vec<&str> = coloured.lines().collect();
        assert_eq!(
            lines[0],
            "\x1b[1m\x1b[31merror[X0001]\x1b[0m\x1b[1m:\x1b[0m \x1b[1mtoo large [for it]\x1b[0m"
        );
        assert_eq!(lines[2], "   \x1b[1m\x1b[34m|\x1b[0m rms 7 = 8");
        assert_eq!(lines[4], "   \x1b[1m\x1b[34m=\x1b[0m \x1b[1mhelp\x1b[0m: add: it");
        let plain = ["\x1b[31m", "\x1b[34m", "\x1b[1m", "\x1b[0m"]
            .iter()
            .fold(coloured.clone(), |text, code| text.replace(code, ""));
        assert_eq!(plain, findings.to_string());
    }
}
