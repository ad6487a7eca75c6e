//! The identity of a training: everything that its result depends on, compared with backups and between ranks.

use super::data::{CheckedData, Rows};
use super::diagnosis::sampling::sample;
use super::distributed::Identity;
use super::run::TrainingRun;
use super::settings::Fit;
use crate::diagnosis::Diagnose;
use crate::error::{Error, Result, Shape};
use crate::hash::{FNV_OFFSET, fnv1a};
use crate::model::Sequential;
use crate::scalar::Scalar;

/// The number of rows that the sum samples.
const ROWS: usize = 64;

/// The identity of a run. It leaves out the number of epochs, which a resumed run may raise.
///
/// With `callbacks`, for a backup, it contains their number and some rows of a source. Ranks read each row of a source
/// once, and only the first has callbacks.
pub(super) fn identity<F: Scalar>(
    model: &Sequential<F>,
    run: &TrainingRun<F>,
    settings: &Fit<F>,
    callbacks: Option<usize>,
) -> Result<Identity> {
    let compiled = model.compiled.as_ref().ok_or(Error::NotCompiled)?;
    let [optimizer, loss, metrics] = &compiled.descriptions;
    let held_out = run.validation.as_ref().map(|validation| &validation.data);
    let input = model.input_shape().unwrap_or_default();
    let shapes = [input, &run.data.target_shape()].map(|shape| Shape(shape).to_string());
    let validation = match (&settings.validation_data, settings.validation_split) {
        (Some(_), _) => "its own data".into(),
        (None, split) => split.map_or("none".into(), |share| format!("a share of {share}")),
    };
    let mut identity = Identity::new([
        ("number type", F::NAME.to_string()),
        ("optimizer", optimizer.clone()),
        ("loss", loss.clone()),
        ("metrics", metrics.clone()),
        ("shape of samples and targets", shapes.join(" and ")),
        ("batch_size", settings.batch_size.to_string()),
        ("shuffle", settings.shuffle.to_string()),
        ("initial_epoch", settings.initial_epoch.to_string()),
        ("number of epochs trained before", model.epochs_seen.to_string()),
        ("number of steps taken before", compiled.steps.to_string()),
        ("validation_freq", settings.validation_freq.to_string()),
        ("validation_batch_size", format!("{:?}", settings.validation_batch_size)),
        ("number of callbacks", callbacks.unwrap_or(0).to_string()),
        ("diagnosis", if settings.diagnose == Diagnose::Off { "off" } else { "on" }.into()),
    ]);
    identity.common.extend(model.described());
    let identity = identity.with_shards([
        ("weights of samples", weights(Some(&run.data)).into()),
        ("weights of validation samples", weights(held_out).into()),
        ("validation", validation),
        ("class_weight", format!("{:?}", settings.class_weight)),
    ]);
    Ok(identity.with_data([
        ("number of samples", run.data.count().to_string()),
        ("number of samples that train", run.train.to_string()),
        ("number of samples to validate on", held_out.map_or(0, CheckedData::count).to_string()),
        ("sum over a sample of the data, and its weights", sum(Some(&run.data), callbacks.is_some())?),
        ("sum over a sample of the validation data, and its weights", sum(held_out, callbacks.is_some())?),
    ]))
}

fn weights<F: Scalar>(data: Option<&CheckedData<F>>) -> &'static str {
    match data.map(|data| data.weights.is_some()) {
        Some(true) => "some",
        Some(false) => "none",
        None => "no data",
    }
}

/// A sum over some rows, fewer if they come from a source, and over all weights.
fn sum<F: Scalar>(data: Option<&CheckedData<F>>, reads_source: bool) -> Result<String> {
    let Some(data) = data else { return Ok("none".into()) };
    let mut rows = Rows::default();
    let count = if data.is_source() { ROWS / 8 } else { ROWS };
    if reads_source || !data.is_source() {
        data.gather(None, &sample(data.count(), count), &mut rows)?;
    }
    let mut bytes = Vec::new();
    rows.x
        .iter()
        .chain(&rows.y)
        .chain(data.weights.iter().flatten())
        .for_each(|number| number.put(&mut bytes));
    Ok(format!("{:016x}", fnv1a(FNV_OFFSET, &bytes)))
}
