//! A search over several ranks: the assignment of trials to ranks, and the exchange of results.

use std::path::Path;
use std::sync::Mutex;

use super::fingerprint::Words;
use super::plan::SearchPlan;
use super::search::Search;
use super::trial::{ActiveTrial, BestTrial, Build, Trial, lock};
use crate::callback::Logs;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::training::{self, serialize};

impl Search<'_> {
    /// Returns the plan, once it is the same on all ranks.
    pub(super) fn check_same_plan(
        &self,
        ranks: &Ranks,
        plan: Result<SearchPlan>,
        data: &dyn Fn() -> Words,
    ) -> Result<SearchPlan> {
        let plan = ranks.agree(plan)?;
        let Search { points, trials, seed, objective, mode, factor, min_epochs, .. } = self;
        let settings = [
            ("the version of cornu", env!("CARGO_PKG_VERSION").to_string()),
            ("seed", seed.to_string()),
            ("objective", format!("{objective}, {mode:?}")),
            ("trials", format!("{trials:?} of {points} points")),
            ("halving", format!("{factor:?}, from {min_epochs} epochs on")),
        ];
        let settings = settings.map(|(name, here)| (name.to_string(), here));
        let each = plan.trials.iter().zip(&plan.epochs).map(|(trial, epochs)| {
            let drawn: Vec<String> =
                trial.settings().map(|(name, drawn)| format!("{name} {drawn:?}")).collect();
            let error = trial.error.as_ref().map(|error| format!(", {error}")).unwrap_or_default();
            (format!("trial {}", trial.number), format!("{} for {epochs} epochs{error}", drawn.join(", ")))
        });
        let words = settings.into_iter().chain(data()).chain(each).collect();
        ranks.alike(words).map(|()| plan)
    }
}

impl Trial {
    /// Saves or restores the progress so far.
    fn state(&mut self, state: &mut State) -> Result<()> {
        let (mut place, mut logs) = match self.best.take() {
            Some((epoch, score, logs)) => (Some((epoch, score)), logs),
            None => (None, Logs::default()),
        };
        state.item("best", &mut place)?;
        logs.state(state)?;
        self.best = place.map(|(epoch, score)| (epoch, score, logs));
        state.item("epochs", &mut self.epochs)?;
        state.item("stopped", &mut self.stopped)?;
        state.item("time", &mut self.time)?;
        self.findings.state(state)?;
        let mut error = self.error.as_ref().map(Error::to_string);
        let mut divergence = self.error.as_ref().and_then(Error::divergence);
        state.item("error", &mut error)?;
        state.item("divergence", &mut divergence)?;
        if state.is_reading() {
            let other = error.map(|error| Error::outside(RemoteError(error)));
            self.error = divergence.map(Error::from).or(other);
        }
        Ok(())
    }
}

/// The error of a trial on another rank.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
struct RemoteError(String);

/// Assigns the surviving trials to ranks: as evenly as possible, with as few moves as possible. Returns those of this rank.
pub(super) fn assign_trials<'a, F: Scalar>(
    ranks: &Ranks,
    trials: &[Mutex<ActiveTrial<F>>],
    survivors: &[usize],
    build: &impl Build<'a, F>,
) -> Result<Vec<usize>> {
    let mut room = vec![survivors.len().div_ceil(ranks.size()); ranks.size()];
    let mut to_assign = Vec::new();
    for &index in survivors {
        match lock(&trials[index]).owner {
            Some(owner) if room[owner] > 0 => room[owner] -= 1,
            _ => to_assign.push(index),
        }
    }
    let mut failure = None;
    for index in to_assign {
        let mut active = lock(&trials[index]);
        let to = (0..ranks.size()).max_by_key(|&rank| (room[rank], ranks.size() - rank)).unwrap_or(0);
        room[to] = room[to].saturating_sub(1);
        if let Some(from) = active.owner.replace(to).filter(|_| active.trial.can_continue()) {
            move_trial(ranks, &mut active, from, to, build, &mut failure)?;
        }
    }
    ranks.agree(failure.map_or(Ok(()), Err))?;
    Ok(survivors.iter().copied().filter(|&index| lock(&trials[index]).owner == Some(ranks.rank())).collect())
}

/// Moves the models of a trial from one rank to another. Returns the errors of the network. An error of the model itself
/// goes to `failure`, since the other ranks expect this one to complete all moves.
fn move_trial<'a, F: Scalar>(
    ranks: &Ranks,
    active: &mut ActiveTrial<F>,
    from: usize,
    to: usize,
    build: &impl Build<'a, F>,
    failure: &mut Option<Error>,
) -> Result<()> {
    let ActiveTrial { trial, model, best_model, .. } = active;
    for slot in [model, best_model] {
        let serialized = || {
            let serialized = slot.take().map_or(Ok(Vec::new()), |mut model| serialize(&mut model));
            serialized.unwrap_or_else(|error| {
                failure.get_or_insert(error);
                Vec::new()
            })
        };
        if let Some(bytes) = ranks.transfer(from, to, serialized)?.filter(|bytes| !bytes.is_empty()) {
            match restored(trial, from, bytes, build) {
                Ok(model) => *slot = Some(model),
                Err(error) => {
                    failure.get_or_insert(error);
                }
            }
        }
    }
    Ok(())
}

/// Returns the model of a trial that was trained on another rank.
fn restored<'a, F: Scalar>(
    trial: &Trial,
    from: usize,
    bytes: Vec<u8>,
    build: &impl Build<'a, F>,
) -> Result<Sequential<F>> {
    let (mut model, _) = trial.build(build)?;
    training::restore(&mut model, from, bytes).map(|()| model)
}

/// Trains this rank's trials and exchanges the results; returns the trials of others that were trained.
pub(super) fn exchange<F: Scalar>(
    ranks: &Ranks,
    trials: &[Mutex<ActiveTrial<F>>],
    own: &[usize],
    train_own: impl FnOnce(),
) -> Result<Vec<usize>> {
    let mut written = Ok(());
    let work = || {
        let trained: Vec<usize> =
            own.iter().copied().filter(|&index| lock(&trials[index]).trial.can_continue()).collect();
        train_own();
        let mut state = State::writing();
        let mut count = trained.len();
        written = state.item("trials", &mut count).and_then(|()| {
            trained.into_iter().try_for_each(|mut index| {
                state.item("number", &mut index)?;
                lock(&trials[index]).trial.state(&mut state)
            })
        });
        state.bytes().to_vec()
    };
    let all = ranks.work(work)?;
    ranks.agree(written)?;
    let mut others = Vec::new();
    for (rank, bytes) in all.into_iter().enumerate().filter(|(rank, _)| *rank != ranks.rank()) {
        let mut state = State::reading(Path::new(&format!("rank {rank}")), bytes);
        let (mut count, mut index) = (0_usize, 0_usize);
        state.item("trials", &mut count)?;
        for _ in 0..count {
            state.item("number", &mut index)?;
            if let Some(active) = trials.get(index) {
                lock(active).trial.state(&mut state)?;
                others.push(index);
            }
        }
    }
    others.sort_unstable();
    Ok(others)
}

/// Returns the model of the best trial of the last rung, on all ranks.
pub(super) fn broadcast_best<'a, F: Scalar>(
    ranks: &Ranks,
    trials: &[Mutex<ActiveTrial<F>>],
    survivors: &[usize],
    own: Option<BestTrial<F>>,
    goal: Goal,
    build: &impl Build<'a, F>,
) -> Result<Option<Sequential<F>>> {
    let finished = survivors.iter().map(|&index| lock(&trials[index]).trial.clone());
    let scored = finished.filter(|trial| trial.score().is_some());
    let Some(best) = scored.min_by(|a, b| a.order(b, goal)) else { return Ok(None) };
    let owner = lock(&trials[best.number]).owner.unwrap_or(0);
    let own = own.filter(|own| own.trial.number == best.number && owner == ranks.rank());
    let mut model = own.map(|own| own.model);
    let serialized = ranks.agree(model.as_mut().map_or_else(|| Ok(Vec::new()), serialize))?;
    let mut bytes = ranks.transfer(owner, 0, || serialized)?.unwrap_or_default();
    ranks.broadcast_bytes(&mut bytes)?;
    let model = model.map_or_else(|| restored(&best, owner, bytes, build), Ok);
    ranks.agree(model).map(Some)
}
