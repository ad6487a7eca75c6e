//! The epochs of a training: steps over shuffled batches, with validation and callbacks.

use std::time::Instant;

use super::data::Batches;
use super::diagnosis::Diagnosis;
use super::distributed::EpochBatch;
use super::history::History;
use super::resume::Resume;
use super::session::Training;
use super::step::{StepPosition, resize};
use super::update;
use crate::callback::{BackupAndRestore, LogKeys};
use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::scalar::Scalar;

/// The first random stream used for shuffling, one stream per epoch; lower numbers initialize weights.
const SHUFFLE: u64 = 1 << 40;

impl<F: Scalar> Training<'_, '_, F> {
    /// Trains for all epochs, or for those that are left if the training resumes from a backup.
    pub(super) fn run(mut self, resume: &mut Resume) -> Result<History> {
        self.coordinator.start(self.model, !self.hooks.callbacks.is_empty())?;
        let mut keys = LogKeys::new(self.model.compiled.as_ref(), self.settings.measures_validation());
        self.call(|callback, at| {
            at.keys = keys.clone();
            at.added = None;
            callback.on_fit_begin(at)?;
            keys.add(at.added.take());
            Ok(())
        })?;
        self.resume(resume)?;
        while self.clock.epoch < self.clock.epochs && self.history.stopped.is_none() {
            self.shuffle();
            if self.clock.batch == 0 {
                self.begin_epoch()?;
            }
            while self.clock.batch < self.clock.batches && self.history.stopped.is_none() {
                if self.step()? {
                    self.back_up(resume, BackupAndRestore::is_due_after_batch);
                }
            }
            self.end_epoch()?;
            self.back_up(resume, BackupAndRestore::is_due_after_epoch);
        }
        self.end()
    }

    /// Draws the sample order of the current epoch.
    fn shuffle(&mut self) {
        if self.settings.shuffle {
            self.order.iter_mut().enumerate().for_each(|(place, index)| *index = place);
            let epoch = SHUFFLE.wrapping_add(self.model.epochs_seen);
            let stream = epoch.wrapping_add(self.coordinator.shuffle_stream());
            Rng::stream(self.model.seed.value(), stream).shuffle(&mut self.order);
            let (total, size) = (self.coordinator.training_total(self.run.train), self.settings.batch_size);
            self.batches = Batches::new(&mut self.order, total, size, self.run.data.lengths());
        }
    }

    fn begin_epoch(&mut self) -> Result<()> {
        self.clock.started = Instant::now();
        self.logs.clear();
        self.run.scores.reset();
        self.call(|callback, at| callback.on_epoch_begin(at))?;
        let rate = self.learning_rate();
        self.history.begin_epoch(rate);
        Ok(())
    }

    /// Runs one optimizer step on the next batch. Returns whether callbacks were called after it.
    fn step(&mut self) -> Result<bool> {
        let Training { model, run, trainer, diagnosis, clock, coordinator, batches, .. } = self;
        let batch = EpochBatch { data: &run.data, order: &self.order, places: batches.places(clock.batch) };
        let step = StepPosition { epoch: clock.epoch + 1, batch: clock.batch + 1, batches: clock.batches };
        let monitor = diagnosis.as_mut().map(|diagnosis| diagnosis.start_batch(clock.batch));
        let result = coordinator.step(trainer, model, batch, &mut run.scores, step, monitor);
        if let Some(diagnosis) = diagnosis {
            diagnosis.print_first();
        }
        let is_shared = match result {
            Ok(is_shared) => is_shared,
            Err(error) => return self.diverge(error).map(|()| false),
        };
        self.clock.batch += 1;
        if is_shared {
            self.run.scores.log(&mut self.logs);
            self.history.stopped = self.reason_to_stop(|callback, at| callback.on_batch_end(at))?;
        }
        Ok(is_shared)
    }

    /// Returns this error, unless it is a divergence for which a callback stops the training instead.
    fn diverge(&mut self, error: Error) -> Result<()> {
        let Error::Diverged { .. } = error else { return Err(error) };
        self.coordinator.merge_monitors(self.diagnosis.as_mut().map(Diagnosis::monitor))?;
        if let Some(diagnosis) = &mut self.diagnosis {
            diagnosis.diverged(&error, &self.run, &mut self.trainer.rows)?;
        }
        self.run.scores.log(&mut self.logs);
        self.history.stopped = self.reason_to_stop(|callback, at| callback.on_diverged(at, &error))?;
        self.history.diverged = true;
        self.history.stopped.is_some().then_some(()).ok_or(error)
    }

    fn end_epoch(&mut self) -> Result<()> {
        self.model.epochs_seen += 1;
        if (self.clock.epoch + 1).is_multiple_of(self.settings.validation_freq) {
            self.run.validate(self.model, self.settings, &mut self.logs, self.coordinator)?;
        }
        self.coordinator.merge_monitors(self.diagnosis.as_mut().map(Diagnosis::monitor))?;
        self.progress.clear();
        let rate = self.last_learning_rate();
        let stopped = self.reason_to_stop(|callback, at| callback.on_epoch_end(at))?;
        let hopeless = match (&mut self.diagnosis, &self.history.stopped) {
            (Some(diagnosis), None) => diagnosis.end_epoch(&self.logs, self.model.weight_penalty(), rate),
            _ => None,
        };
        self.history.stopped = self.history.stopped.take().or(stopped).or(hopeless);
        let Training { model, clock, logs, history, coordinator, .. } = self;
        coordinator.end_epoch(clock.epoch, model, logs, &mut history.stopped)?;
        history.record(clock.epoch, logs, clock.started.elapsed());
        (clock.epoch, clock.batch) = (clock.epoch + 1, 0);
        Ok(())
    }

    fn end(mut self) -> Result<History> {
        update::finish(self.model);
        self.call(|callback, at| callback.on_fit_end(at))?;
        let Training { mut history, diagnosis, model, run, mut trainer, .. } = self;
        resize(model, &mut trainer.workspace, &run.data.input_shape())?;
        if let Some(mut diagnosis) = diagnosis {
            diagnosis.infer(model, &run, &mut trainer)?;
            history.scale = diagnosis.scale();
            (history.findings, history.is_summary_due) = diagnosis.end(history.stopped.clone());
        }
        Ok(history)
    }
}
