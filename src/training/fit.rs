//! `fit`: checks the data and the settings, and trains.

use super::data::{CheckedData, ModelShapes, RunningScores, TRAINING, TrainingData};
use super::diagnosis::print;
use super::distributed::Coordinator;
use super::history::History;
use super::identity::identity;
use super::resume::Resume;
use super::run::{TrainingRun, built_for};
use super::session::Training;
use super::settings::{Fit, Hooks, check_one_length};
use super::step::{BatchStep, Minibatch, StepPosition, Trainer, WholeBatch};
use crate::callback::{Logs, Verbose};
use crate::data::BatchSource;
use crate::diagnosis::{Diagnose, Findings, Printed};
use crate::error::{Error, Result};
use crate::model::Sequential;
use crate::samples::{Converted, Samples};
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// Trains the model on samples `x` and their targets `y`; the first axis of both counts the samples.
    ///
    /// Targets are one-hot rows, class indices or numbers, as the loss reads them. Each epoch visits the samples in batches,
    /// in a new order drawn from the model's seed. The reported loss and metrics are means over the epoch, taken while the
    /// weights change.
    ///
    /// # Errors
    /// Before anything changes: [`Error::NotCompiled`]; the errors of [`Sequential::build`]; data that are empty, not
    /// finite, or of a shape that does not fit the model and the loss; labels, weights or settings out of range. During
    /// training: [`Error::Diverged`] if the loss, a gradient or an update is not finite (the model keeps its last finite weights; with
    /// [`TerminateOnNaN`](crate::callback::TerminateOnNaN), `fit` returns the history with its findings instead), and the errors of
    /// callbacks.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
    /// let y = ndarray::array![1.0, 3.0, 5.0, 7.0];
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.05).momentum(0.9), MeanSquaredError::new(), ())?;
    /// let history = model.fit(&x, &y, &Fit::new().epochs(200).verbose(Verbose::Silent))?;
    /// assert!(history.last("loss") < Some(1e-3));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn fit(&mut self, x: &impl Samples<F>, y: &impl Samples<F>, settings: &Fit<F>) -> Result<History> {
        let converted = Converted::new(y);
        let y = converted.as_ref().map_or(y as &dyn Samples<F>, |y| y);
        self.fit_data(TrainingData::Arrays { x, y }, settings)
    }

    /// Trains the model on data that is read batch by batch, such as files larger than memory.
    ///
    /// Otherwise it works as [`Sequential::fit`]. Balanced class weights need an additional pass over the source.
    ///
    /// # Errors
    /// As [`Sequential::fit`], and the errors of the source. A batch with NaN, an infinity or a label out of range ends the
    /// training when it is read.
    ///
    /// # Example
    /// ```
    /// use cornu::data::source_fn;
    /// use cornu::prelude::*;
    /// let doubles = source_fn(100, [1], [1], |index, x: &mut [f32], y: &mut [f32]| {
    ///     (x[0], y[0]) = (index as f32 / 100.0, index as f32 / 50.0);
    ///     Ok(())
    /// });
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let history = model.fit_source(&doubles, &Fit::new().epochs(100).verbose(Verbose::Silent))?;
    /// assert!(history.last("loss") < Some(1e-4));
    /// # Ok::<(), Error>(())
    /// ```
    pub fn fit_source(&mut self, source: &impl BatchSource<F>, settings: &Fit<F>) -> Result<History> {
        self.fit_data(TrainingData::Batches(source), settings)
    }

    /// Takes one step of the optimizer on this batch, and returns its loss and metrics before the step.
    ///
    /// It is the step of [`Sequential::fit`], for custom training loops. Only the sample and class weights of the
    /// settings are used.
    ///
    /// # Errors
    /// As [`Sequential::fit`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::new().seed(1).add(Dense::new(1));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let (x, y) = (array![[0.0], [1.0]], array![1.0, 3.0]);
    /// let first = model.train_on_batch(&x, &y, &Fit::new())?;
    /// let second = model.train_on_batch(&x, &y, &Fit::new())?;
    /// assert!(second.get("loss") < first.get("loss"));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn train_on_batch(
        &mut self,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        settings: &Fit<F>,
    ) -> Result<Logs> {
        let arrays = TrainingData::Arrays { x, y };
        let built = built_for(self, arrays, false)?;
        let model = built.as_ref().unwrap_or(self);
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let shapes = ModelShapes::of(model)?;
        let data = CheckedData::new(TRAINING, arrays, shapes, &*compiled.loss)?;
        let mut data = data.weighted(settings.sample_weight)?;
        let (classes, count) = (shapes.output.last().copied().unwrap_or(1), data.count());
        model.stateful_batches().iter().try_for_each(|batches| batches.check_rows("x", count))?;
        data.weigh_classes(&settings.class_weight, &*compiled.loss, classes, count, |counts| counts)?;
        let mut scores = RunningScores::new(compiled, "", shapes.output, &data.target_shape())?;
        if let Some(built) = built {
            *self = built;
        }
        let indices: Vec<usize> = (0..count).collect();
        let batch = Minibatch { data: &data, indices: &indices };
        let step = StepPosition { epoch: 1, batch: 1, batches: 1 };
        let trainer = &mut Trainer::new(self);
        BatchStep { trainer, model: self, batch, scores: &mut scores }.step(step, &mut WholeBatch, None)?;
        let mut logs = Logs::default();
        scores.log(&mut logs);
        Ok(logs)
    }

    fn fit_data(&mut self, data: TrainingData<F>, settings: &Fit<F>) -> Result<History> {
        let mut hooks = settings.hooks.try_borrow_mut().map_err(|_| {
            Error::argument("fit", "settings that no other training is using", "settings in use")
        })?;
        let mut coordinator = Coordinator::new(settings.ranks);
        let callbacks = if settings.ranks.world.is_some() { hooks.settings() } else { Ok(Vec::new()) };
        let hooks = if coordinator.is_first() { &mut *hooks } else { &mut Hooks::default() };
        let prepared = self.prepare(data, settings, hooks, coordinator.is_sharded());
        let PreparedFit { built, mut run, mut resume } = coordinator.agree(prepared, |prepared| {
            let model = prepared.built.as_ref().unwrap_or(self);
            settings.identity_on_ranks(model, identity(model, &prepared.run, settings, None)?, callbacks?)
        })?;
        if coordinator.is_sharded() {
            run.count_shards(built.as_ref().unwrap_or(self), settings, &mut coordinator)?;
        }
        if let Some(built) = built {
            *self = built;
        }
        resume.seed(self)?;
        coordinator.share_seed(self)?;
        let before = (settings.diagnose == Diagnose::Investigate).then(|| self.clone());
        let shape = run.data.input_shape();
        let trained = Training::begin(self, run, settings, hooks, &mut coordinator)
            .and_then(|training| training.run(&mut resume));
        let mut history = trained.inspect_err(|_| drop(self.resize(&shape)))?;
        let mut printed = Printed::default();
        printed.skip(&history.findings);
        if let (Some(before), TrainingData::Arrays { x, y }, true) = (before, data, history.findings.failed) {
            history.findings.has_callbacks = !hooks.callbacks.is_empty();
            history.findings = before.try_remedies(x, y, settings, history.findings)?;
            history.is_summary_due = true;
        }
        let reported = report_findings(&history, printed, settings.verbose, hooks);
        coordinator.agree_with_first(reported)?;
        if let Some(backup) = hooks.backup().filter(|_| !history.is_ruined()) {
            backup.close(settings.verbose);
        }
        Ok(history)
    }

    /// Checks everything before the model changes. It builds a copy, so that a refused call leaves the model unchanged.
    fn prepare<'a, 's: 'a>(
        &self,
        data: TrainingData<'a, F>,
        settings: &Fit<'s, F>,
        hooks: &mut Hooks<F>,
        sharded: bool,
    ) -> Result<PreparedFit<'a, F>> {
        check_one_length(&data, settings.ranks)?;
        settings.validation_data.map_or(Ok(()), |data| check_one_length(&data, settings.ranks))?;
        let built = built_for(self, data, sharded)?;
        let mut run = TrainingRun::new(built.as_ref().unwrap_or(self), data, settings, sharded)?;
        let resume = Resume::new(built.as_ref().unwrap_or(self), &mut run, settings, hooks)?;
        Ok(PreparedFit { built, run, resume })
    }
}

/// Prints the findings that are not `printed` yet, if a summary is due, and passes all of them to the callbacks.
fn report_findings<F: Scalar>(
    history: &History,
    mut printed: Printed,
    verbose: Verbose,
    hooks: &mut Hooks<F>,
) -> Result<()> {
    let findings = &history.findings;
    if history.is_summary_due && verbose != Verbose::Silent {
        print(|layout| printed.news(findings, layout) + &findings.summary(layout));
    }
    let report = findings.to_string();
    if report.is_empty() {
        return Ok(());
    }
    hooks.callbacks.iter_mut().try_for_each(|callback| callback.on_findings(&report))
}

/// A checked training, ready to run.
struct PreparedFit<'a, F: Scalar> {
    /// The built model, if it was not built before.
    built: Option<Sequential<F>>,
    run: TrainingRun<'a, F>,
    resume: Resume,
}

/// Trials of the remedies that the findings of a failed training suggest.
///
/// The module `investigation` implements it for [`Sequential`]. This module cannot import that one, which is above it.
pub(crate) trait TryRemedies<F: Scalar> {
    /// Trains copies of this model, each with some remedies applied, and adds the results to the findings.
    fn try_remedies(
        &self,
        x: &dyn Samples<F>,
        y: &dyn Samples<F>,
        settings: &Fit<F>,
        findings: Findings,
    ) -> Result<Findings>;
}
