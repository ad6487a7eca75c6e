//! The criteria: which findings name which fault, and the sums over all runs.

use std::collections::BTreeMap;

use cornu::Error;
use cornu::diagnosis::{Findings, Severity};

/// The findings of one run, in the order of the report.
#[derive(Clone, Debug, Default)]
pub struct Said {
    /// The code of each error and each warning.
    pub alarms: Vec<String>,
    /// The code of each note.
    pub notes: Vec<String>,
    /// The first finding that no other explains, if it is an error or a warning.
    pub first: Option<String>,
}

impl Said {
    pub fn by(findings: &Findings) -> Said {
        let codes = |alarm: bool| {
            let some = findings.iter().filter(|finding| (finding.severity > Severity::Note) == alarm);
            some.map(|finding| finding.code.clone()).collect::<Vec<_>>()
        };
        let root = findings.roots().find(|finding| finding.severity > Severity::Note);
        Said { alarms: codes(true), notes: codes(false), first: root.map(|finding| finding.code.clone()) }
    }

    /// The finding of the same meaning as an error with which the crate refuses a program.
    pub fn by_error(error: &Error) -> Said {
        let code = match error {
            Error::Label { .. } | Error::Probability { .. } => "N0105",
            Error::NonFinite { .. } => "N0201",
            Error::Argument { argument, .. } if argument.contains("learning") => "N0112",
            Error::Diverged { .. } => "N0401",
            _ => "N0106",
        };
        Said { alarms: vec![code.into()], notes: Vec::new(), first: Some(code.into()) }
    }
}

/// The findings that name a fault, and not merely a symptom. A symptom (a constant loss, dead units, predictions of one
/// class) names no fault, since many faults cause it.
const NAMES: &[(&str, &[&str])] = &[
    // The scale of the inputs is one rule, for too large and too small, and for single features too.
    ("unscaled-inputs", &["N0202"]),
    ("over-scaled-inputs", &["N0202"]),
    ("constant-features", &["N0202", "N0208"]),
    ("unscaled-targets", &["N0203"]),
    // That the inputs do not determine the targets shows only at the end, or in a trial.
    ("uninformative-data", &["N0501", "N0504"]),
    ("features-labels-misaligned", &["N0205", "N0501", "N0504"]),
    ("label-encoding", &["N0105"]),
    ("single-class-labels", &["N0204"]),
    ("class-imbalance", &["N0204"]),
    // Labels beyond the output are the same fault, seen from the data.
    ("output-width-mismatch", &["N0105", "N0106"]),
    ("softmax-on-one-unit", &["N0101"]),
    ("output-activation-mismatch", &["N0102", "N0104"]),
    ("relu-on-logits", &["N0103"]),
    ("double-softmax", &["N0103"]),
    ("missing-output-activation", &["N0102"]),
    // Labels that the loss cannot read are a fault of both.
    ("loss-task-mismatch", &["N0105", "N0107"]),
    ("missing-hidden-activation", &["N0109"]),
    ("bad-hidden-activation", &["N0110"]),
    // Too few units show as dead units of a narrow layer, or as a model that cannot fit even a few rows.
    ("inadequate-capacity", &["N0115", "N0404", "N0504"]),
    ("bad-initialisation", &["N0111"]),
    ("unmasked-padding", &["N0121"]),
    ("mask-destroyed", &["N0122"]),
    ("indices-as-numbers", &["N0123"]),
    // A sum instead of a mean multiplies the learning rate; a rate beyond the stability limit diverges.
    ("loss-reduction-sum", &["N0112", "N0402", "N0407"]),
    ("learning-rate-too-high", &["N0112", "N0402", "N0407"]),
    // Small steps and few steps are the same shortage.
    ("learning-rate-too-low", &["N0112", "N0407", "N0113", "N0502"]),
    ("too-few-epochs", &["N0113", "N0502"]),
    ("batch-size", &["N0113"]),
    ("optimizer-choice", &["N0112", "N0407"]),
    ("wrong-metric", &["N0108"]),
    ("over-regularised", &["N0114", "N0409"]),
    ("overfitting", &["N0503"]),
];

/// Whether a finding of this code names one of the faults.
pub fn is_named(code: &str, faults: &[&str]) -> bool {
    let names =
        |fault: &&str| NAMES.iter().find(|(known, _)| known == fault).map_or(&[][..], |(_, codes)| codes);
    faults.iter().any(|fault| names(fault).contains(&code))
}

/// Shares of runs by name, in the order of their first occurrence.
#[derive(Default)]
pub struct Tally {
    order: Vec<String>,
    counts: BTreeMap<String, (usize, usize)>,
}

impl Tally {
    pub fn count(&mut self, name: &str, hit: bool) {
        if !self.counts.contains_key(name) {
            self.order.push(name.into());
        }
        let (hits, all) = self.counts.entry(name.into()).or_default();
        *hits += usize::from(hit);
        *all += 1;
    }

    /// The share of hits; 1 if there are no runs.
    pub fn share(&self, name: &str) -> f64 {
        self.counts.get(name).map_or(1.0, |&(hits, all)| hits as f64 / all as f64)
    }

    /// The hits and the runs in words; empty if there are no runs.
    pub fn text(&self, name: &str) -> String {
        self.counts.get(name).map_or(String::new(), |(hits, all)| format!("{hits} of {all}"))
    }

    pub fn print(&self) {
        for name in &self.order {
            let (hits, all) = self.counts[name];
            println!("| {name} | {hits} of {all} | {:.1} % |", 100.0 * self.share(name));
        }
    }
}
