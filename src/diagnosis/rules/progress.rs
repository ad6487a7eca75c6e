//! How fast it goes, and where to.

use super::super::evidence::{Evidence, LEARNED, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, short};

/// Raises N0406.
pub(in crate::diagnosis) fn vanishing_gradient(e: &Evidence) -> Option<Finding> {
    let (first, last) = (e.weighted().next()?.0, e.weighted().last()?.0);
    let layers = e.weighted().count();
    // By ratios alone, as all gradients are small once a network has learned.
    let vanishes = first.look.gradient < 1e-4 * last.look.gradient && first.look.step < 1e-6;
    (layers > 2 && vanishes && e.failing()).then(|| {
        let norms: Vec<String> =
            e.weighted().map(|(layer, _)| format!("{} {}", layer.name, short(layer.look.gradient))).collect();
        Finding::draft("the gradient vanishes on its way down")
            .at(first)
            .saw(format!("rms of the gradient   {}", norms.join("   ")))
            .saw(format!(
                "a step changes `{}` by {} of its size, where 1e-3 is usual",
                first.name,
                short(first.look.step)
            ))
            .help("relu in hidden layers, `BatchNormalization`, a `Residual`, or fewer layers")
    })
}

/// The median over layers of how much a step changes them, by their size.
pub(super) fn step(e: &Evidence) -> Option<f64> {
    let mut steps: Vec<f64> = e.weighted().map(|(layer, _)| layer.look.step).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// Raises N0407.
pub(in crate::diagnosis) fn step_size(e: &Evidence) -> Option<Finding> {
    step_too_large(e).or_else(|| step_too_small(e))
}

fn step_too_large(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses().collect();
    let step = step(e)?;
    if losses.len() < 4 || e.skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    let moves: Vec<f64> = losses.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let turns = moves.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let swing = moves.iter().map(|m| m.abs()).sum::<f64>() / moves.len() as f64;
    // A tenth of the weights in every step overshoots; up and down from epoch to epoch shows that it does.
    let restless = 2 * turns > moves.len() - 1 && swing > 0.1 * mean;
    (step > 0.1 && (restless || e.failing())).then(|| {
        let rate = e.plan.learning_rate / 10.0;
        Finding::draft("the steps are too large").at_most(if_failing(e, Severity::Warning).max(if restless { Severity::Warning } else { Severity::Note }))
            .saw(format!("a step changes the weights by {} of their size, where 1e-3 is usual; the loss swings by {} an epoch", short(step), short(swing)))
            .mend(format!("a learning rate of {}", short(rate)), Remedy::LearningRate(rate))
    })
}

fn step_too_small(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses().collect();
    let step = step(e)?;
    // A schedule that ends low has made its steps before.
    let mut largest: Vec<f64> = e.weighted().map(|(layer, _)| layer.largest_step).collect();
    largest.sort_by(f64::total_cmp);
    let largest = largest[largest.len() / 2];
    let [first, .., last] = *losses else { return None };
    let skill = e.skill()?;
    if losses.len() < 3 || skill > 0.5 || step == 0.0 || largest > 1e-5 {
        return None;
    }
    let gain = (first - last) / first.abs().max(1e-12) / (losses.len() - 1) as f64;
    // A hundredth of the usual change of weights, and less than a hundredth of the loss an epoch: at this pace the loss
    // halves in ln 2 / gain epochs.
    (step < 1e-5 && gain < 0.01 && e.plan.learning_rate > 0.0).then(|| {
        let rate = e.plan.learning_rate * 100.0;
        let pace = if gain > 0.0 {
            format!("{} epochs to halve the loss at this pace", short((2f64.ln() / gain).ceil()))
        } else {
            "the loss does not fall".into()
        };
        Finding::draft("the steps are too small")
            .saw(format!(
                "a step changes the weights by {} of their size, where 1e-3 is usual; {pace}",
                short(step)
            ))
            .mend(format!("a learning rate of {}", short(rate)), Remedy::LearningRate(rate))
    })
}

/// Raises N0408.
pub(in crate::diagnosis) fn collapsed(e: &Evidence) -> Option<Finding> {
    let epochs = &e.curves.epochs;
    let [.., before, last] = &**epochs else { return None };
    if e.steps() <= 200 && !e.ended {
        return None;
    }
    let targets = &e.data.targets;
    if e.plan.task == Task::Numbers {
        let flat = |spread: f64| spread < 0.01 * targets.deviation;
        return (e.failing() && targets.deviation > 0.0 && flat(before.spread) && flat(last.spread)).then(
            || {
                Finding::draft("nearly the same number for every input")
                    .saw(format!(
                        "standard deviation of the outputs {}, of the targets {}",
                        short(last.spread),
                        short(targets.deviation)
                    ))
                    .help("the network answers with a constant; look at what the other findings name")
            },
        );
    }
    let most = |answers: &[usize]| {
        let total: usize = answers.iter().sum();
        let (class, count) = answers.iter().enumerate().max_by_key(|(_, count)| **count)?;
        (total > 0 && *count as f64 >= 0.99 * total as f64).then_some(class)
    };
    let class = most(&last.answers).filter(|class| most(&before.answers) == Some(*class))?;
    let rows: usize = targets.classes.iter().sum();
    let share = *targets.classes.get(class)? as f64 / rows.max(1) as f64;
    // Where a class is frequent and the inputs tell little, it is the right answer to nearly everything, though the
    // probabilities differ: what counts is whether the loss is better than a constant's.
    (share < 0.95).then(|| {
        Finding::draft("one class is the answer to everything")
            .at_most(if_failing(e, Severity::Error))
            .saw(format!(
                "class {class} for at least 99 % of the rows, and in {} % of the targets",
                short(100.0 * share)
            ))
            .help("the network answers with a constant; look at what the other findings name")
    })
}

/// Raises N0409.
pub(in crate::diagnosis) fn penalty(e: &Evidence) -> Option<Finding> {
    let epoch = e.curves.epochs.last().filter(|_| e.curves.epochs.len() > 2)?;
    let bare = epoch.loss - epoch.penalty;
    // Large first weights cost much and shrink, and a run of few steps has not learned anything yet: only a run that fails.
    let unskilled = e.last_skill().is_some_and(|skill| skill < LEARNED);
    (epoch.penalty > bare && unskilled && e.failing()).then(|| {
        Finding::draft("the penalty outweighs the loss")
            .saw(format!(
                "loss {}, of which the regularizers are {}",
                short(epoch.loss),
                short(epoch.penalty)
            ))
            .mend("a hundredth of the factor in `Regularizer::L2`", Remedy::Penalty(0.01))
            .mend("or none", Remedy::Penalty(0.0))
    })
}
