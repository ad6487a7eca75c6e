//! How the network and the run are set up.

use super::super::evidence::{Evidence, Kernel, LEARNED, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{cuts, if_harmful, if_poor, short};
use crate::activation::Activation;

/// Whether a layer is non-linear, so that its neighbours do not merge into one matrix.
fn is_nonlinear(layer: &LayerFacts) -> bool {
    let function = layer.activation.is_some_and(|activation| activation != Activation::Linear);
    function || !layer.is_affine
}

/// Raises N0109.
pub(in crate::diagnosis) fn linear_stack(e: &Evidence) -> Option<Finding> {
    let weighted: Vec<&LayerFacts> = e.weighted().map(|(layer, _)| layer).collect();
    let pair =
        weighted.windows(2).find(|pair| !e.layers[pair[0].index..pair[1].index].iter().any(is_nonlinear))?;
    let (a, b) = (pair[0], pair[1]);
    let (inputs, units) = (a.kernel.as_ref()?.inputs, b.kernel.as_ref()?.units);
    // A single non-linear layer elsewhere may be enough, and a narrow layer in between is an intended projection.
    let last = weighted.last()?.index;
    let straight = !e.layers[..last].iter().any(is_nonlinear);
    let narrow = a.kernel.as_ref()?.units < inputs.min(units);
    let severity = match straight && !narrow {
        // A divergence has another cause.
        true if e.curves.diverged.is_none() => if_poor(e, Severity::Warning),
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
    let suspect = |layer: &&LayerFacts| e.is_poor() || has_extreme_states(layer);
    if let Some(layer) = e.layers.iter().find(recurrent).filter(suspect) {
        let activation = layer.activation.unwrap_or_default();
        return Some(
            Finding::draft(format!("{activation} as the activation of a recurrent layer"))
                .at_most(if_poor(e, Severity::Warning))
                .at(layer)
                .evidence(format!("over {} steps an unbounded state explodes or vanishes", layer.input[0]))
                .evidence(format!(
                    "the outputs of the sampled rows have a root mean square of {}; in {} of {} all are 0",
                    short(layer.sample.rms),
                    layer.sample.lost,
                    layer.sample.rows
                ))
                .remedy(
                    format!("keep the default tanh in `{}`", layer.name),
                    Remedy::Hidden { from: activation, to: Activation::Tanh },
                ),
        );
    }
    // The slope of a sigmoid is at most 1/4, and that of tanh is below 1 except at 0. Four sigmoids leave at most 1/256
    // of a gradient, and eight tanhs with a typical slope of 1/2 leave the same.
    for (activation, most, slope) in [(Activation::Sigmoid, 4, 0.25f64), (Activation::Tanh, 8, 0.5)] {
        let run: Vec<&LayerFacts> =
            e.layers.iter().filter(hidden).filter(|layer| layer.activation == Some(activation)).collect();
        if run.len() >= most && !is_normalized(e) {
            return Some(
                Finding::draft(format!("{} hidden layers with {activation}", run.len()))
                    .at_most(if_poor(e, Severity::Warning))
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
    shrinking_signal(e, last)
}

/// The size of a state that has exploded: states of tanh are at most 1.
const EXPLODED: f64 = 100.0;

/// Whether the states of a layer exploded, or most of them are 0.
fn has_extreme_states(layer: &LayerFacts) -> bool {
    layer.sample.rms > EXPLODED || 2 * layer.sample.lost > layer.sample.rows
}

/// Whether a layer normalizes what another layer computed.
fn is_normalized(e: &Evidence) -> bool {
    e.layers.iter().any(|layer| layer.is_normalization && layer.index > 0)
}

/// Many relu layers with weights too small to keep the signal. A relu halves the mean square of its input, so a layer keeps
/// it at weights of variance 2/inputs (He et al. 2015, equation 10).
fn shrinking_signal(e: &Evidence, last: usize) -> Option<Finding> {
    let relu = |layer: &LayerFacts| layer.index < last && layer.activation.is_some_and(cuts);
    let run: Vec<(&LayerFacts, &Kernel)> = e.weighted().filter(|(layer, _)| relu(layer)).collect();
    let gain: f64 =
        run.iter().map(|(_, kernel)| kernel.deviation * (kernel.inputs as f64 / 2.0).sqrt()).product();
    let ((first, _), (_, kernel)) = (run.first()?, run.last()?);
    // Four sigmoid layers keep as little of a gradient; below five layers N0111 is about single weights.
    (!is_normalized(e) && run.len() > 4 && gain > 0.0 && gain < 1.0 / 256.0).then(|| {
        Finding::draft(format!("the signal shrinks through {} relu layers", run.len()))
            .at_most(if_poor(e, Severity::Warning))
            .at(first)
            .evidence(format!(
                "together they keep {} of the size of their input; the weights of the last layer have a standard deviation of {}, and {} would keep the size",
                short(gain),
                short(kernel.deviation),
                short((2.0 / kernel.inputs as f64).sqrt())
            ))
            .suggestion("use `.kernel_initializer(Initializer::HeNormal)` in these layers, a `BatchNormalization` or `Residual`, or fewer layers")
    })
}

/// With this many values, the standard deviation of a batch is known within a fifth: its relative error is 1/√(2n).
const FEW_VALUES: usize = 16;
/// With the usual momentum of 0.99 the initial statistics keep 5 % of their weight after these steps.
const FEW_STEPS: usize = 300;

/// Raises N0116.
pub(in crate::diagnosis) fn batch_statistics(e: &Evidence) -> Option<Finding> {
    let batch = e.plan.batch_size.min(e.data.rows);
    let values = |layer: &LayerFacts| layer.values_per_statistic.map(|places| places * batch);
    let (layer, values) =
        e.layers.iter().filter_map(|layer| Some((layer, values(layer)?))).min_by_key(|(_, n)| *n)?;
    if values <= 1 {
        return Some(
            Finding::draft("batch normalization over batches of one row")
                .at(layer)
                .evidence(
                    "each value is its own mean, so in training the layer outputs its offset for every row",
                )
                .remedy("use batches of 32 rows", Remedy::BatchSize(32))
                .suggestion("use a `LayerNormalization`, which needs no batch"),
        );
    }
    let epoch = e.curves.epochs.last()?;
    let loss = epoch.late_loss - epoch.late_penalty;
    let scale = e.data.targets.scale?;
    let (training, prediction) = (scale.skill(loss), e.inference_skill()?);
    // A prediction usually scores better than training, without dropout and with later weights; only different statistics make
    // it this much worse.
    (e.ended && training > LEARNED && prediction < 0.5 * training).then(|| {
        let steps = e.all_steps();
        let (is_tiny, is_short) = (values < FEW_VALUES, steps < FEW_STEPS);
        let finding = Finding::draft("predictions are much worse than the training batches")
            // Otherwise the weights only moved faster than the statistics at the end, which may be over one epoch later.
            .at_most(if is_tiny || is_short { Severity::Warning } else { Severity::Note })
            .at(layer)
            .evidence(format!(
                "loss {} in the last training batches, and {} for predictions of {} training rows with the moving statistics of {steps} steps",
                short(loss),
                short(e.inference.as_ref().map_or(f64::NAN, |inference| inference.loss)),
                e.inference.as_ref().map_or(0, |inference| inference.rows)
            ));
        let finding = if is_tiny {
            finding.evidence(format!("a statistic comes from {values} values")).remedy("use batches of 32 rows", Remedy::BatchSize(32))
        } else {
            finding
        };
        let finding = if is_short {
            finding.remedy("train for more epochs", Remedy::Epochs(FEW_STEPS.div_ceil(steps.max(1)).max(4)))
        } else {
            finding
        };
        finding.suggestion("set `.momentum(0.9)` on the layer")
    })
}

/// Raises N0117.
pub(in crate::diagnosis) fn single_step(e: &Evidence) -> Option<Finding> {
    let layer = e.layers.iter().find(|layer| layer.is_recurrent && layer.input.first() == Some(&1))?;
    let features = layer.input.last()?;
    Some(
        Finding::draft("a recurrent layer over one step")
            .at_most(if_poor(e, Severity::Warning))
            .at(layer)
            .evidence(format!("1 step of {features} features: there is no earlier step"))
            .suggestion(format!(
                "if the features are time steps, reshape the samples to ({features}, 1); otherwise use `Dense` layers"
            )),
    )
}

/// Raises N0111.
pub(in crate::diagnosis) fn first_weights(e: &Evidence) -> Option<Finding> {
    let last = e.weighted().last()?.0.index;
    let count = e.weighted().count();
    let bad: Vec<_> = e
        .weighted()
        .filter_map(|(layer, kernel)| {
            let (severity, title) = weight_fault(e, layer, kernel, layer.index == last, count)?;
            Some((layer, kernel, severity, title))
        })
        .collect();
    let (.., title) = *bad.iter().max_by_key(|(_, _, severity, _)| *severity)?;
    let severity = bad.iter().map(|(_, _, severity, _)| *severity).max()?;
    // One finding for all layers: a single one left bad stops the signal.
    let finding = Finding::draft(title).at_most(severity);
    Some(bad.iter().fold(finding, |finding, (layer, kernel, _, own)| {
        let seen =
            format!("standard deviation {} ({} is usual)", short(kernel.deviation), short(kernel.usual));
        let seen = match (bad.len(), *own == title) {
            (1, _) => seen,
            (_, true) => format!("`{}`: {seen}", layer.name),
            (_, false) => format!("`{}`: {seen}; {own}", layer.name),
        };
        let mend = Remedy::Initialize { layer: layer.index };
        let text = format!("use the default initializer for `{}`", layer.name);
        finding.at(layer).evidence(seen).remedy(text, mend)
    }))
}

/// What is wrong with the initial weights of a layer.
fn weight_fault(
    e: &Evidence,
    layer: &LayerFacts,
    kernel: &Kernel,
    is_last: bool,
    count: usize,
) -> Option<(Severity, &'static str)> {
    // Equal units get equal gradients and stay equal. That loses capacity only if another layer with weights follows.
    if kernel.same && !is_last {
        return Some((Severity::Error, "all units of a layer have the same initial weights"));
    }
    // Glorot and He initialization agree within √((in + out)/in); ten times that saturates or explodes in one layer.
    // In the first layer twice is too large if it makes sums of 10 and more (N0202 has the bound).
    let sums = e.first.as_ref().filter(|first| first.layer == layer.index).and_then(|first| first.sums);
    let saturates = sums.is_some_and(|sums| sums > 10.0) && kernel.deviation > 2.0 * kernel.largest();
    if kernel.deviation > 10.0 * kernel.largest() || saturates {
        return Some((if_poor(e, Severity::Warning), "the initial weights are far too large"));
    }
    // In a deep network each such layer divides signal and gradient; a fiftieth in one layer is enough to stop learning.
    let small = kernel.deviation < 0.02 * kernel.usual && count > 1;
    small.then(|| (if_poor(e, Severity::Warning), "the initial weights are far too small"))
}

/// Raises N0113.
pub(in crate::diagnosis) fn few_steps(e: &Evidence) -> Option<Finding> {
    let (epochs, steps) = (e.plan.epochs?, e.plan.updates()?);
    // A step of the usual size changes a weight by a thousandth, so hundreds are needed to change it by its own size.
    let early = !e.ended || e.curves.stopped.is_some();
    if steps >= 300 || early || e.skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    // A single epoch is a probe, or a part of a longer training. But `initial_epoch` continues a training, and this is its first.
    let skips = e.plan.skipped_epochs > 0 && e.plan.before == 0;
    let severity = if steps < 50 && (epochs > 1 || skips) && e.skill().is_some_and(|skill| skill < 0.5) {
        Severity::Warning
    } else {
        Severity::Note
    };
    let finding = Finding::draft("few training steps").at_most(severity);
    let finding = match skips {
        true => finding.evidence(format!(
            "`initial_epoch` skips {} epochs, and the model has not been trained before",
            e.plan.skipped_epochs
        )),
        false => finding,
    };
    Some(
        finding
            .evidence(match (e.plan.before, e.plan.options.accumulation) {
                (0, None | Some(1)) => {
                    format!("{steps} steps in total: {} epochs of {} batches", epochs, e.plan.batches)
                }
                (0, Some(accumulation)) => format!(
                    "{steps} steps in total: {} epochs of {} batches, and a step after every {accumulation} batches",
                    epochs, e.plan.batches
                ),
                (before, _) => format!("{steps} steps in total, {before} batches before this run"),
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
    // A layer of n units of which a share p is kept has the capacity of n·p units (Srivastava et al. 2014, appendix A.1), and
    // layers in a row thin out each other's paths.
    let mut path = 1.0;
    let narrowest = dropping().map(|layer| {
        path *= 1.0 - layer.drop_rate;
        (layer, path * layer.output.iter().product::<usize>().max(1) as f64)
    });
    let (narrow, survivors) = narrowest.min_by(|a, b| a.1.total_cmp(&b.1))?;
    // With fewer than four relu units all are 0 for more than one input in sixteen (see N0115).
    let few = survivors < FEW_UNITS as f64 && narrow.output.iter().product::<usize>() > 1;
    // A prediction drops nothing, so the validation data may show what the training loss hides.
    let unskilled = |skill: Option<f64>| skill.is_none_or(|skill| skill < 0.5);
    let harms =
        e.judged() && [e.skill(), e.inference_skill(), e.validation_skill()].into_iter().all(unskilled);
    // Dropout after the last weights drops predictions.
    let answers =
        e.weighted().last().is_some_and(|(last, _)| dropping().any(|layer| layer.index > last.index));
    // The largest networks of the paper drop half in a layer; with a tenth of all paths little is left to learn from.
    let (severity, worst) = match () {
        () if answers => (Severity::Warning, dropping().next_back()?),
        () if few && harms => (Severity::Warning, narrow),
        () if largest.drop_rate > 0.7 || kept < 0.1 => (if_poor(e, Severity::Warning), largest),
        () if few => (Severity::Note, narrow),
        () if largest.drop_rate > 0.5 => (Severity::Note, largest),
        () => return None,
    };
    let finding = Finding::draft("high dropout").at_most(severity).at(worst).evidence(format!(
        "{} % of the paths through the network remain in a training step",
        short(100.0 * kept)
    ));
    let finding = match few {
        true => finding.evidence(format!(
            "about {} of the {} units of `{}` take part in a training step, counting the dropout before it",
            short(survivors),
            narrow.output.iter().product::<usize>(),
            narrow.name
        )),
        false => finding,
    };
    if answers {
        return Some(finding.remedy(
            format!("remove the dropout after `{}`: it drops predictions", e.weighted().last()?.0.name),
            Remedy::Dropout(0.0),
        ));
    }
    let finding = finding.remedy(
        "use rates of 0.2 to 0.5, or lower ones if the training loss stays high",
        Remedy::Dropout(0.2),
    );
    Some(match few {
        true => finding.remedy("remove the dropout, or use wider layers", Remedy::Dropout(0.0)),
        false => finding,
    })
}

/// A relu unit is 0 for half of the inputs, so with w units all are 0 for 2^-w of them; with four that is one in sixteen.
const FEW_UNITS: usize = 4;

/// The features that a layer passes on: the smallest number before the next layer with weights, such as after a pooling.
fn passed_on(e: &Evidence, layer: &LayerFacts) -> usize {
    let after = e.layers[layer.index..].iter();
    let inner = after.take_while(|next| next.index == layer.index || next.kernel.is_none());
    inner.map(|next| next.output.iter().product()).min().unwrap_or(1)
}

/// Raises N0115.
pub(in crate::diagnosis) fn narrow_layer(e: &Evidence) -> Option<Finding> {
    let weighted: Vec<(&LayerFacts, &Kernel)> = e.weighted().collect();
    let (last, _) = weighted.last()?;
    let epoch = e.curves.epochs.len();
    if !e.ended || e.skill().is_none_or(|skill| skill > 0.5 && !e.is_beaten()) {
        return None;
    }
    let outputs: usize = last.output.last().copied().unwrap_or(1);
    // In a layer of few units no other unit can replace one that ends badly. A layer with fewer units than there are classes
    // or targets, between wider layers, mixes what the layers after it must separate.
    let carries = |layer: &LayerFacts| {
        let next = weighted.iter().find(|(next, _)| next.index > layer.index);
        let wider = |units| next.is_some_and(|(next, _)| next.output.iter().product::<usize>() > units);
        let units = passed_on(e, layer);
        (units < outputs && units < layer.input.iter().product() && wider(units)).then_some(units)
    };
    let narrow =
        weighted.iter().filter(|(layer, _)| layer.index < last.index).filter_map(|(layer, kernel)| {
            match kernel.units <= FEW_UNITS {
                true => Some((layer, kernel, kernel.units)),
                false => Some((layer, kernel, carries(layer)?)),
            }
        });
    let (layer, kernel, width) = narrow.min_by_key(|(_, _, width)| *width)?;
    let lost = layer.sample.lost as f64 / layer.sample.rows.max(1) as f64;
    // A narrow layer for many numbers may be an intended projection, but not one before many classes.
    let next = weighted.iter().find(|(next, _)| next.index > layer.index);
    let hidden = next.is_some_and(|(next, _)| next.index < last.index);
    let crowded = e.plan.task == Task::Classes && hidden && carries(layer).is_some();
    let severity = if lost > 0.2 || crowded { Severity::Warning } else { if_harmful(e) };
    let units = (4 * kernel.units).max(16).max(outputs);
    let finding = Finding::draft("a hidden layer with few units").at_most(severity).at(layer);
    let finding = match lost > 0.0 {
        true => finding.evidence(format!(
            "{} of {} sampled rows in epoch {epoch} leave it as zeros, so later layers cannot distinguish them",
            layer.sample.lost, layer.sample.rows
        )),
        false => finding.evidence(format!("{} units for {} inputs", kernel.units, kernel.inputs)),
    };
    let finding = match width < outputs && outputs > 1 {
        true => {
            finding.evidence(format!("it passes on {width} numbers, from which {outputs} outputs follow"))
        }
        false => finding,
    };
    Some(finding.remedy(format!("use `Dense::new({units})`"), Remedy::Units { layer: layer.index, units }))
}

/// The loss of guessing, for a cross-entropy.
pub(super) fn guess(e: &Evidence) -> Option<f64> {
    let classes = e.output()?.output.last().copied()? as f64;
    match e.plan.task {
        _ if !e.plan.scores_probabilities() => None,
        Task::Classes => Some(classes.ln()),
        Task::Binary => Some(2.0f64.ln()),
        Task::Numbers => None,
    }
}
