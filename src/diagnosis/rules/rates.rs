//! Whether the learning rate suits the optimizer, the data and the planned steps.

use super::super::evidence::{Evidence, LayerFacts, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, if_harmful, short};
use crate::activation::Activation;
use crate::loss::LossFamily;
use crate::optimizer::StepScale;

/// The usual learning rate of an optimizer.
fn usual_rate(step: StepScale) -> Option<f64> {
    match step {
        StepScale::Gradient | StepScale::Accumulated => Some(0.01),
        StepScale::Normalized => Some(0.001),
        StepScale::Sign => Some(1e-4),
        _ => None,
    }
}

/// The planned steps, or a thousand, which is what a small training takes.
fn planned(e: &Evidence) -> f64 {
    e.plan.epochs.map_or(1000.0, |epochs| epochs.saturating_mul(e.plan.batches).max(1) as f64)
}

/// Raises N0112.
pub(in crate::diagnosis) fn learning_rate(e: &Evidence) -> Option<Finding> {
    let usual = usual_rate(e.plan.step_scale)?;
    let rate = e.plan.learning_rate?;
    if rate == 0.0 {
        let finding = draft(e, rate, "is 0", Severity::Error).evidence("no weight changes");
        return Some(start_with(finding, usual));
    }
    too_large(e, rate, usual)
        .or_else(|| raised(e, rate, usual))
        .or_else(|| growing(e, rate, usual))
        .or_else(|| too_small(e, rate, usual))
}

/// A rate that a callback raised beyond the planned ones.
fn raised(e: &Evidence, rate: f64, usual: f64) -> Option<Finding> {
    let largest = e.curves.epochs.iter().map(|epoch| epoch.learning_rate).fold(0.0, f64::max);
    if largest <= 1.01 * rate || !e.is_poor() {
        return None;
    }
    let finding = too_large(e, largest, usual)?;
    Some(finding.evidence(format!("a callback raised it from {}", short(rate))))
}

fn draft(e: &Evidence, rate: f64, what: &str, severity: Severity) -> Finding {
    Finding::draft(format!("the learning rate {what}")).at_most(severity).evidence(format!(
        "{} with a learning rate of {}",
        e.plan.optimizer,
        short(rate)
    ))
}

fn start_with(finding: Finding, rate: f64) -> Finding {
    finding.remedy(format!("start with a learning rate of {}", short(rate)), Remedy::LearningRate(rate))
}

fn too_large(e: &Evidence, rate: f64, usual: f64) -> Option<Finding> {
    if e.plan.step_scale == StepScale::Gradient {
        return beyond_curvature(e, rate, usual);
    }
    // These optimizers divide by the size of the gradient, so a step changes a weight by up to the rate. A weight is about
    // 0.1 large, and 0.03 changes it by a third. The steps of Adagrad and Ftrl shrink as 1/√t (Duchi et al. 2011), and over
    // T steps they average 2·rate/√T.
    let (change, most) = match e.plan.step_scale {
        StepScale::Sign => (rate, 0.01),
        StepScale::Accumulated => (2.0 * rate / planned(e).sqrt(), 0.03),
        _ => (rate, 0.03),
    };
    if change.min(rate) <= most {
        return None;
    }
    let weights = e.weighted().map(|(_, kernel)| kernel.usual).fold(0.0, f64::max);
    // The weights of a linear output become as large as its targets.
    let targets = &e.data.targets;
    let needed = match e.plan.task {
        Task::Numbers => targets.mean.hypot(targets.deviation),
        _ => 0.0,
    };
    // Ten times the size of a weight in one step: after it nothing is left of the weights, and the next step does the same.
    let hopeless = weights > 0.0 && change >= 10.0 * weights.max(needed);
    let severity = if hopeless { Severity::Error } else { if_harmful(e) };
    let finding = draft(e, rate, "is very large", severity).evidence(format!(
        "a step changes each weight by up to {}; the usual size of a weight is {}, and a thousandth of it is usual",
        short(change),
        short(weights)
    ));
    Some(start_with(finding, usual))
}

/// The first layer with weights, if it reads all features of a row as they are.
fn reads_features(e: &Evidence) -> Option<&LayerFacts> {
    let (layer, kernel) = e.weighted().next()?;
    let as_they_are = e.layers[..layer.index].iter().all(|layer| layer.is_view);
    let all = as_they_are && !e.data.indices && kernel.inputs == e.data.features.len();
    all.then_some(layer)
}

/// Gradient descent on a quadratic function of curvature λ diverges above a rate of 2/λ, and above 4/λ with any momentum
/// (Polyak 1964). The squared error of a linear layer, averaged over k outputs, has λ = 2/k · λmax(E[x·xᵀ]).
fn beyond_curvature(e: &Evidence, rate: f64, usual: f64) -> Option<Finding> {
    // Of inputs that are too large (N0202 has the bound) the scale is the fault, not the rate; scaled ones have λmax ≥ 1.
    let large = e.first.as_ref().and_then(|first| first.sums).is_some_and(|sums| sums > 10.0);
    let raw = reads_features(e).filter(|_| !large && e.data.sampled_rows > 1);
    let inputs = raw.map_or(1.0, |_| e.data.curvature.max(1.0));
    let alone = raw.filter(|layer| {
        let follow = e.layers[layer.index + 1..].iter().all(|next| next.is_view);
        let linear = layer.activation.is_none_or(|activation| activation == Activation::Linear);
        let squares = e.plan.family == LossFamily::SquaredError;
        follow && linear && squares && layer.is_affine && layer.output.len() == 1
    });
    let curvature = match alone {
        Some(_) => {
            let outputs = e.output()?.output.last().copied().unwrap_or(1).max(1);
            2.0 / outputs as f64 * e.data.curvature
        }
        // Layers after it change the curvature by factors of about 1. With a bias and scaled inputs it is 2, for which rates end
        // at 1. That of a cross-entropy has a factor p(1 − p) of at most 1/4.
        None if e.plan.family == LossFamily::CrossEntropy => (0.25 * (1.0 + inputs)).max(2.0),
        None => 1.0 + inputs,
    };
    // The gradient of a sum over a batch is that of the mean times its rows.
    let curvature =
        if e.plan.is_sum { curvature * e.plan.batch_size.min(e.data.rows) as f64 } else { curvature };
    if rate <= 2.0 / curvature {
        return None;
    }
    let diverges = alone.is_some() && rate > 4.0 / curvature;
    // A sum has no scale that would tell a failure from a success.
    let severity = match () {
        () if diverges => Severity::Error,
        () if e.plan.is_sum => Severity::Warning,
        () => if_harmful(e),
    };
    let rows = match e.plan.is_sum {
        true => ", summed over the rows of a batch,",
        false => "",
    };
    let finding = draft(e, rate, "is very large", severity).evidence(format!(
        "the curvature along the inputs{rows} is at least {}, for which steps overshoot above a rate of {}",
        short(curvature),
        short(2.0 / curvature)
    ));
    Some(start_with(finding, usual.min(0.5 / curvature)))
}

/// Steps after which the loss is larger than before: by more than a constant prediction costs, and twice as large, while
/// neither inputs (N0202 has the bound) nor targets make them large.
fn growing(e: &Evidence, rate: f64, usual: f64) -> Option<Finding> {
    let first = e.first.as_ref()?;
    if rate <= usual || first.sums.is_some_and(|sums| sums > 10.0) {
        return None;
    }
    let text = match (&e.curves.diverged, e.curves.epochs.first()) {
        (Some(_), None) if e.plan.step_scale == StepScale::Gradient => {
            format!(
                "the loss was {} in the first batch, and became infinite in the first epoch",
                short(first.loss)
            )
        }
        (_, Some(epoch)) if epoch.loss > 2.0 * first.loss && epoch.loss - first.loss > e.span() => {
            format!(
                "the loss rose from {} in the first batch to a mean of {} in the first epoch",
                short(first.loss),
                short(epoch.loss)
            )
        }
        _ => return None,
    };
    Some(start_with(draft(e, rate, "is too large", if_failing(e, Severity::Warning)).evidence(text), usual))
}

/// A schedule or a callback that leaves the training too few steps: fifty of the largest rate (N0113 has the bound), and less
/// than a fifth of those that are planned.
fn falls_too_soon(e: &Evidence, rate: f64) -> Option<Finding> {
    let used = || e.curves.epochs.iter().map(|epoch| epoch.learning_rate);
    let largest = used().fold(0.0, f64::max);
    let by_epoch = used().map(|own| own / largest).sum::<f64>() * e.plan.batches as f64;
    let steps = e.plan.full_steps.map_or(by_epoch, |planned| planned.min(by_epoch));
    let few = steps < 50.0 && steps < 0.2 * planned(e).min(e.steps() as f64);
    (few && e.ended && e.skill().is_some_and(|skill| skill < 0.5)).then(|| {
        let text = format!(
            "{} steps together change the weights like {} steps of the largest rate",
            e.steps(),
            short(steps)
        );
        draft(e, rate, "falls too soon", Severity::Warning)
            .evidence(text)
            .remedy(format!("use a constant rate of {}", short(rate)), Remedy::LearningRate(rate))
            .suggestion(format!("decay over all {} steps", planned(e)))
    })
}

fn too_small(e: &Evidence, rate: f64, usual: f64) -> Option<Finding> {
    if let Some(finding) = falls_too_soon(e, rate) {
        return Some(finding);
    }
    // A search for a rate goes over two powers of ten below the usual one (Bengio 2012).
    if rate < 0.01 * usual && (e.failing() || rate < 1e-3 * usual) {
        let finding = draft(e, rate, "is very small", if_failing(e, Severity::Warning))
            .evidence(format!("about {} is usual", short(usual)));
        return Some(start_with(finding, usual));
    }
    // A rate that rises at first has risen after half of the epochs.
    let far = e.ended || e.plan.epochs.is_some_and(|epochs| 2 * e.curves.epochs.len() >= epochs);
    if !far || rate >= usual || e.curves.epochs.is_empty() || e.skill().is_none_or(|skill| skill > 0.5) {
        return None;
    }
    if e.ended && rate < 0.1 * usual && still_falls(e) {
        let finding = draft(e, rate, "is very small", Severity::Warning).evidence(format!(
            "the loss decreased in every epoch to the end; about {} is usual",
            short(usual)
        ));
        return Some(start_with(finding, usual));
    }
    let reach = reach(e)?;
    // The sums of a layer are about 1; a tenth of that in all layers together does not change an answer.
    (reach < 0.1).then(|| {
        let finding = draft(e, rate, "is very small", Severity::Warning).evidence(format!(
            "in {} steps the weights can change the sums of all layers by {} at most (1 is the usual size of a sum)",
            planned(e),
            short(reach)
        ));
        start_with(finding, usual)
    })
}

/// Whether the loss decreased in each of at least five epochs: five numbers are in order by chance once in 120 times.
fn still_falls(e: &Evidence) -> bool {
    let losses: Vec<f64> = e.curves.losses().collect();
    losses.len() >= 5 && losses.windows(2).all(|pair| pair[1] < pair[0])
}

/// How far the planned steps can move the sums of all layers, if every step changes each weight as much as the measured ones
/// and in the direction of its input: Σ over the layers of T · Δw · (1 + inputs · rms of the input).
fn reach(e: &Evidence) -> Option<f64> {
    let mut input = e.first.as_ref()?.inputs.0;
    let mut reach = 0.0;
    for layer in &e.layers {
        if let Some(kernel) = &layer.kernel {
            let step = layer.sample.step.max(layer.largest_step);
            let change = step * layer.sample.weights.max(0.1 * kernel.usual);
            let times = if layer.is_recurrent { layer.input.first().copied().unwrap_or(1) } else { 1 };
            reach += planned(e) * change * times as f64 * (1.0 + kernel.inputs as f64 * input);
        }
        if !layer.is_view && layer.sample.rows > 0 {
            input = layer.sample.rms;
        }
    }
    Some(reach)
}
