//! Rules about the data: scale, class balance and order.

use super::super::evidence::{Data, Evidence, Feature, LayerFacts};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::outputs::softmax_over_one_unit;
use super::{if_failing, if_poor, short};
use crate::activation::Activation;
use crate::optimizer::StepScale;

/// Whether a normalization follows the layer before another layer with weights, and all between, the layer itself included,
/// pass on the scale of the inputs: f(a·z) = a·f(z) for a > 0.
fn is_normalized_after(e: &Evidence, first: &LayerFacts) -> bool {
    let passes_scale = |layer: &LayerFacts| match layer.activation {
        None | Some(Activation::Linear | Activation::Relu | Activation::LeakyRelu { .. }) => true,
        Some(_) => false,
    };
    let after = e.layers[first.index + 1..].iter();
    let mut between = after.take_while(|layer| layer.kernel.is_none() && passes_scale(layer));
    passes_scale(first) && !first.is_recurrent && between.any(|layer| layer.is_normalization)
}

/// Raises N0202.
pub(in crate::diagnosis) fn input_scale(e: &Evidence) -> Option<Finding> {
    if e.data.indices {
        return None;
    }
    let first = e.first.as_ref()?;
    let layer = e.layers.get(first.layer)?;
    let kernel = layer.kernel.as_ref()?;
    // The sums that weights of the usual size would have, so that only the inputs count: N0111 covers unusual weights.
    // Weights of 0 make no sums; the first steps replace them.
    let sums = match kernel.deviation < 1e-3 * kernel.usual {
        true => (kernel.inputs as f64).sqrt() * kernel.usual * first.inputs.0,
        false => first.sums? / (kernel.deviation / kernel.largest()).max(1.0),
    };
    let usual = kernel.deviation < 1e-3 * kernel.usual || kernel.deviation > 0.5 * kernel.usual;
    // A normalization layer behind it scales sums of any size to 1.
    let sized = !is_normalized_after(e, layer);
    // Sums with an rms of 10 saturate a softmax (e^10 to 1); a sigmoid or tanh is flat beyond 5.
    let squashes = matches!(layer.activation, Some(Activation::Sigmoid | Activation::Tanh));
    let most = if squashes { 5.0 } else { 10.0 };
    // A normalization layer has scaled the single features; its output was measured above.
    let raw = !e.layers[..first.layer].iter().any(|layer| layer.is_normalization);
    let Data { varying_count, offset_count, median_rms, largest_rms, .. } = e.data;
    let uneven = largest_rms > 100.0 * median_rms && largest_rms > 1.0;
    // Features that one scale made small have no effect beside the others. It matters if the network learns little. Some pixels
    // are small because they are rarely set.
    let small = e
        .data
        .features
        .iter()
        .filter(|feature| feature.deviation > 0.0 && 50.0 * feature.rms() < largest_rms);
    let lost = e.is_poor() && e.data.shape.len() == 1 && 3 * small.count() >= varying_count.max(1);
    let is_uneven = raw && (uneven || lost);
    let is_offset = raw && 2 * offset_count > varying_count && largest_rms > 1.0;
    let (rms, deviation) = first.inputs;
    let seen = || {
        format!(
            "{} features with a root mean square of {} and a standard deviation of {}; weighted sums of `{}` with a root mean square of {} (1 is usual)",
            e.data.features.len().max(1),
            short(rms),
            short(deviation),
            layer.name,
            short(first.sums.filter(|own| *own > 0.0).unwrap_or(sums))
        )
    };
    let (severity, title) = match () {
        () if sized && sums > most => {
            let harm =
                e.curves.epochs.last().is_some_and(|epoch| epoch.clipped > 0.3 || epoch.gradient == 0.0);
            let severity = if harm || e.curves.diverged.is_some() || e.failing() {
                Severity::Error
            } else {
                Severity::Warning
            };
            (severity, format!("the inputs are {} times too large for the first layer", short(sums)))
        }
        () if is_uneven => (if_poor(e, Severity::Warning), "the features have very different scales".into()),
        () if is_offset => (
            if_poor(e, Severity::Warning),
            "the means of the features are large relative to their spread".into(),
        ),
        // Signals this small are lost next to the biases, which a step moves as far as with large inputs.
        () if sized && sums < 0.05 && sums > 0.0 && usual => {
            let slow = e.ended && e.skill().is_some_and(|skill| skill < 0.5);
            let severity = if slow { Severity::Warning } else { if_failing(e, Severity::Warning) };
            (severity, "the inputs are almost 0, perhaps scaled twice".into())
        }
        () if sized && !(0.33..=3.0).contains(&sums) && sums > 0.0 => (
            Severity::Note,
            format!("the weighted sums of the first layer are {} times the usual size", short(sums)),
        ),
        () => return None,
    };
    // A softmax over one unit learns nothing from any inputs, so its failure is no evidence about them.
    let severity = if softmax_over_one_unit(e).is_some() { Severity::Note } else { severity };
    let mut finding = Finding::draft(title).at_most(severity).at(layer).evidence(seen());
    if is_uneven || is_offset {
        let mut worst: Vec<(usize, &Feature)> = e.data.features.iter().enumerate().collect();
        worst.sort_by(|a, b| b.1.rms().total_cmp(&a.1.rms()));
        for (place, feature) in worst.iter().take(3) {
            finding = finding.evidence(format!(
                "feature {place}: mean {}, standard deviation {}",
                short(feature.mean),
                short(feature.deviation)
            ));
        }
    }
    let constant = e.data.features.len() - varying_count;
    if constant > 0 && e.data.sampled_rows > 1 {
        finding = finding.evidence(format!("{constant} features are constant"));
    }
    let inner = e.layers[..first.layer].iter();
    let text = match inner.rev().find(|layer| layer.is_affine && !layer.is_view && !layer.is_normalization) {
        Some(scaling) => {
            format!("remove `{}`, or add a `Normalization` adapted to its outputs", scaling.name)
        }
        None => {
            // Before a mask, a normalization would change the value that marks the padding.
            let place = match e.layers[..first.layer].iter().find(|layer| layer.creates_mask()) {
                Some(masking) => format!("behind `{}`", masking.name),
                None => "as the first layer".into(),
            };
            format!("normalize the inputs: add `Normalization::new().adapt(&x)?` {place}")
        }
    };
    Some(finding.remedy(text, Remedy::NormalizeInputs))
}

/// Returns the last layer with weights, with the factor and the offset of the fixed layers behind it, such as a
/// `Rescaling`. If other layers follow it, returns the last layer. `None` if the first batch does not determine the factor.
fn head_scale<'e>(e: &'e Evidence, output: &'e LayerFacts) -> Option<(&'e LayerFacts, f64, f64)> {
    let head = e.weighted().last().map_or(output, |(layer, _)| layer);
    let after = || e.layers[head.index + 1..].iter().filter(|layer| !layer.is_view);
    let linear = |layer: &LayerFacts| layer.activation.is_none_or(|own| own == Activation::Linear);
    // A trained normalization learns its scale, one at a step per weight.
    let fixed = |layer: &LayerFacts| layer.is_affine && (!layer.is_normalization || layer.is_adapted);
    let Some(end) = after().next_back() else { return Some((output, 1.0, 0.0)) };
    if !after().all(|layer| fixed(layer) && linear(layer)) {
        return Some((output, 1.0, 0.0));
    }
    // Whether a function with a fixed range reaches the targets does not depend on the steps (N0104).
    if !linear(head) {
        return None;
    }
    let spread = |layer: &LayerFacts| Some(layer.sample.spread? * layer.sample.rms);
    let (before, end) = (spread(head)?, spread(end)?);
    let (low, high) = e.first.as_ref()?.output;
    let gain = end / before;
    // The first outputs of the layer lie around 0.
    (gain.is_finite() && gain > 0.0).then_some(match (gain - 1.0).abs() < 1e-3 {
        true => (head, 1.0, 0.0),
        false => (head, gain, (low + high) / 2.0),
    })
}

const STANDARDIZE: &str =
    "scale the targets to mean 0 and standard deviation 1, and invert the scaling for the predictions";

/// Targets below the size of a step: an optimizer that divides by the size of the gradient cannot come closer than a step.
/// This uses at most the usual learning rate: N0112 covers larger ones.
fn small_targets(e: &Evidence, deviation: f64, reach: f64) -> Option<Finding> {
    let adaptive = matches!(e.plan.step_scale, StepScale::Normalized | StepScale::Sign);
    // The squared error of outputs of the usual size hides what is a thousandth of them.
    let (low, high) = e.first.as_ref()?.output;
    if !adaptive && deviation > 0.0 && high - low > 1000.0 * deviation {
        return Some(
            Finding::draft("the targets are small")
                .at_most(if_failing(e, Severity::Warning))
                .evidence(format!(
                    "standard deviation {} for the targets; the first outputs lie between {} and {}",
                    short(deviation),
                    short(low),
                    short(high)
                ))
                .remedy(STANDARDIZE, Remedy::StandardizeTargets),
        );
    }
    let reach = reach * (0.001 / e.plan.learning_rate?).min(1.0);
    // Targets of about 1 suit any optimizer; there the inputs are too large.
    (adaptive && deviation > 0.0 && deviation < 0.1 && reach > 10.0 * deviation).then(|| {
        Finding::draft("the targets are small")
            .at_most(if_failing(e, Severity::Warning))
            .evidence(format!(
                "standard deviation {} for the targets; {} changes the output by about {} per step",
                short(deviation),
                e.plan.optimizer,
                short(reach)
            ))
            .remedy(STANDARDIZE, Remedy::StandardizeTargets)
    })
}

/// Raises N0203.
pub(in crate::diagnosis) fn target_scale(e: &Evidence) -> Option<Finding> {
    let output = e.output()?;
    let linear = output.activation.is_none_or(|activation| activation == Activation::Linear);
    if !e.plan.compares_numbers() || !linear || e.data.sampled_rows == 0 {
        return None;
    }
    let targets = &e.data.targets;
    let (head, gain, offset) = head_scale(e, output)?;
    // In the units of the layer whose weights must reach them.
    let (mean, deviation) = ((targets.mean - offset) / gain, targets.deviation / gain);
    let rms = mean.hypot(deviation);
    // An optimizer that divides by the size of the gradient moves the output by at most rate · (1 + Σ|h|) per step, where
    // h is the input of the last layer. The usual size of h is 1.
    let inputs = head.kernel.as_ref().map_or(1, |kernel| kernel.inputs) as f64;
    let below = e.layers[..head.index].iter().rev().find(|layer| !layer.is_view);
    let size = below.map_or(1.0, |layer| layer.sample.rms);
    let rate = e.plan.learning_rate?;
    let reach = rate * (1.0 + inputs * size);
    let needed = mean.abs().max(deviation) / reach;
    let planned = e.plan.epochs.map(|epochs| epochs.saturating_mul(e.plan.batches));
    let adaptive = e.plan.step_scale != StepScale::Gradient;
    let far = adaptive && planned.is_some_and(|steps| needed > steps as f64);
    // The slope of a squared error with respect to the output bias is twice the distance, so beyond 1 a step overshoots.
    // This uses the usual learning rate: N0112 covers larger ones.
    let overshoots = !adaptive && 2.0 * rate.min(0.01) * rms * gain.powi(2) > 1.0;
    if rms <= 10.0 && !overshoots {
        return small_targets(e, deviation, reach);
    }
    let severity = match () {
        () if far || (planned.is_none() && rms > 100.0) => Severity::Warning,
        () if overshoots || rms > 100.0 => if_poor(e, Severity::Warning),
        () => Severity::Note,
    };
    let title = match () {
        () if rms <= 10.0 => "the last layers multiply the gradients",
        () if gain < 1.0 => "the targets are large relative to the outputs",
        () => "the targets are large",
    };
    let mut finding = Finding::draft(title).at_most(severity).evidence(format!(
        "targets from {} to {}, mean {}, standard deviation {}",
        short(targets.range.0),
        short(targets.range.1),
        short(targets.mean),
        short(targets.deviation)
    ));
    if gain != 1.0 {
        finding = finding.evidence(format!(
            "the layers after `{}` multiply its outputs by about {}",
            head.name,
            short(gain)
        ));
    }
    if let (true, Some(planned)) = (adaptive, planned) {
        finding = finding.evidence(format!(
            "{} changes the output by about {} per step, so the targets are {} steps away; {planned} steps are planned",
            e.plan.optimizer, short(gain * reach), short(needed.ceil())
        ));
    }
    Some(match gain == 1.0 {
        true => finding.remedy(STANDARDIZE, Remedy::StandardizeTargets),
        false => finding.suggestion(format!("{STANDARDIZE}; remove the layers after `{}`", head.name)),
    })
}

/// Raises N0204.
pub(in crate::diagnosis) fn label_balance(e: &Evidence) -> Option<Finding> {
    let classes = &e.data.targets.classes;
    let total: usize = classes.iter().sum();
    let (most, count) = classes.iter().enumerate().max_by_key(|(_, count)| **count)?;
    let least = classes.iter().filter(|count| **count > 0).min()?;
    let share = *count as f64 / total.max(1) as f64;
    if let Some(class) = e.data.targets.only_class.filter(|_| e.data.rows > 1) {
        return Some(
            Finding::draft("all targets belong to one class")
                .evidence(format!("class {class} in all {} training samples", e.data.rows))
                .suggestion("check how the labels were made: with a single class there is nothing to learn"),
        );
    }
    let collapsed = e.curves.epochs.last().is_some_and(|epoch| {
        let predictions: usize = epoch.prediction_counts.iter().sum();
        predictions > 0
            && epoch
                .prediction_counts
                .get(most)
                .is_some_and(|count| *count as f64 >= 0.99 * predictions as f64)
    });
    let ignored = never_predicted(e);
    // Ten to one, or six in seven: accuracy alone no longer distinguishes a network from a constant.
    (*count > 10 * least || share > 0.85).then(|| {
        let severity = match ignored {
            Some(_) => Severity::Warning,
            // A run that ended too early may still predict the rare classes; balanced weights let it begin with them.
            None if collapsed && is_cut_short(e) => Severity::Warning,
            None if collapsed => if_failing(e, Severity::Warning),
            None => Severity::Note,
        };
        let finding = Finding::draft("one class outnumbers the others").at_most(severity).evidence(format!(
            "class {most} in {} % of the rows; always predicting it has an accuracy of {}",
            short(100.0 * share),
            short(share)
        ));
        let finding = match ignored {
            Some((class, rows)) => finding.evidence(format!(
                "class {class} is never predicted for {rows} sampled training rows, of which {} belong to it",
                e.inference.as_ref().map_or(0, |inference| inference.class_counts[class])
            )),
            None => finding,
        };
        finding.remedy(
            "use `.class_weight(ClassWeight::Balanced)`, and add a metric such as `F1Score`",
            Remedy::Balance,
        )
    })
}

/// Whether N0502 is a warning.
fn is_cut_short(e: &Evidence) -> bool {
    super::end::still_improving(e).is_some_and(|finding| finding.severity == Severity::Warning)
}

/// A class that the network never predicts at the end, although it tells others apart and at least eight of the sampled rows belong
/// to it: a network that predicts it for half of them misses all eight once in 256 times. Of two classes, the rare one may be
/// unlikely for every row.
fn never_predicted(e: &Evidence) -> Option<(usize, usize)> {
    let learned = e.judged() && e.inference_skill().is_some_and(|skill| skill > 0.3);
    let inference = e.inference.as_ref().filter(|inference| learned && inference.class_counts.len() > 2)?;
    let counts = inference.class_counts.iter().zip(&inference.prediction_counts).enumerate();
    let mut ignored = counts.filter(|(_, (rows, predicted))| **rows >= 8 && **predicted == 0);
    ignored.next().map(|(class, _)| (class, inference.rows))
}

/// Raises N0205.
pub(in crate::diagnosis) fn order_and_split(e: &Evidence) -> Option<Finding> {
    let targets = &e.data.targets;
    let sequences = e.reads_sequences();
    let mild = |severity| if sequences { Severity::Note } else { severity };
    if let Some(part) = &e.data.validation {
        let total: usize = targets.classes.iter().sum::<usize>().max(1);
        let shares = targets.classes.iter().map(|count| *count as f64 / total as f64);
        let apart: f64 = shares.zip(&part.classes).map(|(a, b)| (a - b).abs()).sum::<f64>() / 2.0;
        let moved = (part.mean - targets.mean).abs();
        // By chance alone, the expected distance between the shares of two samples is ½ Σ √(2/π · p(1 − p)(1/n + 1/m)). One
        // row changes it by 1/m, so its standard deviation is at most ½ √(1/n + 1/m) (Efron and Stein).
        let counted = if e.has_all_labels() { total } else { targets.rows };
        let rows = 1.0 / counted.max(1) as f64 + 1.0 / part.rows.max(1) as f64;
        let spread = |p: f64| (2.0 / std::f64::consts::PI * p * (1.0 - p) * rows).sqrt();
        let pooled = targets.classes.iter().zip(&part.classes).map(|(count, share)| {
            let own = *count as f64 / total as f64;
            let all = (counted + part.rows).max(1) as f64;
            (own * counted as f64 + share * part.rows as f64) / all
        });
        let expected = pooled.map(spread).sum::<f64>() / 2.0;
        // Beyond that, three rows in ten of another class, or a mean one standard deviation away, are another task.
        let differs = match targets.classes.is_empty() {
            false => apart > 0.3 + expected + 1.5 * rows.sqrt(),
            true => {
                let rows = 1.0 / targets.rows.max(1) as f64 + 1.0 / part.rows.max(1) as f64;
                moved > targets.deviation * (1.0 + 3.0 * rows.sqrt()) && targets.deviation > 0.0
            }
        };
        // Numbers with a trend are a time series, and its end is the right test. That harms only if the network cannot
        // predict it.
        let unpredicted = e.ended && e.loses_on_validation();
        let harmless = match part.is_split {
            true => targets.classes.is_empty() && e.validation_skill().is_none_or(|skill| skill > 0.0),
            // Separate data may have other classes on purpose, but not the rest of rows that are sorted.
            false => !unpredicted && !e.data.sorted,
        };
        if differs && part.rows >= 8 {
            let severity = match () {
                () if harmless => Severity::Note,
                () if e.memorizes() => Severity::Warning,
                () => mild(Severity::Warning),
            };
            let seen = match targets.classes.is_empty() {
                false => format!(
                    "{} % of the rows would have to change class for both parts to have the same shares",
                    short(100.0 * apart)
                ),
                true => format!(
                    "mean of the targets: {} in the training data, {} in the validation data",
                    short(targets.mean),
                    short(part.mean)
                ),
            };
            return Some(
                Finding::draft("the validation data differs from the training data")
                    .at_most(severity)
                    .evidence(seen)
                    .suggestion("shuffle the rows before the split; keep the order only for a forecast"),
            );
        }
    }
    (e.data.sorted && !e.plan.shuffle && e.plan.batches > 1).then(|| {
        let (title, seen) = match targets.classes.is_empty() {
            false => (
                "the samples are sorted by class and not shuffled",
                format!(
                    "the class changes {} times in {} sampled rows",
                    targets.changes, e.data.sampled_rows
                ),
            ),
            true => (
                "the samples are sorted by target and not shuffled",
                format!("the target rises, or falls, throughout {} sampled rows", targets.rows),
            ),
        };
        Finding::draft(title)
            .at_most(mild(Severity::Warning))
            .evidence(seen)
            .remedy("use `.shuffle(true)`", Remedy::Shuffle)
    })
}
