//! The search for remedies to recommend, alone and in combination.

use super::remedies::{Edits, apply};
use super::trial::{TrialPlan, TrialResult, TrialSample, WORK};
use crate::diagnosis::{Finding, Findings, Remedy, Severity, Trial};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The minimum gain in skill, from 0 for guessing to 1 for perfect, that makes a remedy worth recommending.
const WORTH: f64 = 0.02;
/// The maximum number of remedies in a combination.
const TOGETHER: usize = 5;

/// A finished trial.
struct Done {
    edits: Edits,
    end: TrialResult,
    /// Further remedies suggested by the diagnosis of this trial.
    own: Edits,
}

/// The trials so far, and the input of further ones.
pub(super) struct RemedySearch<'a, F: Scalar> {
    model: &'a Sequential<F>,
    sample: &'a TrialSample<F>,
    plan: TrialPlan,
    /// The result of the unchanged network.
    pub(super) base: TrialResult,
    done: Vec<Done>,
    /// The remedies that every recommended trial must contain.
    needed: Edits,
    /// Whether recall replaces the loss, which large classes dominate.
    by_recall: bool,
    /// The work of the trials, in the nanoseconds of [`WORK`].
    work: f64,
}

impl<'a, F: Scalar> RemedySearch<'a, F> {
    pub(super) fn new(
        model: &'a Sequential<F>,
        sample: &'a TrialSample<F>,
        plan: TrialPlan,
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
        let mut helps: Edits = Vec::new();
        // Notes come after warnings and errors, but may help too.
        let noted = findings.iter().filter(|finding| finding.severity == Severity::Note);
        for edit in findings.iter().filter(is_reported).chain(noted).flat_map(edits) {
            if !helps.iter().any(|known| known.1 == edit.1) {
                helps.push(edit);
            }
        }
        let first = |root: &Finding| edits(root).into_iter().next();
        let together: Edits = findings.roots().filter(is_reported).filter_map(first).collect();
        // A contradiction must be removed, however well the training seems to go without.
        let contradiction =
            |finding: &&Finding| finding.severity == Severity::Error && finding.code.starts_with("N01");
        self.needed = findings.roots().filter(contradiction).filter_map(first).collect();
        for edit in &helps {
            self.attempt(vec![edit.clone()])?;
        }
        self.attempt(together)?;
        for edit in &helps {
            self.attempt(joined(&self.needed, edit.clone()))?;
        }
        for _ in 1..TOGETHER {
            let Some(best) = self.best() else { return Ok(()) };
            let (start, skill, tried) = (best.edits.clone(), best.end.skill, self.done.len());
            if skill.is_some_and(|skill| skill > 1.0 - WORTH) {
                return Ok(());
            }
            let more: Edits = best.own.iter().chain(&helps).cloned().collect();
            for edit in more.into_iter().filter(|edit| !start.iter().any(|known| known.1 == edit.1)) {
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
    fn attempt(&mut self, edits: Edits) -> Result<()> {
        let same = |known: &Edits| known.len() == edits.len() && has_all(known, &edits);
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
        let shift = usize::from(edits.iter().any(|(_, edit)| *edit == Remedy::NormalizeInputs));
        // A trial is a part of a training, so it always ends too early.
        let whole = |edit: &(String, Remedy)| plan.whole || !matches!(edit.1, Remedy::Epochs(_));
        let own = findings.iter().flat_map(self::edits).filter(whole);
        let own = own.filter_map(|(code, remedy)| Some((code, remedy.shifted(shift)?))).collect();
        self.done.push(Done { edits, end, own });
        Ok(())
    }

    /// The trials that contain all needed remedies.
    fn clean(&self) -> impl Iterator<Item = &Done> {
        self.done.iter().filter(|done| has_all(&done.edits, &self.needed))
    }

    /// The best of these trials, whether or not it beats the unchanged network, as one change may not be enough.
    fn best(&self) -> Option<&Done> {
        self.clean().max_by(|a, b| reached(&a.end).total_cmp(&reached(&b.end)))
    }

    /// The results of all trials. The recommended one contains no unnecessary change.
    pub(super) fn trials(&self) -> Vec<Trial> {
        let best = self.best().map(|best| reached(&best.end));
        let enough = |done: &&Done| {
            let worth =
                done.end.learned_beside(&self.base) || reached(&done.end) > reached(&self.base) + WORTH;
            worth && best.is_some_and(|best| reached(&done.end) >= best - WORTH)
        };
        let advised = self.clean().filter(enough).min_by_key(|done| done.edits.len());
        let trial = |done: &Done| Trial {
            codes: done.edits.iter().map(|(code, _)| code.clone()).collect(),
            remedies: done.edits.iter().map(|(_, remedy)| remedy.clone()).collect(),
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
fn has_all(edits: &Edits, wanted: &Edits) -> bool {
    wanted.iter().all(|wanted| edits.iter().any(|edit| edit.1 == wanted.1))
}

/// The score of a trial: its skill, or the negative loss if it has none.
fn reached(end: &TrialResult) -> f64 {
    let far = end.skill.or(end.loss.map(|loss| -loss)).filter(|_| end.loss.is_some());
    far.unwrap_or(f64::NEG_INFINITY)
}

/// Adds a remedy. If it replaces another, it also takes its code, since it fixes the same finding; factors of the
/// number of epochs multiply.
fn joined(edits: &Edits, (mut code, mut remedy): (String, Remedy)) -> Edits {
    let mut all = Vec::new();
    for (known, old) in edits {
        match (&remedy, old) {
            (Remedy::Epochs(more), Remedy::Epochs(times)) => {
                (code, remedy) = (known.clone(), Remedy::Epochs(more * times));
            }
            (new, old) if new.replaces(old) => code = known.clone(),
            _ => all.push((known.clone(), old.clone())),
        }
    }
    all.push((code, remedy));
    all
}

/// The remedies of a finding that can be applied, each with its code.
fn edits(finding: &Finding) -> Edits {
    finding.suggestions.iter().filter_map(|help| Some((finding.code.clone(), help.remedy.clone()?))).collect()
}
