//! What was found: a code, a place, the numbers that show it, and what helps.

use std::fmt;

use super::evidence::LayerFacts;
use super::remedy::Remedy;

/// How bad a finding is.
///
/// # Example
/// ```
/// use cornu::diagnosis::Severity;
/// assert!(Severity::Error > Severity::Warning && Severity::Warning > Severity::Note);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub enum Severity {
    /// Worth knowing where a training fails; kept, and shown only then.
    Note,
    /// Very likely harmful.
    Warning,
    /// Cannot work as it is.
    Error,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str(match self {
            Severity::Note => "note",
            Severity::Warning => "warning",
            Severity::Error => "error",
        })
    }
}

/// What to change, in words, and where it can be done by itself as an edit that a trial applies.
///
/// # Example
/// ```
/// let help = cornu::diagnosis::Help::new("shuffle the rows before they are split");
/// assert!(help.remedy.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Help {
    /// The advice, with the line to write.
    pub text: String,
    /// The same as an edit.
    pub remedy: Option<Remedy>,
}

impl Help {
    /// Advice that only a person can follow.
    pub fn new(text: impl Into<String>) -> Self {
        Help { text: text.into(), remedy: None }
    }
}

/// What became of a short training with some of the helps applied, from the same initial weights.
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Trial {
    /// The codes of the findings whose helps were applied.
    pub codes: Vec<String>,
    /// What was changed, in the order of `codes`.
    pub remedies: Vec<Remedy>,
    /// How many steps it took; fewer than planned where it diverged.
    pub steps: usize,
    /// The loss on the sample at the end of the same training of the network as it is, and with the helps; none where a
    /// number was no longer finite.
    pub loss: (Option<f64>, Option<f64>),
    /// The same for the accuracy, where there is one.
    pub accuracy: Option<(f64, f64)>,
    /// How much of the way from guessing to right it went, see [`Scale::skill`](super::Scale::skill).
    pub skill: Option<f64>,
    /// Whether it brought learning back: it went at least a twentieth of that way, and the network as it is did not, or
    /// left more than half again as much undone.
    pub learned: bool,
    /// Whether it is what to do: of those that brought learning back the best, or one with fewer changes that does nearly
    /// as well.
    pub advised: bool,
}

/// One thing that is wrong with a network, its data or its training.
///
/// `Display` writes it as rustc writes an error. The fields are for programs; with the feature `serde` they can be written
/// and read in any of serde's formats.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Finding, Severity};
/// let finding = Finding::new("X0001", Severity::Warning, "the moon is full")
///     .saw("illuminated share 0.998")
///     .help("train tomorrow");
/// assert_eq!(
///     finding.to_string(),
///     "warning[X0001]: the moon is full\n   |\n   | illuminated share 0.998\n   |\n   = help: train tomorrow\n",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Finding {
    /// Such as `N0202`; the page about it is [`explain`](super::explain)`("N0202")`.
    pub code: String,
    /// How bad it is.
    pub severity: Severity,
    /// What is wrong, in a line.
    pub title: String,
    /// The layers that it is about; none where it is about the data or the whole run.
    pub place: Vec<String>,
    /// The numbers that show it, each measured in this run.
    pub evidence: Vec<String>,
    /// The codes of the findings beside it that explain it.
    pub causes: Vec<String>,
    /// What to change.
    pub helps: Vec<Help>,
    /// What became of the helps, where they were tried.
    pub trials: Vec<Trial>,
}

impl Finding {
    /// A finding without evidence or help yet.
    pub fn new(code: impl Into<String>, severity: Severity, title: impl Into<String>) -> Self {
        Finding {
            code: code.into(),
            severity,
            title: title.into(),
            place: Vec::new(),
            evidence: Vec::new(),
            causes: Vec::new(),
            helps: Vec::new(),
            trials: Vec::new(),
        }
    }

    /// A finding of a rule of the crate; the table of codes adds its code and bounds its severity.
    pub(crate) fn draft(title: impl Into<String>) -> Self {
        Finding::new("", Severity::Error, title)
    }

    /// Lowers the severity to this.
    pub(crate) fn at_most(mut self, severity: Severity) -> Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// Adds a line of evidence.
    pub fn saw(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Adds a help in words.
    pub fn help(mut self, text: impl Into<String>) -> Self {
        self.helps.push(Help::new(text));
        self
    }

    /// Adds the layer as a place.
    pub(crate) fn at(mut self, layer: &LayerFacts) -> Self {
        self.place.push(layer.to_string());
        self
    }

    /// Adds a help that a trial can apply.
    pub(crate) fn mend(mut self, text: impl Into<String>, remedy: Remedy) -> Self {
        self.helps.push(Help { text: text.into(), remedy: Some(remedy) });
        self
    }

    /// Writes all but the trials and the page, which come after what follows from the finding.
    pub(super) fn write_head(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        writeln!(f, "{}[{}]: {}", self.severity, self.code, self.title)?;
        if !self.place.is_empty() {
            writeln!(f, "  --> {}", self.place.join(" → "))?;
        }
        if !self.evidence.is_empty() {
            writeln!(f, "   |")?;
            self.evidence.iter().try_for_each(|line| writeln!(f, "   | {line}"))?;
            writeln!(f, "   |")?;
        }
        Ok(())
    }

    /// Writes the helps and what became of them.
    pub(super) fn write_helps(&self, f: &mut dyn fmt::Write) -> fmt::Result {
        self.helps.iter().try_for_each(|help| writeln!(f, "   = help: {}", help.text))?;
        for trial in &self.trials {
            let others: Vec<&str> =
                trial.codes.iter().map(|code| &**code).filter(|code| *code != self.code).collect();
            let with = match &*others {
                [] => "alone".into(),
                others => format!("with the help of {}", others.join(", ")),
            };
            let loss = |loss: Option<f64>| loss.map_or("diverged".into(), |loss| format!("{loss:.4}"));
            let (from, to) = (loss(trial.loss.0), loss(trial.loss.1));
            write!(f, "   = tried for {} steps, {with}: loss {from} → {to}", trial.steps)?;
            if let Some((from, to)) = trial.accuracy {
                write!(f, ", accuracy {from:.4} → {to:.4}")?;
            }
            writeln!(
                f,
                "{}",
                match (trial.advised, trial.learned) {
                    (true, _) => ": do this",
                    (false, true) => "",
                    (false, false) => ": did not bring learning back",
                }
            )?;
        }
        Ok(())
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        self.write_head(f)?;
        self.write_helps(f)
    }
}
