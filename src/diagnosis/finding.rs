//! A finding: its code, its place, its evidence and its suggestions.

use std::fmt;

use super::edit::SettingEdit;
use super::evidence::{Evidence, LayerFacts};
use super::layout::Layout;
use super::remedy::Remedy;
pub use super::severity::Severity;

/// A suggestion in words, and as an edit if a trial can apply it.
///
/// # Example
/// ```
/// let suggestion = cornu::diagnosis::Suggestion::new("shuffle the rows before they are split");
/// assert!(suggestion.remedy.is_none());
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Suggestion {
    /// The suggestion, with the line to write.
    pub text: String,
    /// The same suggestion as an edit.
    pub remedy: Option<Remedy>,
    /// The settings that the edit changes. Empty if it changes other things, such as the data.
    pub edits: Vec<SettingEdit>,
}

impl Suggestion {
    /// A suggestion in words alone.
    pub fn new(text: impl Into<String>) -> Self {
        Suggestion { text: text.into(), remedy: None, edits: Vec::new() }
    }
}

/// A measured number of a finding, with its name and its unit.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Finding, Severity};
/// let finding = Finding::new("X0001", Severity::Warning, "few rows").measured("training rows", 12.0, "rows");
/// let number = &finding.measurements[0];
/// assert_eq!((&*number.name, number.value, number.unit.as_deref()), ("training rows", 12.0, Some("rows")));
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Measurement {
    /// What is measured.
    pub name: String,
    /// The number.
    pub value: f64,
    /// The unit, such as `rows` or `%`. `None` for a number without a unit, such as a loss.
    pub unit: Option<String>,
}

/// The result of a short training run with some of the suggestions applied, from the same initial weights.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// // Inputs far too large for the network.
/// let x = ndarray::Array2::from_shape_fn((64, 2), |(i, j)| 1e4 * ((i * 7 + j * 3) % 10) as f32);
/// let y = x.map_axis(ndarray::Axis(1), |row| row[0] / 1e4);
/// let model = |rate| -> Result<Sequential> {
///     let mut model = Sequential::new().seed(1).add(Dense::new(1));
///     model.compile(Sgd::new(rate), MeanSquaredError::new(), ())?;
///     Ok(model)
/// };
/// let findings = model(0.01)?.investigate(&x, &y, &Fit::new().epochs(20).verbose(Verbose::Silent))?;
/// let trials: Vec<_> = findings.iter().flat_map(|finding| &finding.trials).collect();
/// assert!(trials.iter().any(|trial| trial.advised && trial.learned), "{findings}");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct RemedyTrial {
    /// The codes of the findings whose suggestions were applied.
    pub codes: Vec<String>,
    /// The edits, in the order of `codes`.
    pub remedies: Vec<Remedy>,
    /// The settings that each of them changes.
    pub edits: Vec<Vec<SettingEdit>>,
    /// The number of steps, fewer than planned if the trial diverged.
    pub steps: usize,
    /// The final loss on the sample without and with the suggestions; `None` if the training diverged.
    pub loss: (Option<f64>, Option<f64>),
    /// The accuracy without and with the suggestions, if it is measured.
    pub accuracy: Option<(f64, f64)>,
    /// The improvement over guessing as a share of the possible improvement, see [`Scale::skill`](super::Scale::skill).
    pub skill: Option<f64>,
    /// Whether the suggestions helped: the trial has a skill of at least 0.05, and the unchanged network has less, or its
    /// remaining loss is more than one and a half times as large.
    pub learned: bool,
    /// The 90 % confidence interval of the gain in skill over the unchanged network, by trainings in pairs with other
    /// seeds and other held-out rows. The first of three to six pairs also selected the trial, which makes the interval optimistic.
    /// `None` if the trial ran once.
    pub gain: Option<(f64, f64)>,
    /// For each edit, whether the skill falls without it. Empty if that was not tested.
    pub necessary: Vec<bool>,
    /// Whether the trial is recommended: its gain is above 0 with 90 % confidence, and it has no edit that can be left out.
    pub advised: bool,
}

/// A fault of a network, its data or its training.
///
/// `Display` formats it as rustc formats an error, in lines of 80 columns, or as many as the format asks for, such as
/// `{:60}`. Programs read the fields; with the feature `serde` they can be
/// serialized and deserialized.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Finding, Severity};
/// let finding = Finding::new("X0001", Severity::Warning, "the moon is full")
///     .evidence("illuminated share 0.998")
///     .suggestion("train tomorrow");
/// assert_eq!(
///     finding.to_string(),
///     "warning[X0001]: the moon is full\n   |\n   | illuminated share 0.998\n   |\n   = help: train tomorrow\n",
/// );
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct Finding {
    /// The code, such as `N0202`. [`explain`](super::explain)`("N0202")` returns the page about it.
    pub code: String,
    /// The severity.
    pub severity: Severity,
    /// The fault in one line.
    pub title: String,
    /// The layers concerned; empty if the finding concerns the data or the whole run.
    pub place: Vec<String>,
    /// The paths of these layers.
    pub layers: Vec<String>,
    /// The epoch in which it holds first with this severity, from 1. `None` before a training.
    pub epoch: Option<usize>,
    /// The number of training steps before, including those of previous runs. `None` before a training.
    pub step: Option<usize>,
    /// The facts, measured in this run.
    pub evidence: Vec<String>,
    /// The numbers in these facts.
    pub measurements: Vec<Measurement>,
    /// The codes of the findings that explain it.
    pub causes: Vec<String>,
    /// The suggestions.
    pub suggestions: Vec<Suggestion>,
    /// The trials of the suggestions, if there were any.
    pub trials: Vec<RemedyTrial>,
}

impl Finding {
    /// Creates a finding without evidence or suggestions.
    pub fn new(code: impl Into<String>, severity: Severity, title: impl Into<String>) -> Self {
        Finding {
            code: code.into(),
            severity,
            title: title.into(),
            place: Vec::new(),
            layers: Vec::new(),
            epoch: None,
            step: None,
            evidence: Vec::new(),
            measurements: Vec::new(),
            causes: Vec::new(),
            suggestions: Vec::new(),
            trials: Vec::new(),
        }
    }

    /// A finding of a built-in rule; the table of codes adds its code and bounds its severity.
    pub(crate) fn draft(title: impl Into<String>) -> Self {
        Finding::new("", Severity::Error, title)
    }

    /// Lowers the severity to this.
    pub(crate) fn at_most(mut self, severity: Severity) -> Self {
        self.severity = self.severity.min(severity);
        self
    }

    /// Adds a fact.
    pub fn evidence(mut self, evidence: impl Into<String>) -> Self {
        self.evidence.push(evidence.into());
        self
    }

    /// Adds a measured number with its unit, such as `"rows"` or `None`.
    pub fn measured<'u>(
        mut self,
        name: impl Into<String>,
        value: f64,
        unit: impl Into<Option<&'u str>>,
    ) -> Self {
        let unit = unit.into().map(str::to_string);
        self.measurements.push(Measurement { name: name.into(), value, unit });
        self
    }

    /// Adds a suggestion in words.
    pub fn suggestion(mut self, text: impl Into<String>) -> Self {
        self.suggestions.push(Suggestion::new(text));
        self
    }

    /// Adds the layer as a place.
    pub(crate) fn at(mut self, layer: &LayerFacts) -> Self {
        self.place.push(layer.to_string());
        self.layers.push(layer.name.clone());
        self
    }

    /// Adds a suggestion that a trial can apply.
    pub(crate) fn remedy(mut self, text: impl Into<String>, remedy: Remedy) -> Self {
        self.suggestions.push(Suggestion { remedy: Some(remedy), ..Suggestion::new(text) });
        self
    }

    /// Derives the settings that its suggestions change.
    pub(super) fn derive_edits(&mut self, evidence: &Evidence) {
        for suggestion in &mut self.suggestions {
            suggestion.edits =
                suggestion.remedy.as_ref().map(|remedy| remedy.edits(evidence)).unwrap_or_default();
        }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let layout = Layout::of(f);
        self.write(f, &layout, &[])?;
        self.trials.iter().try_for_each(|trial| layout.entry(f, "tried", &trial.to_string()))
    }
}
