//! `fit`: checks the data and the settings, and trains.

use super::data::{CheckedData, ModelShapes, RunningScores, TRAINING, TrainingData, VALIDATION};
use super::diagnosis::print_findings;
use super::distributed::meet;
use super::epochs::Training;
use super::evaluate::Evaluation;
use super::history::History;
use super::resume::Resume;
use super::settings::Fit;
use crate::callback::{Callback, Logs, Verbose};
use crate::data::BatchSource;
use crate::diagnosis::{Diagnose, Findings};
use crate::distributed::{Ranks, Shards};
use crate::error::{Error, Result};
use crate::model::{Sequential, check_loss};
use crate::samples::{Converted, Samples};
use crate::scalar::Scalar;

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
        let converted = Converted::new(y);
        let y = converted.as_ref().map_or(y as &dyn Samples<F>, |y| y);
        self.fit_given(TrainingData::Arrays { x, y }, settings)
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
        self.fit_given(TrainingData::Batches(source), settings)
    }

    fn fit_given(&mut self, given: TrainingData<F>, settings: &Fit<F>) -> Result<History> {
        let mut callbacks = settings.callbacks.try_borrow_mut().map_err(|_| {
            Error::argument("fit", "settings that no other training is using", "settings in use")
        })?;
        let ranks = Ranks::of(settings.ranks);
        // Callbacks are called on rank 0 alone.
        let looks_on = ranks.as_ref().is_none_or(Ranks::is_first);
        let callbacks = if looks_on { &mut callbacks[..] } else { &mut [] };
        let prepared = self.prepare(given, settings, callbacks, ranks.as_ref());
        let Prepared { built, mut run, resume } = match &ranks {
            Some(ranks) => meet(ranks, self.with_identity(prepared, settings))?,
            None => prepared?,
        };
        if let Some(ranks) = ranks.as_ref().filter(|ranks| ranks.is_sharded()) {
            run.meet_shards(built.as_ref().unwrap_or(self), settings, ranks)?;
        }
        if let Some(built) = built {
            *self = built;
        }
        resume.seed(self)?;
        if let Some(ranks) = &ranks {
            let seed = ranks.tell(self.seed)?;
            ranks.agree(if seed == self.seed { Ok(()) } else { self.reseed(seed) })?;
        }
        let before = (settings.diagnose == Diagnose::Investigate).then(|| self.clone());
        let mut history = Training::begin(self, run, settings, callbacks, ranks)?.run(resume)?;
        if let (Some(before), TrainingData::Arrays { x, y }, true) = (before, given, history.findings.failed)
        {
            history.findings = before.try_remedies(x, y, settings, history.findings)?;
            if settings.verbose != Verbose::Silent {
                print_findings(&history.findings, &|finding| !finding.trials.is_empty());
            }
        }
        let report = history.findings.to_string();
        let mut told = Ok(());
        if !report.is_empty() {
            told = callbacks.iter_mut().try_for_each(|callback| callback.on_findings(&report));
        }
        match Ranks::of(settings.ranks) {
            Some(ranks) => ranks.agree_with_first(told)?,
            None => told?,
        }
        Ok(history)
    }

    /// All that can be refused before anything is changed. A copy is built, so that a refused call leaves the model as it
    /// was.
    fn prepare<'a, 's: 'a>(
        &self,
        given: TrainingData<'a, F>,
        settings: &Fit<'s, F>,
        callbacks: &mut [Box<dyn Callback<F> + 's>],
        ranks: Option<&Ranks>,
    ) -> Result<Prepared<'a, F>> {
        let sharded = ranks.is_some_and(Ranks::is_sharded);
        let built = self.built_for(given, sharded)?;
        let mut run = Run::new(built.as_ref().unwrap_or(self), given, settings, sharded)?;
        let resume = Resume::new(built.as_ref().unwrap_or(self), &mut run, settings, callbacks)?;
        Ok(Prepared { built, run, resume })
    }

    /// A copy that is built for these samples, of which a shard may have none, and has a loss that fits, unless the model
    /// is built.
    pub(super) fn built_for(&self, given: TrainingData<F>, sharded: bool) -> Result<Option<Self>> {
        let compiled = self.compiled.as_ref().ok_or(Error::NotCompiled)?;
        if self.is_built() {
            return Ok(None);
        }
        if !sharded {
            given.check_not_empty(TRAINING)?;
        }
        let mut model = self.clone();
        let input = self.input.clone().unwrap_or_else(|| given.input_shape());
        model.build_for(&input)?;
        check_loss(&model, &*compiled.loss)?;
        Ok(Some(model))
    }
}

/// Trials of the remedies that the findings of a failed training suggest.
///
/// The module `investigation` implements it for [`Sequential`]; it stands above this one in the order of modules.
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

/// What a training begins with.
pub(crate) struct Prepared<'a, F: Scalar> {
    /// The model, where it was not built before.
    pub(super) built: Option<Sequential<F>>,
    pub(super) run: Run<'a, F>,
    resume: Resume,
}

/// A training whose data and settings were checked. The measures keep their memory from one epoch to the next.
pub(crate) struct Run<'a, F: Scalar> {
    pub(super) data: CheckedData<'a, F>,
    /// The first samples of the data that train; the others may validate.
    pub(super) train: usize,
    pub(super) validation: Option<CheckedData<'a, F>>,
    /// The samples that train and those that validate, where each rank has its own.
    pub(super) shards: Option<(Shards, Option<Shards>)>,
    pub(super) measure: RunningScores<F>,
    validation_measure: Option<RunningScores<F>>,
    evaluation: Option<Evaluation<F>>,
}

impl<'a, F: Scalar> Run<'a, F> {
    fn new<'b: 'a>(
        model: &Sequential<F>,
        given: TrainingData<'a, F>,
        settings: &Fit<'b, F>,
        sharded: bool,
    ) -> Result<Self> {
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let ends = ModelShapes::of(model)?;
        let loss = &*compiled.loss;
        let dataset = if sharded { CheckedData::of_shard } else { CheckedData::new };
        let mut data = dataset(TRAINING, given, ends, loss)?;
        let train = match sharded {
            true => settings.check_shard(data.count())?,
            false => settings.check(data.count())?,
        };
        if let Some(weight) = settings.sample_weight {
            data.weigh_samples(TRAINING, weight)?;
        }
        let validation = match settings.validation_data {
            Some(given) => {
                let mut validation = dataset(VALIDATION, given, ends, loss)?;
                if let Some(weight) = settings.validation_weight {
                    validation.weigh_samples(VALIDATION, weight)?;
                }
                Some(validation)
            }
            None if sharded => settings.validates().then(|| data.clone()),
            None => (train < data.count()).then(|| data.clone()),
        };
        if !sharded {
            let classes = ends.output.last().copied().unwrap_or(1);
            data.weigh_classes(&settings.class_weight, loss, classes, train, None)?;
        }
        let measure = |prefix, data: &CheckedData<F>| {
            RunningScores::new(compiled, prefix, ends.output, &data.target_shape())
        };
        Ok(Run {
            measure: measure("", &data)?,
            validation_measure: validation.as_ref().map(|data| measure("val_", data)).transpose()?,
            data,
            train,
            validation,
            shards: None,
            evaluation: None,
        })
    }

    /// What it runs with, in words, for the history.
    pub(super) fn words(&self, model: &Sequential<F>, settings: &Fit<F>) -> Vec<(&'static str, String)> {
        let compiled = model.compiled.as_ref();
        let [optimizer, loss, _] = compiled.map(|compiled| compiled.given.clone()).unwrap_or_default();
        let metrics = compiled.map(|compiled| compiled.keys.join(", ")).unwrap_or_default();
        let (train, held) = (self.total(), self.held(settings));
        vec![
            ("optimizer", optimizer),
            ("loss", loss),
            ("metrics", metrics),
            ("training samples", train.to_string()),
            ("validation samples", held.to_string()),
            ("epochs planned", settings.epochs.to_string()),
            ("batch size", settings.batch_size.to_string()),
            ("shuffle", if settings.shuffle { "yes" } else { "no" }.into()),
            ("class weights", format!("{:?}", settings.class_weight)),
            ("numbers", F::NAME.into()),
        ]
    }

    /// Measures the validation data into the logs.
    pub(super) fn validate(
        &mut self,
        model: &Sequential<F>,
        settings: &Fit<F>,
        logs: &mut Logs,
        ranks: Option<&Ranks>,
    ) -> Result<()> {
        let (Some(data), Some(measure)) = (&self.validation, &mut self.validation_measure) else {
            return Ok(());
        };
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let from = if settings.validation_data.is_some() { 0 } else { self.train };
        let batch_size = settings.validation_batch_size.unwrap_or(settings.batch_size);
        let shards = self.shards.as_ref().and_then(|(_, shards)| shards.as_ref());
        let evaluation = self.evaluation.get_or_insert_with(|| Evaluation::new(model, batch_size));
        measure.reset();
        evaluation.run(model, compiled, (data, from), measure, (ranks, shards))?;
        measure.log(logs);
        Ok(())
    }
}
