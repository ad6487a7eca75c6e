//! Rules about what the layers pass on.

use super::super::evidence::{Evidence, LayerFacts};
use super::super::finding::{Finding, Severity};
use super::short;

/// The share of what the inputs show about the targets that a layer must lose to be named: a network cannot win it back.
const LOST: f64 = 0.5;
/// The smallest loss, as a share of the error of the best constant. Simple predictors differ by less between two views of the same
/// numbers.
const LEAST: f64 = 0.2;

/// Raises N0120.
pub(in crate::diagnosis) fn lost_information(e: &Evidence) -> Option<Finding> {
    let errors: Vec<f64> = e.inference.as_ref()?.layer_errors.iter().map(|error| error.min(1.0)).collect();
    let shown = 1.0 - errors.first()?;
    let (last, _) = e.weighted().next_back()?;
    // What a trained layer or an activation loses is the work of its weights, about which other rules report.
    let is_fixed = |layer: &&LayerFacts| {
        let is_function = !layer.has_params && layer.activation.is_none();
        !layer.is_view && layer.index < last.index && (is_function || layer.is_normalization)
    };
    let loss = |layer: &LayerFacts| errors[layer.index + 1] - errors[layer.index];
    let layer = e.layers.iter().filter(is_fixed).max_by(|a, b| loss(a).total_cmp(&loss(b)))?;
    (e.is_beaten() && loss(layer) > (LOST * shown).max(LEAST)).then(|| {
        let share = |error: f64| short(100.0 * error);
        Finding::draft("a layer discards what determines the targets")
            .at_most(Severity::Warning)
            .at(layer)
            .evidence(format!(
                "error of the best simple predictor, as a share of that of a constant: {} % from the inputs, {} % from the inputs of `{}`, {} % from its outputs",
                share(errors[0]),
                share(errors[layer.index]),
                layer.name,
                share(errors[layer.index + 1])
            ))
            .suggestion(format!(
                "remove `{}`, or use a layer that keeps what it discards: `Flatten` keeps the places that a global pooling averages, and a `Normalization` keeps the sizes that the normalization of a row divides out",
                layer.name
            ))
    })
}
