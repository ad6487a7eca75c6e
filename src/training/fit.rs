//! `fit`: epochs of steps over shuffled batches, with validation and callbacks.

use std::time::Instant;

use super::dataset::{Dataset, Ends, TRAINING, VALIDATION};
use super::diagnose::{Diagnosis, tell};
use super::evaluate::Evaluation;
use super::given::Given;
use super::history::History;
use super::measure::Measure;
use super::settings::Fit;
use super::step::{Gradients, Trainer};
use super::update;
use crate::callback::{Callback, Flow, Logs, Moment, Progress, Verbose};
use crate::data::BatchSource;
use crate::diagnosis::Diagnose;
use crate::error::{Error, Result};
use crate::kernel;
use crate::model::{Sequential, check_loss};
use crate::rng::Rng;
use crate::samples::Samples;
use crate::scalar::Scalar;

/// The first of the random streams that shuffle, one for each epoch; those before it draw weights.
const SHUFFLE: u64 = 1 << 40;

impl<F: Scalar> Sequential<F> {
    /// Trains the model on `x`, whose first axis counts the samples, and their targets `y`.
    ///
    /// Targets are one-hot rows, class indices or numbers, as the loss reads them. Each epoch visits the
    /// samples in a fresh order drawn from the model's seed, in batches; the reported loss and metrics are
    /// the means over the epoch, taken while the weights move.
    ///
    /// # Errors
    /// Before anything is changed: [`Error::NotCompiled`], what [`Sequential::build`] refuses, data that is
    /// empty, not finite, or of a shape that fits neither model nor loss, labels out of range, wrong weights,
    /// settings out of range. While training: [`Error::Diverged`] where the loss or a gradient is not finite
    /// (the model keeps its last finite weights), and what a callback returns.
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
        self.fit_given(Given::Arrays { x, y }, settings)
    }

    /// Trains the model on data that comes batch by batch, such as files larger than memory: as
    /// [`Sequential::fit`] in all else. Balanced class weights take a pass over the source first.
    ///
    /// # Errors
    /// As [`Sequential::fit`], and what the source returns. A batch with NaN, an infinity or a label out of range
    /// ends the training when it comes.
    ///
    /// # Example
    /// See [`source_fn`](crate::data::source_fn).
    pub fn fit_source(&mut self, source: &impl BatchSource<F>, settings: &Fit<F>) -> Result<History> {
        self.fit_given(Given::Batches(source), settings)
    }

    fn fit_given(&mut self, given: Given<F>, settings: &Fit<F>) -> Result<History> {
        let mut callbacks = settings.callbacks.try_borrow_mut().map_err(|_| {
            Error::argument("fit", "settings that no other training is using", "settings in use")
        })?;
        // A copy is built and checked first, so that a refused call leaves the model as it was.
        let built = self.built_for(given)?;
        let run = Run::new(built.as_ref().unwrap_or(self), given, settings)?;
        if let Some(built) = built {
            *self = built;
        }
        let before = (settings.diagnose == Diagnose::Investigate).then(|| self.clone());
        let mut history = run.train(self, settings, &mut callbacks)?;
        if let (Some(before), Given::Arrays { x, y }, true) = (before, given, history.findings.failed) {
            history.findings = before.try_helps(x, y, settings, Some(history.findings))?;
            if settings.verbose != Verbose::Silent {
                tell(&history.findings, &|finding| !finding.trials.is_empty());
            }
        }
        Ok(history)
    }

    /// A copy that is built for these samples and has a loss that fits, unless the model is built.
    pub(super) fn built_for(&self, given: Given<F>) -> Result<Option<Self>> {
        let compiled = self.compiled.as_ref().ok_or(Error::NotCompiled)?;
        if self.is_built() {
            return Ok(None);
        }
        given.check_not_empty(TRAINING)?;
        let mut model = self.clone();
        let input = self.input.clone().unwrap_or_else(|| given.input_shape());
        model.build_for(&input)?;
        check_loss(&model, &*compiled.loss)?;
        Ok(Some(model))
    }
}

/// A training whose data and settings were checked.
struct Run<'a, F: Scalar> {
    data: Dataset<'a, F>,
    /// The first samples of the data that train; the others may validate.
    train: usize,
    validation: Option<Dataset<'a, F>>,
    measure: Measure<F>,
    validation_measure: Option<Measure<F>>,
    evaluation: Option<Evaluation<F>>,
}

impl<'a, F: Scalar> Run<'a, F> {
    fn new<'b: 'a>(model: &Sequential<F>, given: Given<'a, F>, settings: &Fit<'b, F>) -> Result<Self> {
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let ends = Ends::of(model)?;
        let loss = &*compiled.loss;
        let mut data = Dataset::new(TRAINING, given, ends, loss)?;
        let train = settings.check(data.count())?;
        if let Some(weight) = settings.sample_weight {
            data.weigh_samples(TRAINING, weight)?;
        }
        let validation = match settings.validation_data {
            Some(given) => {
                let mut validation = Dataset::new(VALIDATION, given, ends, loss)?;
                if let Some(weight) = settings.validation_weight {
                    validation.weigh_samples(VALIDATION, weight)?;
                }
                Some(validation)
            }
            None => (train < data.count()).then(|| data.clone()),
        };
        data.weigh_classes(&settings.class_weight, loss, ends.output.last().copied().unwrap_or(1), train)?;
        let measure =
            |prefix, data: &Dataset<F>| Measure::new(compiled, prefix, ends.output, &data.target_shape());
        Ok(Run {
            measure: measure("", &data)?,
            validation_measure: validation.as_ref().map(|data| measure("val_", data)).transpose()?,
            data,
            train,
            validation,
            evaluation: None,
        })
    }

    /// All epochs. The measures and the trainer keep their memory from one to the next.
    fn train(
        mut self,
        model: &mut Sequential<F>,
        settings: &Fit<F>,
        callbacks: &mut [Box<dyn Callback<F> + '_>],
    ) -> Result<History> {
        let _session = kernel::Session::new();
        let mut trainer = Trainer::new(model);
        let mut diagnosis = Diagnosis::new(model, &self.data, settings, self.train)?;
        let mut progress = Progress::new(settings.verbose);
        let mut callbacks = Callbacks { given: callbacks, progress: &mut progress };
        let mut history = History { seed: model.seed, ..History::default() };
        let mut order: Vec<usize> = (0..self.train).collect();
        let mut logs = Logs::default();
        let batches = self.train.div_ceil(settings.batch_size);
        let mut clock = Clock { epoch: settings.initial_epoch, epochs: settings.epochs, batch: 0, batches };

        callbacks.all(|callback| callback.on_fit_begin(&mut clock.moment(model, &mut logs)))?;
        while clock.epoch < clock.epochs && history.stopped.is_none() {
            let started = Instant::now();
            logs.clear();
            self.measure.reset();
            if settings.shuffle {
                order.iter_mut().enumerate().for_each(|(place, index)| *index = place);
                Rng::stream(model.seed, SHUFFLE + model.epochs_seen).shuffle(&mut order);
            }
            clock.batch = 0;
            callbacks.all(|callback| callback.on_epoch_begin(&mut clock.moment(model, &mut logs)))?;
            for indices in order.chunks(settings.batch_size) {
                let place = (clock.epoch + 1, clock.batch + 1);
                if let Some(diagnosis) = &mut diagnosis {
                    diagnosis.watch.begins(clock.batch);
                }
                // A callback may look at the gradients, and after the training anybody may.
                let gradients = match callbacks.given.is_empty() && clock.batch + 1 < batches {
                    true => Gradients::Unseen,
                    false => Gradients::Seen,
                };
                let diagnosis_of = diagnosis.as_mut();
                let step = trainer.step(
                    model,
                    &self.data,
                    indices,
                    &mut self.measure,
                    place,
                    gradients,
                    diagnosis_of,
                );
                if let Err(error) = step {
                    let Error::Diverged { .. } = error else { return Err(error) };
                    if let Some(diagnosis) = &mut diagnosis {
                        diagnosis.diverged(&error);
                    }
                    self.measure.log(&mut logs);
                    history.stopped = callbacks
                        .ask(|callback| callback.on_diverged(&mut clock.moment(model, &mut logs), &error))?;
                    match history.stopped {
                        Some(_) => break,
                        None => return Err(error),
                    }
                }
                clock.batch += 1;
                self.measure.log(&mut logs);
                history.stopped =
                    callbacks.ask(|callback| callback.on_batch_end(&mut clock.moment(model, &mut logs)))?;
                if history.stopped.is_some() {
                    break;
                }
            }
            model.epochs_seen += 1;
            if (clock.epoch + 1).is_multiple_of(settings.validation_freq) {
                self.validate(model, settings, &mut logs)?;
            }
            let stopped =
                callbacks.ask(|callback| callback.on_epoch_end(&mut clock.moment(model, &mut logs)))?;
            let rate = clock.moment(model, &mut logs).learning_rate();
            let hopeless = match (&mut diagnosis, &history.stopped) {
                (Some(diagnosis), None) => diagnosis.end_epoch(&logs, rate),
                _ => None,
            };
            history.stopped = history.stopped.or(stopped).or(hopeless);
            history.record(clock.epoch, &logs, started.elapsed());
            clock.epoch += 1;
        }
        update::finish(model);
        callbacks.all(|callback| callback.on_fit_end(&mut clock.moment(model, &mut logs)))?;
        history.chance =
            diagnosis.as_ref().and_then(|diagnosis| diagnosis.watch.evidence.data.targets.chance);
        history.findings = diagnosis.map(Diagnosis::end).unwrap_or_default();
        Ok(history)
    }

    /// Measures the validation data into the logs.
    fn validate(&mut self, model: &Sequential<F>, settings: &Fit<F>, logs: &mut Logs) -> Result<()> {
        let (Some(data), Some(measure)) = (&self.validation, &mut self.validation_measure) else {
            return Ok(());
        };
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let from = if settings.validation_data.is_some() { 0 } else { self.train };
        let batch_size = settings.validation_batch_size.unwrap_or(settings.batch_size);
        let evaluation = self.evaluation.get_or_insert_with(|| Evaluation::new(model, batch_size, data));
        measure.reset();
        evaluation.run(model, compiled, data, from..data.count(), measure)?;
        measure.log(logs);
        Ok(())
    }
}

/// Where a training stands.
struct Clock {
    epoch: usize,
    epochs: usize,
    batch: usize,
    batches: usize,
}

impl Clock {
    fn moment<'a, F: Scalar>(&self, model: &'a mut Sequential<F>, logs: &'a mut Logs) -> Moment<'a, F> {
        let Clock { epoch, epochs, batch, batches } = *self;
        Moment::new(model, logs, (epoch, epochs), (batch, batches))
    }
}

/// The user's callbacks, and the progress after them.
struct Callbacks<'a, 'b, F: Scalar> {
    given: &'a mut [Box<dyn Callback<F> + 'b>],
    progress: &'a mut Progress,
}

impl<F: Scalar> Callbacks<'_, '_, F> {
    fn all(&mut self, mut call: impl FnMut(&mut dyn Callback<F>) -> Result<()>) -> Result<()> {
        for callback in &mut *self.given {
            call(&mut **callback)?;
        }
        call(self.progress)
    }

    /// Asks all of them, and tells the first reason to stop.
    fn ask(&mut self, mut call: impl FnMut(&mut dyn Callback<F>) -> Result<Flow>) -> Result<Option<String>> {
        let mut reason = None;
        self.all(|callback| {
            if let Flow::Stop(why) = call(callback)? {
                reason.get_or_insert(why);
            }
            Ok(())
        })?;
        Ok(reason)
    }
}
