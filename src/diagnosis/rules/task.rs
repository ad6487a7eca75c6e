//! Whether the loss and the metrics suit what the targets are: classes, or numbers.

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
    if e.data.looked == 0 {
        return None;
    }
    let summary = || {
        format!(
            "targets from {} to {}, {}{} different values",
            short(targets.range.0),
            short(targets.range.1),
            targets.distinct,
            if targets.distinct == 64 { " or more" } else { "" }
        )
    };
    if e.plan.task == Task::Binary
        && !targets.whole
        && targets.distinct > 20
        && targets.range.1 > 0.5
        && targets.width == 1
    {
        let linear = Remedy::Loss(ReplacementLoss::MeanSquaredError);
        return Some(
            // Shares are a use of it: soft labels, rates. What tells them from other numbers is whether it learns them.
            Finding::draft(format!("`{}` of targets that are no classes", e.plan.loss))
                .at_most(super::if_failing(e, Severity::Warning))
                .saw(summary())
                .mend("for numbers: a linear output and `MeanSquaredError::new()`", linear),
        );
    }
    if e.plan.task != Task::Numbers
        || matches!(e.plan.family, LossFamily::CrossEntropy | LossFamily::Other)
        || !(targets.one_hot || targets.binary)
    {
        return None;
    }
    // The squared error is a proper score of probabilities (Brier's), and its fit of 0 and 1 is the textbook's first
    // network: it may learn slower, and that shows. An absolute error is not: its best answer is the more frequent class,
    // whatever the probabilities, so that a class below one half is never answered.
    let sigmoid = layer.activation == Some(Activation::Sigmoid);
    let proper = e.plan.family != LossFamily::AbsoluteError;
    let severity = if proper { super::if_failing(e, Severity::Warning) } else { Severity::Warning };
    let softmax = targets.one_hot
        || layer.output.last().is_some_and(|units| *units > 1 && targets.width == *units && !sigmoid);
    let finding = Finding::draft(format!("`{}` of classes", e.plan.loss))
        .at_most(severity)
        .saw(summary())
        .saw("its gradient vanishes where the answer is wrong and sure; that of a cross-entropy does not");
    Some(match softmax {
        true if layer.activation == Some(Activation::Softmax) => finding.mend(
            "`CategoricalCrossentropy::new()` in the place of the loss",
            Remedy::Loss(ReplacementLoss::CategoricalCrossentropy),
        ),
        true => finding.mend(
            "a softmax at the end and `CategoricalCrossentropy::new()`",
            Remedy::Loss(ReplacementLoss::CategoricalCrossentropy),
        ),
        false => finding.mend(
            "a sigmoid at the end and `BinaryCrossentropy::new()`",
            Remedy::Loss(ReplacementLoss::BinaryCrossentropy),
        ),
    })
}

/// Raises N0108.
pub(in crate::diagnosis) fn accuracy_of_numbers(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let numbers = !targets.whole || targets.distinct > 20;
    let measured = e.plan.metrics.iter().any(|name| name.contains("accuracy"));
    (e.plan.task == Task::Numbers && measured && numbers && e.data.looked > 0).then(|| {
        Finding::draft("accuracy of numbers counts exact hits")
            .saw(format!(
                "targets from {} to {}, {} or more different values",
                short(targets.range.0),
                short(targets.range.1),
                targets.distinct
            ))
            .help("measure `MeanAbsoluteError` or `R2Score`")
    })
}
