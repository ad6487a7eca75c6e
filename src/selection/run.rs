//! The course of a search: rungs of trials, several at once.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use super::fingerprint::Words;
use super::halving::rungs;
use super::plan::SearchPlan;
use super::ranks::{crown, exchange, share_out};
use super::results::SearchResults;
use super::search::Search;
use super::trial::{ActiveTrial, Build, Trial, lock};
use crate::callback::{Callback, CallbackContext, Flow, Logs, Verbose, terminal};
use crate::distributed::{RankSettings, Ranks};
use crate::error::{Error, Result};
use crate::kernel;
use crate::metric::Goal;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::{Fit, History};

/// Trains a model with these settings.
type TrialFit<'t, F> = &'t (dyn Fn(&mut Sequential<F>, &Fit<F>) -> Result<History> + Sync);

impl Search<'_> {
    pub(super) fn run_by<'a, F: Scalar>(
        &self,
        build: &impl Build<'a, F>,
        train: TrialFit<F>,
        data: &dyn Fn() -> Words,
    ) -> Result<SearchResults<F>> {
        let ranks = Ranks::of(RankSettings::over(self.world));
        let plan = self.plan(build);
        let SearchPlan { trials, epochs, goal } = match &ranks {
            Some(ranks) => self.meet(ranks, plan, data)?,
            None => plan?,
        };
        let most = epochs.iter().copied().max().unwrap_or(0);
        let rungs = rungs(trials.len(), most, self.factor, self.min_epochs);
        let begin = |(trial, epochs)| ActiveTrial { trial, epochs, model: None, best: None, owner: None };
        let running: Vec<Mutex<ActiveTrial<F>>> =
            trials.into_iter().zip(epochs).map(begin).map(Mutex::new).collect();
        // The best model of the last rung; the others are dropped as they finish.
        let champion = Mutex::new(None);
        let mut going: Vec<usize> = (0..running.len()).collect();
        for (k, rung) in rungs.iter().enumerate() {
            going.sort_by(|a, b| lock(&running[*a]).trial.order(&lock(&running[*b]).trial, goal));
            for out in going.drain(rung.trials.min(going.len())..) {
                let mut out = lock(&running[out]);
                (out.model, out.best) = (None, None);
            }
            going.sort_unstable();
            let own = match &ranks {
                Some(ranks) => share_out(ranks, &running, &going, build)?,
                None => going.clone(),
            };
            let last = k + 1 == rungs.len();
            let train_own = || {
                kernel::each_alone(own.len(), self.at_once.unwrap_or_else(kernel::threads), &|i| {
                    let mut one = lock(&running[own[i]]);
                    if one.trial.goes_on() {
                        self.rung(&mut one, rung.share, goal, build, train);
                        self.print_trial(&one.trial, running.len());
                    }
                    if last {
                        one.model = None;
                        let best = one.best.take();
                        offer(&mut lock(&champion), best.map(|model| (one.trial.clone(), model)), goal);
                    }
                });
            };
            match &ranks {
                Some(ranks) => {
                    let finished = exchange(ranks, &running, &own, train_own)?;
                    finished
                        .iter()
                        .for_each(|&other| self.print_trial(&lock(&running[other]).trial, running.len()));
                }
                None => train_own(),
            }
        }
        let mut champion = lock(&champion).take();
        if let Some(ranks) = &ranks {
            champion = crown(ranks, &running, &going, champion, goal, build)?;
        }
        let trials: Vec<Trial> = running
            .into_iter()
            .map(|one| one.into_inner().unwrap_or_else(PoisonError::into_inner).trial)
            .collect();
        let failed = trials.iter().filter_map(|trial| trial.error.as_ref());
        match failed.clone().find(|error| !matches!(error, Error::Diverged { .. })) {
            Some(error) if failed.count() == trials.len() => Err(error.clone()),
            _ => {
                let model = champion.map(|(_, model)| model);
                Ok(SearchResults { trials, objective: self.objective.clone(), goal, model })
            }
        }
    }

    /// Trains a trial up to this share of its epochs.
    fn rung<'a, F: Scalar>(
        &self,
        one: &mut ActiveTrial<F>,
        share: f64,
        goal: Goal,
        build: &impl Build<'a, F>,
        train: TrialFit<F>,
    ) {
        let started = Instant::now();
        let trial = &mut one.trial;
        let (fresh, fit) = match trial.build(build) {
            Ok(built) => built,
            Err(error) => return trial.error = Some(error),
        };
        let mut model = one.model.take().unwrap_or(fresh);
        let (first, until) = (fit.span().start, (one.epochs as f64 * share).ceil() as usize);
        let kept = Rc::new(RefCell::new(Kept {
            epochs: trial.epochs,
            best: trial.best.take(),
            model: one.best.take(),
        }));
        let keep = Keep { objective: self.objective.clone(), goal, kept: Rc::clone(&kept) };
        let fit = fit.initial_epoch(first + trial.epochs).epochs(first + until).verbose(Verbose::Silent);
        let trained = train(&mut model, &fit.callback(keep));
        let Kept { epochs, best, model: at_best } = kept.take();
        (trial.epochs, trial.best, one.best) = (epochs, best, at_best);
        match trained {
            Ok(history) => {
                trial.stopped = history.stopped().map(String::from);
                trial.findings = history.findings().clone();
                if trial.best.is_none() {
                    let what = format!("a finite `{}` in some epoch", self.objective);
                    trial.error = Some(Error::argument("objective", what, "none"));
                }
            }
            Err(error) => trial.error = Some(error),
        }
        one.model = Some(model);
        trial.time += started.elapsed();
    }

    fn print_trial(&self, trial: &Trial, trials: usize) {
        let seen = std::io::stderr().is_terminal();
        if self.world.is_some_and(|world| world.rank() > 0) {
            return;
        }
        if self.verbose == Verbose::Silent || (self.verbose == Verbose::Auto && !seen) {
            return;
        }
        let end = match (&trial.best, &trial.error) {
            (_, Some(error)) => error.to_string(),
            (Some((epoch, score, _)), _) => format!("{}: {score:.4} in epoch {}", self.objective, epoch + 1),
            _ => String::new(),
        };
        let (number, epochs) = (trial.number + 1, trial.epochs);
        terminal::print(|_| format!("trial {number} of {trials}, {epochs} epochs: {end}\n"));
    }
}

/// Keeps the better of two trials, with its model.
fn offer<F: Scalar>(
    champion: &mut Option<(Trial, Sequential<F>)>,
    other: Option<(Trial, Sequential<F>)>,
    goal: Goal,
) {
    let Some(other) = other else { return };
    if champion.as_ref().is_none_or(|(trial, _)| other.0.order(trial, goal).is_lt()) {
        *champion = Some(other);
    }
}

/// The callback that keeps the best epoch of a trial.
struct Keep<F: Scalar> {
    objective: String,
    goal: Goal,
    kept: Rc<RefCell<Kept<F>>>,
}

/// The number of trained epochs, the best of them, and the model at that epoch.
struct Kept<F: Scalar> {
    epochs: usize,
    best: Option<(usize, f64, Logs)>,
    model: Option<Sequential<F>>,
}

impl<F: Scalar> Default for Kept<F> {
    fn default() -> Self {
        Kept { epochs: 0, best: None, model: None }
    }
}

impl<F: Scalar> Callback<F> for Keep<F> {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let mut kept = self.kept.borrow_mut();
        kept.epochs += 1;
        let Some(value) = at.logs.get(&self.objective).filter(|value| value.is_finite()) else {
            return Ok(Flow::Continue);
        };
        let better = kept.best.as_ref().is_none_or(|(_, best, _)| match self.goal {
            Goal::Low => value < *best,
            Goal::High => value > *best,
        });
        if better {
            kept.best = Some((at.epoch, value, Logs::clone(at.logs)));
            kept.model = Some(at.model.clone());
        }
        Ok(Flow::Continue)
    }
}
