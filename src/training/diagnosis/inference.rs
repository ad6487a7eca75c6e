//! Predictions for a sample of the training rows at the end of a run.

use super::sampling::{NUMBERS, sample, step_time};
use crate::data::class_of;
use crate::diagnosis::simple_models::{Predicted, compare};
use crate::diagnosis::{Evidence, Inference, Task};
use crate::error::{Error, Result};
use crate::loss::LossFamily;
use crate::model::Sequential;
use crate::scalar::Scalar;
use crate::tensor::Batch;
use crate::training::run::TrainingRun;
use crate::training::step::{Minibatch, Trainer};

/// The most rows and output numbers that are predicted.
const ROWS: usize = 512;
const OUTPUTS: usize = 1 << 16;
/// The share of the training time that the predictions may take: a prediction takes about a third of a step.
const SHARE: f64 = 0.005;
/// The fewest rows that say something.
const LEAST: usize = 16;

/// Predicts a sample of the training rows. `None` if the loss has no scale, or if the rows would take too long.
pub(super) fn infer<F: Scalar>(
    model: &Sequential<F>,
    run: &TrainingRun<F>,
    trainer: &mut Trainer<F>,
    evidence: &Evidence,
) -> Result<Option<Inference>> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    let (data, plan) = (&run.data, &evidence.plan);
    let outputs = model.layers.last().map_or(0, |layer| layer.widths().1);
    let trained = (evidence.steps() * plan.batch_size) as f64;
    let wanted = ((3.0 * SHARE * trained) as usize).min(ROWS).min(OUTPUTS / outputs.max(1)).min(run.train);
    if evidence.data.targets.scale.is_none() || data.is_source() || wanted < LEAST.min(run.train) {
        return Ok(None);
    }
    let indices = sample(run.train, wanted);
    let threshold = plan.link.map_or(0.5, |link| link.threshold());
    let classes = evidence.data.targets.classes.len();
    let mut found = Inference {
        rows: wanted,
        prediction_counts: vec![0; classes],
        class_counts: vec![0; classes],
        ..Inference::default()
    };
    let (mut sum, mut counted) = (0.0, 0);
    let mut predictions = Vec::with_capacity(wanted * outputs);
    trainer.workspace.global_rows = None;
    for part in indices.chunks(plan.batch_size.max(1)) {
        data.gather(None, part, &mut trainer.rows)?;
        let batch = Minibatch { data, indices: part };
        trainer.workspace.infer(&model.layers, batch.x(&trainer.rows));
        let (output, targets) = (trainer.output(batch), batch.targets(&trainer.rows));
        let mut values = vec![F::zero(); output.rows()];
        counted += compiled.loss.values(output, targets.y, &mut values);
        let weight = |row: usize| targets.weights.map_or(1.0, |weights| weights[row].as_f64());
        sum += values.iter().enumerate().map(|(row, value)| value.as_f64() * weight(row)).sum::<f64>();
        count(output, threshold, &mut found.prediction_counts);
        count(targets.y, threshold, &mut found.class_counts);
        predictions.extend_from_slice(output.data());
    }
    found.loss = sum / counted.max(1) as f64;
    if !found.loss.is_finite() {
        return Ok(None);
    }
    let plain = data.steps == 1
        && !evidence.data.indices
        && (plan.task != Task::Numbers || plan.family == LossFamily::SquaredError);
    // No more numbers are in memory than in a batch, or were sampled before the training.
    let most = plan.batch_size.max(NUMBERS / data.width().max(1)).max(1);
    if plain {
        // A product takes about a nanosecond.
        let budget = SHARE * step_time(model, plan.batch_size) * evidence.steps() as f64;
        let places: Vec<usize> = (0..wanted).step_by(wanted.div_ceil(most)).collect();
        let indices: Vec<usize> = places.iter().map(|&place| indices[place]).collect();
        let own = places.iter().flat_map(|&place| &predictions[place * outputs..][..outputs]);
        let predictions: Vec<F> = own.copied().collect();
        data.gather(None, &indices, &mut trainer.rows)?;
        let batch = Minibatch { data, indices: &indices };
        let (x, y) = (batch.x(&trainer.rows), batch.targets(&trainer.rows).y);
        let rows = Predicted { x, y, predictions: Batch::new(&predictions, outputs) };
        found.baselines = compare(rows, plan.task, threshold, budget);
    }
    Ok(Some(found))
}

/// Counts the classes of these rows: probabilities, logits, labels or one-hot targets.
fn count<F: Scalar>(rows: Batch<F>, threshold: f64, counts: &mut [usize]) {
    for row in rows.iter() {
        let class = match row {
            [p] if counts.len() == 2 => Some(usize::from(p.as_f64() > threshold)),
            row => class_of(row),
        };
        if let Some(count) = class.and_then(|class| counts.get_mut(class)) {
            *count += 1;
        }
    }
}
