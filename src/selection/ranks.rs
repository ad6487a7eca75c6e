//! A search over several ranks: the assignment of trials to ranks, and the exchange of results.

use std::path::Path;
use std::sync::Mutex;

use super::fingerprint::Words;
use super::plan::SearchPlan;
use super::search::Search;
use super::trial::{ActiveTrial, Build, Trial, lock};
use crate::callback::Logs;
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::training::{self, pack};

impl Search<'_> {
    /// Returns the plan, once it is the same on all ranks.
    pub(super) fn meet(
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

/// Assigns the remaining trials to ranks: as evenly as possible, with as few moves as possible.
pub(super) fn share_out<'a, F: Scalar>(
    ranks: &Ranks,
    running: &[Mutex<ActiveTrial<F>>],
    going: &[usize],
    build: &impl Build<'a, F>,
) -> Result<Vec<usize>> {
    let most = going.len().div_ceil(ranks.size());
    let mut room = vec![most; ranks.size()];
    let mut moved = Vec::new();
    for &i in going {
        match lock(&running[i]).owner {
            Some(owner) if room[owner] > 0 => room[owner] -= 1,
            _ => moved.push(i),
        }
    }
    let mut own = Ok(());
    for i in moved {
        let mut one = lock(&running[i]);
        let to = (0..ranks.size()).max_by_key(|&rank| (room[rank], ranks.size() - rank)).unwrap_or(0);
        room[to] = room[to].saturating_sub(1);
        if let Some(from) = one.owner.replace(to).filter(|_| one.trial.goes_on()) {
            own = own.and(bring(ranks, &mut one, (from, to), build)?);
        }
    }
    ranks.agree(own)?;
    Ok(going.iter().copied().filter(|&i| lock(&running[i]).owner == Some(ranks.rank())).collect())
}

/// Moves the models of a trial from one rank to another. The inner error is this rank's own; the outer one is of the
/// network.
fn bring<'a, F: Scalar>(
    ranks: &Ranks,
    one: &mut ActiveTrial<F>,
    (from, to): (usize, usize),
    build: &impl Build<'a, F>,
) -> Result<Result<()>> {
    let mut packed = Ok(());
    let ActiveTrial { trial, model, best, .. } = one;
    for slot in [model, best] {
        let pack = || match slot.take().map(|mut model| pack(&mut model)) {
            Some(Ok(bytes)) => bytes,
            Some(Err(error)) => {
                packed = Err(error);
                Vec::new()
            }
            None => Vec::new(),
        };
        if let Some(bytes) = ranks.hand(from, to, pack)?.filter(|bytes| !bytes.is_empty()) {
            match unpack(trial, from, bytes, build) {
                Ok(model) => *slot = Some(model),
                Err(error) => packed = Err(error),
            }
        }
    }
    Ok(packed)
}

/// Returns the model of a trial that was trained on another rank.
fn unpack<'a, F: Scalar>(
    trial: &Trial,
    from: usize,
    bytes: Vec<u8>,
    build: &impl Build<'a, F>,
) -> Result<Sequential<F>> {
    let (mut model, _) = trial.build(build)?;
    training::unpack(&mut model, from, bytes).map(|()| model)
}

/// Trains this rank's trials and exchanges the results; returns the trials of others that were trained.
pub(super) fn exchange<F: Scalar>(
    ranks: &Ranks,
    running: &[Mutex<ActiveTrial<F>>],
    own: &[usize],
    train_own: impl FnOnce(),
) -> Result<Vec<usize>> {
    let mut written = Ok(());
    let work = || {
        let before: Vec<usize> = own.iter().copied().filter(|&i| lock(&running[i]).trial.goes_on()).collect();
        train_own();
        let mut state = State::writing();
        let mut count = before.len();
        written = state.item("trials", &mut count).and_then(|()| {
            before.into_iter().try_for_each(|mut i| {
                state.item("number", &mut i)?;
                lock(&running[i]).trial.state(&mut state)
            })
        });
        state.bytes().to_vec()
    };
    let all = ranks.work(work)?;
    ranks.agree(written)?;
    let mut others = Vec::new();
    for (rank, bytes) in all.into_iter().enumerate().filter(|(rank, _)| *rank != ranks.rank()) {
        let mut state = State::reading(Path::new(&format!("rank {rank}")), bytes);
        let (mut count, mut i) = (0_usize, 0_usize);
        state.item("trials", &mut count)?;
        for _ in 0..count {
            state.item("number", &mut i)?;
            if let Some(one) = running.get(i) {
                lock(one).trial.state(&mut state)?;
                others.push(i);
            }
        }
    }
    others.sort_unstable();
    Ok(others)
}

/// Returns the best trial of the last rung with its model, on all ranks.
pub(super) fn crown<'a, F: Scalar>(
    ranks: &Ranks,
    running: &[Mutex<ActiveTrial<F>>],
    going: &[usize],
    own: Option<(Trial, Sequential<F>)>,
    goal: Goal,
    build: &impl Build<'a, F>,
) -> Result<Option<(Trial, Sequential<F>)>> {
    let last = going.iter().map(|&i| lock(&running[i]).trial.clone()).filter(|trial| trial.score().is_some());
    let Some(best) = last.min_by(|a, b| a.order(b, goal)) else { return Ok(None) };
    let owner = lock(&running[best.number]).owner.unwrap_or(0);
    let mut own = own.filter(|(trial, _)| trial.number == best.number && owner == ranks.rank());
    let mut packed = Ok(Vec::new());
    if let Some((_, model)) = &mut own {
        packed = pack(model);
    }
    let bytes = ranks.agree(packed)?;
    let mut bytes = ranks.hand(owner, 0, || bytes)?.unwrap_or_default();
    ranks.broadcast_bytes(&mut bytes)?;
    let model = match own {
        Some((_, model)) => Ok(model),
        None => unpack(&best, owner, bytes, build),
    };
    let model = ranks.agree(model)?;
    Ok(Some((best, model)))
}
