//! Rules about the first batch, and about faults that stop a running training.

use super::super::evidence::{Epoch, Evidence, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::config::guess;
use super::{cuts, if_failing, short};
use crate::activation::Activation;

/// −ln(1e-7): the loss of a row whose true class has a clipped probability.
const CLIP: f64 = 16.118_095_650_958_32;

/// Raises N0301.
pub(in crate::diagnosis) fn first_loss(e: &Evidence) -> Option<Finding> {
    let (first, guess) = (e.first.as_ref()?, guess(e)?);
    let loss = first.loss - e.plan.penalty;
    // Usual initial weights make scores of about 1, which add at most about 1 to the cost of guessing.
    let large = loss > guess + 2.0 || loss > 3.0 * guess;
    large.then(|| {
        let severity = if first.sums.is_some_and(|sums| sums > 30.0) {
            Severity::Warning
        } else {
            if_failing(e, Severity::Warning)
        };
        Finding::draft("the first loss is far above that of guessing")
            .at_most(severity)
            .evidence(format!("loss of the first batch {}; guessing costs {}", short(loss), short(guess)))
            .suggestion(
                "check the scale of the inputs and the initial weights, which make the scores far from 0",
            )
    })
}

/// Raises N0302.
pub(in crate::diagnosis) fn clipped(e: &Evidence) -> Option<Finding> {
    let epoch = e.curves.epochs.last()?;
    (epoch.clipped > 0.3).then(|| {
        Finding::draft("wrong predictions with a probability clipped at 1e-7")
            .evidence(format!("{} of {} sampled rows", (epoch.clipped * epoch.rows as f64).round(), epoch.rows))
            .evidence("each costs −ln(1e-7) = 16.118 and has no gradient")
            .suggestion("make the scores smaller: normalize the inputs and use a linear last layer; or set `.from_logits(true)` on the loss, which does not clip")
    })
}

/// Raises N0303.
pub(in crate::diagnosis) fn no_gradient(e: &Evidence) -> Option<Finding> {
    // After a divergence the previous values mean little, and N0401 reports it.
    let epoch = e.curves.epochs.last().filter(|_| e.steps() >= 3 && e.curves.diverged.is_none())?;
    let far = e.above_floor(epoch.loss - epoch.penalty) > 1e-3 * e.span();
    let differ = e.data.targets.deviation > 0.0;
    if !far || !differ || e.weighted().next().is_none() {
        return None;
    }
    let number = e.curves.epochs.len();
    // Only a few batches are sampled, and all rows of one may be right, or activate no unit. So this checks two epochs,
    // if there are two.
    let none = |epoch: &Epoch| epoch.gradient == 0.0 && epoch.zero_gradient_loss > 1e-6 * e.span();
    if e.curves.epochs.iter().rev().take(2).all(none) && (number > 1 || e.ended) {
        let norms: Vec<String> = e
            .weighted()
            .map(|(layer, _)| format!("{} {}", layer.name, short(layer.sample.gradient)))
            .collect();
        return Some(
            Finding::draft("no gradient reaches any weight")
                .evidence(format!("root mean square of the gradient in epoch {number}: {}", norms.join(", ")))
                .suggestion("find where the gradient becomes 0: a clipped loss, a relu that is 0 for all rows, or a saturated unit"),
        );
    }
    let deviation = epoch.output_deviation?;
    (e.failing() && deviation < 1e-7 * epoch_size(e)).then(|| {
        let finding = Finding::draft("the output is the same for every input").evidence(format!(
            "standard deviation of the outputs over all rows in epoch {number}: {}",
            short(deviation)
        ));
        // f32 has 7 digits: below that all rows are the same point.
        let point = |layer: &&LayerFacts| {
            !layer.is_view && layer.sample.rows > 1 && layer.sample.spread.is_some_and(|spread| spread < 1e-7)
        };
        match e.layers.iter().find(point) {
            Some(layer) if Some(layer.index) != e.output().map(|output| output.index) => finding
                .at(layer)
                .evidence(format!("`{}` is the first layer with the same output for all rows", layer.name)),
            _ => finding,
        }
        .suggestion("check for dead or saturated units, and for inputs that do not vary")
    })
}

/// The size of the outputs, at least a millionth of the targets'.
fn epoch_size(e: &Evidence) -> f64 {
    e.output().map_or(1.0, |layer| layer.sample.rms).max(1e-6 * e.data.targets.deviation)
}

/// Raises N0401.
pub(in crate::diagnosis) fn not_finite(e: &Evidence) -> Option<Finding> {
    let why = e.curves.diverged.as_ref()?;
    let losses: Vec<String> = e.curves.losses().rev().take(5).map(short).collect();
    let mut finding = Finding::draft("a value became NaN or infinite").evidence(why.clone());
    if !losses.is_empty() {
        finding =
            finding.evidence(format!("losses of the previous epochs, latest first: {}", losses.join(", ")));
    }
    Some(slower(finding, e))
}

/// Raises N0402.
pub(in crate::diagnosis) fn diverging(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses().collect();
    let [.., a, b, c] = *losses else { return None };
    let best = losses.iter().copied().fold(f64::INFINITY, f64::min);
    let first = e.first.as_ref().map_or(losses[0], |first| first.loss);
    let rising = a < b && b < c;
    // Ratios mean nothing for a loss that can fall below 0, so there the span of the losses before counts.
    let before = losses[..losses.len() - 3].iter().copied().chain([first]);
    let (low, high) =
        before.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), x| (low.min(x), high.max(x)));
    let signed = low.min(best) <= 0.0;
    let severity = match () {
        () if signed && high > low && rising && c > high + 10.0 * (high - low) => Severity::Error,
        () if signed && high > low && a.min(b).min(c) > high + (high - low) => Severity::Warning,
        () if signed => return None,
        () if c > 10.0 * first && rising => Severity::Error,
        // Noise halves and doubles single batches, not three epochs in a row.
        () if a.min(b).min(c) > 2.0 * best && c > first => Severity::Warning,
        () => return None,
    };
    let finding = Finding::draft("the loss increases").at_most(severity).evidence(format!(
        "loss of the first batch {}, best epoch {}, last three epochs {}, {}, {}",
        short(first),
        short(best),
        short(a),
        short(b),
        short(c)
    ));
    Some(slower(finding, e))
}

/// Adds the suggestions against steps that are too large.
fn slower(finding: Finding, e: &Evidence) -> Finding {
    let Some(rate) = e.plan.learning_rate.map(|rate| rate / 10.0) else { return finding };
    let text = format!("use a learning rate of {}, or `.clip_norm(1.0)`", short(rate));
    finding.remedy(text, Remedy::LearningRate(rate))
}

/// Raises N0403.
pub(in crate::diagnosis) fn constant_loss(e: &Evidence) -> Option<Finding> {
    let loss = e.stuck()?;
    if e.last_skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    let penalty = e.curves.epochs.last().map_or(0.0, |epoch| epoch.penalty);
    let bare = loss - penalty;
    let near = |value: f64| (bare - value).abs() <= 1e-3 * value.abs().max(1e-9);
    let epoch = e.curves.epochs.last()?;
    let wrong = epoch.accuracy.map(|accuracy| 1.0 - accuracy);
    let clipped = bare / CLIP;
    let which = match (e.plan.task, wrong) {
        (Task::Classes | Task::Binary, Some(wrong)) if near(wrong * CLIP) && wrong > 0.0 => {
            format!("= {wrong:.4} · −ln(1e-7): every wrong row is clipped")
        }
        (Task::Classes, _)
            if clipped <= 1.0 && epoch.clipped > 0.0 && (clipped - epoch.clipped).abs() < 0.05 =>
        {
            format!("= {clipped:.4} · −ln(1e-7): that share of the rows is wrong and clipped")
        }
        (Task::Classes | Task::Binary, _) if guess(e).is_some_and(near) => {
            let zeros = epoch.zero_logits;
            let dead = if zeros > 0.99 { ", because all logits are 0" } else { "" };
            format!(
                "= ln {}: all classes have the same probability{dead}",
                guess(e).map_or(0.0, f64::exp).round()
            )
        }
        (Task::Classes, _) if epoch.clipped > 0.0 && guess(e).is_some() => {
            let part = guess(e).unwrap_or_default();
            let share = (bare - part) / (CLIP - part);
            format!(
                "≈ {share:.4} · −ln(1e-7) + {:.4} · {part:.4}: some rows are clipped, and the rest have equal probabilities",
                1.0 - share
            )
        }
        _ if e.data.targets.scale.is_some_and(|scale| near(scale.baseline)) => {
            "= the loss of the best constant prediction".into()
        }
        _ => "for three epochs".into(),
    };
    Some(
        Finding::draft("the loss is constant")
            .evidence(format!("loss constant at {loss:.4} {which}"))
            .suggestion("stop the training, and fix the causes that the other findings name"),
    )
}

fn is_relu(layer: &LayerFacts) -> bool {
    layer.activation.is_some_and(cuts) && !layer.sample.alive.is_empty()
}

/// Raises N0404.
pub(in crate::diagnosis) fn dead_units(e: &Evidence) -> Option<Finding> {
    let epoch = e.curves.epochs.len();
    if epoch == 0 {
        return None;
    }
    let dead = |layer: &LayerFacts| layer.sample.alive.iter().filter(|alive| !**alive).count();
    let share = |layer: &LayerFacts| dead(layer) as f64 / layer.sample.alive.len() as f64;
    let layer =
        e.layers.iter().filter(|layer| is_relu(layer)).max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let (count, units) = (dead(layer), layer.sample.alive.len());
    let rate = e.plan.learning_rate? / 10.0;
    // Half the units of a wide layer may be inactive, but a layer without an active unit has a constant output.
    let severity = match () {
        () if count == units => Severity::Error,
        () if 2 * count > units => if_failing(e, Severity::Warning),
        () => return None,
    };
    let start =
        layer.alive_first.map(|alive| format!("; {} in the first epoch", units - alive)).unwrap_or_default();
    Some(
        Finding::draft("dead units")
            .at_most(severity)
            .at(layer)
            .evidence(format!(
                "{count} of {units} units were 0 for all {} sampled rows in epoch {epoch}{start}",
                layer.sample.rows
            ))
            .remedy(
                "use `Activation::LeakyRelu { negative_slope: 0.1 }`",
                Remedy::Activation {
                    layer: layer.index,
                    activation: Activation::LeakyRelu { negative_slope: 0.1 },
                },
            )
            .remedy(format!("use a learning rate of {}", short(rate)), Remedy::LearningRate(rate))
            .remedy("normalize the inputs", Remedy::NormalizeInputs),
    )
}

/// Raises N0405.
pub(in crate::diagnosis) fn saturated_units(e: &Evidence) -> Option<Finding> {
    let last = e.output()?.index;
    let squashes = |layer: &&LayerFacts| {
        matches!(layer.activation, Some(Activation::Sigmoid | Activation::Tanh))
            && layer.index != last
            && !layer.is_recurrent
    };
    // Beyond 5 the slope of a sigmoid is below 0.007, and that of tanh is below 0.0002.
    let epoch = e.curves.epochs.len();
    let layer = e.layers.iter().filter(squashes).find(|layer| layer.is_saturated())?;
    Some(
        Finding::draft("saturated units")
            .at_most(if_failing(e, Severity::Warning))
            .at(layer)
            .evidence(format!(
                "{} of {} units are saturated for at least 95 % of {} sampled rows in epoch {}",
                layer.saturated_units(),
                layer.sample.saturated.len(),
                layer.sample.rows,
                epoch.max(1)
            ))
            .suggestion(
                "normalize the inputs, use smaller initial weights or a lower learning rate, or use relu in hidden layers",
            ),
    )
}
