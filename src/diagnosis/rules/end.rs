//! Rules about the end of a run.

use super::super::evidence::{Evidence, LEARNED, OutputError};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::short;

/// Raises N0505.
pub(in crate::diagnosis) fn simpler_is_better(e: &Evidence) -> Option<Finding> {
    let simple = e.simple_predictors()?;
    e.is_beaten().then(|| {
        let is_best = |error: Option<f64>| error.is_some_and(|error| error <= simple.best());
        let what = match simple.feature {
            Some((feature, error)) if is_best(Some(error)) => format!("feature {feature} used as the prediction"),
            _ if is_best(simple.linear) => "a linear model".into(),
            _ => "the mean, or most frequent class, of the five nearest rows".into(),
        };
        let share = |error: f64| short(100.0 * error);
        Finding::draft("a simple predictor is better than the network")
            .evidence(format!(
                "on {} training rows: error of the network {} % of that of a constant prediction, of {what} {} %",
                simple.rows,
                share(simple.network),
                share(simple.best())
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

/// An output that learned nothing beside a much larger one, whose errors outweigh its own.
fn unlearned_output(e: &Evidence) -> Option<Finding> {
    let outputs = &e.simple_predictors()?.outputs;
    let varying = || outputs.iter().enumerate().filter(|(_, output)| output.deviation > 0.0);
    let (large, best) = varying().max_by(|a, b| a.1.deviation.total_cmp(&b.1.deviation))?;
    let lost = |output: &OutputError| output.error > 0.9 && output.deviation < 0.1 * best.deviation;
    let (small, worst) = varying().find(|(_, output)| lost(output)).filter(|_| best.error < 0.5)?;
    Some(
        Finding::draft("the network learned only the largest of several targets")
            .at_most(Severity::Warning)
            .evidence(format!(
                "target {large}: standard deviation {}, error {} % of that of a constant; target {small}: {}, {} %",
                short(best.deviation),
                short(100.0 * best.error),
                short(worst.deviation),
                short(100.0 * worst.error)
            ))
            .remedy("scale each target to mean 0 and standard deviation 1", Remedy::StandardizeTargets),
    )
}

/// Raises N0501.
pub(in crate::diagnosis) fn learned_nothing(e: &Evidence) -> Option<Finding> {
    if e.learns_no_relation() && e.data.validation.is_none() {
        let simple = e.simple_predictors()?;
        return Some(
            Finding::draft("the network memorizes the training rows, and x and y show no relation")
                .at_most(Severity::Warning)
                .evidence(format!(
                    "training skill {} %; on {} rows, the best simple predictor has {} % of the error of a constant prediction",
                    short(100.0 * e.skill()?),
                    simple.rows,
                    short(100.0 * simple.best())
                ))
                .suggestion("check that the rows of x and y belong together, and that x determines y; use validation data"),
        );
    }
    if e.memorizes() && !has_few_rows(e) {
        let own = e.data.validation.as_ref().and_then(|part| part.scale);
        let scale = own.or(e.data.targets.scale)?;
        let least = e.curves.validation_losses().fold(f64::INFINITY, f64::min);
        let last = e.curves.losses_without_penalty().next_back()?;
        return Some(
            Finding::draft("what the network learned does not generalize to the validation data")
                .at_most(Severity::Warning)
                .evidence(format!(
                    "lowest validation loss {}, loss of the best constant prediction for these rows {}, final training loss {}",
                    short(least),
                    short(scale.baseline),
                    short(last)
                ))
                .suggestion("check that the rows of x and y belong together in both parts, that both are prepared alike, and that x determines y; if all hold, use more rows or a smaller network"),
        );
    }
    if let Some(finding) = unlearned_output(e) {
        return Some(finding);
    }
    let (skill, scale) = (e.skill()?, e.data.targets.scale?);
    (e.ended && skill < LEARNED && !e.has_learned() && e.failing()).then(|| {
        let last = e.curves.losses().next_back().unwrap_or(f64::NAN);
        let unrelated = e.simple_predictors().filter(|own| own.explained() < 0.2);
        let finding = Finding::draft(match unrelated {
            Some(_) => "the network learned nothing, and x and y show no relation",
            None => "the network learned nothing",
        });
        let finding = unrelated.into_iter().fold(finding, |finding, own| {
            let (correlation, rows) = (short(own.correlation), own.rows);
            finding.evidence(format!("the best simple predictor has a correlation of {correlation} with the targets of {rows} rows"))
        });
        finding
            .evidence(format!("final loss {}; loss of the best constant prediction {}", short(last), short(scale.baseline)))
            .suggestion("fix the causes that the other findings name; if there are none, check that the rows of x and y belong together and that x determines y")
    })
}

/// The suffix for losses that are printed without a penalty.
fn without_penalty(e: &Evidence) -> &'static str {
    if e.curves.epochs.iter().any(|epoch| epoch.penalty != 0.0) { " without its penalty" } else { "" }
}

/// The losses of a run, read for whether it ended too soon.
struct Progress {
    /// The loss before the last third of the epochs.
    before: f64,
    last: f64,
    /// What the last third gained, and all epochs.
    gain: f64,
    way: f64,
    /// Whether the last epoch is the best.
    ends_best: bool,
    /// Whether every epoch gained.
    is_steady: bool,
}

impl Progress {
    fn of(e: &Evidence) -> Option<Progress> {
        let losses: Vec<f64> = e.curves.losses_without_penalty().collect();
        let [first, .., last] = *losses else { return None };
        let before = losses[losses.len() - 1 - losses.len().div_ceil(3)];
        let start = first.max(e.first.as_ref().map_or(first, |batch| batch.loss - e.plan.penalty));
        Some(Progress {
            before,
            last,
            gain: before - last,
            way: start - last,
            ends_best: losses.iter().all(|loss| last <= *loss),
            // Five numbers are in order by chance once in 120 times.
            is_steady: losses.len() >= 5 && losses.windows(2).all(|pair| pair[1] < pair[0]),
        })
    }

    /// Whether the last third made more than a fifth of the progress. A curve that levels off as e^-t makes less in the last
    /// third of two time constants; one that is cut short makes a third.
    fn is_steep(&self) -> bool {
        self.gain > 0.2 * self.way
    }

    fn text(&self, e: &Evidence) -> String {
        format!(
            "the loss{} decreased by {} % in the last third of the epochs, to {}",
            without_penalty(e),
            short(100.0 * self.gain / self.before.abs()),
            short(self.last)
        )
    }
}

/// Raises N0502.
pub(in crate::diagnosis) fn still_improving(e: &Evidence) -> Option<Finding> {
    // A run that memorizes gains nothing from more epochs.
    if !e.ended || e.skill()? > 0.95 || e.memorizes() {
        return None;
    }
    let progress = Progress::of(e)?;
    match &e.curves.stopped {
        Some(reason) => stopped_too_soon(e, &progress, reason),
        None if e.curves.epochs.len() >= 3 => cut_short(e, &progress),
        None => None,
    }
}

fn least(losses: &[f64]) -> f64 {
    losses.iter().copied().fold(f64::INFINITY, f64::min)
}

/// A callback ends a run for a reason, such as a validation loss that no longer falls. It ended too soon if both losses fell to
/// the end, and much of the run was progress.
fn stopped_too_soon(e: &Evidence, progress: &Progress, reason: &str) -> Option<Finding> {
    let validation: Vec<f64> = e.curves.validation_losses().collect();
    let held = validation.last().is_none_or(|last| *last <= least(&validation));
    let steep = progress.is_steep() && e.result().is_some_and(|skill| skill < 0.75);
    (progress.ends_best && held && steep).then(|| {
        Finding::draft("the training was stopped while the loss was decreasing")
            .at_most(Severity::Warning)
            .evidence(format!("{}, when it was stopped: {reason}", progress.text(e)))
            .suggestion("raise the `patience`, and lower the `min_delta`, of `EarlyStopping`")
    })
}

/// The planned epochs ended while the loss was decreasing, and the run has made less than a quarter of the possible improvement
/// over guessing.
fn cut_short(e: &Evidence, progress: &Progress) -> Option<Finding> {
    let validation: Vec<f64> = e.curves.validation_losses().collect();
    let (earlier, later) = validation.split_at(validation.len() - validation.len().div_ceil(3));
    let helps = validation.is_empty() || least(later) < least(earlier);
    // Slow: the weights cannot have moved by their own size, even if all steps had one direction.
    let slow = e.steps() as f64 * super::progress::step(e).unwrap_or(0.0) < 1.0;
    // Small gains count if every epoch has one.
    let gains =
        progress.gain > 0.02 * progress.before.abs() || (progress.is_steady && (progress.is_steep() || slow));
    let (skill, faster) = (e.skill()?, 5.0 * e.plan.learning_rate?);
    (progress.ends_best && helps && gains).then(|| {
        // Large steps without skill may be memorizing.
        // Gains of hundredths may be all that a weak relation leaves to learn.
        let is_large = progress.gain > 0.02 * progress.before.abs();
        // A curve that levels off gains less in each third to come, so that as many epochs again gain less than three times as much
        // as the last third. A tenth of the possible improvement is worth a report.
        let is_worth = 3.0 * progress.gain > 0.1 * e.span();
        let cut = match progress.is_steep() {
            true => slow || (skill >= LEARNED && is_large),
            false => slow && (is_worth || !e.has_learned()),
        };
        let is_sure = cut && !has_few_rows(e) && (skill < 0.25 || e.is_beaten());
        Finding::draft("the loss was still decreasing at the end")
            .at_most(if is_sure { Severity::Warning } else { Severity::Note })
            .evidence(progress.text(e))
            .remedy("train for more epochs", Remedy::Epochs(4))
            .remedy(format!("use a learning rate of {}", short(faster)), Remedy::LearningRate(faster))
    })
}

/// Raises N0503.
pub(in crate::diagnosis) fn overfitting(e: &Evidence) -> Option<Finding> {
    let validation_rows = e.data.validation.as_ref().map_or(0, |part| part.rows);
    let few = has_few_rows(e) && validation_rows >= 16;
    // A network that learned all that there is of its rows, and little of others.
    let all = e.skill().is_some_and(|skill| skill > 0.9) && validation_rows >= 32;
    if (few || all) && e.ended && e.loses_on_validation() {
        let which = if few { "a few rows" } else { "the training rows" };
        return Some(
            Finding::draft(format!("overfitting: the network memorizes {which}"))
                .evidence(format!(
                    "{} training rows; the validation skill is less than half of the training skill",
                    e.data.rows
                ))
                .suggestion("use more rows, or a model with fewer parameters"),
        );
    }
    let validation: Vec<f64> = e.curves.validation_losses().collect();
    let has_few = e.data.validation.as_ref().is_some_and(|part| part.rows < 8);
    if !e.ended || validation.len() < 6 || validation.len() != e.curves.epochs.len() || has_few {
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
