//! What is left to say at the end.

use super::super::evidence::{Evidence, LEARNED};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::short;

pub(super) fn learned_nothing(e: &Evidence) -> Option<Finding> {
    let (skill, chance) = (e.skill()?, e.data.targets.chance?);
    (e.ended && skill < LEARNED).then(|| {
        let last = e.curves.losses().next_back().unwrap_or(f64::NAN);
        Finding::new("N0501", Severity::Error, "nothing was learned")
            .saw(format!("final loss {}, where the best constant answer costs {}", short(last), short(chance)))
            .help("change what the other findings name; if there is none, either the inputs do not tell the targets, or their rows do not belong together")
    })
}

pub(super) fn still_improving(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses().collect();
    let skill = e.skill()?;
    if !e.ended || losses.len() < 3 || skill > 0.95 {
        return None;
    }
    let (before, last) = (losses[losses.len() - 1 - losses.len().div_ceil(3)], losses[losses.len() - 1]);
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let gain = (before - last) / before.abs().max(1e-12);
    // The best at the end, and still a fiftieth in the last third: the run was cut short. It matters where it has gone
    // less than a quarter of its way.
    (last <= best && gain > 0.02).then(|| {
        let severity = if skill < 0.25 { Severity::Warning } else { Severity::Note };
        Finding::new("N0502", severity, "it was still learning when it ended")
            .saw(format!("the loss fell by {} % in the last third, to {}", short(100.0 * gain), short(last)))
            .mend("more epochs, or a larger learning rate", Remedy::Epochs(4))
    })
}

pub(super) fn overfitting(e: &Evidence) -> Option<Finding> {
    let validation: Vec<f64> = e.curves.epochs.iter().filter_map(|epoch| epoch.val_loss).collect();
    let rows = e.data.validation.as_ref().map_or(usize::MAX, |part| part.rows);
    if !e.ended || validation.len() < 6 || validation.len() != e.curves.epochs.len() || rows < 8 {
        return None;
    }
    let (place, best) = validation.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let tail = &validation[validation.len() - 3..];
    let training: Vec<f64> = e.curves.losses().collect();
    let falling = training[training.len() - 1] < training[place];
    (2 * place < validation.len() && tail.iter().all(|loss| *loss > 1.2 * best) && falling).then(|| {
        Finding::new("N0503", Severity::Warning, "it learned its training data by heart")
            .saw(format!(
                "validation loss {} in epoch {}, {} at the end, while the training loss fell to {}",
                short(best),
                place + 1,
                short(tail[2]),
                short(training[training.len() - 1])
            ))
            .help(
                "`EarlyStopping::new().restore_best_weights(true)`, `Dropout`, a `Regularizer`, or more data",
            )
    })
}
