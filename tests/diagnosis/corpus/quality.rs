//! The quality of a trained program on a common scale: 0 is as good as ignoring the input, 1 is perfect.

use cornu::ndarray::{Array1, ArrayD, ArrayViewD, Axis, Slice};
use cornu::prelude::*;

use super::data::Target;
use super::program::Prepared;

/// For classes, the mean recall, rescaled so that guessing gives 0; for numbers, 1 − Σ(y − p)² / Σ(y − mean)².
///
/// Measured on held-out rows if there are any, else on all rows.
pub fn quality(model: &Sequential, prepared: &Prepared) -> Result<f64> {
    let rows = prepared.validated();
    let x = prepared.x.slice_axis(Axis(0), Slice::from(rows.clone()));
    Ok(match &prepared.truth {
        Target::Classes(labels) => recall(&model.predict_classes(&x)?, &labels[rows]),
        Target::Numbers(y) => explained(&model.predict(&x)?, y.slice_axis(Axis(0), Slice::from(rows))),
    })
}

fn recall(predicted: &Array1<usize>, labels: &[usize]) -> f64 {
    let classes = labels.iter().max().map_or(0, |most| most + 1);
    let mut counts = vec![(0.0, 0.0); classes];
    for (predicted, &label) in predicted.iter().zip(labels) {
        counts[label].0 += f64::from(u8::from(*predicted == label));
        counts[label].1 += 1.0;
    }
    let seen: Vec<f64> =
        counts.iter().filter(|(_, all)| *all > 0.0).map(|(right, all)| right / all).collect();
    let (mean, guessing) = (seen.iter().sum::<f64>() / seen.len() as f64, 1.0 / seen.len() as f64);
    if seen.len() < 2 { 0.0 } else { (mean - guessing) / (1.0 - guessing) }
}

fn explained(predicted: &ArrayD<f32>, y: ArrayViewD<f32>) -> f64 {
    let (mut missed, mut all) = (0.0, 0.0);
    let mean = y.mean_axis(Axis(0)).expect("rows").mapv(f64::from);
    for ((&y, &p), mean) in y.iter().zip(predicted).zip(mean.iter().cycle()) {
        missed += f64::from(y - p).powi(2);
        all += (f64::from(y) - mean).powi(2);
    }
    1.0 - missed / all
}
