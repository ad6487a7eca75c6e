//! Rules about the validation data.

use super::super::evidence::{Evidence, Feature};
use super::super::finding::{Finding, Severity};
use super::short;

/// The factor between two deviations that no sampling and no trend explains in most features at once.
const OTHER_UNIT: f64 = 10.0;
/// The factor between two deviations, and the distance between two means in deviations, of another distribution.
const OTHER: (f64, f64) = (3.0, 1.0);

/// Raises N0211.
pub(in crate::diagnosis) fn other_inputs(e: &Evidence) -> Option<Finding> {
    let (rows, held) = (e.data.sampled_rows, e.data.validation_rows);
    if e.data.indices || rows < 8 || held < 8 {
        return None;
    }
    // The standard error of the difference of two means, in deviations; the finding leaves three of them to chance.
    let chance = 3.0 * (1.0 / rows as f64 + 1.0 / held as f64).sqrt();
    let pairs = || {
        let pairs = e.data.features.iter().zip(&e.data.validation_features).enumerate();
        pairs.filter(|(_, (own, _))| own.deviation > 0.0)
    };
    let moved = |own: &Feature, held: &Feature| match held.deviation > 0.0 {
        true => (held.mean - own.mean).abs() / own.deviation,
        false => 0.0,
    };
    let factor = |own: &Feature, held: &Feature| {
        let factor = held.deviation / own.deviation;
        // A rare value of a sparse feature may be absent from a sample.
        if factor == 0.0 { 1.0 } else { factor.max(1.0 / factor) }
    };
    let count = pairs().count();
    let most = |differs: &dyn Fn(&Feature, &Feature) -> bool| {
        let differing = pairs().filter(|(_, (own, held))| differs(own, held)).count();
        (2 * differing > count).then_some(differing)
    };
    let unit = most(&|own, held| factor(own, held) > OTHER_UNIT * (1.0 + chance)).is_some();
    let differing = most(&|own, held| {
        factor(own, held) > OTHER.0 * (1.0 + chance) || moved(own, held) > OTHER.1 + chance
    })?;
    // Inputs with a trend are a time series. That harms only if the network learned, and cannot predict its end.
    let harms = e.ended && e.loses_on_validation();
    let severity = if unit || harms { Severity::Warning } else { Severity::Note };
    let far = |own: &Feature, held: &Feature| moved(own, held).max(factor(own, held));
    let (place, (own, other)) = pairs().max_by(|(_, (a, b)), (_, (c, d))| far(a, b).total_cmp(&far(c, d)))?;
    Some(
        Finding::draft("the validation inputs have another scale than the training inputs")
            .at_most(severity)
            .evidence(format!(
                "{differing} of {count} features differ by more than {} deviation in the mean, or by a factor of {} in the deviation",
                short(OTHER.1),
                short(OTHER.0)
            ))
            .evidence(format!(
                "feature {place}: {} ± {} in {rows} training rows, {} ± {} in {held} validation rows",
                short(own.mean),
                short(own.deviation),
                short(other.mean),
                short(other.deviation)
            ))
            .suggestion(
                "prepare both parts alike: fit the scaler on the training rows, and apply the same scaler to the validation rows",
            ),
    )
}
