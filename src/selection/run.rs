//! The course of a search: rungs of trials, several at once.

use std::cell::RefCell;
use std::io::IsTerminal;
use std::rc::Rc;
use std::sync::Mutex;
use std::time::Instant;

use super::fingerprint::Words;
use super::halving::rungs;
use super::plan::SearchPlan;
use super::ranks::{assign_trials, broadcast_best, exchange};
use super::results::SearchResults;
use super::search::Search;
use super::trial::{ActiveTrial, BestTrial, Build, Trial, into_inner, lock};
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

/// A search while it runs.
struct SearchRun<'r, F: Scalar, B> {
    search: &'r Search<'r>,
    ranks: Option<Ranks<'r>>,
    build: &'r B,
    train: TrialFit<'r, F>,
    goal: Goal,
    trials: Vec<Mutex<ActiveTrial<F>>>,
    /// The best trial of the last rung. The models of the others are dropped as they finish.
    best: Mutex<Option<BestTrial<F>>>,
}

impl Search<'_> {
    /// Runs the search. `train` trains one model; `data` describes the data, to compare it between ranks.
    pub(super) fn run_by<'a, F: Scalar>(
        &self,
        build: &impl Build<'a, F>,
        train: TrialFit<F>,
        data: &dyn Fn() -> Words,
    ) -> Result<SearchResults<F>> {
        let ranks = Ranks::of(RankSettings::over(self.world));
        let plan = self.plan(build);
        let SearchPlan { trials, epochs, goal } = match &ranks {
            Some(ranks) => self.check_same_plan(ranks, plan, data)?,
            None => plan?,
        };
        let max_epochs = epochs.iter().copied().max().unwrap_or(0);
        let rungs = rungs(trials.len(), max_epochs, self.factor, self.min_epochs);
        let active =
            |(trial, epochs)| ActiveTrial { trial, epochs, model: None, best_model: None, owner: None };
        let trials = trials.into_iter().zip(epochs).map(active).map(Mutex::new).collect();
        let run = SearchRun { search: self, ranks, build, train, goal, trials, best: Mutex::new(None) };
        let mut survivors: Vec<usize> = (0..run.trials.len()).collect();
        for (index, rung) in rungs.iter().enumerate() {
            run.eliminate(&mut survivors, rung.trials);
            run.train_rung(&survivors, rung.share, index + 1 == rungs.len())?;
        }
        run.finish(&survivors)
    }

    fn print_trial(&self, trial: &Trial, trials: usize) {
        let is_terminal = std::io::stderr().is_terminal();
        if self.world.is_some_and(|world| world.rank() > 0) {
            return;
        }
        if self.verbose == Verbose::Silent || (self.verbose == Verbose::Auto && !is_terminal) {
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

impl<'a, F: Scalar, B: Build<'a, F>> SearchRun<'_, F, B> {
    /// Keeps the best `count` survivors, and drops the models of the others.
    fn eliminate(&self, survivors: &mut Vec<usize>, count: usize) {
        survivors
            .sort_by(|&a, &b| lock(&self.trials[a]).trial.order(&lock(&self.trials[b]).trial, self.goal));
        for index in survivors.drain(count.min(survivors.len())..) {
            let mut eliminated = lock(&self.trials[index]);
            (eliminated.model, eliminated.best_model) = (None, None);
        }
        survivors.sort_unstable();
    }

    /// Trains the survivors up to this share of their epochs, each on one rank.
    fn train_rung(&self, survivors: &[usize], share: f64, is_last: bool) -> Result<()> {
        let Some(ranks) = &self.ranks else {
            self.train_trials(survivors, share, is_last);
            return Ok(());
        };
        let own = assign_trials(ranks, &self.trials, survivors, self.build)?;
        let others = exchange(ranks, &self.trials, &own, || self.train_trials(&own, share, is_last))?;
        for index in others {
            self.search.print_trial(&lock(&self.trials[index]).trial, self.trials.len());
        }
        Ok(())
    }

    /// Trains these trials on this rank, several at once.
    fn train_trials(&self, indices: &[usize], share: f64, is_last: bool) {
        let at_once = self.search.at_once.unwrap_or_else(kernel::threads);
        kernel::each_alone(indices.len(), at_once, &|i| {
            let mut active = lock(&self.trials[indices[i]]);
            if active.trial.can_continue() {
                self.train_trial(&mut active, share);
                self.search.print_trial(&active.trial, self.trials.len());
            }
            if is_last {
                self.keep_if_best(&mut active);
            }
        });
    }

    /// Trains a trial up to this share of its epochs.
    fn train_trial(&self, active: &mut ActiveTrial<F>, share: f64) {
        let started = Instant::now();
        let trial = &mut active.trial;
        let (untrained, fit) = match trial.build(self.build) {
            Ok(built) => built,
            Err(error) => return trial.error = Some(error),
        };
        let mut model = active.model.take().unwrap_or(untrained);
        let (first, until) = (fit.span().start, (active.epochs as f64 * share).ceil() as usize);
        let mut fit = fit
            .initial_epoch(first + trial.epochs)
            .epochs(first.saturating_add(until))
            .verbose(Verbose::Silent);
        fit.is_part = self.search.factor.is_some();
        let objective = &self.search.objective;
        let best = Rc::new(RefCell::new(BestModel {
            epochs: trial.epochs,
            best: trial.best.take(),
            model: active.best_model.take(),
        }));
        let callback =
            BestModelCallback { objective: objective.clone(), goal: self.goal, best: Rc::clone(&best) };
        let trained = (self.train)(&mut model, &fit.callback(callback));
        BestModel { epochs: trial.epochs, best: trial.best, model: active.best_model } = best.take();
        match trained {
            Ok(history) => {
                trial.stopped = history.stopped().map(String::from);
                trial.findings = history.findings().clone();
                if trial.best.is_none() {
                    let expected = format!("a finite `{objective}` in some epoch");
                    trial.error = Some(Error::argument("objective", expected, "none"));
                }
            }
            Err(error) => trial.error = Some(error),
        }
        active.model = Some(model);
        trial.time += started.elapsed();
    }

    /// Drops the models of a finished trial, unless it is the best so far.
    fn keep_if_best(&self, active: &mut ActiveTrial<F>) {
        active.model = None;
        let Some(model) = active.best_model.take() else { return };
        let mut best = lock(&self.best);
        if best.as_ref().is_none_or(|best| active.trial.order(&best.trial, self.goal).is_lt()) {
            *best = Some(BestTrial { trial: active.trial.clone(), model });
        }
    }

    /// Returns the results, with the best model on all ranks; the error of a trial if all of them failed.
    fn finish(self, survivors: &[usize]) -> Result<SearchResults<F>> {
        let SearchRun { search, ranks, build, goal, trials, best, .. } = self;
        let best = into_inner(best);
        let model = match &ranks {
            Some(ranks) => broadcast_best(ranks, &trials, survivors, best, goal, build)?,
            None => best.map(|best| best.model),
        };
        let trials: Vec<Trial> = trials.into_iter().map(|active| into_inner(active).trial).collect();
        let failed = trials.iter().filter_map(|trial| trial.error.as_ref());
        match failed.clone().find(|error| !matches!(error, Error::Diverged { .. })) {
            Some(error) if failed.count() == trials.len() => Err(error.clone()),
            _ => Ok(SearchResults { trials, objective: search.objective.clone(), goal, model }),
        }
    }
}

/// The callback that keeps the best epoch of a trial.
struct BestModelCallback<F: Scalar> {
    objective: String,
    goal: Goal,
    best: Rc<RefCell<BestModel<F>>>,
}

/// The number of trained epochs, the best of them, and the model after it.
struct BestModel<F: Scalar> {
    epochs: usize,
    best: Option<(usize, f64, Logs)>,
    model: Option<Sequential<F>>,
}

impl<F: Scalar> Default for BestModel<F> {
    fn default() -> Self {
        BestModel { epochs: 0, best: None, model: None }
    }
}

impl<F: Scalar> Callback<F> for BestModelCallback<F> {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        at.declare_keys([]);
        Ok(())
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        let mut kept = self.best.borrow_mut();
        kept.epochs += 1;
        let Some(value) = at.logs.get(&self.objective).filter(|value| value.is_finite()) else {
            return Ok(Flow::Continue);
        };
        let better = kept.best.as_ref().is_none_or(|(_, score, _)| match self.goal {
            Goal::Low => value < *score,
            Goal::High => value > *score,
        });
        if better {
            kept.best = Some((at.epoch, value, Logs::clone(at.logs)));
            kept.model = Some(at.model.clone());
        }
        Ok(Flow::Continue)
    }
}
