//! Rules about the end of a run.

use super::super::evidence::{Evidence, LEARNED};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::short;

/// Raises N0505.
pub(in crate::diagnosis) fn simpler_is_better(e: &Evidence) -> Option<Finding> {
    let baselines = e.inference.as_ref()?.baselines.as_ref()?;
    e.is_beaten().then(|| {
        let is_best = |error: Option<f64>| error.is_some_and(|error| error <= baselines.best());
        let what = match baselines.feature {
            Some((feature, error)) if is_best(Some(error)) => format!("feature {feature} used as the prediction"),
            _ if is_best(baselines.linear) => "a linear model".into(),
            _ => "the mean, or most frequent class, of the five nearest rows".into(),
        };
        let share = |error: f64| short(100.0 * error);
        Finding::draft("a simple predictor is better than the network")
            .evidence(format!(
                "on {} training rows: error of the network {} % of that of a constant prediction, of {what} {} %",
                baselines.rows,
                share(baselines.network),
                share(baselines.best())
            ))
            .suggestion("fix the causes that the other findings name; if there are none, train for longer, change the learning rate, or use the simpler model")
    })
}

/// The rows per class or output below which a network memorizes any data: ten for each estimated number is a rule of
/// thumb of regression (Peduzzi et al. 1996).
const FEW_ROWS: usize = 10;

/// Whether there are too few rows to learn from.
fn has_few_rows(e: &Evidence) -> bool {
    let outputs = e.output().and_then(|layer| layer.output.last().copied()).unwrap_or(1);
    e.data.rows < FEW_ROWS * outputs.max(2)
}

/// Raises N0501.
pub(in crate::diagnosis) fn learned_nothing(e: &Evidence) -> Option<Finding> {
    if e.learns_no_relation() && e.data.validation.is_none() {
        let baselines = e.inference.as_ref()?.baselines.as_ref()?;
        return Some(
            Finding::draft("the network memorizes the training rows, and x and y show no relation")
                .at_most(Severity::Warning)
                .evidence(format!(
                    "training skill {} %; on {} rows, the best simple predictor has {} % of the error of a constant prediction",
                    short(100.0 * e.skill()?),
                    baselines.rows,
                    short(100.0 * baselines.best())
                ))
                .suggestion("check that the rows of x and y belong together, and that x determines y; use validation data"),
        );
    }
    if e.memorizes() && !has_few_rows(e) {
        let scale = e.data.targets.scale?;
        let least = e.curves.validation_losses().fold(f64::INFINITY, f64::min);
        let last = e.curves.losses_without_penalty().next_back()?;
        return Some(
            Finding::draft("what the network learned does not generalize to the validation data")
                .at_most(Severity::Warning)
                .evidence(format!(
                    "lowest validation loss {}, loss of the best constant prediction {}, final training loss {}",
                    short(least),
                    short(scale.baseline),
                    short(last)
                ))
                .suggestion("check that the rows of x and y belong together in both parts, that both are prepared alike, and that x determines y; if all hold, use more rows or a smaller network"),
        );
    }
    let (skill, scale) = (e.skill()?, e.data.targets.scale?);
    (e.ended && skill < LEARNED && !e.has_learned() && e.failing()).then(|| {
        let last = e.curves.losses().next_back().unwrap_or(f64::NAN);
        Finding::draft("the network learned nothing")
            .evidence(format!("final loss {}; loss of the best constant prediction {}", short(last), short(scale.baseline)))
            .suggestion("fix the causes that the other findings name; if there are none, check that the rows of x and y belong together and that x determines y")
    })
}

/// The suffix for losses that are printed without a penalty.
fn without_penalty(e: &Evidence) -> &'static str {
    if e.curves.epochs.iter().any(|epoch| epoch.penalty != 0.0) { " without its penalty" } else { "" }
}

/// Raises N0502.
pub(in crate::diagnosis) fn still_improving(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses_without_penalty().collect();
    let skill = e.skill()?;
    let stopped = e.curves.stopped.is_some();
    // A run that memorizes gains nothing from more epochs.
    if !e.ended || losses.len() < if stopped { 2 } else { 3 } || skill > 0.95 || e.memorizes() {
        return None;
    }
    let (before, last) = (losses[losses.len() - 1 - losses.len().div_ceil(3)], losses[losses.len() - 1]);
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let validation: Vec<f64> = e.curves.validation_losses().collect();
    let (earlier, later) = validation.split_at(validation.len() - validation.len().div_ceil(3));
    let least = |losses: &[f64]| losses.iter().copied().fold(f64::INFINITY, f64::min);
    let helps = validation.is_empty() || least(later) < least(earlier);
    let gain = before - last;
    // A curve that levels off as e^-t makes less than a fifth of its progress in the last third of two time constants.
    // A curve that is cut short makes a third of its progress in the last third. It matters only if the run has made less
    // than a quarter of the possible improvement over guessing.
    let way = losses[0].max(e.first.as_ref().map_or(losses[0], |first| first.loss - e.plan.penalty)) - last;
    // Small gains count if every epoch has one: five numbers are in order by chance once in 120 times.
    let steady = losses.len() >= 5 && losses.windows(2).all(|pair| pair[1] < pair[0]);
    // Slow: the weights cannot have moved by their own size, even if all steps had one direction.
    let slow = e.steps() as f64 * super::progress::step(e).unwrap_or(0.0) < 1.0;
    let gains = gain > 0.02 * before.abs() || (steady && (gain > 0.2 * way || slow));
    // A callback ends a run for a reason, such as a validation loss that no longer falls. It ended too soon if both losses fell to
    // the end, and much of the run was progress.
    if stopped {
        let held = validation.last().is_none_or(|last| *last <= least(&validation));
        let steep = gain > 0.2 * way && e.result().is_some_and(|skill| skill < 0.75);
        return (last <= best && held && steep).then(|| {
            Finding::draft("the training was stopped while the loss was decreasing")
                .at_most(Severity::Warning)
                .evidence(format!(
                    "the loss{} decreased by {} % in the last third of the epochs, to {}, when it was stopped: {}",
                    without_penalty(e),
                    short(100.0 * gain / before.abs()),
                    short(last),
                    e.curves.stopped.as_deref().unwrap_or_default()
                ))
                .suggestion("raise the `patience`, and lower the `min_delta`, of `EarlyStopping`")
        });
    }
    (last <= best && helps && gains).then(|| {
        // Large steps without skill may be memorizing.
        let cut = slow || (skill >= LEARNED && gain > 0.2 * way);
        let enough = !has_few_rows(e);
        let severity = match enough && cut && (skill < 0.25 || e.is_beaten()) {
            true => Severity::Warning,
            false => Severity::Note,
        };
        Finding::draft("the loss was still decreasing at the end")
            .at_most(severity)
            .evidence(format!(
                "the loss{} decreased by {} % in the last third of the epochs, to {}",
                without_penalty(e),
                short(100.0 * gain / before.abs()),
                short(last)
            ))
            .remedy("train for more epochs", Remedy::Epochs(4))
            .remedy(
                format!("use a learning rate of {}", short(5.0 * e.plan.learning_rate)),
                Remedy::LearningRate(5.0 * e.plan.learning_rate),
            )
    })
}

/// Raises N0503.
pub(in crate::diagnosis) fn overfitting(e: &Evidence) -> Option<Finding> {
    if has_few_rows(e)
        && e.data.validation.as_ref().is_some_and(|part| part.rows >= 16)
        && e.ended
        && e.loses_on_validation()
    {
        return Some(
            Finding::draft("overfitting: the network memorizes a few rows")
                .evidence(format!(
                    "{} training rows; the validation skill is less than half of the training skill",
                    e.data.rows
                ))
                .suggestion("use more rows, or a model with fewer parameters"),
        );
    }
    let validation: Vec<f64> = e.curves.validation_losses().collect();
    let rows = e.data.validation.as_ref().map_or(usize::MAX, |part| part.rows);
    if !e.ended || validation.len() < 6 || validation.len() != e.curves.epochs.len() || rows < 8 {
        return None;
    }
    let numbers = validation.iter().copied().enumerate().filter(|(_, loss)| !loss.is_nan());
    let (place, best) = numbers.min_by(|a, b| a.1.total_cmp(&b.1))?;
    let tail = &validation[validation.len() - 3..];
    let training: Vec<f64> = e.curves.losses_without_penalty().collect();
    let falling = training[training.len() - 1] < training[place];
    // A fifth more, and a tenth of the possible improvement: a loss that rises from 0.02 to 0.03 is harmless.
    let worse = |loss: &f64| *loss > 1.2 * best && *loss - best > 0.1 * e.span();
    (2 * place < validation.len() && tail.iter().all(worse) && falling).then(|| {
        Finding::draft("overfitting")
            .evidence(format!(
                "validation loss{} {} in epoch {}, {} at the end, while the training loss fell to {}",
                without_penalty(e),
                short(best),
                place + 1,
                short(tail[2]),
                short(training[training.len() - 1])
            ))
            .suggestion(
                "use `EarlyStopping::new().restore_best_weights(true)`, `Dropout`, a `Regularizer`, or more data",
            )
    })
}
