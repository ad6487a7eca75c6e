//! Rules about the course of a training: gradients, step sizes, predictions and penalties.

use super::super::evidence::{Epoch, Evidence, LEARNED, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_failing, short};

/// Raises N0406.
pub(in crate::diagnosis) fn vanishing_gradient(e: &Evidence) -> Option<Finding> {
    let (first, last) = (e.weighted().next()?.0, e.weighted().last()?.0);
    let layers = e.weighted().count();
    // Compares ratios, because all gradients are small once a network has learned.
    let vanishes = first.sample.gradient < 1e-4 * last.sample.gradient && first.sample.step < 1e-6;
    (layers > 2 && vanishes && e.failing()).then(|| {
        let norms: Vec<String> = e
            .weighted()
            .map(|(layer, _)| format!("{} {}", layer.name, short(layer.sample.gradient)))
            .collect();
        Finding::draft("the gradient vanishes in the first layers")
            .at(first)
            .evidence(format!("root mean square of the gradient: {}", norms.join(", ")))
            .evidence(format!(
                "a step changes `{}` by {} of its size (0.001 is usual)",
                first.name,
                short(first.sample.step)
            ))
            .suggestion("use relu in hidden layers, `BatchNormalization`, a `Residual`, or fewer layers")
    })
}

/// The relative change of the weights in a step, as the median over the layers.
pub(super) fn step(e: &Evidence) -> Option<f64> {
    let mut steps: Vec<f64> = e.weighted().map(|(layer, _)| layer.sample.step).collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// Raises N0407.
pub(in crate::diagnosis) fn step_size(e: &Evidence) -> Option<Finding> {
    step_too_large(e).or_else(|| step_too_small(e))
}

fn step_too_large(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses_without_penalty().collect();
    let (step, rate) = (step(e)?, e.plan.learning_rate? / 10.0);
    if losses.len() < 4 || e.skill().is_some_and(|skill| skill > 0.9) {
        return None;
    }
    let moves: Vec<f64> = losses.windows(2).map(|pair| pair[1] - pair[0]).collect();
    let turns = moves.windows(2).filter(|pair| pair[0] * pair[1] < 0.0).count();
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let swing = moves.iter().map(|m| m.abs()).sum::<f64>() / moves.len() as f64;
    // A step of a tenth of the weights overshoots, and then the loss goes up and down from epoch to epoch.
    let restless = 2 * turns > moves.len() - 1 && swing > 0.1 * e.size(mean);
    (step > 0.1 && (restless || e.failing())).then(|| {
        Finding::draft("the steps are too large").at_most(if_failing(e, Severity::Warning).max(if restless { Severity::Warning } else { Severity::Note }))
            .evidence(format!("a step changes the weights by {} of their size (0.001 is usual); the loss changes by {} per epoch", short(step), short(swing)))
            .remedy(format!("use a learning rate of {}", short(rate)), Remedy::LearningRate(rate))
    })
}

fn step_too_small(e: &Evidence) -> Option<Finding> {
    let losses: Vec<f64> = e.curves.losses_without_penalty().collect();
    let (step, rate) = (step(e)?, e.plan.learning_rate? * 100.0);
    // A schedule that ends at a low rate made larger steps before.
    let mut largest: Vec<f64> = e.weighted().map(|(layer, _)| layer.largest_step).collect();
    largest.sort_by(f64::total_cmp);
    let largest = largest[largest.len() / 2];
    let [first, .., last] = *losses else { return None };
    let skill = e.skill()?;
    if losses.len() < 3 || skill > 0.5 || step == 0.0 || largest > 1e-5 {
        return None;
    }
    let gain = (first - last) / e.size(first).max(1e-12) / (losses.len() - 1) as f64;
    // A hundredth of the usual step, and less than a hundredth of the loss per epoch: at this rate the loss halves in
    // ln 2 / gain epochs.
    (step < 1e-5 && gain < 0.01 && rate > 0.0).then(|| {
        let pace = if gain > 0.0 {
            format!("at this rate the loss halves in {} epochs", short((2f64.ln() / gain).ceil()))
        } else {
            "the loss does not decrease".into()
        };
        let finding = Finding::draft("the steps are too small").evidence(format!(
            "a step changes the weights by {} of their size (0.001 is usual); {pace}",
            short(step)
        ));
        let options = &e.plan.options;
        let bound = options.clip_norm.or(options.global_clip_norm).or(options.clip_value);
        bound
            .into_iter()
            .fold(finding, |finding, bound| {
                finding
                    .evidence(format!("the gradients are clipped to {}", short(bound)))
                    .suggestion("raise the bound of the clipping, or remove it")
            })
            .remedy(format!("use a learning rate of {}", short(rate)), Remedy::LearningRate(rate))
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
        let deviation = last.output_deviation?;
        let flat = |deviation: f64| deviation < 0.01 * targets.deviation;
        return (e.failing()
            && targets.deviation > 0.0
            && before.output_deviation.is_some_and(flat)
            && flat(deviation))
        .then(|| {
            Finding::draft("almost the same prediction for every input")
                .evidence(format!(
                    "standard deviation {} for the outputs, {} for the targets",
                    short(deviation),
                    short(targets.deviation)
                ))
                .suggestion("fix the causes that the other findings name: the network predicts a constant")
        });
    }
    let most = |counts: &[usize]| {
        let total: usize = counts.iter().sum();
        let (class, count) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
        (total > 0 && *count as f64 >= 0.99 * total as f64).then_some(class)
    };
    let class =
        most(&last.prediction_counts).filter(|class| most(&before.prediction_counts) == Some(*class))?;
    let rows: usize = targets.classes.iter().sum();
    let share = *targets.classes.get(class)? as f64 / rows.max(1) as f64;
    // If a class is frequent and the inputs carry little information, it is the right prediction for almost every row,
    // although the probabilities differ. So the loss decides: it must be worse than that of a constant.
    (share < 0.95).then(|| {
        Finding::draft("the network always predicts the same class")
            .at_most(if_failing(e, Severity::Error))
            .evidence(format!(
                "class {class} for at least 99 % of the rows, but only {} % of the targets",
                short(100.0 * share)
            ))
            .suggestion("fix the causes that the other findings name: the network predicts a constant")
    })
}

/// Raises N0409.
pub(in crate::diagnosis) fn penalty(e: &Evidence) -> Option<Finding> {
    let [first, .., last] = &*e.curves.epochs else { return None };
    if e.curves.epochs.len() < 3 || !e.last_skill().is_some_and(|skill| skill < 0.5) {
        return None;
    }
    let fails = e.last_skill().is_some_and(|skill| skill < LEARNED) && e.judged();
    // A penalty that wins shrinks the weights, and then is small itself: to a hundredth, if the weights shrink to a tenth.
    // Large initial weights have a large penalty too, but without effect it neither lasts nor shrinks the weights.
    let without = |epoch: &Epoch| epoch.loss - epoch.penalty;
    let shrunk = last.late_penalty < 0.01 * first.penalty;
    let outweighs = |epoch: &&Epoch| epoch.penalty > without(epoch).max(0.0);
    let lasting = 2 * e.curves.epochs.iter().filter(outweighs).count() > e.curves.epochs.len();
    // What the network learned lowers the loss by little more than the penalty costs: by less than three times as much.
    let learned = e.span() * e.last_skill().unwrap_or(1.0);
    let dear = e.ended && e.judged() && last.end_penalty > (0.02 * e.span()).max(0.3 * learned);
    ((fails && (shrunk || lasting)) || dear).then(|| {
        let title =
            if lasting { "the penalty outweighs the loss" } else { "the penalty shrinks the weights to 0" };
        Finding::draft(title)
            .evidence(format!(
                "penalty {} beside a loss of {} in the first epoch, {} beside {} in the last",
                short(first.penalty),
                short(without(first)),
                short(last.penalty),
                short(without(last))
            ))
            .remedy("divide the factor of the regularizer by 100", Remedy::Penalty(0.01))
            .remedy("remove the regularizer", Remedy::Penalty(0.0))
    })
}
