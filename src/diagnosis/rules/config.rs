//! How the network and the run are set up.

use super::super::evidence::{Evidence, Kernel, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, short};
use crate::activation::Activation;
use crate::optimizer::StepScale;

/// Whether a layer is not linear, so that the layers before and after it do not combine into a single matrix.
fn bends(layer: &LayerFacts) -> bool {
    let function = layer.activation.is_some_and(|activation| activation != Activation::Linear);
    function || !layer.is_affine
}

/// Raises N0109.
pub(in crate::diagnosis) fn linear_stack(e: &Evidence) -> Option<Finding> {
    let weighted: Vec<&LayerFacts> = e.weighted().map(|(layer, _)| layer).collect();
    let pair = weighted.windows(2).find(|pair| !e.layers[pair[0].index..pair[1].index].iter().any(bends))?;
    let (a, b) = (pair[0], pair[1]);
    let (inputs, units) = (a.kernel.as_ref()?.inputs, b.kernel.as_ref()?.units);
    // A single non-linear layer elsewhere may be enough, and a narrow layer in between is an intended projection.
    let last = weighted.last()?.index;
    let straight = !e.layers[..last].iter().any(bends);
    let narrow = a.kernel.as_ref()?.units < inputs.min(units);
    let severity = match straight && !narrow {
        // A divergence has another cause.
        true if e.curves.diverged.is_none() => if_failing(e, Severity::Warning),
        _ => Severity::Note,
    };
    Some(
        Finding::draft("two consecutive layers without an activation between them")
            .at_most(severity)
            .at(a)
            .at(b)
            .evidence(format!("together they are equivalent to a single {inputs} × {units} matrix"))
            .remedy(
                format!(
                    "add `.activation(Activation::Relu)` to `{}` and to other linear hidden layers",
                    a.name
                ),
                Remedy::Hidden { from: Activation::Linear, to: Activation::Relu },
            ),
    )
}

/// Raises N0110.
pub(in crate::diagnosis) fn unsuited_activation(e: &Evidence) -> Option<Finding> {
    let last = e.weighted().last().map(|(layer, _)| layer.index)?;
    let hidden = |layer: &&LayerFacts| layer.index < last && !layer.is_view;
    // The outputs of a softmax sum to 1, and its gradient has a factor p(1 − p).
    if let Some(layer) =
        e.layers.iter().filter(hidden).find(|layer| layer.activation == Some(Activation::Softmax))
    {
        let width = layer.output.last().copied().unwrap_or(1);
        return Some(
            Finding::draft("a softmax in a hidden layer")
                .at(layer)
                .evidence(format!(
                    "the {width} outputs sum to 1, so each is about {}",
                    short(1.0 / width as f64)
                ))
                .remedy(
                    format!("use `.activation(Activation::Relu)` in `{}`", layer.name),
                    Remedy::Activation { layer: layer.index, activation: Activation::Relu },
                ),
        );
    }
    // h ← f(h·R + …) with an unbounded f explodes or vanishes with the number of steps.
    let recurrent = |layer: &&LayerFacts| {
        layer.is_recurrent
            && layer.input.first().is_some_and(|steps| *steps > 20)
            && matches!(
                layer.activation,
                Some(Activation::Relu | Activation::Linear | Activation::Exponential)
            )
    };
    if let Some(layer) = e.layers.iter().find(recurrent) {
        let activation = layer.activation.unwrap_or_default();
        return Some(
            Finding::draft(format!("{activation} as the activation of a recurrent layer"))
                .at_most(if_failing(e, Severity::Warning))
                .at(layer)
                .evidence(format!("over {} steps an unbounded state explodes or vanishes", layer.input[0]))
                .remedy(
                    format!("keep the default tanh in `{}`", layer.name),
                    Remedy::Hidden { from: activation, to: Activation::Tanh },
                ),
        );
    }
    // The slope of a sigmoid is at most 1/4, and that of tanh is below 1 except at 0. Four sigmoids leave at most 1/256
    // of a gradient, and eight tanhs with a typical slope of 1/2 leave as much.
    for (activation, most, slope) in [(Activation::Sigmoid, 4, 0.25f64), (Activation::Tanh, 8, 0.5)] {
        let run: Vec<&LayerFacts> =
            e.layers.iter().filter(hidden).filter(|layer| layer.activation == Some(activation)).collect();
        let normalised = e.layers.iter().any(|layer| layer.is_normalization && layer.index > 0);
        if run.len() >= most && !normalised {
            return Some(
                Finding::draft(format!("{} hidden layers with {activation}", run.len()))
                    .at_most(if_failing(e, Severity::Warning))
                    .at(run[0])
                    .evidence(format!(
                        "a gradient through all of them typically keeps at most {} of its size",
                        short(slope.powi(run.len() as i32))
                    ))
                    .remedy(
                        "use `Activation::Relu` in all of them",
                        Remedy::Hidden { from: activation, to: Activation::Relu },
                    ),
            );
        }
    }
    None
}

/// Raises N0111.
pub(in crate::diagnosis) fn first_weights(e: &Evidence) -> Option<Finding> {
    let count = e.weighted().count();
    for (place, (layer, kernel)) in e.weighted().enumerate() {
        let seen =
            || format!("standard deviation {} ({} is usual)", short(kernel.deviation), short(kernel.usual));
        let mend = Remedy::Initialize { layer: layer.index };
        let text = || format!("use the default initializer for `{}`", layer.name);
        // Equal units get equal gradients and stay equal. That loses capacity only if another layer with weights follows.
        if kernel.same && place + 1 < count {
            let title = "all units of a layer have the same initial weights";
            return Some(Finding::draft(title).at(layer).evidence(seen()).remedy(text(), mend));
        }
        // Glorot and He initialization agree within √((in + out)/in); ten times that saturates or explodes in one layer.
        // In the first layer twice is too large if it makes sums of 10 and more (N0202 has the bound).
        let sums = e.first.as_ref().filter(|first| first.layer == layer.index).and_then(|first| first.sums);
        let saturates = sums.is_some_and(|sums| sums > 10.0) && kernel.deviation > 2.0 * kernel.largest();
        if kernel.deviation > 10.0 * kernel.largest() || saturates {
            let severity = if_failing(e, Severity::Warning);
            let title = "the initial weights are far too large";
            return Some(
                Finding::draft(title).at_most(severity).at(layer).evidence(seen()).remedy(text(), mend),
            );
        }
        // In a deep network each such layer divides signal and gradient; a fiftieth in one layer is enough to stop learning.
        if kernel.deviation < 0.02 * kernel.usual && count > 1 {
            let severity = if_failing(e, Severity::Warning);
            let title = "the initial weights are far too small";
            return Some(
                Finding::draft(title).at_most(severity).at(layer).evidence(seen()).remedy(text(), mend),
            );
        }
    }
    None
}

/// The usual range of learning rates of an optimizer, and its default. For optimizers that divide by the size of the
/// gradient, the rate is the change of a weight per step. A weight is about 0.1 large: 0.03 changes it by a third.
fn usual_rates(step: StepScale) -> Option<(f64, f64, f64)> {
    match step {
        StepScale::Gradient => Some((1e-5, 1.0, 0.01)),
        StepScale::Normalized => Some((1e-6, 0.03, 0.001)),
        StepScale::Sign => Some((1e-7, 0.01, 1e-4)),
        StepScale::Accumulated => Some((1e-5, 5.0, 0.01)),
        _ => None,
    }
}

/// Raises N0112.
pub(in crate::diagnosis) fn learning_rate(e: &Evidence) -> Option<Finding> {
    let (least, largest, usual) = usual_rates(e.plan.step_scale)?;
    let rate = e.plan.learning_rate;
    let (severity, what) = match rate {
        0.0 => (Severity::Error, "is 0"),
        rate if rate < least => (if_failing(e, Severity::Warning), "is very small"),
        rate if rate > largest => (if_failing(e, Severity::Warning), "is very large"),
        _ => return None,
    };
    Some(
        Finding::draft(format!("the learning rate {what}"))
            .at_most(severity)
            .evidence(format!(
                "{} with a learning rate of {}; the usual range is {} to {}",
                e.plan.optimizer,
                short(rate),
                short(least),
                short(largest)
            ))
            .remedy(format!("start with a learning rate of {usual}"), Remedy::LearningRate(usual)),
    )
}

/// Raises N0113.
pub(in crate::diagnosis) fn few_steps(e: &Evidence) -> Option<Finding> {
    let epochs = e.plan.epochs?;
    let steps = epochs * e.plan.batches + e.plan.before as usize;
    // A step of the usual size changes a weight by a thousandth, so hundreds are needed to change it by its own size.
    let early = !e.ended || e.curves.stopped.is_some();
    if steps >= 300 || early || e.skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    // A single epoch is a probe, or a part of a longer training.
    let severity = if steps < 50 && epochs > 1 && e.skill().is_some_and(|skill| skill < 0.5) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let finding = Finding::draft("few training steps").at_most(severity);
    Some(
        finding
            .evidence(match e.plan.before {
                0 => {
                    format!("{steps} steps in total: {} epochs of {} batches", epochs, e.plan.batches)
                }
                before => format!("{steps} steps in total, {before} of them before this run"),
            })
            .remedy("train for more epochs", Remedy::Epochs(300_usize.div_ceil(steps.max(1)).max(4)))
            .remedy("use smaller batches", Remedy::BatchSize(32.min(e.plan.batch_size / 2).max(1))),
    )
}

/// Raises N0114.
pub(in crate::diagnosis) fn heavy_dropout(e: &Evidence) -> Option<Finding> {
    let dropping = || e.layers.iter().filter(|layer| layer.drop_rate > 0.0);
    let largest = dropping().max_by(|a, b| a.drop_rate.total_cmp(&b.drop_rate))?;
    let kept: f64 = dropping().map(|layer| 1.0 - layer.drop_rate).product();
    // The largest networks of the paper drop half in a layer; with a tenth of all paths little is left to learn from.
    let severity = match () {
        () if largest.drop_rate > 0.7 || kept < 0.1 => if_failing(e, Severity::Warning),
        () if largest.drop_rate > 0.5 => Severity::Note,
        () => return None,
    };
    Some(
        Finding::draft("high dropout")
            .at_most(severity)
            .at(largest)
            .evidence(format!(
                "{} % of the paths through the network remain in a training step",
                short(100.0 * kept)
            ))
            .remedy(
                "use rates of 0.2 to 0.5, or lower ones if the training loss stays high",
                Remedy::Dropout(0.2),
            ),
    )
}

/// Raises N0115.
pub(in crate::diagnosis) fn narrow_layer(e: &Evidence) -> Option<Finding> {
    let last = e.weighted().last()?.0.index;
    let epoch = e.curves.epochs.len();
    if !e.ended || e.skill().is_none_or(|skill| skill > 0.5) {
        return None;
    }
    // A relu unit is 0 for half of the inputs, so with w units all are 0 for 2^-w of them; with four that is one in
    // sixteen. In such a narrow layer no other unit can replace one that ends badly.
    let narrow = |(layer, kernel): &(&LayerFacts, &Kernel)| layer.index < last && kernel.units <= 4;
    let (layer, kernel) = e.weighted().filter(narrow).min_by_key(|(_, kernel)| kernel.units)?;
    let lost = layer.sample.lost as f64 / layer.sample.rows.max(1) as f64;
    let severity = if lost > 0.2 { Severity::Warning } else { if_failing(e, Severity::Warning) };
    let units = (4 * kernel.units).max(16);
    let finding = Finding::draft("a hidden layer with few units").at_most(severity).at(layer);
    let finding = match lost > 0.0 {
        true => finding.evidence(format!(
            "{} of {} sampled rows in epoch {epoch} leave it as zeros, so later layers cannot distinguish them",
            layer.sample.lost, layer.sample.rows
        )),
        false => finding.evidence(format!("{} units for {} inputs", kernel.units, kernel.inputs)),
    };
    Some(finding.remedy(format!("use `Dense::new({units})`"), Remedy::Units { layer: layer.index, units }))
}

/// Whether the loss is a cross-entropy, with a known cost of guessing.
pub(super) fn guess(e: &Evidence) -> Option<f64> {
    let classes = e.output()?.output.last().copied()? as f64;
    match e.plan.task {
        _ if !e.plan.scores_probabilities() => None,
        Task::Classes => Some(classes.ln()),
        Task::Binary => Some(2.0f64.ln()),
        Task::Numbers => None,
    }
}
