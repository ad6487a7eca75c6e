//! A training whose data and settings have been checked.

use super::data::{CheckedData, ModelShapes, RunningScores, TRAINING, TrainingData, VALIDATION};
use super::distributed::Coordinator;
use super::evaluation::Evaluation;
use super::settings::Fit;
use super::stateful::{self, BatchPlan};
use crate::callback::Logs;
use crate::error::{Error, Result};
use crate::model::{Sequential, check_loss};
use crate::scalar::Scalar;

/// The data of a training, and its running scores.
pub(crate) struct TrainingRun<'a, F: Scalar> {
    pub(crate) data: CheckedData<'a, F>,
    /// The number of leading samples used for training; the others may be used for validation.
    pub(crate) train: usize,
    pub(crate) scores: RunningScores<F>,
    pub(crate) validation: Option<Validation<'a, F>>,
}

/// The held-out samples, and the buffers to score them.
pub(crate) struct Validation<'a, F: Scalar> {
    pub(crate) data: CheckedData<'a, F>,
    /// The index of the first held-out sample.
    pub(crate) from: usize,
    scores: RunningScores<F>,
    evaluation: Option<Evaluation<F>>,
}

impl<'a, F: Scalar> TrainingRun<'a, F> {
    /// Checks the data and the settings.
    pub(super) fn new<'b: 'a>(
        model: &Sequential<F>,
        unchecked: TrainingData<'a, F>,
        settings: &Fit<'b, F>,
        sharded: bool,
    ) -> Result<Self> {
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let shapes = ModelShapes::of(model)?;
        let check = if sharded { CheckedData::of_shard } else { CheckedData::new };
        let data = check(TRAINING, unchecked, shapes, &*compiled.loss)?;
        data.lengths().map_or(Ok(()), |lengths| model.check_lengths(lengths))?;
        let train = match sharded {
            true => settings.check_shard(data.count())?,
            false => settings.check(data.count())?,
        };
        let data = data.weighted(settings.sample_weight)?;
        // Validation data may have another length.
        let other =
            settings.validation_data.map(|unchecked| model.resized(&unchecked.input_shape())).transpose()?;
        let other = other.flatten();
        let other = other.as_ref().unwrap_or(model);
        let held_out = match settings.validation_data {
            Some(unchecked) => {
                let held_out = check(VALIDATION, unchecked, ModelShapes::of(other)?, &*compiled.loss)?;
                held_out.lengths().map_or(Ok(()), |lengths| other.check_lengths(lengths))?;
                Some((held_out.weighted(settings.validation_weight)?, 0))
            }
            None if sharded => settings.validates().then(|| (data.clone(), train)),
            None => (train < data.count()).then(|| (data.clone(), train)),
        };
        let plan = |data: &CheckedData<F>, samples, batch_size| BatchPlan {
            samples,
            batch_size,
            differs: data.lengths().is_some(),
        };
        let validated = held_out.as_ref().map(|(data, from)| {
            let batch_size = settings.validation_batch_size.unwrap_or(settings.batch_size);
            plan(data, data.count() - from, batch_size)
        });
        stateful::check_fit(model, settings, plan(&data, train, settings.batch_size), validated)?;
        let scores = |prefix, model: &Sequential<F>, data: &CheckedData<F>| {
            RunningScores::new(compiled, prefix, ModelShapes::of(model)?.output, &data.target_shape())
        };
        let validation = match held_out {
            Some((data, from)) => {
                Some(Validation { scores: scores("val_", other, &data)?, data, from, evaluation: None })
            }
            None => None,
        };
        let mut run = TrainingRun { scores: scores("", model, &data)?, data, train, validation };
        if !sharded {
            run.weigh_classes(model, settings, |counts| counts)?;
        }
        Ok(run)
    }

    /// Multiplies the weights of the training samples by their class weights.
    fn weigh_classes(
        &mut self,
        model: &Sequential<F>,
        settings: &Fit<F>,
        over_ranks: impl FnOnce(Result<Vec<f64>>) -> Result<Vec<f64>>,
    ) -> Result<()> {
        let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
        let classes = model.output_shape().and_then(|shape| shape.last().copied()).unwrap_or(1);
        let (weight, loss) = (&settings.class_weight, &*compiled.loss);
        self.data.weigh_classes(weight, loss, classes, self.train, over_ranks)
    }

    /// Counts the samples and classes of all shards, if each rank has its own.
    pub(super) fn count_shards(
        &mut self,
        model: &Sequential<F>,
        settings: &Fit<F>,
        coordinator: &mut Coordinator<F>,
    ) -> Result<()> {
        coordinator.count_training(&self.data, self.train)?;
        if let Some(Validation { data, from, .. }) = &self.validation {
            coordinator.count_held_out(data, data.count() - from)?;
        }
        self.weigh_classes(model, settings, |counts| coordinator.class_counts(counts))
    }

    /// The settings of the run, for the history.
    pub(super) fn settings(
        &self,
        model: &Sequential<F>,
        settings: &Fit<F>,
        coordinator: &Coordinator<F>,
    ) -> Vec<(&'static str, String)> {
        let compiled = model.compiled.as_ref();
        let [optimizer, loss, _] = compiled.map(|compiled| compiled.descriptions.clone()).unwrap_or_default();
        let metrics = compiled.map(|compiled| compiled.keys.join(", ")).unwrap_or_default();
        let held_out = self.validation.as_ref().map_or(0, |held| held.data.count() - held.from);
        let one = [
            ("optimizer", optimizer),
            ("loss", loss),
            ("metrics", metrics),
            ("training samples", coordinator.training_total(self.train).to_string()),
            ("validation samples", coordinator.held_out_total(held_out).to_string()),
            ("epochs planned", settings.epochs.to_string()),
            ("batch size", settings.batch_size.to_string()),
            ("shuffle", if settings.shuffle { "yes" } else { "no" }.into()),
            ("class weights", format!("{:?}", settings.class_weight)),
            ("numbers", F::NAME.into()),
        ];
        one.into_iter().chain(coordinator.settings()).collect()
    }

    /// Scores the held-out samples, and writes the scores to the logs.
    pub(super) fn validate(
        &mut self,
        model: &Sequential<F>,
        settings: &Fit<F>,
        logs: &mut Logs,
        coordinator: &mut Coordinator<F>,
    ) -> Result<()> {
        let Some(Validation { data, from, scores, evaluation }) = &mut self.validation else { return Ok(()) };
        let batch_size = settings.validation_batch_size.unwrap_or(settings.batch_size);
        let evaluation = evaluation.get_or_insert_with(|| Evaluation::new(model, batch_size));
        scores.reset();
        evaluation.run(model, data, *from, scores, coordinator)?;
        scores.log(logs);
        Ok(())
    }
}

/// A copy of the model built for these data, or `None` if it is built for them already. A shard may have no samples.
pub(super) fn built_for<F: Scalar>(
    model: &Sequential<F>,
    unchecked: TrainingData<F>,
    sharded: bool,
) -> Result<Option<Sequential<F>>> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    if model.is_built() {
        return model.resized(&unchecked.input_shape());
    }
    if !sharded {
        unchecked.check_not_empty(TRAINING)?;
    }
    let mut copy = model.clone();
    let found = unchecked.input_shape();
    match (&model.input, &model.open) {
        (Some(input), _) => {
            copy.build_for(input)?;
            copy.resize(&found)?;
        }
        (None, Some(open)) if !open.includes(&found) => {
            let argument = TRAINING.x.into();
            return Err(Error::SampleShape { argument, expected: open.expected(), found });
        }
        (None, None) if unchecked.lengths().is_some() => {
            // As `input([None, ..])`: a model for these data needs open steps.
            let axes = found.iter().enumerate().map(|(axis, len)| (axis > 0).then_some(*len));
            copy.set_input(axes.collect::<Vec<_>>().into());
            copy.build_for(&found)?;
        }
        _ => copy.build_for(&found)?,
    }
    check_loss(&copy, &*compiled.loss)?;
    Ok(Some(copy))
}
