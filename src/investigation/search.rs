//! The search for remedies to recommend, alone and in combination.

use super::remedies::{Edit, apply};
use super::trial::{TrialResult, TrialSample, TrialSettings, WORK};
use crate::diagnosis::{Code, Finding, Findings, Remedy, RemedyTrial, SettingValue, Severity, Suggestion};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The minimum gain in skill, from 0 for guessing to 1 for perfect, that makes a remedy worth recommending.
const WORTH: f64 = 0.02;
/// The maximum number of remedies in a combination.
const TOGETHER: usize = 5;

/// A finished trial.
struct Done {
    edits: Vec<Edit>,
    end: TrialResult,
    /// Further remedies suggested by the diagnosis of this trial.
    own: Vec<Edit>,
}

/// The trials so far, and the input of further ones.
pub(super) struct RemedySearch<'a, F: Scalar> {
    model: &'a Sequential<F>,
    sample: &'a TrialSample<F>,
    plan: TrialSettings,
    /// The result of the unchanged network.
    pub(super) base: TrialResult,
    done: Vec<Done>,
    /// The remedies that every recommended trial must contain.
    needed: Vec<Edit>,
    /// Whether recall replaces the loss, which large classes dominate.
    by_recall: bool,
    /// The work of the trials, in the nanoseconds of [`WORK`].
    work: f64,
}

impl<'a, F: Scalar> RemedySearch<'a, F> {
    pub(super) fn new(
        model: &'a Sequential<F>,
        sample: &'a TrialSample<F>,
        plan: TrialSettings,
        base: TrialResult,
        by_recall: bool,
    ) -> Self {
        let base = if by_recall { TrialResult { skill: base.recall, ..base } } else { base };
        let (done, needed) = (Vec::new(), Vec::new());
        RemedySearch { model, sample, plan, base, done, needed, by_recall, work: 0.0 }
    }

    /// Tries each remedy alone, the most severe and most causal first, and the first remedies of all root causes
    /// together. Then adds one remedy at a time to the best of these, from the findings and from its own diagnosis, as
    /// long as that improves it.
    pub(super) fn run(&mut self, findings: &Findings) -> Result<()> {
        let is_reported = |finding: &&Finding| finding.severity > Severity::Note;
        let mut all: Vec<Edit> = Vec::new();
        // The remedy of a note may improve a trial with others.
        let notes = findings.iter().filter(|finding| finding.severity == Severity::Note);
        for edit in findings.iter().filter(is_reported).chain(notes).flat_map(edits) {
            if !all.iter().any(|known| known.remedy == edit.remedy) {
                all.push(edit);
            }
        }
        let together = findings.roots().filter(is_reported).flat_map(first).collect();
        // A contradiction must be removed, however well a trial without that edit seems to go.
        let contradiction = |finding: &&Finding| {
            let config = finding.code.starts_with("N01") && finding.code != Code::N0112;
            finding.severity == Severity::Error && config
        };
        self.needed = findings.roots().filter(contradiction).flat_map(first).collect();
        for edit in &all {
            self.attempt(vec![edit.clone()])?;
        }
        for finding in findings.iter().filter(is_reported) {
            self.attempt(first(finding))?;
        }
        self.attempt(together)?;
        for edit in &all {
            self.attempt(joined(&self.needed, edit.clone()))?;
        }
        for _ in 1..TOGETHER {
            let Some(best) = self.best() else { return Ok(()) };
            let (start, skill, tried) = (best.edits.clone(), best.end.skill, self.done.len());
            if skill.is_some_and(|skill| skill > 1.0 - WORTH) {
                return Ok(());
            }
            let more: Vec<Edit> = best.own.iter().chain(&all).cloned().collect();
            let is_new = |edit: &Edit| !start.iter().any(|known| known.remedy == edit.remedy);
            for edit in more.into_iter().filter(is_new) {
                self.attempt(joined(&start, edit))?;
            }
            let better = self.best().is_some_and(|best| best.end.skill > skill.map(|skill| skill + WORTH));
            if self.done.len() == tried || !better {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Trains a copy with these remedies, unless that was done before, is impossible, or exceeds the remaining work.
    fn attempt(&mut self, edits: Vec<Edit>) -> Result<()> {
        let same = |known: &[Edit]| known.len() == edits.len() && has_all(known, &edits);
        if edits.is_empty() || self.done.iter().any(|done| same(&done.edits)) {
            return Ok(());
        }
        let Ok((copy, sample, plan)) = apply(self.model, self.sample, &self.plan, &edits) else {
            return Ok(());
        };
        let work = plan.work(&copy);
        if self.work + work > WORK {
            return Ok(());
        }
        self.work += work;
        let (mut end, findings) = plan.train(copy, &sample)?;
        if self.by_recall {
            end.skill = end.recall;
        }
        let shift = usize::from(edits.iter().any(|edit| edit.remedy == Remedy::NormalizeInputs));
        // A trial is a part of a training, so it always ends too early.
        let whole = |edit: &Edit| plan.whole || !matches!(edit.remedy, Remedy::Epochs(_));
        let own = findings.iter().flat_map(self::edits).filter(whole);
        let shifted = |edit: Edit| Some(Edit { remedy: edit.remedy.shifted(shift)?, ..edit });
        let own = own.filter_map(shifted).collect();
        self.done.push(Done { edits, end, own });
        Ok(())
    }

    /// The trials that contain all needed remedies.
    fn clean(&self) -> impl Iterator<Item = &Done> {
        self.done.iter().filter(|done| has_all(&done.edits, &self.needed))
    }

    /// The best of these trials, whether or not it beats the unchanged network, as one change may not be enough.
    fn best(&self) -> Option<&Done> {
        self.clean().max_by(|a, b| score(&a.end).total_cmp(&score(&b.end)))
    }

    /// The results of all trials. The recommended one contains no unnecessary change.
    pub(super) fn trials(&self) -> Vec<RemedyTrial> {
        let best = self.best().map(|best| score(&best.end));
        let enough = |done: &&Done| {
            let good = best.is_some_and(|best| score(&done.end) >= best - WORTH);
            good && done.end.learned_beside(&self.base)
        };
        let advised = self.clean().filter(enough).min_by_key(|done| done.edits.len());
        let trial = |done: &Done| RemedyTrial {
            codes: done.edits.iter().map(|edit| edit.code.clone()).collect(),
            remedies: done.edits.iter().map(|edit| edit.remedy.clone()).collect(),
            edits: done.edits.iter().map(|edit| edit.settings.clone()).collect(),
            steps: done.end.steps,
            loss: (self.base.loss, done.end.loss),
            accuracy: self.base.accuracy.zip(done.end.accuracy),
            skill: done.end.skill,
            learned: done.end.learned_beside(&self.base),
            advised: advised.is_some_and(|advised| std::ptr::eq(advised, done)),
        };
        self.done.iter().map(trial).collect()
    }
}

/// Whether all of `wanted` are among the edits.
fn has_all(edits: &[Edit], wanted: &[Edit]) -> bool {
    wanted.iter().all(|wanted| edits.iter().any(|edit| edit.remedy == wanted.remedy))
}

/// The score of a trial: its skill, or the negative loss if it has none.
fn score(end: &TrialResult) -> f64 {
    let far = end.skill.or(end.loss.map(|loss| -loss)).filter(|_| end.loss.is_some());
    far.unwrap_or(f64::NEG_INFINITY)
}

/// Adds a remedy. If it replaces another, it also takes its code, since it fixes the same finding; factors of the
/// number of epochs multiply.
fn joined(edits: &[Edit], mut edit: Edit) -> Vec<Edit> {
    let mut all = Vec::new();
    for known in edits {
        match (&edit.remedy, &known.remedy) {
            (Remedy::Epochs(more), Remedy::Epochs(times)) => {
                let mut settings = known.settings.clone();
                if let Some(SettingValue::Number(epochs)) = settings.first_mut().map(|edit| &mut edit.new) {
                    *epochs *= *more as f64;
                }
                edit = Edit { code: known.code.clone(), remedy: Remedy::Epochs(more * times), settings };
            }
            (new, old) if new.replaces(old) => edit.code = known.code.clone(),
            _ => all.push(known.clone()),
        }
    }
    all.push(edit);
    all
}

/// The first remedy of a finding, with those that do the same to other layers.
fn first(finding: &Finding) -> Vec<Edit> {
    let initializes = |edit: &Edit| matches!(edit.remedy, Remedy::Initialize { .. });
    let all = edits(finding);
    let count = all.iter().take_while(|edit| initializes(edit)).count().max(1);
    all.into_iter().take(count).collect()
}

/// The remedies of a finding that can be applied, each with its code.
fn edits(finding: &Finding) -> Vec<Edit> {
    let edit = |suggestion: &Suggestion| {
        let settings = suggestion.edits.clone();
        Some(Edit { code: finding.code.clone(), remedy: suggestion.remedy.clone()?, settings })
    };
    finding.suggestions.iter().filter_map(edit).collect()
}
