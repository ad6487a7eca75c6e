//! Predictions for a sample of the training rows at the end of a run.

use super::sampling::{sample, step_time};
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
    let mut predictions = Vec::with_capacity(wanted * outputs);
    trainer.workspace.global_rows = None;
    for part in indices.chunks(plan.batch_size.max(1)) {
        data.gather(None, part, &mut trainer.rows)?;
        let x = Minibatch { data, indices: part }.x(&trainer.rows);
        trainer.workspace.infer(&model.layers, x);
        predictions.extend_from_slice(trainer.workspace.output(x).data());
    }
    data.gather(None, &indices, &mut trainer.rows)?;
    let batch = Minibatch { data, indices: &indices };
    let (x, targets) = (batch.x(&trainer.rows), batch.targets(&trainer.rows));
    let predictions = Batch::new(&predictions, outputs / data.steps);
    let mut values = vec![F::zero(); predictions.rows()];
    let counted = compiled.loss.values(predictions, targets.y, &mut values);
    let weight = |row: usize| targets.weights.map_or(1.0, |weights| weights[row].as_f64());
    let sum: f64 = values.iter().enumerate().map(|(row, value)| value.as_f64() * weight(row)).sum();
    let loss = sum / counted.max(1) as f64;
    if !loss.is_finite() {
        return Ok(None);
    }
    let threshold = plan.link.map_or(0.5, |link| link.threshold());
    let classes = evidence.data.targets.classes.len();
    let count = |rows: Batch<F>| {
        let mut counts = vec![0; classes];
        for row in rows.iter() {
            let class = match row {
                [p] if classes == 2 => Some(usize::from(p.as_f64() > threshold)),
                row => class_of(row),
            };
            class.and_then(|class| counts.get_mut(class)).into_iter().for_each(|count| *count += 1);
        }
        counts
    };
    let mut baselines = None;
    let plain = data.steps == 1
        && !evidence.data.indices
        && (plan.task != Task::Numbers || plan.family == LossFamily::SquaredError);
    if plain {
        // A product takes about a nanosecond.
        let budget = SHARE * step_time(model, plan.batch_size) * evidence.steps() as f64;
        baselines = compare(Predicted { x, y: targets.y, predictions }, plan.task, threshold, budget);
    }
    Ok(Some(Inference {
        rows: wanted,
        loss,
        prediction_counts: count(predictions),
        class_counts: count(targets.y),
        baselines,
    }))
}
