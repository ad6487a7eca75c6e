//! The findings of a run: root causes first, each with its effects.

use std::fmt;
use std::ops::Deref;

use super::codes::{Code, explains, is_disproved, is_symptom, rank};
use super::finding::{Finding, Severity};
use super::layout::Layout;
use crate::callback::terminal;
use crate::error::Result;
use crate::state::State;

/// The findings of a run, root causes first.
///
/// It is a slice of [`Finding`]s. `Display` formats the report: a box for each root cause, with its evidence, its effects, its
/// suggestions and the address of its page; then the trials. The report shows notes only if the run failed and nothing worse was
/// found. Its lines have 80 columns, or as many as the format asks for, such as `{:60}`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([2]).add(Dense::new(1).activation(Activation::Softmax));
/// model.compile(Sgd::new(0.01), BinaryCrossentropy::new(), ())?;
/// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0]], &ndarray::array![0, 1])?;
/// assert_eq!(findings[0].code, "N0101");
/// assert!(findings.to_string().starts_with("error[N0101]: softmax over one unit"));
/// assert_eq!(findings.worst(), Some(cornu::diagnosis::Severity::Error));
/// assert_eq!(findings.roots().next(), findings.of("N0101"));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Findings {
    all: Vec<Finding>,
    /// Whether the run failed, so that notes are shown too.
    pub(crate) failed: bool,
    /// Whether the training has callbacks, which the trials do not call.
    #[cfg_attr(feature = "serde", serde(default))]
    pub(crate) has_callbacks: bool,
}

impl Findings {
    /// Returns the finding with this code, a [`Code`](super::Code) or its text.
    pub fn of(&self, code: impl AsRef<str>) -> Option<&Finding> {
        let code = code.as_ref();
        self.all.iter().find(|finding| finding.code == code)
    }

    /// Returns the highest severity.
    pub fn worst(&self) -> Option<Severity> {
        self.all.iter().map(|finding| finding.severity).max()
    }

    /// Returns the report for a terminal, in its width and with the colours of rustc. `Display` has no colours.
    ///
    /// # Example
    /// ```
    /// let findings = cornu::diagnosis::Findings::default();
    /// assert_eq!(findings.coloured(), "");
    /// ```
    pub fn coloured(&self) -> String {
        let mut text = String::new();
        // A `String` takes all that is written.
        let _ = self.write(&mut text, &Layout::new(true, terminal::width()));
        text
    }

    /// Returns the findings that no other finding explains: faults before symptoms, each by severity, and notes last.
    pub fn roots(&self) -> impl Iterator<Item = &Finding> {
        self.all.iter().filter(|finding| finding.causes.is_empty())
    }

    /// Adds findings; a known finding is replaced by a more severe one. Returns the codes that are new or more severe.
    pub(crate) fn take(&mut self, found: Vec<Finding>) -> Vec<String> {
        let mut news = Vec::new();
        for finding in found {
            match self.all.iter_mut().find(|known| known.code == finding.code) {
                None => {
                    news.push(finding.code.clone());
                    self.all.push(finding);
                }
                Some(known) if finding.severity > known.severity => {
                    news.push(finding.code.clone());
                    *known = finding;
                }
                Some(_) => {}
            }
        }
        if !news.is_empty() {
            self.arrange();
        }
        news
    }

    /// Updates the causes of each finding, and sorts.
    fn arrange(&mut self) {
        let known: Vec<(String, Severity)> = self.all.iter().map(|f| (f.code.clone(), f.severity)).collect();
        for finding in &mut self.all {
            let explains = |(code, severity): &&(String, Severity)| {
                *severity > Severity::Note && explains(code, &finding.code)
            };
            finding.causes = known.iter().filter(explains).map(|(code, _)| code.clone()).collect();
            finding.causes.sort_by_key(|code| rank(code));
        }
        self.all.sort_by_key(|finding| {
            (
                !finding.causes.is_empty(),
                finding.severity == Severity::Note,
                is_symptom(&finding.code),
                std::cmp::Reverse(finding.severity),
                rank(&finding.code),
            )
        });
    }

    /// Moves the findings with these codes to the front, as roots, and those with the codes `idle` behind the others.
    pub(crate) fn rank_by_proof(&mut self, necessary: &[String], idle: &[String]) {
        for finding in self.all.iter_mut().filter(|finding| necessary.contains(&finding.code)) {
            finding.causes.clear();
            finding.severity = finding.severity.max(Severity::Warning);
        }
        self.all.sort_by_key(|finding| {
            let place = necessary.iter().position(|code| *code == finding.code);
            (place.unwrap_or(necessary.len()), place.is_none() && idle.contains(&finding.code))
        });
    }

    pub(crate) fn each_mut(&mut self) -> impl Iterator<Item = &mut Finding> {
        self.all.iter_mut()
    }

    /// The findings as part of the training state, without trials, which come after a run.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        let Findings { all, failed, has_callbacks: _ } = self;
        state.item("failed", failed)?;
        state.list("all", all, || Finding::new("", Severity::Note, ""), Finding::state)
    }

    /// Compares each finding with those that the rules raise at the end of the run. One that is absent or less severe at
    /// the end names its epoch. It also takes its severity at the end if the run seemed to fail only before it learned a
    /// weak signal (`is_weak`), or if it is about the imbalance of classes or predictions in a run that does not fail: every
    /// training starts with almost equal predictions.
    pub(crate) fn compare_with_end(&mut self, at_end: &[(String, Severity)], fails: bool, is_weak: bool) {
        let is_imbalance = |finding: &Finding| finding.code == Code::N0204 || finding.code == Code::N0408;
        for finding in &mut self.all {
            let end = at_end.iter().find(|(code, _)| *code == finding.code).map(|(_, severity)| *severity);
            if end >= Some(finding.severity) {
                continue;
            }
            if let Some(epoch) = finding.epoch {
                finding.evidence.push(format!("true in epoch {epoch}, but not at the end"));
            }
            if is_weak || (!fails && is_imbalance(finding)) {
                finding.severity = end.unwrap_or(Severity::Note);
            }
        }
    }

    /// Keeps only the findings that satisfy the predicate.
    pub(crate) fn retain(&mut self, keep: impl FnMut(&Finding) -> bool) {
        self.all.retain(keep);
        self.arrange();
    }

    /// Drops the findings that a run of this skill disproves.
    pub(crate) fn withdraw(&mut self, skill: Option<f64>) {
        self.retain(|finding| !skill.is_some_and(|skill| is_disproved(finding, skill)));
    }

    /// Returns which findings reports show: notes only if a run fails and no worse finding explains it.
    pub(crate) fn visible(&self) -> impl Fn(&&Finding) -> bool + use<> {
        let notes = self.failed && self.roots().all(|root| root.severity == Severity::Note);
        move |finding| notes || finding.severity > Severity::Note
    }
}

impl Deref for Findings {
    type Target = [Finding];

    fn deref(&self) -> &[Finding] {
        &self.all
    }
}

impl fmt::Display for Findings {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let layout = Layout::of(f);
        self.write(f, &layout)
    }
}
