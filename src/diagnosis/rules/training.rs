//! The first batch, and what stops a training while it runs.

use super::super::evidence::{Epoch, Evidence, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::config::guess;
use super::{cuts, if_failing, short};
use crate::activation::Activation;

/// −ln(1e-7): what a row costs whose true class has a probability at the clip.
const CLIP: f64 = 16.118_095_650_958_32;

/// Raises N0301.
pub(in crate::diagnosis) fn first_loss(e: &Evidence) -> Option<Finding> {
    let (first, guess) = (e.first.as_ref()?, guess(e)?);
    let loss = first.loss - e.plan.penalty;
    // Weights as initializers draw them give scores of about 1, which add at most about 1 to what guessing costs.
    let large = loss > guess + 2.0 || loss > 3.0 * guess;
    large.then(|| {
        let severity = if first.sums.is_some_and(|sums| sums > 30.0) { Severity::Warning } else { if_failing(e, Severity::Warning) };
        Finding::draft("the first loss is far above that of guessing").at_most(severity)
            .saw(format!("loss of the first batch {}, where guessing would cost {}", short(loss), short(guess)))
            .help("scores far from 0 before anything was learned: look at the inputs' scale and the first weights")
    })
}

/// Raises N0302.
pub(in crate::diagnosis) fn clipped(e: &Evidence) -> Option<Finding> {
    let epoch = e.curves.epochs.last()?;
    (epoch.clipped > 0.3).then(|| {
        Finding::draft("wrong answers with a probability clipped at 1e-7")
            .saw(format!("{} of {} rows looked at", (epoch.clipped * epoch.rows as f64).round(), epoch.rows))
            .saw("each costs −ln(1e-7) = 16.118, and the clip passes on no gradient")
            .help("smaller scores: normalised inputs, a linear last layer; or a loss `.from_logits(true)`, which has no clip")
    })
}

/// Raises N0303.
pub(in crate::diagnosis) fn no_gradient(e: &Evidence) -> Option<Finding> {
    // Where the numbers left all bounds, what they were before says little, and N0401 tells it.
    let epoch = e.curves.epochs.last().filter(|_| e.steps() >= 3 && e.curves.diverged.is_none())?;
    let far = e.above_floor(epoch.loss - epoch.penalty) > 1e-3 * e.span();
    let differ = e.data.targets.deviation > 0.0;
    if !far || !differ || e.weighted().next().is_none() {
        return None;
    }
    let number = e.curves.epochs.len();
    // A few batches are looked at, and one may be all of rows that are right, or of rows that no unit fires for: so in two
    // epochs, where there are as many.
    let none = |epoch: &Epoch| epoch.gradient == 0.0 && epoch.idle > 1e-6 * e.span();
    if e.curves.epochs.iter().rev().take(2).all(none) && (number > 1 || e.ended) {
        let norms: Vec<String> =
            e.weighted().map(|(layer, _)| format!("{} {}", layer.name, short(layer.look.gradient))).collect();
        return Some(
            Finding::draft("no gradient reaches any weight")
                .saw(format!("rms of the gradient   {}   in epoch {number}", norms.join("   ")))
                .help("find where it ends: a clip, a relu that is 0 for all rows, a saturated unit"),
        );
    }
    (e.failing() && epoch.spread < 1e-7 * epoch_size(e)).then(|| {
        let finding = Finding::draft("the output is the same for every input").saw(format!(
            "standard deviation of the outputs over rows {} in epoch {number}",
            short(epoch.spread)
        ));
        // What f32 keeps of a number are 7 digits: below that rows are one point.
        let point = |layer: &&LayerFacts| !layer.is_view && layer.look.rows > 1 && layer.look.spread < 1e-7;
        match e.layers.iter().find(point) {
            Some(layer) if Some(layer.index) != e.output().map(|output| output.index) => finding
                .at(layer)
                .saw(format!("`{}` is the first layer that all rows leave as the same point", layer.name)),
            _ => finding,
        }
        .help("look before that layer: dead or saturated units, inputs that do not vary")
    })
}

/// The size of the outputs, at least a millionth of the targets'.
fn epoch_size(e: &Evidence) -> f64 {
    e.output().map_or(1.0, |layer| layer.look.rms).max(1e-6 * e.data.targets.deviation)
}

/// Raises N0401.
pub(in crate::diagnosis) fn not_finite(e: &Evidence) -> Option<Finding> {
    let why = e.curves.diverged.as_ref()?;
    let losses: Vec<String> = e.curves.losses().rev().take(5).map(short).collect();
    let mut finding = Finding::draft("a number is no longer finite").saw(why.clone());
    if !losses.is_empty() {
        finding = finding.saw(format!("losses of the epochs before, the last first: {}", losses.join(", ")));
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
    let severity = match () {
        () if c > 10.0 * first && rising => Severity::Error,
        // Noise halves and doubles single batches, not three epochs in a row.
        () if a.min(b).min(c) > 2.0 * best && c > first => Severity::Warning,
        () => return None,
    };
    let finding = Finding::draft("the loss grows").at_most(severity).saw(format!(
        "first batch {}, best epoch {}, the last three {}, {}, {}",
        short(first),
        short(best),
        short(a),
        short(b),
        short(c)
    ));
    Some(slower(finding, e))
}

/// Adds what helps where steps are so large that the numbers grow.
fn slower(finding: Finding, e: &Evidence) -> Finding {
    let rate = e.plan.learning_rate / 10.0;
    let text = format!("a learning rate of {}, or `.clip_norm(1.0)`", short(rate));
    finding.mend(text, Remedy::LearningRate(rate))
}

/// Raises N0403.
pub(in crate::diagnosis) fn constant_loss(e: &Evidence) -> Option<Finding> {
    let loss = e.constant()?;
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
            format!("= {wrong:.4} · −ln(1e-7): every wrong row is at the clip")
        }
        (Task::Classes, _)
            if clipped <= 1.0 && epoch.clipped > 0.0 && (clipped - epoch.clipped).abs() < 0.05 =>
        {
            format!("= {clipped:.4} · −ln(1e-7): that share of the rows is wrong and at the clip")
        }
        (Task::Classes | Task::Binary, _) if guess(e).is_some_and(near) => {
            let zeros = epoch.zero_logits;
            let dead = if zeros > 0.99 { ", as all logits are 0" } else { "" };
            format!(
                "= ln {}: all classes are held equally likely{dead}",
                guess(e).map_or(0.0, f64::exp).round()
            )
        }
        (Task::Classes, _) if epoch.clipped > 0.0 && guess(e).is_some() => {
            let part = guess(e).unwrap_or_default();
            let share = (bare - part) / (CLIP - part);
            format!(
                "≈ {share:.4} · −ln(1e-7) + {:.4} · {part:.4}: a share of the rows at the clip, the rest undecided",
                1.0 - share
            )
        }
        _ if e.data.targets.scale.is_some_and(|scale| near(scale.chance)) => {
            "what the best constant answer costs".into()
        }
        _ => "no epoch changes it".into(),
    };
    Some(
        Finding::draft("the loss does not move")
            .saw(format!("loss constant at {loss:.4} {which}"))
            .help("nothing is learned any more: stop, and change what the findings above name"),
    )
}

fn is_relu(layer: &LayerFacts) -> bool {
    layer.activation.is_some_and(cuts) && !layer.look.alive.is_empty()
}

/// Raises N0404.
pub(in crate::diagnosis) fn dead_units(e: &Evidence) -> Option<Finding> {
    let epoch = e.curves.epochs.len();
    if epoch == 0 {
        return None;
    }
    let dead = |layer: &LayerFacts| layer.look.alive.iter().filter(|alive| !**alive).count();
    let share = |layer: &LayerFacts| dead(layer) as f64 / layer.look.alive.len() as f64;
    let layer =
        e.layers.iter().filter(|layer| is_relu(layer)).max_by(|a, b| share(a).total_cmp(&share(b)))?;
    let (count, units) = (dead(layer), layer.look.alive.len());
    // Half the units of a wide layer may rest; a layer without one that fires passes nothing on.
    let severity = match () {
        () if count == units => Severity::Error,
        () if 2 * count > units => if_failing(e, Severity::Warning),
        () => return None,
    };
    let start =
        layer.alive_first.map(|alive| format!("; {} in the first epoch", units - alive)).unwrap_or_default();
    Some(
        Finding::draft("units that never fire")
            .at_most(severity)
            .at(layer)
            .saw(format!(
                "{count} of {units} were 0 for all {} rows looked at in epoch {epoch}{start}",
                layer.look.rows
            ))
            .mend(
                "`Activation::LeakyRelu { negative_slope: 0.1 }`",
                Remedy::Activation {
                    layer: layer.index,
                    activation: Activation::LeakyRelu { negative_slope: 0.1 },
                },
            )
            .mend(
                format!("a learning rate of {}", short(e.plan.learning_rate / 10.0)),
                Remedy::LearningRate(e.plan.learning_rate / 10.0),
            )
            .mend("normalised inputs", Remedy::NormalizeInputs),
    )
}

/// Raises N0405.
pub(in crate::diagnosis) fn saturated_units(e: &Evidence) -> Option<Finding> {
    let last = e.output()?.index;
    let squashes = |layer: &&LayerFacts| {
        matches!(layer.activation, Some(Activation::Sigmoid | Activation::Tanh))
            && layer.index != last
            && layer.look.rows > 0
            && !layer.is_recurrent
    };
    // Beyond 5 the slope of a sigmoid is below 0.007, and that of tanh below 0.0002.
    let stuck = |layer: &LayerFacts| {
        let bound = 0.95 * layer.look.rows as f64;
        layer.look.saturated.iter().filter(|count| f64::from(**count) >= bound).count()
    };
    let epoch = e.curves.epochs.len();
    let layer =
        e.layers.iter().filter(squashes).find(|layer| 2 * stuck(layer) > layer.look.saturated.len())?;
    Some(
        Finding::draft("units at the flat end of their function")
            .at_most(if_failing(e, Severity::Warning))
            .at(layer)
            .saw(format!(
                "{} of {} in at least 95 % of {} rows looked at in epoch {}",
                stuck(layer),
                layer.look.saturated.len(),
                layer.look.rows,
                epoch.max(1)
            ))
            .help(
                "normalised inputs, smaller first weights or a smaller learning rate; relu in hidden layers",
            ),
    )
}
