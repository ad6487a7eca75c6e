//! Rules about duplicate rows, copied targets, extreme values and constant columns.

use super::super::evidence::Evidence;
use super::super::finding::{Finding, Severity};
use super::{if_failing, if_poor, short};

/// Raises N0206.
pub(in crate::diagnosis) fn validation_trains(e: &Evidence) -> Option<Finding> {
    let repeats = &e.data.repeats;
    let (rows, known) = repeats.validation;
    if known == 0 {
        return None;
    }
    // Each row was compared with a sample of the training rows; this extrapolates to all of them.
    let all = e.data.rows.max(repeats.rows) as f64 / repeats.rows.max(1) as f64;
    let share = (known as f64 / rows as f64 * all).min(1.0);
    // Rows of counts and choices coincide by chance; measured rows that are equal are copies. A tenth of them changes an
    // accuracy by more than its sampling error.
    let severity = if repeats.copies && share > 0.1 { Severity::Warning } else { Severity::Note };
    Some(
        Finding::draft("validation rows that are also training rows")
            .at_most(severity)
            .evidence(format!(
                "{known} of {rows} validation rows also occur among {} of {} training rows",
                repeats.rows, e.data.rows
            ))
            .suggestion("remove the duplicates before the split: rows seen in training cannot validate it"),
    )
}

/// Raises N0207.
pub(in crate::diagnosis) fn contradictions(e: &Evidence) -> Option<Finding> {
    let repeats = &e.data.repeats;
    (repeats.contradicted > 0).then(|| {
        Finding::draft("equal rows with different classes").at_most(if_failing(e, Severity::Warning))
            .evidence(format!(
                "{} of {} compared rows equal a row of another class, so the accuracy on these rows cannot exceed {} %",
                repeats.contradicted,
                repeats.rows,
                short(100.0 * repeats.reachable)
            ))
            .suggestion("add features that separate such rows, or correct their labels; otherwise the loss cannot reach 0")
    })
}

/// Raises N0212.
pub(in crate::diagnosis) fn copied_target(e: &Evidence) -> Option<Finding> {
    let copy = e.data.copied_target.as_ref()?;
    let target = match e.data.targets.width {
        1 => "the target".into(),
        _ => format!("target {}", copy.target),
    };
    Some(
        Finding::draft("a feature is a copy of the targets")
            .at_most(Severity::Warning)
            .evidence(format!(
                "feature {} equals {target} in all {} sampled rows, up to a factor and an offset",
                copy.feature, copy.rows
            ))
            .suggestion("remove the feature, unless it is known at prediction time"),
    )
}

/// Raises N0214.
pub(in crate::diagnosis) fn extreme_values(e: &Evidence) -> Option<Finding> {
    let extremes = e.data.extremes.as_ref()?;
    let (mean, deviation) = extremes.others;
    let (value, feature) = (short(extremes.value), extremes.feature);
    let title = match extremes.is_code {
        true => "a code among the values of a feature",
        false => "a few outliers determine the scale of a feature",
    };
    let what = match extremes.is_code {
        true => format!("feature {feature} is {value}"),
        false => format!("feature {feature} has outliers, up to {value},"),
    };
    let finding = Finding::draft(title).evidence(format!(
        "{what} in {} of {} sampled rows; the others have a mean of {} and a standard deviation of {}",
        extremes.count,
        extremes.rows,
        short(mean),
        short(deviation)
    ));
    let finding = match extremes.features {
        1 => finding,
        several => finding.evidence(format!("{several} features have such values")),
    };
    Some(finding.suggestion(match extremes.is_code {
        true => format!("if {value} stands for a missing value, replace it by the mean of the others, and add a feature that says where it was, before you scale the features"),
        false => "correct these rows, bound the feature by a low and a high quantile, or use its logarithm, before you scale the features".into(),
    }))
}

/// Targets that are numbers and all equal. N0204 covers classes.
fn constant_targets(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let constant = targets.constant.iter().filter(|constant| **constant).count();
    // A rare event may be absent from a few rows. If a thousand are equal, fewer than 3 in 1000 of all rows differ (rule of
    // three, Hanley and Lippman-Hand 1983).
    let (rows, enough) = (targets.constant_rows, e.data.rows.min(1000));
    if rows < enough.max(8) || constant == 0 || !targets.classes.is_empty() {
        return None;
    }
    let finding = match constant == targets.constant.len() {
        true => Finding::draft("the targets are constant"),
        false => Finding::draft("some targets are constant").at_most(Severity::Note),
    };
    Some(
        finding
            .evidence(format!(
                "{constant} of {} targets are constant in {} rows; all targets lie between {} and {}",
                targets.constant.len(),
                rows,
                short(targets.range.0),
                short(targets.range.1)
            ))
            .suggestion("check how the targets were made and scaled: a constant needs no network"),
    )
}

/// The share of equal targets at a bound that no measured number has by chance, and the distinct values of one.
const AT_BOUND: (f64, usize) = (0.25, 20);

/// Raises N0215.
pub(in crate::diagnosis) fn targets_at_bound(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let is_measured = !targets.whole && targets.width == 1 && targets.distinct >= AT_BOUND.1;
    if !e.plan.compares_numbers() || !is_measured {
        return None;
    }
    let values = &targets.sampled_values;
    let count = |bound: f64| values.iter().filter(|value| **value == bound).count();
    // Nothing is often exactly 0: no rain, no sale. A share may be exactly 1.
    let is_natural = |bound: f64| bound == 0.0 || bound == 1.0;
    let bounds = [targets.range.0, targets.range.1].into_iter().filter(|bound| !is_natural(*bound));
    let bound = bounds.max_by_key(|bound| count(*bound))?;
    (count(bound) as f64 >= AT_BOUND.0 * values.len() as f64).then(|| {
        Finding::draft("many targets are equal to their bound")
            .at_most(Severity::Warning)
            .evidence(format!(
                "{} of {} sampled targets are exactly {}; all lie between {} and {}",
                count(bound),
                values.len(),
                short(bound),
                short(targets.range.0),
                short(targets.range.1)
            ))
            .suggestion("check where the targets were cut off: the network learns the bound as if it were measured; leave out these rows if their values are unknown")
    })
}

/// Whether numeric inputs go to a recurrent layer.
fn has_recurrent_layer(e: &Evidence) -> bool {
    !e.data.indices && e.layers.iter().any(|layer| layer.is_recurrent)
}

/// Raises N0208.
pub(in crate::diagnosis) fn constant_features(e: &Evidence) -> Option<Finding> {
    if let Some(varying) = &e.data.varying_constants {
        let layer = e.layers.get(varying.layer)?;
        return Some(
            Finding::draft("features that were constant when they were normalized have other values")
                .at_most(Severity::Warning)
                .at(layer)
                .evidence(format!(
                    "{} such features; feature {} is {} in the {} data, of which `{}` makes {}",
                    varying.count,
                    varying.feature,
                    short(varying.value),
                    if varying.is_validation { "validation" } else { "training" },
                    layer.name,
                    short(varying.output)
                ))
                .suggestion("remove these features, or adapt the layer to rows in which they vary"),
        );
    }
    let (all, varying) = (e.data.features.len(), e.data.varying_count);
    if let Some(finding) = constant_targets(e).filter(|_| varying > 0) {
        return Some(finding);
    }
    if e.data.sampled_rows < 8 || varying == all {
        return None;
    }
    let finding = match varying {
        0 => Finding::draft("all samples are equal"),
        // Words and pixels are often constant in a sample; measured features are not, nor are the steps of a sequence.
        _ if 2 * varying < all && (e.data.shape.len() == 1 && all <= 64 || has_recurrent_layer(e)) => {
            Finding::draft("most features are constant").at_most(if_poor(e, Severity::Warning))
        }
        _ => Finding::draft("constant features").at_most(Severity::Note),
    };
    Some(
        finding
            .evidence(format!(
                "{} of {all} features are constant in {} sampled rows",
                all - varying,
                e.data.sampled_rows
            ))
            .suggestion(match has_recurrent_layer(e) {
                true => "shorten the sequences: constant steps carry no information",
                false => "remove them, or check how they were read: constant features carry no information",
            }),
    )
}
