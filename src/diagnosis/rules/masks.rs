//! Rules about the padding of sequences, and the masks that mark it.

use super::super::evidence::{Evidence, LayerFacts, SequencePadding};
use super::super::finding::{Finding, Severity};
use super::super::remedy::Remedy;
use super::{if_poor, short};
use crate::layer::MaskRule;

/// The fewest padded steps of the middle sequence that explain a poor run, and those with which hardly any network learns. With
/// 30 of them, an LSTM of 16 units learns to classify texts and a GRU does not; with 90 neither does.
const STEPS: (f64, f64) = (20.0, 40.0);
/// The smallest share of padded steps.
const SHARE: f64 = 0.3;

/// The layer that creates the mask of the input of a layer.
fn input_mask<'e>(e: &'e Evidence, layer: &LayerFacts) -> Option<&'e LayerFacts> {
    e.layers.get(e.layers.get(layer.index.checked_sub(1)?)?.output_mask?)
}

/// Whether a mask marks this padding: that of an inner layer, whose numbers are not those of the data, may.
fn marks(e: &Evidence, creator: &LayerFacts, padding: &SequencePadding) -> bool {
    let is_first = e.layers[..creator.index].iter().all(|layer| layer.is_view);
    let MaskRule::Creates(value) = creator.mask else { return false };
    !is_first || padding.value == Some(value)
}

/// Raises N0121.
pub(in crate::diagnosis) fn unmasked_padding(e: &Evidence) -> Option<Finding> {
    let steps = e.data.shape.first()?;
    // The steps of the layer are those of the data if no layer before it changes their number.
    let keeps_steps = |layer: &&LayerFacts| layer.output.first() == Some(steps);
    let count = e.layers.iter().take_while(keeps_steps).count();
    let (layer, last) = e.layers.iter().take(count + 1).find_map(|layer| Some((layer, layer.final_step?)))?;
    let (padding, place) = match last {
        0 => (e.data.padding_in_front.as_ref()?, "begin"),
        _ => (e.data.padding_behind.as_ref()?, "end"),
    };
    let is_marked = input_mask(e, layer).is_some_and(|creator| marks(e, creator, padding));
    if layer.input.first() != Some(steps) || is_marked || padding.steps < STEPS.0 || padding.share < SHARE {
        return None;
    }
    let what = match padding.value {
        Some(value) if e.data.indices => format!("index {}", short(value)),
        Some(value) => format!("the value {}", short(value)),
        None => "the same step".into(),
    };
    let severity = if padding.steps < STEPS.1 { if_poor(e, Severity::Warning) } else { Severity::Warning };
    let finding = Finding::draft("a recurrent layer ends with padding that no mask marks")
        .at_most(severity)
        .at(layer)
        .evidence(format!(
            "{} of {} sampled sequences {place} with {what}, which is {} % of all steps; the median of their padding is {} of {steps} steps",
            padding.padded_rows,
            padding.rows,
            short(100.0 * padding.share),
            short(padding.steps)
        ))
        .evidence(format!("`{}` returns its state after these steps", layer.name));
    // A mask helps only if no layer in between ends it.
    let reaches = |from: usize| e.layers[from..layer.index].iter().all(|between| between.mask.passes());
    let first = e.layers.iter().find(|layer| !layer.is_view)?;
    let finding = match (padding.value, e.data.indices) {
        (Some(0.0), true) if !reaches(first.index + 1) => finding,
        (Some(0.0), true) if first.kind == "Embedding" => finding.remedy(
            format!("set `.mask_zero(true)` on `{}`", first.name),
            Remedy::MaskZero { layer: first.index },
        ),
        (Some(0.0), true) => finding
            .suggestion(format!("replace `{}` by an `Embedding` with `.mask_zero(true)`", first.name)),
        (Some(_), true) if first.kind == "Embedding" => {
            finding.suggestion("use index 0 for the padding alone, and set `.mask_zero(true)` on the embedding")
        }
        (Some(value), false) if reaches(0) => {
            finding.remedy(format!("add `Masking::new({value:?})` as the first layer"), Remedy::Masking(value))
        }
        (None, _) => finding.suggestion(
            "pad with one value that no scaled measurement has, and add a `Masking` of this value as the first layer",
        ),
        _ => finding,
    };
    Some(finding.suggestion(match last {
        0 => "pad the sequences behind, not in front, or make them shorter",
        _ => "pad the sequences in front, not behind, or make them shorter",
    }))
}

/// Raises N0122.
pub(in crate::diagnosis) fn unused_mask(e: &Evidence) -> Option<Finding> {
    let (creator, end) = e.layers.iter().filter(|layer| layer.creates_mask()).find_map(|creator| {
        let has_it = |layer: &LayerFacts| layer.output_mask == Some(creator.index);
        // The loss and the metrics use a mask that reaches the outputs.
        let end = e.layers.get(e.layers.iter().rposition(has_it)? + 1)?;
        let reached = &e.layers[creator.index + 1..=end.index];
        let is_used = reached.iter().any(|layer| matches!(layer.mask, MaskRule::Uses { .. }));
        (!is_used && !end.creates_mask()).then_some((creator, end))
    })?;
    // A layer that would have left the padding out, behind the one at which the mask ends.
    let would_use = |layer: &LayerFacts| {
        matches!(layer.mask, MaskRule::Uses { .. })
            && !layer.is_normalization
            && input_mask(e, layer).is_none()
    };
    let user = e.layers[end.index + 1..].iter().find(|layer| would_use(layer));
    // Padding in front, or a little of it, does no harm.
    let is_long = unmasked_padding(e).is_some_and(|finding| finding.severity > Severity::Note);
    let severity = if is_long { Severity::Warning } else { if_poor(e, Severity::Warning) };
    let finding = Finding::draft("a mask ends before a layer uses it")
        .at(creator)
        .at(end)
        .evidence(format!("`{}` creates the mask, and the output of `{}` has none", creator.name, end.name));
    Some(match user {
        Some(user) => finding
            .at_most(severity)
            .evidence(format!("`{}` would leave the padding out", user.name))
            .suggestion(format!(
                "move `{}` behind `{}`, or replace it by a layer that passes the mask, such as `Dense`",
                end.name, user.name
            )),
        None => finding.at_most(Severity::Note).suggestion(format!(
            "use a layer that leaves padding out, such as `GlobalAveragePooling1D` or a recurrent layer, in place of `{}`, or remove the mask",
            end.name
        )),
    })
}
