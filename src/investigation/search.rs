//! The search for remedies to recommend, alone and in combination.

use super::proof::{self, PAIRS};
use super::remedies::{Edit, apply};
use super::trial::{TrialData, TrialResult, TrialSettings, WORK};
use crate::diagnosis::{Code, Finding, Findings, Remedy, RemedyTrial, SettingValue, Severity, Suggestion};
use crate::error::Result;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The minimum gain in skill, from 0 for guessing to 1 for perfect, that makes a remedy worth recommending.
const WORTH: f64 = 0.02;
/// The maximum number of remedies in a combination.
const TOGETHER: usize = 5;

/// The share of the work for the search; the rest is for the proof of its results.
const SEARCH: f64 = 0.6;
/// The maximum number of trials that are repeated to recommend one.
const CANDIDATES: usize = 3;
/// The maximum number of times that a rate or a width is changed further.
const FURTHER: usize = 4;
/// The maximum number of units that a trial gives a narrow layer.
const WIDEST: usize = 64;

/// The unchanged network and the data of a training, and its result.
pub(super) struct Pair<F: Scalar> {
    pub(super) model: Sequential<F>,
    pub(super) data: TrialData<F>,
    pub(super) base: TrialResult,
}

/// A finished trial.
struct FinishedTrial {
    edits: Vec<Edit>,
    /// The results, one for each pair that it was trained with.
    results: Vec<TrialResult>,
    /// Further remedies suggested by the diagnosis of this trial.
    suggested: Vec<Edit>,
    /// For each edit, whether the trial is worse without it; `None` if that was not tested.
    necessary: Option<Vec<bool>>,
}

/// The trials so far, and the input of further ones.
pub(super) struct RemedySearch<F: Scalar> {
    pairs: Vec<Pair<F>>,
    plan: TrialSettings,
    finished: Vec<FinishedTrial>,
    /// The index of the recommended trial.
    advised: Option<usize>,
    /// The remedies that every recommended trial must contain.
    needed: Vec<Edit>,
    /// Whether recall replaces the loss, which large classes dominate.
    by_recall: bool,
    /// The work of the trials, in the nanoseconds of [`WORK`].
    work: f64,
}

impl<F: Scalar> RemedySearch<F> {
    pub(super) fn new(pair: Pair<F>, plan: TrialSettings, by_recall: bool) -> Self {
        let (finished, needed) = (Vec::new(), Vec::new());
        let mut search =
            RemedySearch { pairs: Vec::new(), plan, finished, advised: None, needed, by_recall, work: 0.0 };
        search.add(pair);
        search
    }

    /// The result of the unchanged network.
    pub(super) fn base(&self) -> &TrialResult {
        &self.pairs[0].base
    }

    /// The unchanged network before its training.
    pub(super) fn model(&self) -> &Sequential<F> {
        &self.pairs[0].model
    }

    /// Adds a pair for proofs.
    fn add(&mut self, mut pair: Pair<F>) {
        if self.by_recall {
            pair.base.skill = pair.base.recall;
        }
        self.pairs.push(pair);
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
        let together = findings.roots().filter(is_reported).flat_map(first_of_each_layer).collect();
        // A contradiction must be removed, however well a trial without that edit seems to go.
        let contradiction = |finding: &&Finding| {
            let config = finding.code.starts_with("N01") && finding.code != Code::N0112;
            finding.severity == Severity::Error && config
        };
        self.needed = findings.roots().filter(contradiction).flat_map(first_of_each_layer).collect();
        for edit in &all {
            self.attempt(vec![edit.clone()])?;
        }
        for finding in findings.iter().filter(is_reported) {
            self.attempt(first_of_each_layer(finding))?;
        }
        self.attempt(together)?;
        for edit in &all {
            self.attempt(joined(&self.needed, edit.clone()))?;
        }
        for edit in &all {
            self.go_further(edit)?;
        }
        for _ in 1..TOGETHER {
            let Some(best) = self.best() else { return Ok(()) };
            let (start, skill, tried) = (best.edits.clone(), best.results[0].skill, self.finished.len());
            if skill.is_some_and(|skill| skill > 1.0 - WORTH) {
                return Ok(());
            }
            let more: Vec<Edit> = best.suggested.iter().chain(&all).cloned().collect();
            let is_new = |edit: &Edit| !start.iter().any(|known| known.remedy == edit.remedy);
            for edit in more.into_iter().filter(is_new) {
                self.attempt(joined(&start, edit))?;
            }
            let better =
                self.best().is_some_and(|best| best.results[0].skill > skill.map(|skill| skill + WORTH));
            if self.finished.len() == tried || !better {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Changes a rate by factors of 10 while its trial diverges or improves, and doubles a width while that improves.
    fn go_further(&mut self, edit: &Edit) -> Result<()> {
        let mut start = joined(&self.needed, edit.clone());
        for _ in 0..FURTHER {
            let Some(known) = self.find(&start).map(|known| &self.finished[known]) else { return Ok(()) };
            let (score, diverged) = (self.score(known), known.results[0].loss.is_none());
            let compiled = self.pairs[0].model.compiled.as_ref();
            let own = compiled.and_then(|compiled| compiled.optimizer.learning_rate().constant());
            let next = match start.last().map(|edit| &edit.remedy) {
                Some(Remedy::LearningRate(rate)) if diverged => Remedy::LearningRate(rate / 10.0),
                Some(Remedy::LearningRate(rate)) if own.is_none_or(|own| own < *rate) => {
                    Remedy::LearningRate(rate * 10.0)
                }
                Some(Remedy::Units { layer, units }) if 2 * units <= WIDEST => {
                    Remedy::Units { layer: *layer, units: 2 * units }
                }
                _ => return Ok(()),
            };
            let mut further = start.clone();
            if let Some(last) = further.last_mut() {
                *last = last.clone().with(next);
            }
            self.attempt(further.clone())?;
            let better =
                self.find(&further).is_some_and(|trial| self.score(&self.finished[trial]) > score + WORTH);
            if !better && !diverged {
                return Ok(());
            }
            start = further;
        }
        Ok(())
    }

    /// The index of the trial of these edits.
    fn find(&self, edits: &[Edit]) -> Option<usize> {
        self.finished
            .iter()
            .position(|trial| trial.edits.len() == edits.len() && has_all(&trial.edits, edits))
    }

    /// Trains a copy with these remedies, unless that was done before, is impossible, or exceeds the work of the search.
    fn attempt(&mut self, edits: Vec<Edit>) -> Result<()> {
        self.attempt_within(edits, SEARCH * WORK).map(|_| ())
    }

    /// As `attempt`, up to this much work; returns the index of the trial, if it was done now or before.
    fn attempt_within(&mut self, edits: Vec<Edit>, most: f64) -> Result<Option<usize>> {
        if edits.is_empty() {
            return Ok(None);
        }
        if let Some(known) = self.find(&edits) {
            return Ok(Some(known));
        }
        let Some((result, suggested)) = self.train(&edits, 0, most)? else { return Ok(None) };
        self.finished.push(FinishedTrial { edits, results: vec![result], suggested, necessary: None });
        Ok(Some(self.finished.len() - 1))
    }

    /// Trains a copy of the network of a pair, unless that is impossible or exceeds the work; returns its result, and the
    /// remedies that its own diagnosis suggests.
    fn train(&mut self, edits: &[Edit], pair: usize, most: f64) -> Result<Option<(TrialResult, Vec<Edit>)>> {
        let Pair { model, data, .. } = &self.pairs[pair];
        let Ok((copy, data, plan)) = apply(model, data, &self.plan, edits) else {
            return Ok(None);
        };
        let work = plan.work(&copy);
        if self.work + work > most {
            return Ok(None);
        }
        self.work += work;
        // A change with which the copy cannot be trained is not a remedy.
        let Ok((mut result, findings)) = plan.train(copy, &data) else { return Ok(None) };
        if self.by_recall {
            result.skill = result.recall;
        }
        let shift = edits.iter().filter(|edit| edit.remedy.adds_layer()).count();
        // A trial is a part of a training, so it always ends too early.
        let whole = |edit: &Edit| plan.whole || !matches!(edit.remedy, Remedy::Epochs(_));
        let suggested = findings.iter().flat_map(self::edits).filter(whole);
        let shifted = |edit: Edit| Some(Edit { remedy: edit.remedy.shifted(shift)?, ..edit });
        Ok(Some((result, suggested.filter_map(shifted).collect())))
    }

    /// The trials that contain all needed remedies.
    fn clean(&self) -> impl Iterator<Item = (usize, &FinishedTrial)> {
        let trials = self.finished.iter().enumerate();
        trials.filter(|(_, trial)| has_all(&trial.edits, &self.needed))
    }

    /// The best of these trials, whether or not it beats the unchanged network, as one change may not be enough.
    fn best(&self) -> Option<&FinishedTrial> {
        let all = self.clean().map(|(_, trial)| trial);
        all.max_by(|a, b| self.score(a).total_cmp(&self.score(b)))
    }

    /// The gains of a trial in its pairs.
    fn gains(&self, trial: &FinishedTrial, floor: f64) -> Vec<f64> {
        self.pairs
            .iter()
            .zip(&trial.results)
            .map(|(pair, result)| proof::gain(&pair.base, result, floor))
            .collect()
    }

    /// The mean gain of a trial; a skill below 0 is better than a diverged training.
    fn score(&self, trial: &FinishedTrial) -> f64 {
        proof::mean(&self.gains(trial, -1.0))
    }

    /// The interval of the gain of a trial, where a skill below 0 is that of guessing.
    fn interval(&self, trial: &FinishedTrial) -> Option<(f64, f64)> {
        proof::interval(&self.gains(trial, 0.0))
    }

    /// Repeats the best trials in further pairs, and recommends the first whose gain is above 0 with confidence, without
    /// the edits that it does not need. `pair` makes further pairs.
    pub(super) fn prove(&mut self, pair: &dyn Fn(usize) -> Result<Pair<F>>) -> Result<()> {
        let mut rejected = Vec::new();
        for _ in 0..CANDIDATES {
            let Some(candidate) = self.candidate(&rejected) else { return Ok(()) };
            if self.repeat(candidate, pair)? {
                self.advised = Some(self.reduce(candidate, pair)?);
                return Ok(());
            }
            rejected.push(candidate);
        }
        Ok(())
    }

    /// The smallest of the trials that are about as good as the best.
    fn candidate(&self, rejected: &[usize]) -> Option<usize> {
        let all = || self.clean().filter(|(index, _)| !rejected.contains(index));
        let best = all().map(|(_, trial)| self.score(trial)).max_by(f64::total_cmp)?;
        let enough = |trial: &FinishedTrial| {
            trial.results[0].learned_beside(self.base()) && self.score(trial) >= best - WORTH
        };
        all()
            .filter(|(_, trial)| enough(trial))
            .min_by_key(|(_, trial)| trial.edits.len())
            .map(|(index, _)| index)
    }

    /// Trains a trial in all pairs; returns whether its gain is above 0 with confidence.
    fn repeat(&mut self, index: usize, pair: &dyn Fn(usize) -> Result<Pair<F>>) -> Result<bool> {
        for number in self.finished[index].results.len()..PAIRS.1 {
            let trial = &self.finished[index];
            let is_certain = self.interval(trial).is_some_and(|(low, _)| low > 0.0);
            if number >= PAIRS.0 && (is_certain || self.score(trial) <= 0.0) {
                break;
            }
            if self.pairs.len() == number {
                let work = self.plan.work(&self.pairs[0].model);
                if self.work + work > WORK {
                    break;
                }
                self.work += work;
                let pair = pair(number)?;
                self.add(pair);
            }
            let edits = self.finished[index].edits.clone();
            let Some((result, _)) = self.train(&edits, number, WORK)? else { break };
            self.finished[index].results.push(result);
        }
        Ok(self.interval(&self.finished[index]).is_some_and(|(low, _)| low > 0.0))
    }

    /// Leaves each edit out in turn, and drops those without which the trial is no worse. Returns the index of the trial
    /// that remains.
    fn reduce(&mut self, mut index: usize, pair: &dyn Fn(usize) -> Result<Pair<F>>) -> Result<usize> {
        // Of the edits before the one that is left out.
        let mut necessary = Vec::new();
        while self.finished[index].edits.len() > 1 && necessary.len() < self.finished[index].edits.len() {
            let mut fewer = self.finished[index].edits.clone();
            let left_out = fewer.remove(necessary.len());
            let Some(without) = self.attempt_within(fewer.clone(), WORK)? else { return Ok(index) };
            // A known trial may have the same edits in another order.
            self.finished[without].edits = fewer;
            let has_gain = self.repeat(without, pair)?;
            let is_worse = self.score(&self.finished[without]) < self.score(&self.finished[index]) - WORTH;
            let is_needed = has_all(&self.needed, std::slice::from_ref(&left_out));
            if has_gain && !is_worse && !is_needed {
                index = without;
            } else {
                necessary.push(is_worse);
            }
        }
        if self.finished[index].edits.len() == 1 {
            necessary = vec![true];
        }
        self.finished[index].necessary = Some(necessary);
        Ok(index)
    }

    /// The results of all trials. The recommended one contains no unnecessary change.
    pub(super) fn trials(&self) -> Vec<RemedyTrial> {
        let summary = |(index, trial): (usize, &FinishedTrial)| {
            let (base, result) = (self.base(), &trial.results[0]);
            RemedyTrial {
                codes: trial.edits.iter().map(|edit| edit.code.clone()).collect(),
                remedies: trial.edits.iter().map(|edit| edit.remedy.clone()).collect(),
                edits: trial.edits.iter().map(|edit| edit.settings.clone()).collect(),
                steps: result.steps,
                loss: (base.loss, result.loss),
                accuracy: base.accuracy.zip(result.accuracy),
                skill: result.skill,
                learned: result.learned_beside(base),
                gain: self.interval(trial),
                necessary: trial.necessary.clone().unwrap_or_default(),
                advised: self.advised == Some(index),
            }
        };
        self.finished.iter().enumerate().map(summary).collect()
    }

    /// The codes of the findings whose change proves necessary, and of those whose change alone does nothing and is not
    /// recommended.
    pub(super) fn ranking(&self) -> (Vec<String>, Vec<String>) {
        let advised = self.advised.map(|index| &self.finished[index]);
        let necessary =
            advised.into_iter().flat_map(|trial| trial.edits.iter().zip(trial.necessary.iter().flatten()));
        let necessary: Vec<String> =
            necessary.filter(|(_, necessary)| **necessary).map(|(edit, _)| edit.code.clone()).collect();
        let mut idle: Vec<String> = Vec::new();
        if advised.is_some() {
            for code in self.finished.iter().flat_map(|trial| &trial.edits).map(|edit| &edit.code) {
                let is_advised =
                    advised.is_some_and(|trial| trial.edits.iter().any(|edit| edit.code == *code));
                if !is_advised && !idle.contains(code) && self.is_idle(code) {
                    idle.push(code.clone());
                }
            }
        }
        (necessary, idle)
    }

    /// Whether the remedies of a finding were tried alone and did nothing.
    fn is_idle(&self, code: &str) -> bool {
        let is_alone = |trial: &&FinishedTrial| trial.edits.iter().all(|edit| edit.code == code);
        let mut alone = self.finished.iter().filter(is_alone).peekable();
        alone.peek().is_some() && alone.all(|trial| self.score(trial) <= WORTH)
    }
}

/// The first remedy of a finding, and those that change the same setting of other layers.
fn first_of_each_layer(finding: &Finding) -> Vec<Edit> {
    let all = edits(finding);
    let Some(first) = all.first().cloned() else { return Vec::new() };
    let kind = std::mem::discriminant(&first.remedy);
    let mut chosen: Vec<Edit> = Vec::new();
    for edit in all {
        let is_new = chosen.iter().all(|known| !edit.remedy.replaces(&known.remedy));
        if std::mem::discriminant(&edit.remedy) == kind && is_new {
            chosen.push(edit);
        }
    }
    chosen
}

/// Whether all of `wanted` are among the edits.
fn has_all(edits: &[Edit], wanted: &[Edit]) -> bool {
    wanted.iter().all(|wanted| edits.iter().any(|edit| edit.remedy == wanted.remedy))
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

/// The remedies of a finding that can be applied, each with its code.
fn edits(finding: &Finding) -> Vec<Edit> {
    let edit = |suggestion: &Suggestion| {
        let settings = suggestion.edits.clone();
        Some(Edit { code: finding.code.clone(), remedy: suggestion.remedy.clone()?, settings })
    };
    finding.suggestions.iter().filter_map(edit).collect()
}
