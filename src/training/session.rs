//! The state of a running training, and its calls to callbacks.

use std::time::Instant;

use super::data::Batches;
use super::diagnosis::Diagnosis;
use super::distributed::Coordinator;
use super::history::History;
use super::run::TrainingRun;
use super::settings::{Fit, Hooks};
use super::step::Trainer;
use crate::callback::terminal;
use crate::callback::{Callback, CallbackContext, Flow, LogKeys, Logs, Progress, Verbose};
use crate::error::Result;
use crate::kernel;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// A running training: the model, its data, the current position, and the results so far.
pub(super) struct Training<'t, 'a, F: Scalar> {
    pub(super) model: &'t mut Sequential<F>,
    pub(super) run: TrainingRun<'t, F>,
    pub(super) settings: &'t Fit<'a, F>,
    pub(super) hooks: &'t mut Hooks<'a, F>,
    pub(super) progress: Progress,
    pub(super) trainer: Trainer<F>,
    pub(super) diagnosis: Option<Diagnosis<'t, F>>,
    /// The sample order of the current epoch, and its batches.
    pub(super) order: Vec<usize>,
    pub(super) batches: Batches,
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
        run: TrainingRun<'t, F>,
        settings: &'t Fit<'a, F>,
        hooks: &'t mut Hooks<'a, F>,
        coordinator: &'t mut Coordinator<'a, F>,
    ) -> Result<Self> {
        let session = kernel::Session::new();
        let mut trainer = Trainer::new(model);
        let diagnosis = Diagnosis::new(model, &run, settings, coordinator, &mut trainer.rows)?;
        let verbose = if coordinator.is_first() { settings.verbose } else { Verbose::Silent };
        let words = run.settings(model, settings, coordinator);
        let history = History { seed: model.seed.value(), settings: words, ..History::default() };
        let mut order = (0..run.train).collect();
        let total = coordinator.training_total(run.train);
        let batches = Batches::new(&mut order, total, settings.batch_size, run.data.lengths());
        let clock = Clock::new(settings, batches.count());
        Ok(Training {
            model,
            order,
            batches,
            run,
            settings,
            hooks,
            progress: Progress::new(verbose),
            trainer,
            diagnosis,
            clock,
            logs: Logs::default(),
            history,
            coordinator,
            _session: session,
        })
    }

    /// Prints why the optimizer's state was not restored from a file, if so.
    pub(super) fn print_optimizer_note(&self) {
        let is_printed = self.settings.verbose != Verbose::Silent && self.coordinator.is_first();
        if let Some(note) = self.model.optimizer_note().filter(|_| is_printed) {
            terminal::print(|_| format!("note: {note}\n"));
        }
    }

    /// Calls all callbacks.
    pub(super) fn call(
        &mut self,
        mut call: impl FnMut(&mut dyn Callback<F>, &mut CallbackContext<F>) -> Result<()>,
    ) -> Result<()> {
        self.reason_to_stop(|callback, at| call(callback, at).map(|()| Flow::Continue)).map(drop)
    }

    /// Calls all callbacks and the progress after them, and returns the first reason to stop.
    pub(super) fn reason_to_stop(
        &mut self,
        mut call: impl FnMut(&mut dyn Callback<F>, &mut CallbackContext<F>) -> Result<Flow>,
    ) -> Result<Option<String>> {
        let Training { model, clock, logs, hooks, progress, coordinator, history, .. } = self;
        coordinator.follow_callbacks(model, |model| {
            let mut reason = None;
            let mut at = clock.context(model, logs);
            let callbacks =
                hooks.callbacks.iter_mut().map(|callback| &mut **callback as &mut dyn Callback<F>);
            for callback in callbacks.chain([progress as &mut dyn Callback<F>]) {
                if let Flow::Stop(why) = call(callback, &mut at)? {
                    reason.get_or_insert(why);
                }
            }
            history.restored = history.restored.or(at.restored_epoch);
            Ok(reason)
        })
    }

    /// The learning rate of the last step. A user's schedule may end there.
    pub(super) fn last_learning_rate(&self) -> f64 {
        self.model
            .compiled
            .as_ref()
            .map_or(0.0, |compiled| compiled.optimizer.learning_rate().at(compiled.steps.saturating_sub(1)))
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
    fn new<F: Scalar>(settings: &Fit<F>, batches: usize) -> Self {
        Clock {
            epoch: settings.initial_epoch,
            epochs: settings.epochs,
            batch: 0,
            batches,
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
        let verbose = self.verbose;
        let keys = LogKeys::default();
        CallbackContext {
            model,
            logs,
            epoch,
            epochs,
            batch,
            batches,
            restored_epoch: None,
            verbose,
            keys,
            added: None,
        }
    }
}
