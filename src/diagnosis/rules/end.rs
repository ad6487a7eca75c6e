//! What is left to say at the end.

use super::super::evidence::{Evidence, LEARNED};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::short;

/// Raises N0501.
pub(in crate::diagnosis) fn learned_nothing(e: &Evidence) -> Option<Finding> {
    let (skill, scale) = (e.skill()?, e.data.targets.scale?);
    (e.ended && skill < LEARNED && e.failing()).then(|| {
        let last = e.curves.losses().next_back().unwrap_or(f64::NAN);
        Finding::draft("nothing was learned")
            .saw(format!("final loss {}, where the best constant answer costs {}", short(last), short(scale.chance)))
            .help("change what the other findings name; if there is none, either the inputs do not tell the targets, or their rows do not belong together")
    })
}

/// Raises N0502.
pub(in crate::diagnosis) fn still_improving(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses().collect();
    let skill = e.skill()?;
    // A callback that ends a run had its reason; a run that was ended by its plan may have been ended too soon.
    if !e.ended || e.curves.stopped.is_some() || losses.len() < 3 || skill > 0.95 {
        return None;
    }
    let (before, last) = (losses[losses.len() - 1 - losses.len().div_ceil(3)], losses[losses.len() - 1]);
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let validation: Vec<f64> = e.curves.epochs.iter().filter_map(|epoch| epoch.val_loss).collect();
    let (earlier, later) = validation.split_at(validation.len() - validation.len().div_ceil(3));
    let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    let helps = validation.is_empty() || least(later) < least(earlier);
    let gain = before - last;
    // A curve that levels off, as e^-t, has a third of its time and less than a fifth of its way before it where it has
    // gone two time constants; one that is cut short goes on as it did, with a third of its way in a third of its time. It
    // matters where it has gone less than a quarter of the way from guessing to right.
    let way = losses[0].max(e.first.as_ref().map_or(losses[0], |first| first.loss)) - last;
    // Small gains are gains where each epoch has one: of five numbers in a row that happens once in 120 times by chance.
    let steady = losses.len() >= 5 && losses.windows(2).all(|pair| pair[1] < pair[0]);
    // Slow is what cannot have moved its weights by as much as they are large, all steps in one direction.
    let slow = e.steps() as f64 * super::progress::step(e).unwrap_or(0.0) < 1.0;
    let gains = gain > 0.02 * before.abs() || (steady && (gain > 0.2 * way || slow));
    (last <= best && helps && gains).then(|| {
        // What has learned nothing in large steps may be learning its rows by heart.
        let cut = slow || (skill >= LEARNED && gain > 0.2 * way);
        let severity = match skill < 0.25 && cut {
            true => Severity::Warning,
            false => Severity::Note,
        };
        Finding::draft("it was still learning when it ended")
            .at_most(severity)
            .saw(format!(
                "the loss fell by {} % in the last third, to {}",
                short(100.0 * gain / before.abs()),
                short(last)
            ))
            .mend("more epochs", Remedy::Epochs(4))
            .mend(
                format!("a learning rate of {}", short(5.0 * e.plan.learning_rate)),
                Remedy::LearningRate(5.0 * e.plan.learning_rate),
            )
    })
}

/// Raises N0503.
pub(in crate::diagnosis) fn overfitting(e: &Evidence) -> Option<Finding> {
    let validation: Vec<f64> = e.curves.epochs.iter().filter_map(|epoch| epoch.val_loss).collect();
    let rows = e.data.validation.as_ref().map_or(usize::MAX, |part| part.rows);
    if !e.ended || validation.len() < 6 || validation.len() != e.curves.epochs.len() || rows < 8 {
        return None;
    }
    let (place, best) = validation.iter().copied().enumerate().min_by(|a, b| a.1.total_cmp(&b.1))?;
    let tail = &validation[validation.len() - 3..];
    let training: Vec<f64> = e.curves.losses().collect();
    let falling = training[training.len() - 1] < training[place];
    // A fifth more, and a tenth of what knowing the answer is worth: a loss of 0.02 that grows to 0.03 harms nobody.
    let worse = |loss: &f64| *loss > 1.2 * best && *loss - best > 0.1 * e.span();
    (2 * place < validation.len() && tail.iter().all(worse) && falling).then(|| {
        Finding::draft("it learned its training data by heart")
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
