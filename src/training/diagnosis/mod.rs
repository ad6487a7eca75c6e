//! The diagnosis of a `fit`: when it samples, when it runs the rules, and what it prints.

mod check;
mod comparison;
mod inference;
pub(crate) mod sampling;

use super::data::{Batches, Rows};
use super::distributed::Coordinator;
use super::run::TrainingRun;
use super::settings::Fit;
use super::step::{StepMonitor, Trainer};
use crate::callback::{Logs, Verbose, terminal};
use crate::diagnosis::extremes::FEWEST_ROWS;
use crate::diagnosis::simple_predictors::MOST_ROWS;
use crate::diagnosis::{Diagnose, Finding, Findings, Layout, Monitor, Printed, Rules, Scale, Severity};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;
use sampling::{HeldOut, RunSize, Sampling, SamplingBudget, plan};
pub(crate) use sampling::{sample, step_time};

/// The most features that are searched for extreme values: tables have fewer.
const MOST_FEATURES: usize = 1024;
/// The nanoseconds that this search takes for a number.
const EXTREME: f64 = 5.0;
/// The share of the time of a poor run that it may take.
const EXTREMES_SHARE: f64 = 0.01;

/// The diagnosis of a `fit`.
pub(crate) struct Diagnosis<'f, F: Scalar> {
    pub(crate) monitor: Monitor<F>,
    /// Whether this process runs the rules; only rank 0 does.
    judges: bool,
    rules: &'f Rules,
    diagnose: Diagnose,
    prints: bool,
    printed: Printed,
    /// The codes found after the forward pass of the first batch, until they are printed.
    first: Vec<String>,
}

impl<'f, F: Scalar> Diagnosis<'f, F> {
    /// Creates the diagnosis that the settings ask for.
    pub(crate) fn new(
        model: &Sequential<F>,
        run: &TrainingRun<F>,
        settings: &'f Fit<F>,
        coordinator: &Coordinator<F>,
        rows: &mut Rows<F>,
    ) -> Result<Option<Self>> {
        if settings.diagnose == Diagnose::Off {
            return Ok(None);
        }
        let train = coordinator.training_total(run.train);
        let mut order = (0..run.train).collect();
        let batches = Batches::new(&mut order, train, settings.batch_size, run.data.lengths()).count();
        let size = RunSize {
            epochs: Some(settings.epochs.saturating_sub(settings.initial_epoch)),
            skipped_epochs: settings.initial_epoch,
            batch_size: settings.batch_size,
            batches,
            shuffle: settings.shuffle,
        };
        let plan = plan(model, size)?;
        let budget = SamplingBudget::of(model, &plan, train, &run.data);
        let held_out = run.validation.as_ref().map(|held| HeldOut { data: &held.data, from: held.from });
        let sampling = Sampling { model, plan, budget, data: &run.data, train: run.train, held_out };
        let judges = coordinator.is_first();
        Ok(Some(Diagnosis {
            monitor: coordinator.monitor(sampling, rows)?,
            judges,
            rules: &settings.rules,
            diagnose: settings.diagnose,
            prints: settings.verbose != Verbose::Silent && judges,
            printed: Printed::default(),
            first: Vec::new(),
        }))
    }

    pub(crate) fn monitor(&mut self) -> &mut Monitor<F> {
        &mut self.monitor
    }

    /// The scale of the loss, once the targets of an epoch are known.
    pub(crate) fn scale(&self) -> Option<Scale> {
        self.monitor.evidence.data.targets.scale
    }

    /// The monitor for the step on this batch of the epoch, counted from 0.
    pub(crate) fn start_batch(&mut self, batch: usize) -> StepMonitor<'_, F> {
        self.monitor.start_batch(batch);
        let is_first = batch == 0 && self.monitor.evidence.curves.epochs.is_empty();
        let first = (self.judges && is_first).then_some(self.rules);
        StepMonitor { monitor: &mut self.monitor, first, found: &mut self.first }
    }

    /// Prints the findings of the first batch, once.
    pub(crate) fn print_first(&mut self) {
        if !self.first.is_empty() {
            self.first.clear();
            self.print();
        }
    }

    /// Ends an epoch. Returns a reason to stop if the settings ask for one and the training is hopeless.
    pub(crate) fn end_epoch(
        &mut self,
        logs: &Logs,
        weight_penalty: f64,
        learning_rate: f64,
    ) -> Option<String> {
        if !self.judges {
            return None;
        }
        let loss = logs.get("loss")?;
        self.monitor.end_epoch(loss, weight_penalty, &|key| logs.get(key), learning_rate, self.rules);
        self.print();
        let hopeless = self.diagnose == Diagnose::Stop && self.monitor.evidence.failing();
        let error = |finding: &&Finding| finding.severity == Severity::Error;
        let root = self.monitor.findings.iter().find(error).filter(|_| hopeless)?;
        Some(format!("error[{}]: {}", root.code, root.title))
    }

    /// Ends a training whose loss or gradient is not finite.
    pub(crate) fn diverged(&mut self, error: &Error, run: &TrainingRun<F>, rows: &mut Rows<F>) -> Result<()> {
        if self.judges {
            self.monitor.evidence.curves.diverged = Some(error.to_string());
            self.search_extremes(run, rows, f64::INFINITY)?;
            self.monitor.diverged(self.rules);
            self.print();
        }
        Ok(())
    }

    /// Predicts a sample of the training rows with the weights of the end.
    pub(crate) fn infer(
        &mut self,
        model: &Sequential<F>,
        run: &TrainingRun<F>,
        trainer: &mut Trainer<F>,
    ) -> Result<()> {
        let evidence = &mut self.monitor.evidence;
        if self.judges && evidence.curves.diverged.is_none() {
            evidence.ended = true;
            evidence.inference = inference::infer(model, run, trainer, evidence)?;
        }
        let plan = &self.monitor.evidence.plan;
        let step = step_time(model, plan.batch_size.min(run.train));
        let budget = EXTREMES_SHARE * step * self.monitor.evidence.steps() as f64;
        self.search_extremes(run, &mut trainer.rows, budget)
    }

    /// Looks for extreme values of the features if the run is poor, for at most `budget` nanoseconds.
    fn search_extremes(&mut self, run: &TrainingRun<F>, rows: &mut Rows<F>, budget: f64) -> Result<()> {
        let evidence = &mut self.monitor.evidence;
        let width = run.data.width();
        let wanted = (budget / (EXTREME * width as f64)) as usize;
        let is_affordable = width <= MOST_FEATURES && wanted >= FEWEST_ROWS && !run.data.is_source();
        if self.judges && is_affordable && evidence.is_poor() {
            run.data.gather(None, &sample(run.train, wanted.min(MOST_ROWS)), rows)?;
            evidence.data.search_extremes(Batch::new(&rows.x, width));
        }
        Ok(())
    }

    /// Ends the training; `stopped` is the reason if it ended before its last epoch. Returns the findings, and whether a summary
    /// of what was printed before is due.
    pub(crate) fn end(mut self, stopped: Option<String>) -> (Findings, bool) {
        if !self.judges {
            return (Findings::default(), false);
        }
        let has_printed = !self.printed.is_empty();
        self.monitor.end(stopped, self.rules);
        self.print();
        (self.monitor.findings, has_printed)
    }

    /// Reads or writes the evidence and the findings so far.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.group("diagnosis", |state| self.monitor.state(state))?;
        if state.is_reading() {
            self.printed.skip(&self.monitor.findings);
        }
        Ok(())
    }

    /// Prints what is new.
    fn print(&mut self) {
        if self.prints {
            print(|layout| self.printed.news(&self.monitor.findings, layout));
        }
    }
}

/// Prints to standard error, because programs may read standard output.
pub(crate) fn print(text: impl FnOnce(&Layout) -> String) {
    terminal::print(|coloured| text(&Layout::new(coloured, terminal::width())));
}
