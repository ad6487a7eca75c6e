//! How the network and the run are set up.

use super::super::evidence::{Evidence, Kernel, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, short};
use crate::activation::Activation;

/// Whether a layer bends what runs through it, so that what comes before and after is no single matrix.
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
    // A single non-linear layer elsewhere may be enough; and a narrow layer in between is a projection that is meant.
    let last = weighted.last()?.index;
    let straight = !e.layers[..last].iter().any(bends);
    let narrow = a.kernel.as_ref()?.units < inputs.min(units);
    let severity = match straight && !narrow {
        // What can do no more than a matrix does not grow without bound for that.
        true if e.curves.diverged.is_none() => if_failing(e, Severity::Warning),
        _ => Severity::Note,
    };
    Some(
        Finding::draft("two layers of weights in a row without an activation between")
            .at_most(severity)
            .at(a)
            .at(b)
            .saw(format!("together they are one matrix of {inputs} × {units}, and can do no more"))
            .mend(
                format!("`.activation(Activation::Relu)` on `{}`, and on others like it", a.name),
                Remedy::Hidden { from: Activation::Linear, to: Activation::Relu },
            ),
    )
}

/// Raises N0110.
pub(in crate::diagnosis) fn unsuited_activation(e: &Evidence) -> Option<Finding> {
    let last = e.weighted().last().map(|(layer, _)| layer.index)?;
    let hidden = |layer: &&LayerFacts| layer.index < last && !layer.is_view;
    // A softmax passes on one unit of information about which input was largest, and a gradient p(1 − p).
    if let Some(layer) =
        e.layers.iter().filter(hidden).find(|layer| layer.activation == Some(Activation::Softmax))
    {
        let width = layer.output.last().copied().unwrap_or(1);
        return Some(
            Finding::draft("softmax within the network")
                .at(layer)
                .saw(format!("its {width} outputs sum to 1, so each is about {}", short(1.0 / width as f64)))
                .mend(
                    format!("`.activation(Activation::Relu)` on `{}`", layer.name),
                    Remedy::Activation { layer: layer.index, activation: Activation::Relu },
                ),
        );
    }
    // h ← f(h·R + …) with nothing that bounds f grows or dies with the number of steps.
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
            Finding::draft(format!("a recurrent layer with {activation}"))
                .at_most(if_failing(e, Severity::Warning))
                .at(layer)
                .saw(format!("over {} steps a state without a bound grows or dies", layer.input[0]))
                .mend(
                    format!("leave `{}` at its tanh", layer.name),
                    Remedy::Hidden { from: activation, to: Activation::Tanh },
                ),
        );
    }
    // The slope of a sigmoid is at most 1/4, and that of tanh below 1 all over but at 0: after four of the one, or
    // eight of the other, less than 1/256 (or about as much) of a gradient is left.
    for (activation, most, slope) in [(Activation::Sigmoid, 4, 0.25f64), (Activation::Tanh, 8, 0.5)] {
        let run: Vec<&LayerFacts> =
            e.layers.iter().filter(hidden).filter(|layer| layer.activation == Some(activation)).collect();
        let normalised = e.layers.iter().any(|layer| layer.is_normalization && layer.index > 0);
        if run.len() >= most && !normalised {
            return Some(
                Finding::draft(format!("{} layers of {activation}", run.len()))
                    .at_most(if_failing(e, Severity::Warning))
                    .at(run[0])
                    .saw(format!(
                        "a gradient that passes all of them keeps at most {} of its size",
                        short(slope.powi(run.len() as i32))
                    ))
                    .mend(
                        "`Activation::Relu` in all of them",
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
        let seen = || {
            format!("standard deviation {}, where {} is usual", short(kernel.deviation), short(kernel.usual))
        };
        let mend = Remedy::Initialize { layer: layer.index };
        let text = || format!("leave `{}` to its default initializer", layer.name);
        // All units alike stay alike, as each gets the same gradient; only where weights follow does that lose anything.
        if kernel.same && place + 1 < count {
            let title = "all units of a layer begin with the same weights, and stay alike";
            return Some(Finding::draft(title).at(layer).saw(seen()).mend(text(), mend));
        }
        // What Glorot and He agree on holds within √((in + out)/in); ten times that saturates or explodes in a layer.
        // In the first layer twice is too large, where sums of 10 and more come of it (N0202 has the bound).
        let sums = e.first.as_ref().filter(|first| first.layer == layer.index).and_then(|first| first.sums);
        let saturates = sums.is_some_and(|sums| sums > 10.0) && kernel.deviation > 2.0 * kernel.largest();
        if kernel.deviation > 10.0 * kernel.largest() || saturates {
            let severity = if_failing(e, Severity::Warning);
            let title = "the first weights are far too large";
            return Some(Finding::draft(title).at_most(severity).at(layer).saw(seen()).mend(text(), mend));
        }
        // In a deep network each such layer divides signal and gradient; a fiftieth in one is enough to stand still.
        if kernel.deviation < 0.02 * kernel.usual && count > 1 {
            let severity = if_failing(e, Severity::Warning);
            let title = "the first weights are far too small";
            return Some(Finding::draft(title).at_most(severity).at(layer).saw(seen()).mend(text(), mend));
        }
    }
    None
}

/// The least and largest learning rates that are of use, and the rule's default. For rules that divide by the
/// gradient's size a rate is the change of a weight in a step, which is about 0.1 large: 0.03 changes a third of it.
fn usual_rates(optimizer: &str) -> Option<(f64, f64, f64)> {
    match optimizer {
        "sgd" => Some((1e-5, 1.0, 0.01)),
        "adam" | "adamw" | "adamax" | "nadam" | "rmsprop" => Some((1e-6, 0.03, 0.001)),
        "lion" => Some((1e-7, 0.01, 1e-4)),
        "adagrad" | "ftrl" => Some((1e-5, 5.0, 0.01)),
        _ => None,
    }
}

/// Raises N0112.
pub(in crate::diagnosis) fn learning_rate(e: &Evidence) -> Option<Finding> {
    let (least, largest, usual) = usual_rates(&e.plan.optimizer)?;
    let rate = e.plan.learning_rate;
    let (severity, what) = match rate {
        0.0 => (Severity::Error, "is 0: nothing is learned"),
        rate if rate < least => (if_failing(e, Severity::Warning), "is very small"),
        rate if rate > largest => (if_failing(e, Severity::Warning), "is very large"),
        _ => return None,
    };
    Some(
        Finding::draft(format!("the learning rate {what}"))
            .at_most(severity)
            .saw(format!(
                "{} at {}; useful rates lie between {} and {}",
                e.plan.optimizer,
                short(rate),
                short(least),
                short(largest)
            ))
            .mend(format!("begin with {usual}"), Remedy::LearningRate(usual)),
    )
}

/// Raises N0113.
pub(in crate::diagnosis) fn few_steps(e: &Evidence) -> Option<Finding> {
    let steps = e.plan.epochs * e.plan.batches + e.plan.before as usize;
    // A step of a usual size moves a weight by a thousandth of its own: hundreds are needed to move it by as much.
    let early = !e.ended || e.curves.stopped.is_some();
    if e.plan.epochs == 0 || steps >= 300 || early || e.skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    // A single epoch is a probe, or a part of a longer training.
    let severity = if steps < 50 && e.plan.epochs > 1 && e.skill().is_some_and(|skill| skill < 0.5) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let finding = Finding::draft("few steps").at_most(severity);
    Some(
        finding
            .saw(match e.plan.before {
                0 => format!("{steps} in all: {} epochs of {}", e.plan.epochs, e.plan.batches),
                before => format!("{steps} in all, {before} of them before this run"),
            })
            .mend("more epochs", Remedy::Epochs(300_usize.div_ceil(steps.max(1)).max(4)))
            .mend("smaller batches", Remedy::BatchSize(32.min(e.plan.batch_size / 2).max(1))),
    )
}

/// Raises N0114.
pub(in crate::diagnosis) fn heavy_dropout(e: &Evidence) -> Option<Finding> {
    let dropping = || e.layers.iter().filter(|layer| layer.drop_rate > 0.0);
    let largest = dropping().max_by(|a, b| a.drop_rate.total_cmp(&b.drop_rate))?;
    let kept: f64 = dropping().map(|layer| 1.0 - layer.drop_rate).product();
    // Half is what the paper's largest networks drop in a layer; a tenth of all paths leaves little to learn from.
    let severity = match () {
        () if largest.drop_rate > 0.7 || kept < 0.1 => if_failing(e, Severity::Warning),
        () if largest.drop_rate > 0.5 => Severity::Note,
        () => return None,
    };
    Some(
        Finding::draft("much is dropped")
            .at_most(severity)
            .at(largest)
            .saw(format!("{} % of the paths through the network are left in a step", short(100.0 * kept)))
            .mend("rates of 0.2 to 0.5, and less where the training loss stays high", Remedy::Dropout(0.2)),
    )
}

/// Raises N0115.
pub(in crate::diagnosis) fn narrow_layer(e: &Evidence) -> Option<Finding> {
    let last = e.weighted().last()?.0.index;
    let epoch = e.curves.epochs.len();
    if !e.ended || e.skill().is_none_or(|skill| skill > 0.5) {
        return None;
    }
    // A relu unit rests for half the inputs, so that w of them leave 2^-w with nothing; with four that is one in sixteen.
    // A layer as narrow as that has no others to take over where one unit ends badly.
    let narrow = |(layer, kernel): &(&LayerFacts, &Kernel)| layer.index < last && kernel.units <= 4;
    let (layer, kernel) = e.weighted().filter(narrow).min_by_key(|(_, kernel)| kernel.units)?;
    let lost = layer.look.lost as f64 / layer.look.rows.max(1) as f64;
    let severity = if lost > 0.2 { Severity::Warning } else { if_failing(e, Severity::Warning) };
    let units = (4 * kernel.units).max(16);
    let finding = Finding::draft("a hidden layer of few units").at_most(severity).at(layer);
    let finding = match lost > 0.0 {
        true => finding.saw(format!(
            "{} of {} rows looked at in epoch {epoch} leave it as zeros: nothing after it can tell them apart",
            layer.look.lost, layer.look.rows
        )),
        false => finding.saw(format!("{} units between {} inputs and what follows", kernel.units, kernel.inputs)),
    };
    Some(finding.mend(format!("`Dense::new({units})`"), Remedy::Units { layer: layer.index, units }))
}

/// Whether the loss is a cross-entropy, with a known cost of guessing.
pub(super) fn guess(e: &Evidence) -> Option<f64> {
    let classes = e.output()?.output.last().copied()? as f64;
    match e.plan.task {
        Task::Classes => Some(classes.ln()),
        Task::Binary => Some(2.0f64.ln()),
        Task::Numbers => None,
    }
}
