//! The course of a training: epochs of steps over shuffled batches, with validation and callbacks.

use std::time::Instant;

use super::diagnosis::Diagnosis;
use super::distributed::Apart;
use super::fit::Run;
use super::history::History;
use super::resume::Resume;
use super::settings::Fit;
use super::step::{At, Trainer};
use super::update;
use crate::callback::{BackupAndRestore, Callback, CallbackContext, Flow, Logs, Progress, Verbose};
use crate::distributed::Ranks;
use crate::error::{Error, Result};
use crate::kernel;
use crate::model::Sequential;
use crate::rng::Rng;
use crate::scalar::Scalar;

/// The first of the random streams that shuffle, one for each epoch; those before it draw weights.
const SHUFFLE: u64 = 1 << 40;

/// A training under way: what is trained and on what, where it stands, and what came of it so far.
pub(super) struct Training<'t, 'a, F: Scalar> {
    pub(super) model: &'t mut Sequential<F>,
    pub(super) run: Run<'t, F>,
    settings: &'t Fit<'a, F>,
    pub(super) callbacks: Callbacks<'t, 'a, F>,
    trainer: Trainer<F>,
    pub(super) diagnosis: Option<Diagnosis<'t, F>>,
    /// The samples in the order of the epoch under way.
    pub(super) order: Vec<usize>,
    /// The batch under way, where each rank has data of its own: its samples at their places, and 0 at others.
    pub(super) own: Vec<usize>,
    pub(super) clock: Clock,
    pub(super) logs: Logs,
    pub(super) history: History,
    /// The others that train the same model, where there are any.
    pub(super) ranks: Option<Ranks<'t>>,
    /// Whether callbacks are called on rank 0.
    pub(super) observed: bool,
    /// The steps of this rank since it met the others.
    apart: Apart<F>,
    _session: kernel::Session,
}

impl<'t, 'a, F: Scalar> Training<'t, 'a, F> {
    /// Before the first epoch.
    pub(super) fn begin(
        model: &'t mut Sequential<F>,
        run: Run<'t, F>,
        settings: &'t Fit<'a, F>,
        callbacks: &'t mut [Box<dyn Callback<F> + 'a>],
        ranks: Option<Ranks<'t>>,
    ) -> Result<Self> {
        let session = kernel::Session::new();
        let mut trainer = Trainer::new(model);
        let from = if settings.validation_data.is_some() { 0 } else { run.train };
        let validation = run.validation.as_ref().map(|data| (data, from));
        let rows = &mut trainer.rows;
        let diagnosis = match &ranks {
            Some(ranks) => Diagnosis::together(model, &run, validation, settings, rows, ranks)?,
            None => Diagnosis::new(model, &run.data, validation, settings, run.train, rows)?,
        };
        // Rank 0 alone tells.
        let looks_on = ranks.as_ref().is_none_or(Ranks::is_first);
        let verbose = if looks_on { settings.verbose } else { Verbose::Silent };
        let callbacks = Callbacks { given: callbacks, progress: Progress::new(verbose) };
        let mut words = run.words(model, settings);
        words.extend(ranks.as_ref().map(|ranks| ("ranks", ranks.size().to_string())));
        words.extend(run.shards.as_ref().map(|(train, _)| ("samples of each rank", train.words())));
        let history = History { seed: model.seed, settings: words, ..History::default() };
        let (order, clock) = ((0..run.train).collect(), Clock::new(settings, run.total()));
        Ok(Training {
            model,
            run,
            settings,
            callbacks,
            trainer,
            diagnosis,
            order,
            own: Vec::new(),
            clock,
            logs: Logs::default(),
            history,
            ranks,
            observed: false,
            apart: Apart::new(),
            _session: session,
        })
    }

    /// All epochs, or those that are left where the training goes on from a backup.
    pub(super) fn run(mut self, mut resume: Resume) -> Result<History> {
        self.begin_together()?;
        self.all(|callback, at| callback.on_fit_begin(at))?;
        let gone_on = self.go_on(&mut resume);
        self.go_on_together(gone_on)?;
        while self.clock.epoch < self.clock.epochs && self.history.stopped.is_none() {
            self.arrange();
            if self.clock.batch == 0 {
                self.begin_epoch()?;
            }
            while self.clock.batch < self.clock.batches && self.history.stopped.is_none() {
                self.step()?;
                self.back_up(&resume);
            }
            self.end_epoch()?;
            self.back_up(&resume);
        }
        self.end()
    }

    /// Draws the order of the epoch under way.
    fn arrange(&mut self) {
        if self.settings.shuffle {
            self.order.iter_mut().enumerate().for_each(|(place, index)| *index = place);
            let stream = SHUFFLE.wrapping_add(self.model.epochs_seen).wrapping_add(self.shard_stream());
            Rng::stream(self.model.seed, stream).shuffle(&mut self.order);
        }
    }

    fn begin_epoch(&mut self) -> Result<()> {
        self.clock.started = Instant::now();
        self.logs.clear();
        self.run.measure.reset();
        self.all(|callback, at| callback.on_epoch_begin(at))?;
        let rate = self.clock.moment(self.model, &mut self.logs).learning_rate();
        self.history.begin_epoch(rate);
        Ok(())
    }

    /// One step of the optimizer on the next batch.
    fn step(&mut self) -> Result<()> {
        let start = self.clock.batch * self.settings.batch_size;
        let end = self.run.total().min(start + self.settings.batch_size);
        self.arrange_own(start..end);
        let Training { model, run, trainer, diagnosis, clock, ranks, .. } = self;
        if let Some(diagnosis) = diagnosis {
            diagnosis.watch.begins(clock.batch);
        }
        let indices = if run.shards.is_some() { &self.own[..] } else { &self.order[start..end] };
        let at = At { epoch: clock.epoch + 1, batch: clock.batch + 1, ranks: ranks.as_ref() };
        let (measure, diagnosis) = (&mut run.measure, diagnosis.as_mut());
        let step = match ranks.as_ref().filter(|ranks| ranks.meets_after().is_some()) {
            Some(ranks) => {
                let last = clock.batch + 1 == clock.batches;
                self.apart.step(model, trainer, (&run.data, indices, measure), (at, last), diagnosis, ranks)
            }
            None => trainer.step(model, &run.data, indices, measure, at, diagnosis).map(|()| true),
        };
        let met = match step {
            Ok(met) => met,
            Err(error) => return self.diverge(error),
        };
        self.clock.batch += 1;
        if met {
            self.run.measure.log(&mut self.logs);
            self.history.stopped = self.ask(|callback, at| callback.on_batch_end(at))?;
        }
        Ok(())
    }

    /// ModelShapes in this error, unless it is a divergence that a callback makes a reason to stop.
    fn diverge(&mut self, error: Error) -> Result<()> {
        let Error::Diverged { .. } = error else { return Err(error) };
        self.look_together()?;
        if let Some(diagnosis) = &mut self.diagnosis {
            diagnosis.diverged(&error);
        }
        self.run.measure.log(&mut self.logs);
        self.history.stopped = self.ask(|callback, at| callback.on_diverged(at, &error))?;
        self.history.stopped.is_some().then_some(()).ok_or(error)
    }

    fn end_epoch(&mut self) -> Result<()> {
        self.model.epochs_seen += 1;
        if (self.clock.epoch + 1).is_multiple_of(self.settings.validation_freq) {
            self.run.validate(self.model, self.settings, &mut self.logs, self.ranks.as_ref())?;
        }
        self.look_together()?;
        self.callbacks.progress.clear();
        let stopped = self.ask(|callback, at| callback.on_epoch_end(at))?;
        let rate = self.clock.moment(self.model, &mut self.logs).learning_rate();
        let hopeless = match (&mut self.diagnosis, &self.history.stopped) {
            (Some(diagnosis), None) => diagnosis.end_epoch(&self.logs, rate),
            _ => None,
        };
        self.history.stopped = self.history.stopped.take().or(stopped).or(hopeless);
        self.end_epoch_together()?;
        self.history.record(self.clock.epoch, &self.logs, self.clock.started.elapsed());
        (self.clock.epoch, self.clock.batch) = (self.clock.epoch + 1, 0);
        Ok(())
    }

    fn end(mut self) -> Result<History> {
        update::finish(self.model);
        self.all(|callback, at| callback.on_fit_end(at))?;
        let Training { model, mut callbacks, clock, mut logs, mut history, diagnosis, .. } = self;
        if let Some(backup) = callbacks.backup() {
            backup.close(&clock.moment(model, &mut logs));
        }
        history.restored = callbacks.given.iter().find_map(|callback| callback.restored_epoch());
        history.scale = diagnosis.as_ref().and_then(|diagnosis| diagnosis.watch.evidence.data.targets.scale);
        let stopped = history.stopped.clone();
        history.findings = diagnosis.map(|diagnosis| diagnosis.end(stopped)).unwrap_or_default();
        Ok(history)
    }

    /// Calls all callbacks with the moment.
    fn all(
        &mut self,
        mut call: impl FnMut(&mut dyn Callback<F>, &mut CallbackContext<F>) -> Result<()>,
    ) -> Result<()> {
        self.ask(|callback, at| call(callback, at).map(|()| Flow::Continue)).map(drop)
    }

    /// Asks all of them, and tells the first reason to stop.
    fn ask(
        &mut self,
        mut call: impl FnMut(&mut dyn Callback<F>, &mut CallbackContext<F>) -> Result<Flow>,
    ) -> Result<Option<String>> {
        let before = self.before_callbacks();
        let mut reason = None;
        let mut at = self.clock.moment(self.model, &mut self.logs);
        let called = self.callbacks.all(|callback| {
            if let Flow::Stop(why) = call(callback, &mut at)? {
                reason.get_or_insert(why);
            }
            Ok(())
        });
        self.obey(before, called.map(|()| reason))
    }
}

/// Where a training stands.
pub(super) struct Clock {
    pub(super) epoch: usize,
    epochs: usize,
    /// Batches of the epoch that are done; 0 only where the epoch has not begun.
    pub(super) batch: usize,
    pub(super) batches: usize,
    /// When the epoch began.
    pub(super) started: Instant,
    verbose: Verbose,
}

impl Clock {
    fn new<F: Scalar>(settings: &Fit<F>, train: usize) -> Self {
        Clock {
            epoch: settings.initial_epoch,
            epochs: settings.epochs,
            batch: 0,
            batches: train.div_ceil(settings.batch_size),
            started: Instant::now(),
            verbose: settings.verbose,
        }
    }

    pub(super) fn moment<'a, F: Scalar>(
        &self,
        model: &'a mut Sequential<F>,
        logs: &'a mut Logs,
    ) -> CallbackContext<'a, F> {
        let Clock { epoch, epochs, batch, batches, .. } = *self;
        CallbackContext::new(model, logs, (epoch, epochs), (batch, batches), self.verbose)
    }
}

/// The user's callbacks, and the progress after them.
pub(super) struct Callbacks<'t, 'a, F: Scalar> {
    pub(super) given: &'t mut [Box<dyn Callback<F> + 'a>],
    pub(super) progress: Progress,
}

impl<F: Scalar> Callbacks<'_, '_, F> {
    fn all(&mut self, mut call: impl FnMut(&mut dyn Callback<F>) -> Result<()>) -> Result<()> {
        for callback in &mut *self.given {
            call(&mut **callback)?;
        }
        call(&mut self.progress)
    }

    /// The one that makes backups.
    pub(super) fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        self.given.iter_mut().find_map(|callback| callback.backup())
    }
}
