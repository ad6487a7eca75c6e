//! Rules about whether the loss and the metrics suit the targets: classes or numbers.

use super::super::evidence::{Evidence, Task};
use super::super::finding::{Finding, Severity};
use super::super::remedy::{Remedy, ReplacementLoss};
use super::short;
use crate::activation::Activation;
use crate::loss::LossFamily;

/// Raises N0107.
pub(in crate::diagnosis) fn loss_and_task(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let layer = e.output()?;
    if e.data.sampled_rows == 0 {
        return None;
    }
    let summary = || {
        format!(
            "targets from {} to {}, {}{} distinct values",
            short(targets.range.0),
            short(targets.range.1),
            targets.distinct,
            if targets.distinct == 64 { " or more" } else { "" }
        )
    };
    if e.plan.task == Task::Binary
        && e.plan.scores_probabilities()
        && !targets.whole
        && targets.distinct > 20
        && targets.range.1 > 0.5
        && targets.width == 1
    {
        let linear = Remedy::Loss(ReplacementLoss::MeanSquaredError);
        return Some(
            // Soft labels and rates are valid targets. Only a failing run distinguishes other numbers from them.
            Finding::draft(format!("`{}` on continuous targets", e.plan.loss))
                .at_most(super::if_failing(e, Severity::Warning))
                .evidence(summary())
                .remedy("use a linear output and `MeanSquaredError::new()`", linear),
        );
    }
    if e.plan.is_built_in && e.plan.loss == "cosine_similarity" && layer.output.last() == Some(&1) {
        return Some(
            Finding::draft("`cosine_similarity` of single numbers")
                .at_most(Severity::Warning)
                .evidence("it compares directions, and the direction of one number is only its sign")
                .remedy("use `MeanSquaredError::new()`", Remedy::Loss(ReplacementLoss::MeanSquaredError)),
        );
    }
    // The relative error of a target near 0 has no bound, so a few such rows decide all steps.
    let near = |value: &&f64| value.abs() < 0.01 * targets.mean.hypot(targets.deviation);
    let relative = e.plan.is_built_in && e.plan.loss == "mean_absolute_percentage_error";
    let close = targets.sampled_values.iter().filter(near).count();
    if relative && (close > 0 || (targets.range.0 < 0.0 && targets.range.1 > 0.0)) {
        return Some(
            Finding::draft(format!("`{}` of targets around 0", e.plan.loss))
                .at_most(Severity::Warning)
                .evidence(summary())
                .evidence("it divides the error by the target, so that targets near 0 outweigh all others")
                .remedy("use `MeanSquaredError::new()`", Remedy::Loss(ReplacementLoss::MeanSquaredError)),
        );
    }
    // Counts and ratings are whole numbers too, so only a failing run suggests class numbers.
    let numbered =
        targets.whole && targets.width == 1 && targets.range.0 == 0.0 && (3..=20).contains(&targets.distinct);
    if numbered
        && targets.range.1 + 1.0 == targets.distinct as f64
        && e.plan.compares_numbers()
        && e.plan.loss != "poisson"
        && e.failing()
    {
        return Some(
            Finding::draft(format!("`{}` on whole numbers, as of classes", e.plan.loss))
                .at_most(Severity::Warning)
                .evidence(summary())
                .suggestion("if the numbers name classes, use an output for each, a softmax and `SparseCategoricalCrossentropy::new()`: a squared error orders the classes"),
        );
    }
    if e.plan.task != Task::Numbers
        || matches!(e.plan.family, LossFamily::CrossEntropy | LossFamily::Other)
        || !(targets.one_hot || targets.binary)
    {
        return None;
    }
    // The squared error is a proper score of probabilities (the Brier score): it may only learn more slowly. The absolute
    // error is not: its optimum is the most frequent class whatever the probabilities, so a class with a share below one
    // half is never predicted.
    let proper = e.plan.family != LossFamily::AbsoluteError;
    let severity = if proper { super::if_failing(e, Severity::Warning) } else { Severity::Warning };
    let finding = Finding::draft(format!("`{}` on class labels", e.plan.loss))
        .at_most(severity)
        .evidence(summary())
        .evidence("its gradient vanishes on confident wrong predictions; that of a cross-entropy does not");
    // Rows of several labels, or of none, are yes-or-no questions.
    Some(match targets.one_hot {
        true if layer.activation == Some(Activation::Softmax) => finding.remedy(
            "use `CategoricalCrossentropy::new()`",
            Remedy::Loss(ReplacementLoss::CategoricalCrossentropy),
        ),
        true => finding.remedy(
            "use a softmax output and `CategoricalCrossentropy::new()`",
            Remedy::Loss(ReplacementLoss::CategoricalCrossentropy),
        ),
        false => finding.remedy(
            "use a sigmoid output and `BinaryCrossentropy::new()`",
            Remedy::Loss(ReplacementLoss::BinaryCrossentropy),
        ),
    })
}

/// Raises N0108.
pub(in crate::diagnosis) fn accuracy_of_numbers(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let numbers = !targets.whole || targets.distinct > 20;
    let measured = e.plan.accuracy.is_some();
    (e.plan.compares_numbers() && measured && numbers && e.data.sampled_rows > 0).then(|| {
        Finding::draft("accuracy as the metric of a regression")
            .evidence(format!(
                "targets from {} to {}, {} or more distinct values",
                short(targets.range.0),
                short(targets.range.1),
                targets.distinct
            ))
            .suggestion("use `MeanAbsoluteError` or `R2Score`")
    })
}
