//! Rules about the options of the optimizer, the weights of rows, and frozen layers.

use super::super::evidence::{Evidence, LayerFacts, WeightFacts};
use super::super::finding::{Finding, Severity};
use super::{if_poor, short};

/// Raises N0118.
pub(in crate::diagnosis) fn optimizer_options(e: &Evidence) -> Option<Finding> {
    averaged_weights(e).or_else(|| weight_decay(e)).or_else(|| large_momentum(e))
}

/// Averages in which the initial weights keep more than a tenth of the weight at the end.
fn averaged_weights(e: &Evidence) -> Option<Finding> {
    let (momentum, updates) = (e.plan.options.average?.momentum, e.plan.updates()?);
    let kept = momentum.powf(updates as f64);
    (kept > 0.1).then(|| {
        let enough = 1.0 - 10.0 / updates.max(20) as f64;
        Finding::draft("the averaged weights are still near the initial ones")
            .at_most(Severity::Warning)
            .evidence(format!(
                "after {updates} updates with a momentum of {momentum}, {} % of the average are the weights of the first update; \
                 `fit` ends with the average",
                short(100.0 * kept)
            ))
            .suggestion(format!("use `WeightAverage::new({})`, or train for more epochs", short(enough)))
    })
}

/// Decay that removes a hundredth of each weight per update. The weights of a usual training change by a thousandth.
fn weight_decay(e: &Evidence) -> Option<Finding> {
    let removed = e.plan.options.weight_decay? * e.plan.learning_rate?;
    (removed > 0.01).then(|| {
        Finding::draft("the weight decay outweighs the gradients")
            .at_most(if_poor(e, Severity::Warning))
            .evidence(format!(
                "an update removes {} % of each weight: the decay of {} times the learning rate; 0.001 % is usual",
                short(100.0 * removed),
                short(e.plan.options.weight_decay.unwrap_or_default())
            ))
            .suggestion("use a weight decay of 0.01 or less")
    })
}

/// A momentum that sums the gradients of more than 50 steps: their steps are in the direction of gradients long past.
fn large_momentum(e: &Evidence) -> Option<Finding> {
    let (momentum, rate) = (e.plan.momentum, e.plan.learning_rate?);
    (momentum > 0.98).then(|| {
        Finding::draft("the momentum is very large")
            .at_most(if_poor(e, Severity::Warning))
            .evidence(format!(
                "a momentum of {momentum} sums the gradients of about {} steps, like a learning rate of {}; 0.9 is usual",
                short(1.0 / (1.0 - momentum)),
                short(rate / (1.0 - momentum))
            ))
            .suggestion("use `.momentum(0.9)`")
    })
}

/// Raises N0119.
pub(in crate::diagnosis) fn frozen_layers(e: &Evidence) -> Option<Finding> {
    let has_weights = |layer: &&LayerFacts| layer.is_frozen || layer.kernel.is_some();
    let frozen = e.layers.iter().rfind(has_weights).filter(|layer| layer.is_frozen)?;
    let all = !e.layers.iter().any(|layer| layer.kernel.is_some());
    let severity = if all { Severity::Error } else { if_poor(e, Severity::Warning) };
    let title =
        if all { "all layers with weights are frozen" } else { "the last layer with weights is frozen" };
    Some(
        Finding::draft(title)
            .at_most(severity)
            .at(frozen)
            .evidence("no step changes its weights")
            .suggestion("use `.trainable(true)` on the layers that are to learn; to fine-tune a network, freeze its first layers and train the last"),
    )
}

/// Raises N0213.
pub(in crate::diagnosis) fn row_weights(e: &Evidence) -> Option<Finding> {
    lost_classes(e).or_else(|| lost_rows(e, e.data.weights?))
}

/// Class weights that hide several classes, or that make the largest class larger.
fn lost_classes(e: &Evidence) -> Option<Finding> {
    let (counts, shares) = (&e.data.targets.classes, &e.data.targets.class_shares);
    let rows: usize = counts.iter().sum();
    let (largest, count) = counts.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let weighted = *shares.get(largest)?;
    let share = *count as f64 / rows.max(1) as f64;
    let hidden: Vec<String> = counts
        .iter()
        .zip(shares)
        .enumerate()
        .filter(|(_, (count, share))| **count > 0 && **share <= 0.0)
        .map(|(class, _)| class.to_string())
        .collect();
    let finding = Finding::draft("the weights of the rows hide classes").at_most(Severity::Warning);
    // A single class without weight may be one that does not matter, such as the background of a picture.
    if hidden.len() > 1 || (hidden.len() == 1 && shares.len() == 2) {
        return Some(
            finding
                .evidence(format!("all rows of these classes have a weight of 0: {}", hidden.join(", ")))
                .suggestion("check the class weights: a class needs a weight above 0 to be learned"),
        );
    }
    (1.0 - weighted < 0.1 * (1.0 - share)).then(|| {
        finding
            .evidence(format!(
                "class {largest} has {} % of the rows, and {} % of their weight",
                short(100.0 * share),
                short(100.0 * weighted)
            ))
            .suggestion("check the class weights: rare classes need larger weights, as `ClassWeight::Balanced` gives them")
    })
}

/// Weights of which a few rows have almost all.
fn lost_rows(e: &Evidence, weights: WeightFacts) -> Option<Finding> {
    let few = weights.effective_rows < (0.05 * e.data.rows as f64).min(30.0);
    few.then(|| {
        Finding::draft("a few rows have almost all of the weight")
            .at_most(Severity::Warning)
            .evidence(format!(
                "the weights of {} training rows are worth {} rows of equal weight",
                e.data.rows,
                short(weights.effective_rows)
            ))
            .suggestion("check the sample weights and the class weights")
    })
}
