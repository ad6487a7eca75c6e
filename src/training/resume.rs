//! Backups: what a training needs to go on after it was killed, when it is written, and what it must fit.

use std::fs::File;
use std::time::Instant;

use super::data::{CheckedData, Rows};
use super::diagnosis::sample;
use super::epochs::Training;
use super::fit::Run;
use super::settings::Fit;
use crate::callback::{BackupAndRestore, Callback};
use crate::diagnosis::Diagnose;
use crate::error::{Error, Result, Shape};
use crate::hash::{FNV_OFFSET, fnv1a};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;

/// Rows of arrays that are compared with those of the backup.
const ROWS: usize = 64;

/// What a backup is of, and the state to go on from where there is one.
#[derive(Default)]
pub(super) struct Resume {
    /// What must be the same in the training that goes on, by name, in words. Empty where no backups are made.
    identity: Vec<(String, String)>,
    saved: Option<Saved>,
    /// Keeps other trainings out of the folder until this one is over.
    _lock: Option<File>,
}

struct Saved {
    seed: u64,
    state: State,
}

impl Resume {
    /// Opens the backup, where a callback makes some, and refuses one of another training. Changes nothing.
    pub(super) fn new<F: Scalar>(
        model: &Sequential<F>,
        run: &mut Run<F>,
        settings: &Fit<F>,
        callbacks: &mut [Box<dyn Callback<F> + '_>],
    ) -> Result<Self> {
        let count = callbacks.len();
        let mut backups = callbacks.iter_mut().filter_map(|callback| callback.backup());
        let Some(backup) = backups.next() else { return Ok(Resume::default()) };
        if backups.next().is_some() {
            return Err(Error::argument("callback", "one BackupAndRestore", "two"));
        }
        if backup.is_within_epochs() {
            // A metric that cannot be kept shows now, and not at the first backup.
            run.measure.state(&mut State::writing())?;
        }
        let identity = identity(model, run, settings, count)?;
        let (lock, saved) = backup.open()?;
        let saved = match saved {
            Some(mut state) => {
                let mut seed = model.seed;
                state.item("seed", &mut seed)?;
                if model.seeded && seed != model.seed {
                    return Err(state.other("seed", seed, model.seed));
                }
                identity.iter().try_for_each(|(name, here)| state.same(name, here))?;
                Some(Saved { seed, state })
            }
            None => None,
        };
        Ok(Resume { identity, saved, _lock: Some(lock) })
    }

    /// Gives a model that drew its seed that of the training that it goes on with.
    pub(super) fn seed<F: Scalar>(&self, model: &mut Sequential<F>) -> Result<()> {
        match &self.saved {
            Some(saved) if saved.seed != model.seed => model.reseed(saved.seed),
            _ => Ok(()),
        }
    }
}

impl<F: Scalar> Training<'_, '_, F> {
    /// Everything that changes in a training, to write it or to go on from it.
    fn state(&mut self, state: &mut State) -> Result<()> {
        let Training { model, run, callbacks, diagnosis, clock, logs, history, .. } = self;
        if let Some((shards, _)) = &run.shards {
            state.same("samples of each rank that train", &shards.words())?;
        }
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
            state.group("measure", |state| run.measure.state(state))?;
        }
        history.state(state)?;
        diagnosis.iter_mut().try_for_each(|diagnosis| diagnosis.state(state))?;
        callbacks.given.iter_mut().enumerate().try_for_each(|(index, callback)| {
            state.group(&format!("callback {index}"), |state| callback.state(state))
        })
    }

    /// Takes up the state of the backup, where there is one, and tells whether there was.
    pub(super) fn go_on(&mut self, resume: &mut Resume) -> Result<bool> {
        let Some(Saved { mut state, .. }) = resume.saved.take() else { return Ok(false) };
        let before = self.model.clone();
        if let Err(error) = self.state(&mut state).and_then(|()| state.end()) {
            *self.model = before;
            return Err(error);
        }
        let mut at = self.clock.moment(self.model, &mut self.logs);
        self.callbacks.progress.go_on(&mut at).map(|()| true)
    }

    /// Writes a backup, where one is due. One that cannot be written is told, and the training goes on.
    pub(super) fn back_up(&mut self, resume: &Resume) {
        if !self.callbacks.backup().is_some_and(BackupAndRestore::take_due) {
            return;
        }
        let mut state = State::writing();
        let captured = state
            .item("seed", &mut self.model.seed)
            .and_then(|()| resume.identity.iter().try_for_each(|(name, here)| state.same(name, here)))
            .and_then(|()| self.state(&mut state));
        let at = self.clock.moment(self.model, &mut self.logs);
        if let Some(backup) = self.callbacks.backup() {
            backup.write(&at, captured.map(|()| state));
        }
    }
}

/// What a training is, as far as its result depends on it. The number of epochs is left out, so that it may be raised.
pub(super) fn identity<F: Scalar>(
    model: &Sequential<F>,
    run: &Run<F>,
    settings: &Fit<F>,
    callbacks: usize,
) -> Result<Vec<(String, String)>> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    let [optimizer, loss, metrics] = &compiled.given;
    let layers = model.described();
    let validation = run.validation.as_ref();
    let input = model.input_shape().unwrap_or_default();
    let shapes = [input, &run.data.target_shape()].map(|shape| Shape(shape).to_string());
    let one = [
        ("number type", F::NAME.to_string()),
        ("number of layers", layers.len().to_string()),
        ("optimizer", optimizer.clone()),
        ("loss", loss.clone()),
        ("metrics", metrics.clone()),
        ("number of samples", run.data.count().to_string()),
        ("number of samples that train", run.train.to_string()),
        ("number of samples to validate on", validation.map_or(0, CheckedData::count).to_string()),
        ("shape of samples and targets", shapes.join(" and ")),
        ("batch_size", settings.batch_size.to_string()),
        ("shuffle", settings.shuffle.to_string()),
        ("initial_epoch", settings.initial_epoch.to_string()),
        ("number of epochs trained before", model.epochs_seen.to_string()),
        ("number of steps taken before", compiled.steps.to_string()),
        ("validation_freq", settings.validation_freq.to_string()),
        ("validation_batch_size", format!("{:?}", settings.validation_batch_size)),
        ("number of callbacks", callbacks.to_string()),
        ("diagnosis", if settings.diagnose == Diagnose::Off { "off" } else { "on" }.into()),
        ("sum over a sample of the data, and its weights", sum(Some(&run.data))?),
        ("sum over a sample of the validation data, and its weights", sum(validation)?),
    ];
    let layers = layers.into_iter().enumerate().map(|(index, layer)| (format!("layer {index}"), layer));
    Ok(one.into_iter().map(|(name, here)| (name.to_string(), here)).chain(layers).collect())
}

/// A sum over some rows of arrays, and over all weights. A source is not read for it.
fn sum<F: Scalar>(data: Option<&CheckedData<F>>) -> Result<String> {
    let Some(data) = data else { return Ok("none".into()) };
    let mut rows = Rows::default();
    if !data.is_source() {
        data.gather(None, &sample(data.count(), ROWS), &mut rows)?;
    }
    let mut bytes = Vec::new();
    rows.x
        .iter()
        .chain(&rows.y)
        .chain(data.weights.iter().flatten())
        .for_each(|number| number.put(&mut bytes));
    Ok(format!("{:016x}", fnv1a(FNV_OFFSET, &bytes)))
}
