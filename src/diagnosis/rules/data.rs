//! What goes in: its scale, its balance, its order.

use super::super::evidence::{Evidence, Feature, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, short};
use crate::activation::Activation;

/// Raises N0202.
pub(in crate::diagnosis) fn input_scale(e: &Evidence) -> Option<Finding> {
    if e.data.indices {
        return None;
    }
    let first = e.first.as_ref()?;
    let layer = e.layers.get(first.layer)?;
    let kernel = layer.kernel.as_ref()?;
    // What the inputs are answerable for: the sums that usual weights would give. First weights out of the usual are
    // N0111's.
    let sums = first.sums? / (kernel.deviation / kernel.largest()).max(1.0);
    // Sums of rms 10 saturate a softmax, e^10 to 1; a sigmoid or tanh is flat from 5 on.
    let squashes = matches!(layer.activation, Some(Activation::Sigmoid | Activation::Tanh));
    let most = if squashes { 5.0 } else { 10.0 };
    // A layer that normalises has dealt with single features; its output was measured above.
    let raw = !e.layers[..first.layer].iter().any(|layer| layer.is_normalization);
    let ((median, largest), (varying, offset)) = (e.data.sizes, e.data.varying);
    let uneven = raw && largest > 100.0 * median && largest > 1.0;
    let offset = raw && 2 * offset > varying && largest > 1.0;
    let (rms, deviation) = first.inputs;
    let seen = || {
        format!(
            "inputs: {} features, rms {}, standard deviation {}; `{}`'s first sums have rms {}, where 1 is usual",
            e.data.features.len().max(1),
            short(rms),
            short(deviation),
            layer.name,
            short(first.sums.unwrap_or(sums))
        )
    };
    let (severity, title) = match () {
        () if sums > most => {
            let harm =
                e.curves.epochs.last().is_some_and(|epoch| epoch.clipped > 0.3 || epoch.gradient == 0.0);
            let severity = if harm || e.curves.diverged.is_some() || e.failing() {
                Severity::Error
            } else {
                Severity::Warning
            };
            (severity, format!("the inputs are {} times too large for the first layer", short(sums)))
        }
        () if uneven => (if_failing(e, Severity::Warning), "the features have very different sizes".into()),
        () if offset => {
            (if_failing(e, Severity::Warning), "the features lie far from 0, and vary little".into())
        }
        // Signals this small are lost beside biases that a step moves as far as those of a large input.
        () if sums < 0.05 && sums > 0.0 && kernel.deviation > 0.5 * kernel.usual => {
            (if_failing(e, Severity::Warning), "the inputs are nearly 0: scaled twice?".into())
        }
        () if !(0.33..=3.0).contains(&sums) && sums > 0.0 => {
            (Severity::Note, format!("the first sums are {} times as large as usual", short(sums)))
        }
        () => return None,
    };
    let mut finding = Finding::draft(title).at_most(severity).at(layer).saw(seen());
    if uneven || offset {
        let mut worst: Vec<(usize, &Feature)> = e.data.features.iter().enumerate().collect();
        worst.sort_by(|a, b| b.1.rms().total_cmp(&a.1.rms()));
        for (place, feature) in worst.iter().take(3) {
            finding = finding.saw(format!(
                "feature {place}: mean {}, standard deviation {}",
                short(feature.mean),
                short(feature.deviation)
            ));
        }
    }
    let constant = e.data.features.len() - varying;
    if constant > 0 && e.data.looked > 1 {
        finding = finding.saw(format!("{constant} features are constant"));
    }
    Some(finding.mend(
        "normalise the inputs: add `Normalization::new().adapt(&x)?` as the first layer",
        Remedy::NormalizeInputs,
    ))
}

/// Raises N0203.
pub(in crate::diagnosis) fn target_scale(e: &Evidence) -> Option<Finding> {
    let output = e.output()?;
    let linear = output.activation.is_none_or(|activation| activation == Activation::Linear);
    if e.plan.task != Task::Numbers || !linear || e.data.looked == 0 {
        return None;
    }
    let targets = &e.data.targets;
    let rms = targets.mean.hypot(targets.deviation);
    if rms <= 10.0 {
        return None;
    }
    // A rule that divides by the gradient's size moves the output by at most rate · (1 + Σ|h|) in a step, h being what
    // goes into the last layer; with the usual size of 1 for each of them.
    let inputs = output.kernel.as_ref().map_or(1, |kernel| kernel.inputs) as f64;
    let below = e.layers[..output.index].iter().rev().find(|layer| !layer.is_view);
    let size = below.map_or(1.0, |layer| layer.look.rms);
    let reach = e.plan.learning_rate * (1.0 + inputs * size);
    let (needed, planned) =
        (targets.mean.abs().max(targets.deviation) / reach, e.plan.epochs * e.plan.batches);
    let adaptive = e.plan.optimizer != "sgd";
    let planned = if e.plan.epochs == 0 { usize::MAX } else { planned };
    let far = adaptive && needed > planned as f64;
    // The slope of a squared error in the output's bias is twice the distance: beyond 1 a step overshoots by more.
    // At the usual rate; that of a larger rate is N0112's.
    let overshoots = !adaptive && 2.0 * e.plan.learning_rate.min(0.01) * rms > 1.0;
    let severity = match () {
        () if far || (e.plan.epochs == 0 && rms > 100.0) => Severity::Warning,
        () if overshoots || rms > 100.0 => if_failing(e, Severity::Warning),
        () => Severity::Note,
    };
    let mut finding = Finding::draft("the targets are large").at_most(severity).saw(format!(
        "targets from {} to {}, mean {}, standard deviation {}",
        short(targets.range.0),
        short(targets.range.1),
        short(targets.mean),
        short(targets.deviation)
    ));
    if adaptive && e.plan.epochs > 0 {
        finding = finding.saw(format!(
            "{} moves the output by about {} in a step: {} steps to reach the targets' size, {planned} planned",
            e.plan.optimizer, short(reach), short(needed.ceil())
        ));
    }
    Some(finding.mend(
        "bring the targets to mean 0 and deviation 1, and the predictions back",
        Remedy::StandardizeTargets,
    ))
}

/// Raises N0204.
pub(in crate::diagnosis) fn label_balance(e: &Evidence) -> Option<Finding> {
    let classes = &e.data.targets.classes;
    let total: usize = classes.iter().sum();
    let (most, count) = classes.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let least = classes.iter().filter(|count| **count > 0).min()?;
    let share = *count as f64 / total.max(1) as f64;
    if *count == total && total > 1 {
        return Some(
            Finding::draft("all targets are of one class")
                .saw(format!("class {most} in {total} of {total} rows looked at"))
                .help("check how the labels were made: there is nothing to tell apart"),
        );
    }
    let collapsed = e.curves.epochs.last().is_some_and(|epoch| {
        let answers: usize = epoch.answers.iter().sum();
        answers > 0 && epoch.answers.get(most).is_some_and(|count| *count as f64 >= 0.99 * answers as f64)
    });
    // Ten to one, or six in seven: where accuracy alone no longer tells a network from a constant.
    (*count > 10 * least || share > 0.85).then(|| {
        let severity = if collapsed { if_failing(e, Severity::Warning) } else { Severity::Note };
        Finding::draft("one class outnumbers the others")
            .at_most(severity)
            .saw(format!(
                "class {most} in {} % of the rows: always answering it has accuracy {}",
                short(100.0 * share),
                short(share)
            ))
            .mend(
                "`.class_weight(ClassWeight::Balanced)`, and a metric such as `F1Score` beside the accuracy",
                Remedy::Balance,
            )
    })
}

/// Raises N0205.
pub(in crate::diagnosis) fn order_and_split(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let sequences = e.data.shape.len() > 1;
    let mild = |severity| if sequences { Severity::Note } else { severity };
    if let Some(part) = &e.data.validation {
        let total: usize = targets.classes.iter().sum::<usize>().max(1);
        let shares = targets.classes.iter().map(|count| *count as f64 / total as f64);
        let apart: f64 = shares.zip(&part.classes).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
        let moved = (part.mean - targets.mean).abs();
        // What chance alone does: the distance of two samples' shares is ½ Σ √(2/π · p(1 − p)(1/n + 1/m)) in the mean, and a
        // row more or less moves it by 1/m, so that its deviation is at most ½ √(1/n + 1/m) (Efron and Stein).
        let rows = 1.0 / e.data.targets.rows.max(1) as f64 + 1.0 / part.rows.max(1) as f64;
        let spread = |p: f64| (2.0 / std::f64::consts::PI * p * (1.0 - p) * rows).sqrt();
        let pooled = targets.classes.iter().zip(&part.classes).map(|(count, share)| {
            let own = *count as f64 / total as f64;
            let all = (targets.rows + part.rows).max(1) as f64;
            (own * targets.rows as f64 + share * part.rows as f64) / all
        });
        let expected = pooled.map(spread).sum::<f64>() / 2.0;
        // Beyond that, three rows in ten of another class, or a mean that lies a deviation away, are no longer the same task.
        let differs = match targets.classes.is_empty() {
            false => apart > 0.3 + expected + 1.5 * rows.sqrt(),
            true => moved > targets.deviation * (1.0 + 3.0 * rows.sqrt()) && targets.deviation > 0.0,
        };
        // Numbers that go on rising are a series, and its end is what it is tested on; that harms where it is not foretold.
        let harmless = targets.classes.is_empty() && e.validation_skill().is_none_or(|skill| skill > 0.0);
        if differs && part.rows >= 8 {
            let severity = if harmless { Severity::Note } else { mild(Severity::Warning) };
            let seen = match targets.classes.is_empty() {
                false => format!(
                    "{} % of the rows would have to change class to make both parts alike",
                    short(100.0 * apart)
                ),
                true => format!(
                    "mean of the targets: {} where it trains, {} where it validates",
                    short(targets.mean),
                    short(part.mean)
                ),
            };
            return Some(
                Finding::draft("the validation part is not like the training part").at_most(severity)
                    .saw(seen)
                    .help("shuffle the rows before they are split; keep the order only where time is to be foretold"),
            );
        }
    }
    (e.data.sorted && !e.plan.shuffle && e.plan.batches > 1).then(|| {
        Finding::draft("the samples come sorted by class, and are not shuffled")
            .at_most(mild(Severity::Warning))
            .saw(format!("the class changes {} times in {} rows looked at", targets.changes, e.data.looked))
            .mend("`.shuffle(true)`", Remedy::Shuffle)
    })
}
