//! `evaluate`: the loss and the metrics on data, through `&self`.

use super::data::{CheckedData, ModelShapes, Rows, RunningScores, TRAINING, Targets, TrainingData};
use super::distributed::{none, same_state};
use super::settings::check_batch_size;
use crate::callback::Logs;
use crate::data::BatchSource;
use crate::distributed::{Communicator, RankSettings, Ranks, Shards};
use crate::error::{Error, Result};
use crate::layer::Workspace;
use crate::model::{Compiled, Sequential};
use crate::samples::{Converted, Samples};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The settings of [`Sequential::evaluate`].
///
/// | setter | default |
/// |---|---|
/// | `batch_size` | 32 |
/// | `sample_weight` | every row counts 1 |
/// | `distributed` or `sharded` | on this rank alone |
///
/// # Example
/// ```
/// let evaluate = cornu::Evaluate::<f32>::new().batch_size(100);
/// # let _ = evaluate;
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

    /// How many samples at a time. Default: 32.
    pub fn batch_size(mut self, batch_size: usize) -> Self {
        self.batch_size = batch_size;
        self
    }

    /// How much each row counts, as in [`Fit::sample_weight`](super::Fit::sample_weight). Default: 1 each.
    pub fn sample_weight(mut self, weight: &'a impl Samples<F>) -> Self {
        self.sample_weight = Some(weight);
        self
    }

    /// Evaluates on all of these ranks together, each its part of every batch, the same model on the same data: all get
    /// what one would. Default: on this rank alone.
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

    /// Evaluates on all samples of all ranks, each of which has some of them, or none, and weights for its own: all get the
    /// loss and the metrics of the whole. Default: on this rank alone.
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
    /// The loss and the metrics on data.
    ///
    /// # Errors
    /// [`Error::NotCompiled`], [`Error::NotBuilt`], or what [`Sequential::fit`] refuses in its data.
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
        self.evaluate_given(TrainingData::Arrays { x, y }, settings)
    }

    /// The loss and the metrics on data that comes batch by batch.
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
        self.evaluate_given(TrainingData::Batches(source), settings)
    }

    fn evaluate_given(&self, given: TrainingData<F>, settings: &Evaluate<F>) -> Result<Logs> {
        let ranks = Ranks::of(settings.ranks);
        let sharded = ranks.as_ref().filter(|ranks| ranks.is_sharded());
        let prepared = self.prepare_evaluation(given, settings, sharded.is_some());
        let (compiled, data, mut measure) = match &ranks {
            Some(ranks) => self.meet_to_evaluate(ranks, prepared, settings.batch_size)?,
            None => prepared?,
        };
        let shards = sharded.map(|ranks| Shards::meet(ranks, data.count())).transpose()?;
        if shards.as_ref().is_some_and(|shards| shards.total == 0) {
            return Err(none(TRAINING, &data));
        }
        let mut pass = Evaluation::new(self, settings.batch_size);
        pass.run(self, compiled, (&data, 0), &mut measure, (ranks.as_ref(), shards.as_ref()))?;
        let mut logs = Logs::default();
        measure.log(&mut logs);
        if let Some(ranks) = &ranks {
            same_state(ranks, &mut |state| logs.state(state))?;
        }
        Ok(logs)
    }

    /// All that can be refused.
    fn prepare_evaluation<'s>(
        &'s self,
        given: TrainingData<'s, F>,
        settings: &Evaluate<F>,
        sharded: bool,
    ) -> Result<Prepared<'s, F>> {
        let compiled = self.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let ends = ModelShapes::of(self)?;
        check_batch_size(settings.batch_size)?;
        let dataset = if sharded { CheckedData::of_shard } else { CheckedData::new };
        let mut data = dataset(TRAINING, given, ends, &*compiled.loss)?;
        if let Some(weight) = settings.sample_weight {
            data.weigh_samples(TRAINING, weight)?;
        }
        let measure = RunningScores::new(compiled, "", ends.output, &data.target_shape())?;
        Ok((compiled, data, measure))
    }
}

/// How the model was compiled, what it is evaluated on, and what measures it.
pub(super) type Prepared<'s, F> = (&'s Compiled<F>, CheckedData<'s, F>, RunningScores<F>);

/// The memory of an evaluation, kept from one to the next.
pub(super) struct Evaluation<F> {
    workspace: Workspace<F>,
    batch_size: usize,
    indices: Vec<usize>,
    rows: Rows<F>,
}

impl<F: Scalar> Evaluation<F> {
    pub(super) fn new(model: &Sequential<F>, batch_size: usize) -> Self {
        Evaluation {
            workspace: Workspace::new(&model.layers),
            batch_size,
            indices: Vec::new(),
            rows: Rows::default(),
        }
    }

    /// Measures the samples of the data from sample `from` on, in order; where there are several ranks, each its part of every
    /// batch, or its own samples.
    pub(super) fn run(
        &mut self,
        model: &Sequential<F>,
        compiled: &Compiled<F>,
        (data, from): (&CheckedData<F>, usize),
        measure: &mut RunningScores<F>,
        (ranks, shards): (Option<&Ranks>, Option<&Shards>),
    ) -> Result<()> {
        let weight_penalty = model.weight_penalty();
        let count = shards.map_or(data.count() - from, |shards| shards.total);
        for start in (0..count).step_by(self.batch_size) {
            let end = count.min(start + self.batch_size);
            let samples = end - start;
            self.workspace.whole_rows = Some(samples);
            let Some(ranks) = ranks else {
                self.infer(model, data, from + start..from + end)?;
                let (y_pred, targets, activity) = self.outcome(model, data, samples);
                measure.take(&*compiled.loss, y_pred, targets, weight_penalty + activity);
                continue;
            };
            let own = shards.map(|shards| shards.cut(ranks, start..end));
            let mut read = Ok(());
            for part in ranks.parts(samples) {
                let rows = own.clone().unwrap_or(start + part.start..start + part.end);
                read = read.and(self.infer(model, data, from + rows.start..from + rows.end));
                let (y_pred, targets, activity) = self.outcome(model, data, samples);
                measure.take_part(&*compiled.loss, y_pred, targets, activity);
            }
            let size = (samples, data.steps);
            measure.take_whole(size, data.weights.is_some(), weight_penalty, (ranks, read))?;
        }
        Ok(())
    }

    /// Runs these samples through the model; none where they cannot be read.
    fn infer(
        &mut self,
        model: &Sequential<F>,
        data: &CheckedData<F>,
        rows: std::ops::Range<usize>,
    ) -> Result<()> {
        self.indices.clear();
        self.indices.extend(rows);
        let read = data.gather(None, &self.indices, &mut self.rows);
        if read.is_err() {
            self.rows.clear();
        }
        self.workspace.infer(&model.layers, Batch::new(&self.rows.x, data.width()));
        read
    }

    /// What came out, what should have, of a batch of so many samples, and what the outputs add to the loss.
    fn outcome(
        &self,
        model: &Sequential<F>,
        data: &CheckedData<F>,
        samples: usize,
    ) -> (Batch<'_, F>, Targets<'_, F>, f64) {
        let x = Batch::new(&self.rows.x, data.width());
        let output = self.workspace.output(x);
        let weights = data.weights.is_some().then_some(&*self.rows.weights);
        let targets = Targets { y: Batch::new(&self.rows.y, data.target), weights, samples };
        let activity = self.workspace.activity_penalty(&model.layers, x);
        (output.reshape(output.width() / data.steps), targets, activity)
    }
}
