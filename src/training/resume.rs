//! Writes backups, and resumes a killed training from one.

use std::fs::File;
use std::time::Instant;

use super::identity::identity;
use super::run::TrainingRun;
use super::session::Training;
use super::settings::{Fit, Hooks};
use crate::callback::BackupAndRestore;
use crate::error::Result;
use crate::model::{Seed, Sequential};
use crate::scalar::Scalar;
use crate::state::State;

/// The identity of a training that writes backups, and the state to resume from if there is one.
#[derive(Default)]
pub(super) struct Resume {
    /// The names and values that must match in the resumed training. Empty if no backups are written.
    identity: Vec<(String, String)>,
    saved: Option<Saved>,
    /// Prevents other trainings from using the folder until this one is over.
    _lock: Option<File>,
}

struct Saved {
    seed: u64,
    state: State,
}

impl Resume {
    /// Opens the backup if the settings ask for one, and refuses one from another training. Changes nothing.
    pub(super) fn new<F: Scalar>(
        model: &Sequential<F>,
        run: &mut TrainingRun<F>,
        settings: &Fit<F>,
        hooks: &mut Hooks<F>,
    ) -> Result<Self> {
        let count = hooks.callbacks.len();
        let Some(backup) = hooks.backup() else { return Ok(Resume::default()) };
        if backup.is_within_epochs() {
            // Report a metric that cannot be saved now, and not at the first backup.
            run.scores.state(&mut State::writing())?;
        }
        let identity = identity(model, run, settings, Some(count))?;
        let identity = [identity.common, identity.of_data].concat();
        let (lock, saved) = backup.open()?;
        let saved = match saved {
            Some(mut state) => {
                let mut seed = model.seed.value();
                state.item("seed", &mut seed)?;
                if let Seed::Fixed(fixed) = model.seed
                    && seed != fixed
                {
                    return Err(state.other("seed", seed, fixed));
                }
                identity.iter().try_for_each(|(name, here)| state.same(name, here))?;
                Some(Saved { seed, state })
            }
            None => None,
        };
        Ok(Resume { identity, saved, _lock: Some(lock) })
    }

    /// Gives a model without a fixed seed the seed of the training that it resumes.
    pub(super) fn seed<F: Scalar>(&self, model: &mut Sequential<F>) -> Result<()> {
        match &self.saved {
            Some(saved) if saved.seed != model.seed.value() => model.reseed(saved.seed),
            _ => Ok(()),
        }
    }
}

impl<F: Scalar> Training<'_, '_, F> {
    /// Reads or writes everything that changes during a training.
    fn state(&mut self, state: &mut State) -> Result<()> {
        let Training { model, run, hooks, diagnosis, clock, logs, history, coordinator, .. } = self;
        coordinator.state(state)?;
        state.count("epoch", &mut clock.epoch)?;
        state.count("batch", &mut clock.batch)?;
        let mut elapsed = clock.started.elapsed();
        state.item("elapsed", &mut elapsed)?;
        if state.is_reading() {
            clock.batch = clock.batch.min(clock.batches);
            clock.started = Instant::now().checked_sub(elapsed).unwrap_or(clock.started);
        }
        state.group("model", |state| model.state(state))?;
        if clock.batch > 0 {
            logs.state(state)?;
            state.group("measure", |state| run.scores.state(state))?;
        }
        history.state(state)?;
        diagnosis.iter_mut().try_for_each(|diagnosis| diagnosis.state(state))?;
        hooks.backup().map_or(Ok(()), |backup| backup.state(state))?;
        hooks.callbacks.iter_mut().enumerate().try_for_each(|(index, callback)| {
            state.group(&format!("callback {index}"), |state| callback.state(state))
        })
    }

    /// Resumes from the backup on all ranks, if there is one.
    pub(super) fn resume(&mut self, resume: &mut Resume) -> Result<()> {
        let resumed = self.take_up(resume);
        let Training { model, clock, history, diagnosis, coordinator, .. } = self;
        let first = clock.epoch;
        let resumed = coordinator.share_resumed(resumed, &mut |state| {
            state.count("epoch", &mut clock.epoch)?;
            state.count("batch", &mut clock.batch)?;
            state.group("model", |state| model.state(state))?;
            history.state(state)
        })?;
        if let Some(diagnosis) = diagnosis.as_mut().filter(|_| resumed && clock.epoch > first) {
            diagnosis.monitor.skip();
        }
        Ok(())
    }

    /// Restores the state from the backup, and returns whether there is one.
    fn take_up(&mut self, resume: &mut Resume) -> Result<bool> {
        let Some(Saved { mut state, .. }) = resume.saved.take() else {
            self.print_optimizer_note();
            return Ok(false);
        };
        let before = self.model.clone();
        if let Err(error) = self.state(&mut state).and_then(|()| state.end()) {
            *self.model = before;
            return Err(error);
        }
        let mut at = self.clock.context(self.model, &mut self.logs);
        self.progress.go_on(&mut at).map(|()| true)
    }

    /// Writes a backup if one is due, but none after a divergence. A failure to write it is reported, and the training continues.
    pub(super) fn back_up(&mut self, resume: &Resume, is_due: fn(&mut BackupAndRestore) -> bool) {
        if self.history.diverged || !self.hooks.backup().is_some_and(is_due) {
            return;
        }
        let mut state = State::writing();
        let captured = state
            .item("seed", &mut self.model.seed.value())
            .and_then(|()| resume.identity.iter().try_for_each(|(name, here)| state.same(name, here)))
            .and_then(|()| self.state(&mut state));
        let at = self.clock.context(self.model, &mut self.logs);
        if let Some(backup) = self.hooks.backup() {
            backup.write(&at, captured.map(|()| state));
        }
    }
}
