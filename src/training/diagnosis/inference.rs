//! Predictions for a sample of the training rows at the end of a run.

use super::comparison::Comparison;
use super::sampling::{sample, step_time};
use crate::data::class_of;
use crate::diagnosis::simple_predictors::MOST_ROWS;
use crate::diagnosis::{Evidence, Inference, SimplePredictors, Task, predicted_class};
use crate::error::{Error, Result};
use crate::loss::LossFamily;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::training::run::TrainingRun;
use crate::training::step::{Minibatch, Trainer};

/// The most output numbers.
const OUTPUTS: usize = 1 << 16;
/// The shares of the training time that the predictions and the comparison may take. A prediction takes about a third of a step.
const PREDICTION_SHARE: f64 = 0.003;
const COMPARISON_SHARE: f64 = 0.01;
/// The rows predicted for a comparison with categories, as a share of the trained rows: a prediction takes a third of a step.
const CATEGORIES_SHARE: f64 = 3.0 * COMPARISON_SHARE;
/// The share that the search for the cause of a failed run may take, and the nanoseconds that it may take in any case.
const SEARCH: (f64, f64) = (0.1, 5e6);
/// The fewest rows worth predicting, unless the training has fewer.
const FEWEST_ROWS: usize = 16;

/// Predicts a sample of the training rows of this rank. `None` if the loss has no scale, the data is a source, or the time allows
/// too few rows.
pub(super) fn infer<F: Scalar>(
    model: &Sequential<F>,
    run: &TrainingRun<F>,
    trainer: &mut Trainer<F>,
    evidence: &Evidence,
) -> Result<Option<Inference>> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    let (data, plan) = (&run.data, &evidence.plan);
    let outputs = model.layers.last().map_or(0, |layer| layer.widths().1);
    let batch_size = plan.batch_size.clamp(1, run.train.max(1));
    let trained = evidence.steps() as f64 * batch_size as f64;
    let affordable = (3.0 * PREDICTION_SHARE * trained) as usize;
    let wanted = affordable.min(MOST_ROWS).min(OUTPUTS / outputs.max(1)).min(run.train);
    // A stateful layer reads a sample of the rows with the states of other ones.
    if model.stateful_batches().is_some() {
        return Ok(None);
    }
    // A rank may have no rows.
    let enough = wanted >= FEWEST_ROWS.min(run.train).max(1);
    if !enough || evidence.data.targets.scale.is_none() || data.is_source() {
        return Ok(None);
    }
    // A run below a third of a millisecond pays for a prediction only if predictions differ from the training passes.
    let differs = evidence.layers.iter().any(|layer| layer.is_normalization || layer.drop_rate > 0.0);
    let time = step_time(model, batch_size) * evidence.steps() as f64;
    if time < 3e5 && !differs {
        return Ok(None);
    }
    let indices = sample(run.train, wanted);
    let threshold = plan.threshold();
    let classes = evidence.data.targets.classes.len();
    let mut inference = Inference {
        rows: wanted,
        prediction_counts: vec![0; classes],
        class_counts: vec![0; classes],
        ..Inference::default()
    };
    let (mut sum, mut counted) = (0.0, 0);
    let mut predictions = Vec::with_capacity(wanted * outputs);
    trainer.workspace.global_rows = None;
    for part in indices.chunks(batch_size) {
        data.gather(None, part, &mut trainer.rows)?;
        let batch = Minibatch { data, indices: part };
        trainer.workspace.infer(&model.layers, batch.x(&trainer.rows));
        let (output, targets) = (trainer.output(batch), batch.targets(&trainer.rows));
        let mut values = vec![F::zero(); output.rows()];
        counted += compiled.loss.values(output, targets.y, &mut values);
        let weight = |row: usize| targets.weights.map_or(1.0, |weights| weights[row].as_f64());
        sum += values.iter().enumerate().map(|(row, value)| value.as_f64() * weight(row)).sum::<f64>();
        count(output.iter().map(|p| predicted_class(p, threshold)), &mut inference.prediction_counts);
        count(targets.y.iter().map(class_of), &mut inference.class_counts);
        predictions.extend_from_slice(output.data());
    }
    inference.loss = sum / counted.max(1) as f64;
    if !inference.loss.is_finite() {
        return Ok(None);
    }
    let is_comparable = data.steps == 1
        && !evidence.data.indices
        && (plan.task != Task::Numbers || plan.family == LossFamily::SquaredError);
    if is_comparable {
        let search = (SEARCH.0 * time).max(SEARCH.1);
        let budget = if evidence.failing() { search } else { COMPARISON_SHARE * time };
        let mut comparison = Comparison { model, data, trainer, task: plan.task, threshold, batch_size };
        let simple = comparison.network(&indices, &predictions, budget)?;
        if simple.as_ref().is_some_and(SimplePredictors::beat_network) {
            inference.layer_errors = comparison.layers(&indices, search)?;
        }
        inference.simple_predictors = simple;
        if evidence.number_reader().is_some() {
            let least = if evidence.is_poor() { SEARCH.1 } else { 0.0 };
            let most = (CATEGORIES_SHARE * trained) as usize;
            let budget = (COMPARISON_SHARE * time).max(least);
            inference.categories = comparison.categories(run.train, most, budget)?;
        }
    }
    Ok(Some(inference))
}

/// Adds rows of these classes.
fn count(classes: impl Iterator<Item = Option<usize>>, counts: &mut [usize]) {
    for class in classes {
        if let Some(count) = class.and_then(|class| counts.get_mut(class)) {
            *count += 1;
        }
    }
}
