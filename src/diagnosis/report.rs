//! The report: a box for each root cause, lines for what follows during a training, and a summary at its end.

use std::fmt::{self, Display, Write};

use anstyle::Style;

use super::codes::Code;
use super::finding::{Finding, RemedyTrial, Severity};
use super::findings::Findings;
use super::layout::{Layout, Lead};

impl Finding {
    /// Writes the box without the trials; `effects` are the findings that follow from this one.
    pub(super) fn write(&self, f: &mut dyn Write, layout: &Layout, effects: &[&Finding]) -> fmt::Result {
        let frame = layout.styles.frame;
        self.write_title(f, layout, "", &self.title)?;
        let when = self.epoch.zip(self.step).filter(|(_, step)| *step > 0);
        let when = when.map(|(epoch, step)| format!("epoch {epoch}, after {step} steps"));
        let place = (!self.place.is_empty()).then(|| self.place.join(" → "));
        let place: Vec<String> = place.into_iter().chain(when).collect();
        if !place.is_empty() {
            let lead = Lead { first: (format!("  {frame}-->{frame:#} "), 6), rest: ("      ", 6) };
            layout.write(f, &lead, Style::new(), &place.join("; "))?;
        }
        if !self.evidence.is_empty() {
            writeln!(f, "   {frame}|{frame:#}")?;
            let rest = format!("   {frame}|{frame:#}   ");
            for line in &self.evidence {
                let lead = Lead { first: (format!("   {frame}|{frame:#} "), 5), rest: (&rest, 7) };
                layout.write(f, &lead, Style::new(), line)?;
            }
            writeln!(f, "   {frame}|{frame:#}")?;
        }
        if !effects.is_empty() {
            layout.entry(f, "leads to", &titles(effects))?;
        }
        self.suggestions.iter().try_for_each(|suggestion| layout.entry(f, "help", &suggestion.text))?;
        if let Some(code) = Code::known(&self.code) {
            let see = format!("{} or `cargo run --example explain {code}`", code.url());
            layout.entry(f, "see", &see)?;
        }
        Ok(())
    }

    /// Writes `severity[code]: text`, in lines that start with `indent`.
    fn write_title(&self, f: &mut dyn Write, layout: &Layout, indent: &str, text: &str) -> fmt::Result {
        let head = layout.styles.severity(self.severity);
        let label = format!("{}[{}]", self.severity, self.code);
        let bold = layout.styles.bold;
        let first = format!("{indent}{head}{label}{head:#}{bold}:{bold:#} ");
        let rest = format!("{indent}    ");
        let columns = indent.len() + label.chars().count() + 2;
        layout.write(f, &Lead { first: (first, columns), rest: (&rest, rest.len()) }, bold, text)
    }
}

impl Display for RemedyTrial {
    /// The changes, the steps and the scores.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let loss = |loss: Option<f64>| loss.map_or("diverged".into(), |loss| format!("{loss:.4}"));
        let (from, to) = (loss(self.loss.0), loss(self.loss.1));
        write!(f, "{} for {} steps: loss {from} → {to}", self.changes(), self.steps)?;
        if let Some((from, to)) = self.accuracy {
            write!(f, ", accuracy {from:.4} → {to:.4}")?;
        }
        f.write_str(match (self.advised, self.learned) {
            (true, _) => ": recommended",
            (false, true) => "",
            (false, false) if self.loss.1.is_some_and(|to| self.loss.0.is_none_or(|from| to < from)) => {
                ": hardly better than guessing"
            }
            (false, false) => ": did not help",
        })?;
        if let (true, Some((low, high))) = (self.advised, self.gain) {
            let (low, high) = (format!("{low:.2}"), format!("{high:.2}"));
            let gain = if low == high { low } else { format!("{low} to {high}") };
            write!(f, ", the skill rises by {gain} (90 % confidence, over other seeds and held-out rows)")?;
        }
        // A finding may have several remedies.
        let mut unneeded: Vec<&str> = Vec::new();
        for (code, _) in self.codes.iter().zip(&self.necessary).filter(|(_, necessary)| !**necessary) {
            if !unneeded.contains(&&**code) {
                unneeded.push(code);
            }
        }
        match (&*unneeded, self.necessary.len()) {
            ([], 2..) => f.write_str("; without any one of the changes it falls again"),
            ([], _) => Ok(()),
            (unneeded, _) => write!(f, "; it does not fall without the change of {}", unneeded.join(", ")),
        }
    }
}

impl RemedyTrial {
    /// The changes, such as `N0202 (normalize the inputs)`.
    pub(crate) fn changes(&self) -> String {
        let change = |(place, code): (usize, &String)| {
            let edits = self.edits.get(place).map_or(&[][..], |edits| edits);
            match self.remedies.get(place) {
                Some(remedy) => format!("{code} ({})", remedy.described(edits)),
                None => code.clone(),
            }
        };
        self.codes.iter().enumerate().map(change).collect::<Vec<_>>().join(" with ")
    }
}

impl Findings {
    /// Writes a box for each visible root, with an empty line between them, and the trials.
    pub(super) fn write(&self, f: &mut dyn Write, layout: &Layout) -> fmt::Result {
        let visible = self.visible();
        for (index, root) in self.roots().filter(&visible).enumerate() {
            if index > 0 {
                writeln!(f)?;
            }
            root.write(f, layout, &self.effects(root).collect::<Vec<_>>())?;
        }
        if !self.trials().is_empty() {
            writeln!(f)?;
        }
        self.write_trials(f, layout)
    }

    /// Writes a line for each trial.
    fn write_trials(&self, f: &mut dyn Write, layout: &Layout) -> fmt::Result {
        let trials = self.trials();
        if !trials.is_empty() {
            let bold = layout.styles.bold;
            let alone = if self.has_callbacks { " and without the callbacks of the training" } else { "" };
            writeln!(f, "{bold}trials{bold:#}, each from the same initial weights{alone}:")?;
        }
        let lead = Lead { first: ("  - ".into(), 4), rest: ("    ", 4) };
        trials.iter().try_for_each(|trial| layout.write(f, &lead, Style::new(), &trial.to_string()))
    }

    /// The visible findings that follow from this root: those whose first cause it is, and those that follow from these.
    pub(crate) fn effects<'f>(&'f self, root: &'f Finding) -> impl Iterator<Item = &'f Finding> {
        let is_effect = move |finding: &&Finding| {
            let mut cause = *finding;
            // Causes never form a circle, but a file may contain one.
            for _ in 0..self.len() {
                match cause.causes.first().and_then(|code| self.of(code)) {
                    Some(first) => cause = first,
                    None => break,
                }
            }
            !finding.causes.is_empty() && cause.code == root.code
        };
        self.iter().filter(self.visible()).filter(is_effect)
    }

    /// All trials of suggestions, each once.
    fn trials(&self) -> Vec<&RemedyTrial> {
        let mut trials: Vec<&RemedyTrial> = Vec::new();
        for trial in self.iter().flat_map(|finding| &finding.trials) {
            if !trials.contains(&trial) {
                trials.push(trial);
            }
        }
        trials
    }

    /// The end of a run: the trials, a line for each root, and the recommended changes.
    pub(crate) fn summary(&self, layout: &Layout) -> String {
        let (mut trials, mut text) = (String::new(), String::new());
        // Writing to a `String` cannot fail.
        let _ = self.write_trials(&mut trials, layout).and_then(|()| self.write_summary(&mut text, layout));
        [trials, text].into_iter().filter(|part| !part.is_empty()).map(|part| part + "\n").collect()
    }

    fn write_summary(&self, f: &mut dyn Write, layout: &Layout) -> fmt::Result {
        let roots: Vec<&Finding> = self.roots().filter(self.visible()).collect();
        if roots.is_empty() {
            return Ok(());
        }
        let bold = layout.styles.bold;
        let s = if roots.len() > 1 { "s" } else { "" };
        writeln!(f, "{bold}diagnosis: {} finding{s}{bold:#}", roots.len())?;
        for root in roots {
            let effects: Vec<&str> = self.effects(root).map(|effect| &*effect.code).collect();
            let layers: Vec<String> = root.layers.iter().map(|layer| format!("`{layer}`")).collect();
            let place = if layers.is_empty() { String::new() } else { format!(" ({})", layers.join(", ")) };
            let effects = match &*effects {
                [] => String::new(),
                effects => format!("; leads to {}", effects.join(", ")),
            };
            root.write_title(f, layout, "  ", &format!("{}{place}{effects}", root.title))?;
        }
        let trials = self.trials();
        let recommended = match trials.iter().find(|trial| trial.advised) {
            Some(trial) => trial.changes(),
            None if trials.is_empty() => return Ok(()),
            None => "none of the changes that were tried".into(),
        };
        let first = format!("  {bold}recommended{bold:#}: ");
        layout.write(f, &Lead { first: (first, 15), rest: ("      ", 6) }, Style::new(), &recommended)
    }
}

/// The findings that a training has printed, so that it prints each once.
#[derive(Debug, Default)]
pub(crate) struct Printed {
    known: Vec<(String, Severity)>,
}

impl Printed {
    /// Whether nothing is printed yet.
    pub(crate) fn is_empty(&self) -> bool {
        self.known.is_empty()
    }

    /// Takes these findings as printed.
    pub(crate) fn skip(&mut self, findings: &Findings) {
        self.known = findings
            .iter()
            .filter(findings.visible())
            .map(|finding| (finding.code.clone(), finding.severity))
            .collect();
    }

    /// Returns the text about what has changed: a box for each new root, a line for each root that has become worse or leads to
    /// more, and a line for each finding that no longer holds.
    pub(crate) fn news(&mut self, findings: &Findings, layout: &Layout) -> String {
        let mut text = String::new();
        // Writing to a `String` cannot fail.
        let _ = self.write_news(&mut text, findings, layout);
        text
    }

    fn write_news(&mut self, f: &mut dyn Write, findings: &Findings, layout: &Layout) -> fmt::Result {
        let before = std::mem::take(&mut self.known);
        let was = |code: &str| before.iter().find(|(known, _)| known == code).map(|known| known.1);
        let mut lines = String::new();
        for root in findings.roots().filter(findings.visible()) {
            let Some(severity) = was(&root.code) else {
                root.write(f, layout, &findings.effects(root).collect::<Vec<_>>())?;
                writeln!(f)?;
                continue;
            };
            let worse = (severity < root.severity).then(|| format!("this finding was a {severity}"));
            let effects: Vec<&Finding> =
                findings.effects(root).filter(|effect| was(&effect.code).is_none()).collect();
            let effects = (!effects.is_empty()).then(|| format!("it leads to {}", titles(&effects)));
            let text: Vec<String> = worse.into_iter().chain(effects).collect();
            root.write_title(&mut lines, layout, "", &text.join("; "))?;
        }
        self.skip(findings);
        for (code, severity) in before {
            if !self.known.iter().any(|(known, _)| *known == code) {
                // A note may be hidden for a while.
                match findings.of(&code) {
                    Some(_) => self.known.push((code, severity)),
                    None => writeln!(lines, "{severity}[{code}] no longer holds: the network has learned")?,
                }
            }
        }
        if lines.is_empty() { Ok(()) } else { writeln!(f, "{lines}") }
    }
}

/// The codes of effects, with their titles.
fn titles(effects: &[&Finding]) -> String {
    let title = |effect: &&Finding| format!("{} ({})", effect.code, effect.title);
    effects.iter().map(title).collect::<Vec<_>>().join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(code: Code, severity: Severity, title: &str) -> Finding {
        code.finding(title).at_most(severity).evidence(format!("what {code} has measured in 32 sampled rows"))
    }

    /// The findings of a run in which N0202 and N0103 lead to others.
    fn first_batch() -> Findings {
        let mut findings = Findings::default();
        let scale =
            finding(Code::N0202, Severity::Warning, "the inputs are 144 times too large for the first layer");
        let relu = finding(Code::N0103, Severity::Error, "relu between the last layer and softmax");
        findings.take(vec![
            scale
                .suggestion("normalize the inputs: add `Normalization::new().adapt(&x)?` as the first layer"),
            relu.suggestion("make `output` linear"),
            finding(Code::N0301, Severity::Warning, "the first loss is far above that of guessing"),
        ]);
        findings
    }

    fn layout(width: usize) -> Layout {
        Layout::new(false, width)
    }

    #[test]
    fn a_trial_names_each_unneeded_code_once() {
        let trial = RemedyTrial {
            codes: vec!["N0103".into(), "N0202".into(), "N0103".into()],
            remedies: Vec::new(),
            edits: Vec::new(),
            steps: 20,
            loss: (None, Some(0.5)),
            accuracy: None,
            skill: None,
            learned: true,
            gain: None,
            necessary: vec![false, true, false],
            advised: true,
        };
        assert!(trial.to_string().ends_with("; it does not fall without the change of N0103"), "{trial}");
    }

    #[test]
    fn a_box_is_printed_once() {
        let (mut findings, mut printed) = (first_batch(), Printed::default());
        let boxes = printed.news(&findings, &layout(60));
        let expected = "\
error[N0103]: relu between the last layer and softmax
   |
   | what N0103 has measured in 32 sampled rows
   |
   = help: make `output` linear
   = see: https://docs.rs/cornu/VERSION/cornu/diagnosis/pages/enum.N0103.html
       or `cargo run --example explain N0103`

warning[N0202]: the inputs are 144 times too large for the
    first layer
   |
   | what N0202 has measured in 32 sampled rows
   |
   = leads to: N0301 (the first loss is far above that of
       guessing)
   = help: normalize the inputs: add
       `Normalization::new().adapt(&x)?` as the first layer
   = see: https://docs.rs/cornu/VERSION/cornu/diagnosis/pages/enum.N0202.html
       or `cargo run --example explain N0202`

";
        assert_eq!(boxes, expected.replace("VERSION", env!("CARGO_PKG_VERSION")));
        assert_eq!(printed.news(&findings, &layout(60)), "");
        // Later, one of them becomes worse, and another finding follows from both.
        findings.take(vec![
            finding(Code::N0202, Severity::Error, "the inputs are too large"),
            finding(Code::N0303, Severity::Error, "no gradient reaches any weight"),
        ]);
        assert_eq!(
            printed.news(&findings, &layout(100)),
            "error[N0202]: this finding was a warning; it leads to N0303 (no gradient reaches any weight)\n\n"
        );
        assert_eq!(printed.news(&findings, &layout(60)), "");
        findings.retain(|finding| finding.code != Code::N0103);
        assert_eq!(
            printed.news(&findings, &layout(60)),
            "error[N0103] no longer holds: the network has learned\n\n"
        );
        assert_eq!(printed.news(&findings, &layout(60)), "");
    }

    #[test]
    fn a_summary_has_a_line_for_each_root() {
        let findings = first_batch();
        let summary = "\
diagnosis: 2 findings
  error[N0103]: relu between the last layer and softmax
  warning[N0202]: the inputs are 144 times too large for the first layer; leads to N0301

";
        assert_eq!(findings.summary(&layout(100)), summary);
        assert_eq!(Findings::default().summary(&layout(100)), "");
    }

    #[test]
    fn reports_fit_every_width() {
        let findings = first_batch();
        for width in [40, 60, 80, 120] {
            let text = format!("{findings:width$}");
            for line in text.lines().filter(|line| !line.contains("https://")) {
                assert!(line.chars().count() <= width, "{width}: {line}");
            }
            let words = |text: &str| -> Vec<String> {
                text.split_whitespace().filter(|word| *word != "|").map(String::from).collect()
            };
            assert_eq!(words(&text), words(&format!("{findings:1000}")), "{width}: no word is lost or cut");
        }
        assert_eq!(format!("{findings:80}"), findings.to_string());
    }

    /// What a resumed training has printed before it was interrupted.
    #[test]
    fn a_resumed_training_prints_only_what_is_new() {
        let (mut findings, mut printed) = (first_batch(), Printed::default());
        printed.skip(&findings);
        assert_eq!(printed.news(&findings, &layout(80)), "");
        findings.take(vec![finding(Code::N0501, Severity::Error, "the network learned nothing")]);
        let news = printed.news(&findings, &layout(80));
        assert_eq!(news, "warning[N0202]: it leads to N0501 (the network learned nothing)\n\n");
    }

    #[test]
    fn users_codes_have_no_page() {
        let own = Finding::new("X0001", Severity::Error, "the moon is full");
        assert_eq!(own.to_string(), "error[X0001]: the moon is full\n");
    }
}
