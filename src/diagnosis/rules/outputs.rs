//! Rules about the last layer, the loss and the labels: contradictions that no training overcomes.

use super::super::evidence::{Evidence, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::{Remedy, ReplacementLoss};
use super::{cuts, if_failing, short};
use crate::activation::Activation;

/// The range of an activation.
fn range(activation: Activation) -> Option<(f64, f64)> {
    match activation {
        Activation::Sigmoid | Activation::HardSigmoid | Activation::Softmax => Some((0.0, 1.0)),
        Activation::Tanh | Activation::HardTanh | Activation::Softsign => Some((-1.0, 1.0)),
        Activation::Relu6 => Some((0.0, 6.0)),
        Activation::Relu | Activation::Softplus | Activation::Exponential => Some((0.0, f64::INFINITY)),
        Activation::Elu { alpha } => Some((-alpha, f64::INFINITY)),
        Activation::Selu => Some((-1.7581, f64::INFINITY)),
        Activation::LogSigmoid | Activation::LogSoftmax => Some((f64::NEG_INFINITY, 0.0)),
        _ => None,
    }
}

/// The last activation, if it is known: a custom layer may have none.
fn last(e: &Evidence) -> Option<(&LayerFacts, Activation)> {
    let layer = e.output()?;
    layer.activation.map(|activation| (layer, activation))
}

/// Raises N0101.
pub(in crate::diagnosis) fn softmax_over_one_unit(e: &Evidence) -> Option<Finding> {
    let one = |layer: &&LayerFacts| {
        layer.activation == Some(Activation::Softmax) && !layer.is_view && layer.output.last() == Some(&1)
    };
    let layer = e.layers.iter().find(one)?;
    let targets = &e.data.targets;
    let (activation, name) = match targets.binary || e.plan.task == Task::Binary {
        true => (Activation::Sigmoid, "Activation::Sigmoid"),
        false => (Activation::Linear, "Activation::Linear"),
    };
    Some(
        Finding::draft("softmax over one unit is 1 for every input")
            .at(layer)
            .evidence("e^z / e^z = 1: the output cannot depend on the input, and its gradient is 0")
            .evidence(format!(
                "{} % of the targets are not 1",
                short(100.0 * (1.0 - targets.mean.clamp(0.0, 1.0)))
            ))
            .remedy(
                format!("use `.activation({name})` instead of the softmax"),
                Remedy::Activation { layer: layer.index, activation },
            ),
    )
}

/// Raises N0102.
pub(in crate::diagnosis) fn loss_needs_other_output(e: &Evidence) -> Option<Finding> {
    use Activation::{HardSigmoid, Sigmoid, Softmax};
    let (layer, activation) = last(e)?;
    if layer.output.last() == Some(&1) && activation == Softmax {
        return None; // reported as N0101
    }
    let of = |severity, title: String| {
        let finding = Finding::draft(title).at_most(severity).at(layer);
        match &e.first {
            Some(first) => finding.evidence(format!(
                "outputs of the first batch: {} to {}",
                short(first.output.0),
                short(first.output.1)
            )),
            None => finding,
        }
    };
    let set = |activation| Remedy::Activation { layer: layer.index, activation };
    let (loss, several) = (&e.plan.loss, e.data.targets.has_several_labels());
    let takes_logits = match e.plan.link? {
        Activation::Linear => false,
        Sigmoid | Softmax => true,
        _ => return None,
    };
    match (e.plan.task, takes_logits, activation) {
        (Task::Classes, ..) if several => None, // reported as N0105
        // A user's loss may take logarithms of probabilities.
        (_, false, Activation::LogSoftmax | Activation::LogSigmoid) if !e.plan.is_built_in => None,
        (Task::Classes | Task::Binary, true, Softmax | Sigmoid) => Some(
            of(Severity::Error, format!("`{loss}` takes logits, but the last layer ends in {activation}"))
                .evidence("the loss applies the activation a second time, so the probabilities hardly differ")
                .remedy("make the last layer linear", set(Activation::Linear)),
        ),
        (Task::Classes, false, Softmax) | (Task::Binary, false, Sigmoid | HardSigmoid) | (_, true, _) => None,
        (Task::Binary, false, Softmax) if several => Some(
            of(Severity::Error, "softmax outputs, which sum to 1, for several labels per row".into())
                .evidence(format!("the sums of the target rows reach {}", short(e.data.targets.row_sums.1)))
                .remedy("use `Activation::Sigmoid` in the last layer", set(Sigmoid)),
        ),
        (Task::Binary, false, Softmax) if e.data.targets.one_hot || e.data.targets.width > 1 => None,
        (Task::Classes, false, Sigmoid) => Some(
            of(Severity::Warning, format!("`{loss}` with sigmoid outputs, which do not sum to 1"))
                .remedy("use `Activation::Softmax` in the last layer", set(Softmax)),
        ),
        (Task::Classes, false, other) => Some(
            of(Severity::Error, format!("`{loss}` needs probabilities, but the last activation is {other}"))
                .evidence("the logarithm of a value that is not a probability does not measure the error")
                .remedy(
                    "use `Activation::Softmax` in the last layer, or set `.from_logits(true)` on the loss",
                    set(Softmax),
                ),
        ),
        (Task::Binary, false, other) => Some(
            of(Severity::Error, format!("`{loss}` needs a probability, but the last activation is {other}"))
                .evidence("the loss clips outputs outside (0, 1), where its gradient is 0")
                .remedy(
                    "use `Activation::Sigmoid` in the last layer, or set `.from_logits(true)` on the loss",
                    set(Sigmoid),
                ),
        ),
        (Task::Numbers, ..) => None,
    }
}

/// Raises N0103.
pub(in crate::diagnosis) fn activation_before_softmax(e: &Evidence) -> Option<Finding> {
    let output = e.output()?;
    // The layer whose activation feeds the softmax, or the sigmoid of a yes-or-no question, without weights between them.
    let end = |activation: &Activation| match activation {
        Activation::Softmax => true,
        Activation::Sigmoid => e.plan.scores_probabilities(),
        _ => false,
    };
    let is_function = !output.has_params && output.activation.as_ref().is_some_and(end);
    let (before, link) = match (is_function, e.plan.link) {
        (true, _) => {
            let mut inner = e.layers[..output.index].iter().rev();
            (
                inner.find(|layer| !layer.is_view && (layer.drop_rate == 0.0 || layer.kernel.is_some()))?,
                output.activation?,
            )
        }
        (false, Some(link)) if end(&link) => (output, link),
        (false, _) => return None,
    };
    let activation = before.activation?;
    let severity = match activation {
        Activation::Softmax | Activation::Exponential => Severity::Error,
        activation if cuts(activation) => Severity::Error,
        Activation::Sigmoid | Activation::Tanh => Severity::Warning,
        _ => return None,
    };
    if before.index == output.index && activation == Activation::Softmax {
        return None; // reported as N0102
    }
    let between =
        if before.has_params { "between the last layer with weights and" } else { "directly before" };
    let title = format!("{activation} {between} {link}");
    let mut finding = Finding::draft(title).at_most(severity).at(before);
    if is_function {
        finding = finding.at(output);
    }
    let zeros = e.curves.epochs.last().map(|epoch| epoch.zero_logits);
    finding = match (cuts(activation), zeros) {
        (true, Some(zeros)) => finding
            .evidence(format!("{} % of the logits are exactly 0 and have no gradient", short(100.0 * zeros))),
        (true, None) => {
            finding.evidence("no class can have a negative score, and a score of 0 has no gradient")
        }
        (false, _) => {
            let classes = output.output.last().copied().unwrap_or(2) as f64;
            let least = match activation {
                Activation::Tanh if link == Activation::Sigmoid => (-1.0f64).exp().ln_1p(),
                _ if link == Activation::Sigmoid => 2.0f64.ln(),
                Activation::Tanh => (1.0 + (classes - 1.0) * (-2.0f64).exp()).ln(),
                _ => (1.0 + (classes - 1.0) * (-1.0f64).exp()).ln(),
            };
            finding.evidence(format!(
                "the scores are bounded, so the loss of {} cannot fall below {}",
                if link == Activation::Sigmoid { "a 0" } else { "a row" },
                short(least)
            ))
        }
    };
    let text = format!("make `{}` linear: remove its activation", before.name);
    Some(finding.remedy(text, Remedy::Activation { layer: before.index, activation: Activation::Linear }))
}

/// Raises N0104.
pub(in crate::diagnosis) fn target_outside_range(e: &Evidence) -> Option<Finding> {
    let (layer, activation) = last(e)?;
    let ((least, largest), (low, high)) = (range(activation)?, e.data.targets.range);
    // The rounding error of f32.
    let slack = 1e-6 * (1.0 + high.abs().max(low.abs()));
    // Only a loss that compares the two needs outputs equal to the targets.
    if !e.plan.compares_numbers()
        || e.data.sampled_rows == 0
        || (low >= least - slack && high <= largest + slack)
    {
        return None;
    }
    let text = format!(
        "targets from {} to {}, outputs only from {} to {}",
        short(low),
        short(high),
        short(least),
        short(largest)
    );
    let excess = |t: &f64| (least - t).max(t - largest).max(0.0).powi(2);
    let values = &e.data.targets.sampled_values;
    let out = values.iter().map(excess).sum::<f64>() / values.len().max(1) as f64;
    // A few rows just outside cost a hundredth of the variance of the targets; the rest can be learned.
    let mild = out < 0.01 * e.data.targets.deviation.powi(2);
    let severity = if mild { if_failing(e, Severity::Warning) } else { Severity::Error };
    Some(
        Finding::draft(format!("targets outside the range of {activation}"))
            .at_most(severity)
            .at(layer)
            .evidence(text)
            .remedy(
                "make the last layer linear",
                Remedy::Activation { layer: layer.index, activation: Activation::Linear },
            ),
    )
}

/// Raises N0105.
pub(in crate::diagnosis) fn label_format(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let (low, high) = targets.row_sums;
    let finding = |title: &str| Finding::draft(title);
    match e.plan.task {
        Task::Classes if targets.width > 1 && (low < 0.999 || high > 1.001) => {
            let title =
                if high > 1.001 { "several labels per row" } else { "target rows that do not sum to 1" };
            let finding = finding(title).evidence(format!(
                "the row sums range from {} to {}; `{}` expects 1",
                short(low),
                short(high),
                e.plan.loss
            ));
            Some(match high > 1.001 {
                true => finding.remedy(
                    "use a sigmoid output and `BinaryCrossentropy::new()`, which treats each label by itself",
                    Remedy::Loss(ReplacementLoss::BinaryCrossentropy),
                ),
                false => finding.suggestion(
                    "check the encoding: if rows may have no label or several, use a sigmoid output and `BinaryCrossentropy::new()`",
                ),
            })
        }
        // Rates may lie below ½ and be few; multiples of 1/255 are bytes that were divided.
        Task::Binary
            if !targets.whole
                && targets.range.1 < 0.5
                && targets.width == 1
                && bytes(&targets.sampled_values) =>
        {
            Some(
                finding("labels that were scaled like inputs")
                    .evidence(format!(
                        "{} distinct values from {} to {}",
                        targets.distinct,
                        short(targets.range.0),
                        short(targets.range.1)
                    ))
                    .suggestion("pass the labels as 0 and 1, and scale only the inputs"),
            )
        }
        _ => None,
    }
}

/// Whether all numbers are multiples of 1/255, up to the rounding of f32.
fn bytes(values: &[f64]) -> bool {
    values.iter().all(|t| (255.0 * t - (255.0 * t).round()).abs() < 1e-4)
}

/// Raises N0106.
pub(in crate::diagnosis) fn width_and_classes(e: &Evidence) -> Option<Finding> {
    let layer = e.output()?;
    let units = layer.output.last().copied()?;
    let targets = &e.data.targets;
    let used = targets.classes.iter().rposition(|count| *count > 0).map(|last| last + 1)?;
    let counts_all = e.plan.scores_probabilities() && e.has_all_labels();
    if e.plan.task == Task::Classes && targets.width == 1 && units > used && counts_all {
        return Some(
            Finding::draft("more outputs than classes")
                .at_most(Severity::Note)
                .at(layer)
                .evidence(format!("{units} outputs, {used} classes in the targets"))
                .suggestion(format!("use `Dense::new({used})`, unless more classes come later")),
        );
    }
    // Class numbers as regression targets: the output should be 2 for class 2.
    let (low, high) = targets.range;
    let is_class = targets.whole && low == 0.0 && targets.distinct as f64 == high + 1.0;
    let squashed = layer.activation.is_some_and(|f| matches!(f, Activation::Sigmoid | Activation::Softmax));
    (e.plan.compares_numbers() && units == 1 && is_class && high > 1.0 && squashed).then(|| {
        Finding::draft("one output for several classes")
            .at(layer)
            .evidence(format!("{} classes in the targets, 1 output", high + 1.0))
            .suggestion(format!(
                "use `Dense::new({}).activation(Activation::Softmax)` with `SparseCategoricalCrossentropy`",
                high + 1.0
            ))
    })
}
