//! Rows that are equal to others, and features that never change.

use super::super::evidence::Evidence;
use super::super::finding::{Finding, Severity};
use super::{if_failing, short};

/// Raises N0206.
pub(in crate::diagnosis) fn validation_trains(e: &Evidence) -> Option<Finding> {
    let repeats = &e.data.repeats;
    let (rows, known) = repeats.validation;
    if known == 0 {
        return None;
    }
    // Each row was compared with some of those that train; among all of them it has an equal that many times as often.
    let all = e.data.rows.max(repeats.rows) as f64 / repeats.rows.max(1) as f64;
    let share = (known as f64 / rows as f64 * all).min(1.0);
    // Rows of counts and choices are equal by chance; measured ones are copies. A tenth of them moves an accuracy by more
    // than such a part can tell.
    let severity = if repeats.copies && share > 0.1 { Severity::Warning } else { Severity::Note };
    Some(
        Finding::draft("rows that validate also train")
            .at_most(severity)
            .saw(format!(
                "{known} of {rows} rows of the validation part have an equal among {} of the {} that train",
                repeats.rows, e.data.rows
            ))
            .help(
                "take out the copies before the rows are split: what was seen in training validates nothing",
            ),
    )
}

/// Raises N0207.
pub(in crate::diagnosis) fn contradictions(e: &Evidence) -> Option<Finding> {
    let repeats = &e.data.repeats;
    (repeats.contradicted > 0).then(|| {
        Finding::draft("equal rows of different classes").at_most(if_failing(e, Severity::Warning))
            .saw(format!(
                "{} of {} rows compared have an equal of another class: no network is right in more than {} % of these rows",
                repeats.contradicted,
                repeats.rows,
                short(100.0 * repeats.reachable)
            ))
            .help("add what tells such rows apart, or mend their labels; else the loss cannot fall to 0")
    })
}

/// Raises N0208.
pub(in crate::diagnosis) fn constant_features(e: &Evidence) -> Option<Finding> {
    let (all, varying) = (e.data.features.len(), e.data.varying.0);
    if e.data.looked < 8 || e.data.indices || varying == all {
        return None;
    }
    let finding = match varying {
        0 => Finding::draft("every sample is the same"),
        _ => Finding::draft("features that never change").at_most(Severity::Note),
    };
    Some(
        finding
            .saw(format!("{} of {all} are the same in all {} rows looked at", all - varying, e.data.looked))
            .help("leave them out, or look how they were read: they tell nothing"),
    )
}
