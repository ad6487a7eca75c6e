//! A report as rustc shows it on a terminal: severities in their colours, arrows and bars in blue, titles bold.

const BOLD: &str = "1";
const BLUE: &str = "1;34";

fn paint(code: &str, text: &str) -> String {
    format!("\x1b[{code}m{text}\x1b[0m")
}

/// The colour of what a finding begins with.
fn of(text: &str) -> Option<&'static str> {
    match text.split('[').next() {
        Some("error") => Some("1;31"),
        Some("warning") => Some("1;33"),
        Some("note") => Some("1;32"),
        _ => None,
    }
}

/// A severity and its code in their colour, and what follows as it is, or bold.
fn head(text: &str, bold: bool) -> Option<String> {
    let (head, rest) = text.split_at(text.find(']')? + 1);
    Some(format!("{}{}", paint(of(head)?, head), if bold { paint(BOLD, rest) } else { rest.into() }))
}

/// The text of a report, line by line in colour.
pub(crate) fn colour(report: &str) -> String {
    let line = |line: &str| {
        let rest = line.trim_start();
        let margin = &line[..line.len() - rest.len()];
        match rest.split_once(' ').unwrap_or((rest, "")) {
            _ if margin.is_empty() => head(line, true).unwrap_or_else(|| line.into()),
            ("-->", place) => format!("{margin}{} {place}", paint(BLUE, "-->")),
            ("|", "") => format!("{margin}{}", paint(BLUE, "|")),
            ("|", evidence) => format!("{margin}{} {evidence}", paint(BLUE, "|")),
            ("=", said) => {
                let effect = said.strip_prefix("so ").and_then(|effect| head(effect, false));
                let said = match (effect, said.split_once(": ")) {
                    (Some(effect), _) => format!("so {effect}"),
                    (None, Some((word @ ("help" | "see"), text))) => format!("{}: {text}", paint(BOLD, word)),
                    _ => said.into(),
                };
                format!("{margin}{} {said}", paint(BLUE, "="))
            }
            _ => line.into(),
        }
    };
    report.lines().map(|text| line(text) + "\n").collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_part_of_a_report_has_its_colour_and_no_letter_is_lost() {
        let report = "error[N0202]: too large [for it]\n  --> layer 1\n   |\n   | rms 7 = 8\n   |\n   = so warning[N0301]: far: 3\n   = help: add it\n   = tried for 3 steps: loss 2 → 1\n";
        let red = "\x1b[1;31merror[N0202]\x1b[0m\x1b[1m: too large [for it]\x1b[0m";
        let coloured = colour(report);
        let lines: Vec<&str> = coloured.lines().collect();
        assert_eq!(lines[0], red);
        assert_eq!(lines[1], "  \x1b[1;34m-->\x1b[0m layer 1");
        assert_eq!(lines[3], "   \x1b[1;34m|\x1b[0m rms 7 = 8");
        assert_eq!(lines[5], "   \x1b[1;34m=\x1b[0m so \x1b[1;33mwarning[N0301]\x1b[0m: far: 3");
        assert_eq!(lines[6], "   \x1b[1;34m=\x1b[0m \x1b[1mhelp\x1b[0m: add it");
        let plain = ["\x1b[1;31m", "\x1b[1;33m", "\x1b[1;34m", "\x1b[1m", "\x1b[0m"]
            .iter()
            .fold(coloured.clone(), |text, code| text.replace(code, ""));
        assert_eq!(plain, report);
    }
}
