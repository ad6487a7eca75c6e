//! Masks: the steps of a sequence that are padding, and how each layer treats them.

use super::{Layer, NamedLayer};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// What a layer does with the mask of its input, as in Keras.
///
/// A mask has one value per step of each sample: false for a step that is padding. [`Masking`](super::Masking) and
/// [`Embedding`](super::Embedding) create masks; each batch carries its own ([`Batch::mask`]). The guide
/// [`from_keras`](crate::guide::from_keras) lists the rules of all layers.
///
/// # Example
/// ```
/// use cornu::layer::{Layer, MaskRule};
/// use cornu::prelude::*;
/// assert_eq!(Layer::<f32>::traits(&Masking::new(0.0)).mask, MaskRule::Creates(0.0));
/// assert_eq!(Lstm::<f32>::new(2).traits().mask, MaskRule::Uses { passes: false });
/// assert_eq!(Dense::<f32>::new(2).traits().mask, MaskRule::Passes);
/// assert_eq!(Layer::<f32>::traits(&Flatten::new()).mask, MaskRule::Ends);
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq)]
#[non_exhaustive]
pub enum MaskRule {
    /// The layer treats padding like any other step, and its output has no mask.
    #[default]
    Ends,
    /// The layer treats padding like any other step, and its output has the mask of its input.
    Passes,
    /// The layer leaves padding out.
    Uses {
        /// Whether its output has the mask of its input.
        passes: bool,
    },
    /// The output has a new mask: a step is padding if all its numbers equal this value.
    Creates(f64),
    /// A model in which the layer would get a mask is refused.
    Refuses,
}

impl MaskRule {
    /// Whether the output has the mask of the input.
    pub(crate) fn passes(self) -> bool {
        matches!(self, MaskRule::Passes | MaskRule::Uses { passes: true })
    }

    /// The rule of a layer with this rule that is applied to each step: padding is still padding.
    pub(in crate::layer) fn of_time_distributed(inner: MaskRule) -> MaskRule {
        match inner {
            MaskRule::Uses { .. } => MaskRule::Uses { passes: true },
            MaskRule::Refuses => MaskRule::Refuses,
            _ => MaskRule::Passes,
        }
    }

    /// The rule of layers in sequence that are one layer to their model.
    pub(in crate::layer) fn of_chain<F: Scalar>(layers: &[NamedLayer<F>]) -> MaskRule {
        let sources = sources(layers);
        let passes = sources.last() == Some(&MaskSource::Input);
        let reached = layers.iter().zip(&sources).filter(|(_, source)| **source == MaskSource::Input);
        let start = if passes { MaskRule::Passes } else { MaskRule::Ends };
        reached.fold(start, |whole, (layer, _)| match (whole, layer.traits().mask) {
            (MaskRule::Refuses, _) | (_, MaskRule::Refuses) => MaskRule::Refuses,
            (_, MaskRule::Uses { .. }) => MaskRule::Uses { passes },
            (whole, _) => whole,
        })
    }

    /// The rule of branches with these rules, whose outputs are merged: the output has the mask if each branch passes it.
    ///
    /// Keras's merging layers join the masks of their inputs by `or`, and an input without a mask leaves none; here all
    /// masks are that of the one input.
    pub(in crate::layer) fn of_merge(rules: impl Iterator<Item = MaskRule>) -> MaskRule {
        let join = |a: MaskRule, b: MaskRule| match (a, b) {
            (MaskRule::Refuses, _) | (_, MaskRule::Refuses) => MaskRule::Refuses,
            (MaskRule::Uses { .. }, _) | (_, MaskRule::Uses { .. }) => {
                MaskRule::Uses { passes: a.passes() && b.passes() }
            }
            _ if a.passes() && b.passes() => MaskRule::Passes,
            _ => MaskRule::Ends,
        };
        rules.reduce(join).unwrap_or_default()
    }
}

/// The source of the mask of an activation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum MaskSource {
    /// It has no mask.
    Nothing,
    /// The input of the chain, whose mask the caller passes.
    Input,
    /// The layer with this index creates it.
    Layer(usize),
}

/// Returns the source of the mask of each activation: that of the input, then those of the outputs of the layers.
///
/// A mask ends at a layer that changes its axes. Those of a mask of the input are unknown, so it ends if any axis but the last
/// changes.
pub(crate) fn sources<F: Scalar>(layers: &[NamedLayer<F>]) -> Vec<MaskSource> {
    let (mut source, mut axes) =
        (MaskSource::Input, layers.first().and_then(NamedLayer::input_shape).map(outer));
    let mut sources = vec![source];
    for (index, layer) in layers.iter().enumerate() {
        let output = layer.output_shape().map(outer);
        match layer.traits().mask {
            MaskRule::Creates(_) => (source, axes) = (MaskSource::Layer(index), output),
            rule if rule.passes() && keeps(axes, output) => {}
            _ => source = MaskSource::Nothing,
        }
        sources.push(source);
    }
    sources
}

/// The axes of a sample without the last.
fn outer(shape: &[usize]) -> &[usize] {
    shape.split_last().map_or(&[], |(_, outer)| outer)
}

/// Whether an output has the axes of a mask. Before the layers are built, no axes are known.
fn keeps(axes: Option<&[usize]>, output: Option<&[usize]>) -> bool {
    axes.zip(output).is_none_or(|(axes, output)| output.starts_with(axes))
}

/// Refuses layers that would get a mask and cannot treat one, and layers that only reshape and create one.
pub(crate) fn check<F: Scalar>(layers: &[NamedLayer<F>]) -> Result<()> {
    for (index, (layer, source)) in layers.iter().zip(sources(layers)).enumerate() {
        let fault = match (layer.traits().mask, source) {
            (MaskRule::Refuses, MaskSource::Layer(creator)) => {
                let found = format!("the mask of layer {creator} `{}`", layers[creator].label());
                Error::argument("mask", "an input without a mask", found)
            }
            (MaskRule::Creates(_), _) if layer.is_view() => {
                Error::argument("mask", "none, because the layer only reshapes its input", "a new mask")
            }
            _ => continue,
        };
        let (name, kind) = (layer.label().into(), layer.layer().kind().into());
        return Err(Error::Layer { index, name, kind, fault: Box::new(fault) });
    }
    Ok(())
}

/// Writes the mask of a batch, one value per `group` numbers: whether any of them differs from `value`.
pub(crate) fn write<F: Scalar>(x: Batch<F>, group: usize, value: F, mask: &mut Vec<bool>) {
    mask.clear();
    mask.extend(x.data().chunks_exact(group.max(1)).map(|numbers| numbers.iter().any(|x| *x != value)));
}
