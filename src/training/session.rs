//! The state of a running training, and its calls to callbacks.

use std::time::Instant;

use super::diagnosis::Diagnosis;
use super::distributed::Coordinator;
use super::history::History;
use super::run::Run;
use super::settings::Fit;
use super::step::Trainer;
use crate::callback::{BackupAndRestore, Callback, CallbackContext, Flow, Logs, Progress, Verbose};
use crate::error::Result;
use crate::kernel;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// A running training: the model, its data, the current position, and the results so far.
pub(super) struct Training<'t, 'a, F: Scalar> {
    pub(super) model: &'t mut Sequential<F>,
    pub(super) run: Run<'t, F>,
    pub(super) settings: &'t Fit<'a, F>,
    pub(super) callbacks: Callbacks<'t, 'a, F>,
    pub(super) trainer: Trainer<F>,
    pub(super) diagnosis: Option<Diagnosis<'t, F>>,
    /// The sample order of the current epoch.
    pub(super) order: Vec<usize>,
    pub(super) clock: Clock,
    pub(super) logs: Logs,
    pub(super) history: History,
    pub(super) coordinator: &'t mut Coordinator<'a, F>,
    _session: kernel::Session,
}

impl<'t, 'a, F: Scalar> Training<'t, 'a, F> {
    /// Starts the training, before the first epoch.
    pub(super) fn begin(
        model: &'t mut Sequential<F>,
        run: Run<'t, F>,
        settings: &'t Fit<'a, F>,
        callbacks: &'t mut [Box<dyn Callback<F> + 'a>],
        coordinator: &'t mut Coordinator<'a, F>,
    ) -> Result<Self> {
        let session = kernel::Session::new();
        let mut trainer = Trainer::new(model);
        let diagnosis = Diagnosis::new(model, &run, settings, coordinator, &mut trainer.rows)?;
        let verbose = if coordinator.is_first() { settings.verbose } else { Verbose::Silent };
        let callbacks = Callbacks { given: callbacks, progress: Progress::new(verbose) };
        let words = run.settings(model, settings, coordinator);
        let history = History { seed: model.seed, settings: words, ..History::default() };
        let clock = Clock::new(settings, coordinator.training_total(run.train));
        Ok(Training {
            model,
            order: (0..run.train).collect(),
            run,
            settings,
            callbacks,
            trainer,
            diagnosis,
            clock,
            logs: Logs::default(),
            history,
            coordinator,
            _session: session,
        })
    }

    /// Calls all callbacks.
    pub(super) fn call(
        &mut self,
        mut call: impl FnMut(&mut dyn Callback<F>, &mut CallbackContext<F>) -> Result<()>,
    ) -> Result<()> {
        self.run_rules(|callback, at| call(callback, at).map(|()| Flow::Continue)).map(drop)
    }

    /// Calls all callbacks, and returns the first reason to stop.
    pub(super) fn run_rules(
        &mut self,
        mut call: impl FnMut(&mut dyn Callback<F>, &mut CallbackContext<F>) -> Result<Flow>,
    ) -> Result<Option<String>> {
        let Training { model, clock, logs, callbacks, coordinator, history, .. } = self;
        coordinator.follow_callbacks(model, |model| {
            let mut reason = None;
            let mut at = clock.context(model, logs);
            callbacks.all(|callback| {
                if let Flow::Stop(why) = call(callback, &mut at)? {
                    reason.get_or_insert(why);
                }
                Ok(())
            })?;
            history.restored = history.restored.or(at.restored_epoch);
            Ok(reason)
        })
    }

    /// The learning rate of the next step.
    pub(super) fn learning_rate(&mut self) -> f64 {
        self.clock.context(self.model, &mut self.logs).learning_rate()
    }
}

/// The position of a training in its epochs and batches.
pub(super) struct Clock {
    pub(super) epoch: usize,
    pub(super) epochs: usize,
    /// The number of finished batches in this epoch; 0 only before the epoch begins.
    pub(super) batch: usize,
    pub(super) batches: usize,
    /// The start time of the epoch.
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

    /// The context passed to callbacks.
    pub(super) fn context<'a, F: Scalar>(
        &self,
        model: &'a mut Sequential<F>,
        logs: &'a mut Logs,
    ) -> CallbackContext<'a, F> {
        let Clock { epoch, epochs, batch, batches, .. } = *self;
        CallbackContext::new(model, logs, (epoch, epochs), (batch, batches), self.verbose)
    }
}

/// The user's callbacks, followed by the progress display.
pub(super) struct Callbacks<'t, 'a, F: Scalar> {
    pub(super) given: &'t mut [Box<dyn Callback<F> + 'a>],
    pub(super) progress: Progress,
}

impl<F: Scalar> Callbacks<'_, '_, F> {
    /// Calls all callbacks, in order.
    fn all(&mut self, mut call: impl FnMut(&mut dyn Callback<F>) -> Result<()>) -> Result<()> {
        for callback in &mut *self.given {
            call(&mut **callback)?;
        }
        call(&mut self.progress)
    }

    /// The callback that writes backups.
    pub(super) fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        self.given.iter_mut().find_map(|callback| callback.backup())
    }
}
