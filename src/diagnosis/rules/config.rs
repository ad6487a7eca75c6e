//! How the network and the run are set up.

use super::super::evidence::{Evidence, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, short};
use crate::activation::Activation;

/// Whether a layer bends what runs through it, so that what comes before and after is no single matrix.
fn bends(layer: &LayerFacts) -> bool {
    let recurrent = ["SimpleRNN", "LSTM", "GRU", "Bidirectional"].contains(&&*layer.kind);
    let function = layer.activation.is_some_and(|activation| activation != Activation::Linear);
    // What is not known may bend: a layer of the user, a container, a pool of maxima, an embedding.
    let straight =
        ["Dense", "Conv1D", "Conv2D", "DepthwiseConv1D", "SeparableConv1D", "Flatten", "Dropout", "Reshape"]
            .contains(&&*layer.kind)
            || ["AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"]
                .contains(&&*layer.kind)
            || ["BatchNormalization", "Activation", "Permute", "Rescaling", "Normalization"]
                .contains(&&*layer.kind);
    recurrent || function || !straight
}

pub(super) fn linear_stack(e: &Evidence) -> Option<Finding> {
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
        Finding::new("N0109", severity, "two layers of weights in a row without an activation between")
            .at(a)
            .at(b)
            .saw(format!("together they are one matrix of {inputs} × {units}, and can do no more"))
            .mend(
                format!("`.activation(Activation::Relu)` on `{}`", a.name),
                Remedy::Activation { layer: a.index, activation: Activation::Relu },
            ),
    )
}

pub(super) fn unsuited_activation(e: &Evidence) -> Option<Finding> {
    let last = e.weighted().last().map(|(layer, _)| layer.index)?;
    let hidden = |layer: &&LayerFacts| layer.index < last && !layer.is_view;
    let relu = |layer: &LayerFacts| Remedy::Activation { layer: layer.index, activation: Activation::Relu };
    // A softmax passes on one unit of information about which input was largest, and a gradient p(1 − p).
    if let Some(layer) =
        e.layers.iter().filter(hidden).find(|layer| layer.activation == Some(Activation::Softmax))
    {
        let width = layer.output.last().copied().unwrap_or(1);
        return Some(
            Finding::new("N0110", Severity::Warning, "softmax within the network")
                .at(layer)
                .saw(format!("its {width} outputs sum to 1, so each is about {}", short(1.0 / width as f64)))
                .mend(format!("`.activation(Activation::Relu)` on `{}`", layer.name), relu(layer)),
        );
    }
    // h ← f(h·R + …) with nothing that bounds f grows or dies with the number of steps.
    let recurrent = |layer: &&LayerFacts| {
        ["SimpleRNN", "LSTM", "GRU"].contains(&&*layer.kind)
            && layer.input.first().is_some_and(|steps| *steps > 20)
            && matches!(
                layer.activation,
                Some(Activation::Relu | Activation::Linear | Activation::Exponential)
            )
    };
    if let Some(layer) = e.layers.iter().find(recurrent) {
        let activation = layer.activation.unwrap_or_default();
        return Some(
            Finding::new(
                "N0110",
                if_failing(e, Severity::Warning),
                format!("a recurrent layer with {activation}"),
            )
            .at(layer)
            .saw(format!("over {} steps a state without a bound grows or dies", layer.input[0]))
            .mend(
                format!("leave `{}` at its tanh", layer.name),
                Remedy::Activation { layer: layer.index, activation: Activation::Tanh },
            ),
        );
    }
    // The slope of a sigmoid is at most 1/4, and that of tanh below 1 all over but at 0: after four of the one, or
    // eight of the other, less than 1/256 (or about as much) of a gradient is left.
    for (activation, most, slope) in [(Activation::Sigmoid, 4, 0.25f64), (Activation::Tanh, 8, 0.5)] {
        let run: Vec<&LayerFacts> =
            e.layers.iter().filter(hidden).filter(|layer| layer.activation == Some(activation)).collect();
        let normalised = e.layers.iter().any(|layer| layer.kind.contains("Normalization") && layer.index > 0);
        if run.len() >= most && !normalised {
            return Some(
                Finding::new(
                    "N0110",
                    if_failing(e, Severity::Warning),
                    format!("{} layers of {activation}", run.len()),
                )
                .at(run[0])
                .saw(format!(
                    "a gradient that passes all of them keeps at most {} of its size",
                    short(slope.powi(run.len() as i32))
                ))
                .mend("`Activation::Relu` in all of them", relu(run[0])),
            );
        }
    }
    None
}

pub(super) fn first_weights(e: &Evidence) -> Option<Finding> {
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
            return Some(
                Finding::new("N0111", Severity::Error, title).at(layer).saw(seen()).mend(text(), mend),
            );
        }
        // What Glorot and He agree on holds within √((in + out)/in); ten times that saturates or explodes in a layer.
        let largest = 10.0 * kernel.usual.max((2.0 / kernel.inputs as f64).sqrt());
        if kernel.deviation > largest {
            let severity = if_failing(e, Severity::Warning);
            let title = "the first weights are far too large";
            return Some(Finding::new("N0111", severity, title).at(layer).saw(seen()).mend(text(), mend));
        }
        // In a deep network each such layer divides signal and gradient; a fiftieth in one is enough to stand still.
        if kernel.deviation < 0.02 * kernel.usual && count > 1 {
            let severity = if_failing(e, Severity::Warning);
            let title = "the first weights are far too small";
            return Some(Finding::new("N0111", severity, title).at(layer).saw(seen()).mend(text(), mend));
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

pub(super) fn learning_rate(e: &Evidence) -> Option<Finding> {
    let (least, largest, usual) = usual_rates(&e.plan.optimizer)?;
    let rate = e.plan.learning_rate;
    let (severity, what) = match rate {
        0.0 => (Severity::Error, "is 0: nothing is learned"),
        rate if rate < least => (if_failing(e, Severity::Warning), "is very small"),
        rate if rate > largest => (if_failing(e, Severity::Warning), "is very large"),
        _ => return None,
    };
    Some(
        Finding::new("N0112", severity, format!("the learning rate {what}"))
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

pub(super) fn few_steps(e: &Evidence) -> Option<Finding> {
    let steps = e.plan.epochs * e.plan.batches;
    // A step of a usual size moves a weight by a thousandth of its own: hundreds are needed to move it by as much.
    if e.plan.epochs == 0 || steps >= 300 || !e.ended || e.skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    let severity = if steps < 50 && e.skill().is_some_and(|skill| skill < 0.5) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let finding = Finding::new("N0113", severity, "few steps");
    Some(
        finding
            .saw(format!("{steps} in all: {} epochs of {}", e.plan.epochs, e.plan.batches))
            .mend("more epochs, or smaller batches", Remedy::Epochs(300_usize.div_ceil(steps.max(1)))),
    )
}

pub(super) fn heavy_dropout(e: &Evidence) -> Option<Finding> {
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
        Finding::new("N0114", severity, "much is dropped")
            .at(largest)
            .saw(format!("{} % of the paths through the network are left in a step", short(100.0 * kept)))
            .help("rates of 0.2 to 0.5, and less where the training loss stays high"),
    )
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
