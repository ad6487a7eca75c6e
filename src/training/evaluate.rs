//! `evaluate`: the loss and the metrics on data, through `&self`.

use super::data::{CheckedData, ModelShapes, RunningScores, TRAINING, TrainingData};
use super::distributed::{Coordinator, Identity, check_loss, fingerprint};
use super::evaluation::Evaluation;
use super::settings::{check_batch_size, check_one_length};
use super::stateful::{self, BatchPlan};
use crate::callback::Logs;
use crate::data::BatchSource;
use crate::distributed::{Communicator, RankSettings};
use crate::error::{Error, Result, Shape};
use crate::model::Sequential;
use crate::samples::{Converted, Samples};
use crate::scalar::Scalar;

/// The settings of [`Sequential::evaluate`].
///
/// | setter | default |
/// |---|---|
/// | `batch_size` | 32 |
/// | `sample_weight` | every row has weight 1 |
/// | `distributed` or `sharded` | on this rank alone |
///
/// # Example
/// ```
/// let evaluate = cornu::Evaluate::<f32>::new().batch_size(100);
/// assert_eq!(format!("{evaluate:?}"), "Evaluate { batch_size: 100, .. }");
/// ```
#[derive(Clone)]
pub struct Evaluate<'a, F: Scalar = f32> {
    batch_size: usize,
    sample_weight: Option<&'a dyn Samples<F>>,
    ranks: RankSettings<'a>,
}

impl<'a, F: Scalar> Evaluate<'a, F> {
    /// Batches of 32.
    pub fn new() -> Self {
        Evaluate { batch_size: 32, sample_weight: None, ranks: RankSettings::over(None) }
    }

    /// Samples per batch. Default: 32.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// The weight of each row, as in [`Fit::sample_weight`](super::Fit::sample_weight). Default: 1.
    pub fn sample_weight(mut self, weight: &'a impl Samples<F>) -> Self {
        self.sample_weight = Some(weight);
        self
    }

    /// Evaluates on all ranks of `world`, each on its part of every batch. Default: on this rank alone.
    ///
    /// All ranks pass the same model and data, and all receive the scores that a single rank would compute.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::threads;
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let scores = threads(2, |world| -> Result<Option<f64>> {
    ///     let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
    ///     model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    ///     let (x, y) = (array![[1.0], [2.0]], array![[2.0], [5.0]]);
    ///     Ok(model.evaluate(&x, &y, &Evaluate::new().distributed(world))?.get("loss"))
    /// });
    /// for loss in scores {
    ///     assert_eq!(loss?, Some(0.5));
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn distributed(mut self, world: &'a impl Communicator) -> Self {
        self.ranks = RankSettings { world: Some(world), sharded: false, ..self.ranks };
        self
    }

    /// Evaluates on the samples of all ranks of `world`, each of which passes its own shard. Default: on this rank
    /// alone.
    ///
    /// A shard has any number of samples, or none, and its own weights. All ranks receive the scores of all samples.
    ///
    /// # Example
    /// ```
    /// use cornu::distributed::{Communicator, threads};
    /// use cornu::prelude::*;
    /// use ndarray::{array, s};
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let (x, y) = (array![[1.0], [2.0], [3.0]], array![2.0, 5.0, 6.0]);
    /// for scores in threads(2, |world| {
    ///     let own = if world.rank() == 0 { 0..1 } else { 1..3 };
    ///     let (x, y) = (x.slice(s![own.clone(), ..]), y.slice(s![own]));
    ///     model.evaluate(&x, &y, &Evaluate::new().sharded(world))
    /// }) {
    ///     assert!((scores?.get("loss").unwrap_or_default() - 1.0 / 3.0).abs() < 1e-6);
    /// }
    /// # Ok::<(), Error>(())
    /// ```
    pub fn sharded(mut self, world: &'a impl Communicator) -> Self {
        self.ranks = RankSettings { world: Some(world), sharded: true, ..self.ranks };
        self
    }
}

impl<F: Scalar> Default for Evaluate<'_, F> {
    fn default() -> Self {
        Evaluate::new()
    }
}

impl<F: Scalar> std::fmt::Debug for Evaluate<'_, F> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.debug_struct("Evaluate").field("batch_size", &self.batch_size).finish_non_exhaustive()
    }
}

impl<F: Scalar> Sequential<F> {
    /// Computes the loss and the metrics on data.
    ///
    /// # Errors
    /// [`Error::NotCompiled`], [`Error::NotBuilt`], or the errors of [`Sequential::fit`] about its data.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let scores = model.evaluate(&array![[1.0], [2.0]], &array![[2.0], [5.0]], &Evaluate::new())?;
    /// assert_eq!(scores.get("loss"), Some(0.5));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn evaluate(&self, x: &impl Samples<F>, y: &impl Samples<F>, settings: &Evaluate<F>) -> Result<Logs> {
        let converted = Converted::new(y);
        let y = converted.as_ref().map_or(y as &dyn Samples<F>, |y| y);
        self.evaluate_data(TrainingData::Arrays { x, y }, settings)
    }

    /// Computes the loss and the metrics on data that comes batch by batch.
    ///
    /// # Errors
    /// As [`Sequential::evaluate`], and what the source returns.
    ///
    /// # Example
    /// ```
    /// use cornu::data::source_fn;
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// let doubles = source_fn(10, [1], [1], |index, x: &mut [f32], y: &mut [f32]| {
    ///     (x[0], y[0]) = (index as f32, 2.0 * index as f32);
    ///     Ok(())
    /// });
    /// assert_eq!(model.evaluate_source(&doubles, &Evaluate::new())?.get("loss"), Some(0.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn evaluate_source(&self, source: &impl BatchSource<F>, settings: &Evaluate<F>) -> Result<Logs> {
        self.evaluate_data(TrainingData::Batches(source), settings)
    }

    /// Computes the loss and the metrics of one batch in inference mode.
    ///
    /// # Errors
    /// As [`Sequential::evaluate`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0));
    /// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
    /// assert_eq!(model.test_on_batch(&array![[1.0]], &array![4.0], &Evaluate::new())?.get("loss"), Some(4.0));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn test_on_batch(
        &self,
        x: &impl Samples<F>,
        y: &impl Samples<F>,
        settings: &Evaluate<F>,
    ) -> Result<Logs> {
        self.evaluate(x, y, &settings.clone().batch_size(x.count().max(1)))
    }

    fn evaluate_data(&self, unchecked: TrainingData<F>, settings: &Evaluate<F>) -> Result<Logs> {
        let mut coordinator = Coordinator::new(settings.ranks);
        let resized = self.resized(&unchecked.input_shape());
        let model = resized.as_ref().ok().and_then(Option::as_ref).unwrap_or(self);
        let prepared = resized
            .as_ref()
            .map_err(Error::clone)
            .and_then(|_| model.prepare_evaluation(unchecked, settings, coordinator.is_sharded()));
        let PreparedEvaluation { data, mut scores } =
            coordinator.agree(prepared, |prepared| model.evaluation_identity(&prepared.data, settings))?;
        coordinator.count_held_out(&data, data.count())?;
        let mut evaluation = Evaluation::new(model, settings.batch_size);
        evaluation.run(model, &data, 0, &mut scores, &mut coordinator)?;
        let mut logs = Logs::default();
        scores.log(&mut logs);
        coordinator.share_logs(&mut logs)?;
        Ok(logs)
    }

    /// Checks all arguments.
    fn prepare_evaluation<'s>(
        &'s self,
        unchecked: TrainingData<'s, F>,
        settings: &Evaluate<F>,
        sharded: bool,
    ) -> Result<PreparedEvaluation<'s, F>> {
        let compiled = self.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let shapes = ModelShapes::of(self)?;
        check_batch_size("batch_size", settings.batch_size)?;
        check_one_length(&unchecked, settings.ranks)?;
        let check = if sharded { CheckedData::of_shard } else { CheckedData::new };
        let data = check(TRAINING, unchecked, shapes, &*compiled.loss)?.weighted(settings.sample_weight)?;
        let (samples, differs) = (data.count(), data.lengths().is_some());
        let plan = BatchPlan { samples, batch_size: settings.batch_size, differs };
        stateful::check_evaluation(self, plan, settings.ranks)?;
        let scores = RunningScores::new(compiled, "", shapes.output, &data.target_shape())?;
        Ok(PreparedEvaluation { data, scores })
    }

    /// The properties that must agree on all ranks.
    fn evaluation_identity(&self, data: &CheckedData<F>, settings: &Evaluate<F>) -> Result<Identity> {
        let compiled = self.compiled.as_ref().ok_or(Error::NotCompiled)?;
        check_loss(&*compiled.loss)?;
        let mut identity = Identity::new([
            ("loss and metrics", compiled.descriptions[1..].join(" and ")),
            ("batch_size", settings.batch_size.to_string()),
            ("shape of targets", Shape(&data.target_shape()).to_string()),
            ("weights of samples", if data.weights.is_some() { "some" } else { "none" }.to_string()),
            ("its weights", format!("the sum {:016x}", fingerprint(self))),
        ]);
        identity.common.splice(0..0, self.described());
        Ok(identity.with_data([("number of samples", data.count().to_string())]))
    }
}

/// A checked evaluation, ready to run.
struct PreparedEvaluation<'s, F: Scalar> {
    data: CheckedData<'s, F>,
    scores: RunningScores<F>,
}
