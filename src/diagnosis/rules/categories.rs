//! A rule about the meaning of the inputs.

use super::super::evidence::Evidence;
use super::super::finding::{Finding, Severity};
use super::short;

/// Raises N0123.
pub(in crate::diagnosis) fn indices_as_numbers(e: &Evidence) -> Option<Finding> {
    let values = e.inference.as_ref()?.categories.as_ref()?;
    let layer = e.number_reader()?;
    if !e.judged() || !values.are_categories() || !values.beats_network() {
        return None;
    }
    let share = |error: f64| short(100.0 * error);
    let which = values.feature.map_or("the inputs".into(), |feature| format!("feature {feature}"));
    let finding = Finding::draft("indices of categories are read as numbers")
        .at_most(Severity::Warning)
        .at(layer)
        .evidence(format!(
            "{which}: {} distinct values from {} to {}; on {} training rows, squared error with each value as a category {} % of that of a constant prediction, with close values alike {} %",
            values.levels,
            short(values.range.0),
            short(values.range.1),
            values.rows,
            share(values.categories),
            share(values.numbers)
        ))
        .evidence(format!(
            "on the same rows: error of the network {} % of that of a constant prediction, with each value as a category {} %",
            share(values.network),
            share(values.error)
        ));
    Some(match values.feature {
        None => finding.suggestion(format!(
            "pass the unscaled indices to an `Embedding` in front of `{}`, or a `CategoryEncoding`",
            layer.name
        )),
        Some(feature) => finding.suggestion(format!(
            "replace feature {feature} by a one-hot vector of its categories, see `IntegerLookup` and `CategoryEncoding`"
        )),
    })
}
