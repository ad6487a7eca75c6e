//! The settings that a remedy changes: where, by which setter, from and to which value.

use super::evidence::{Evidence, LayerFacts, Task};
use super::remedy::{Remedy, ReplacementLoss};
use crate::activation::Activation;

/// What has a setting.
///
/// # Example
/// ```
/// use cornu::diagnosis::EditTarget;
/// assert_eq!(EditTarget::Optimizer.to_string(), "optimizer");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum EditTarget {
    /// A layer.
    Layer,
    /// The optimizer.
    Optimizer,
    /// The call of [`compile`](crate::Sequential::compile).
    Compile,
    /// The settings of [`Fit`](crate::Fit).
    Fit,
}

impl std::fmt::Display for EditTarget {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        f.write_str(match self {
            EditTarget::Layer => "layer",
            EditTarget::Optimizer => "optimizer",
            EditTarget::Compile => "compile",
            EditTarget::Fit => "fit",
        })
    }
}

/// The value of a setting.
///
/// # Example
/// ```
/// use cornu::diagnosis::SettingValue;
/// assert_eq!(SettingValue::Number(0.01).to_string(), "0.01");
/// // 12 digits: in f64 the quotient is 0.00030000000000000003.
/// assert_eq!(SettingValue::Number(0.003 / 10.0).to_string(), "0.0003");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize), serde(untagged))]
#[non_exhaustive]
pub enum SettingValue {
    /// Such as `true` of `shuffle`.
    Bool(bool),
    /// Such as 0.01 of `learning_rate`.
    Number(f64),
    /// Such as `relu` of `activation`.
    Text(String),
}

impl std::fmt::Display for SettingValue {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        match self {
            SettingValue::Bool(value) => value.fmt(f),
            // A quotient such as 0.003 / 10 has a last digit that is of no interest.
            SettingValue::Number(value) => format!("{value:.11e}").parse().unwrap_or(*value).fmt(f),
            SettingValue::Text(value) => value.fmt(f),
        }
    }
}

/// A change of one setting.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::diagnosis::SettingValue::Text;
/// let mut model = Sequential::new().input([2]).add(Dense::new(1).activation(Activation::Softmax).name("output"));
/// model.compile(Sgd::new(0.01), BinaryCrossentropy::new(), ())?;
/// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0]], &ndarray::array![0, 1])?;
/// let edit = &findings[0].suggestions[0].edits[0];
/// assert_eq!((edit.layer.as_deref(), &*edit.setter), (Some("output"), "activation"));
/// assert_eq!((&edit.old, &edit.new), (&Some(Text("softmax".into())), &Text("sigmoid".into())));
/// assert_eq!(edit.to_string(), "`output`: activation softmax → sigmoid");
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub struct SettingEdit {
    /// What has the setting.
    pub target: EditTarget,
    /// The path of the layer, if the target is one.
    pub layer: Option<String>,
    /// The name of the setter, such as `activation`.
    pub setter: String,
    /// The present value, if it is known.
    pub old: Option<SettingValue>,
    /// The suggested value.
    pub new: SettingValue,
}

impl std::fmt::Display for SettingEdit {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        if let Some(layer) = &self.layer {
            write!(f, "`{layer}`: ")?;
        }
        write!(f, "{} ", self.setter)?;
        if let Some(old) = &self.old {
            write!(f, "{old} ")?;
        }
        write!(f, "→ {}", self.new)
    }
}

impl SettingEdit {
    fn new(target: EditTarget, setter: &str, old: Option<SettingValue>, new: SettingValue) -> Self {
        SettingEdit { target, layer: None, setter: setter.into(), old, new }
    }

    fn of_layer(layer: &LayerFacts, setter: &str, old: Option<SettingValue>, new: SettingValue) -> Self {
        SettingEdit { layer: Some(layer.name.clone()), ..Self::new(EditTarget::Layer, setter, old, new) }
    }

    fn of_activation(layer: &LayerFacts, activation: Activation) -> Self {
        let text = |activation: Activation| SettingValue::Text(activation.to_string());
        Self::of_layer(layer, "activation", layer.activation.map(text), text(activation))
    }
}

impl Remedy {
    /// The remedy in words, if it changes these settings.
    pub(super) fn described(&self, edits: &[SettingEdit]) -> String {
        match self {
            Remedy::NormalizeInputs => "normalize the inputs".into(),
            Remedy::StandardizeTargets => "standardize the targets".into(),
            Remedy::Masking(value) => format!("add a `Masking` of {value}"),
            Remedy::Penalty(factor) => format!("multiply the penalty by {factor}"),
            other if edits.is_empty() => other.kind().replace('_', " "),
            _ => edits.iter().map(SettingEdit::to_string).collect::<Vec<_>>().join(", "),
        }
    }

    /// The settings that the remedy changes. Empty if it changes the data, adds a layer, or has a value that is not known.
    pub(crate) fn edits(&self, e: &Evidence) -> Vec<SettingEdit> {
        use EditTarget::{Compile, Fit, Optimizer};
        use SettingValue::{Bool, Number, Text};
        let one = |edit: Option<SettingEdit>| edit.into_iter().collect();
        let layer = |index: &usize| e.layers.get(*index);
        match self {
            Remedy::NormalizeInputs
            | Remedy::StandardizeTargets
            | Remedy::Masking(_)
            | Remedy::Penalty(_) => Vec::new(),
            Remedy::Activation { layer: index, activation } => {
                one(layer(index).map(|layer| SettingEdit::of_activation(layer, *activation)))
            }
            Remedy::Hidden { from, to } => {
                let has_it = |layer: &&LayerFacts| !layer.is_view && layer.activation.is_some();
                let layers: Vec<&LayerFacts> = e.layers.iter().filter(has_it).collect();
                // The last layer is not hidden, nor is one that only a layer without weights, such as a softmax, follows.
                let ends = if layers.last().is_some_and(|layer| layer.kernel.is_none()) { 2 } else { 1 };
                let hidden = layers.iter().take(layers.len().saturating_sub(ends));
                let changed = hidden.filter(|layer| layer.activation == Some(*from));
                changed.map(|layer| SettingEdit::of_activation(layer, *to)).collect()
            }
            Remedy::Loss(loss) => {
                let (name, activation) = match loss {
                    ReplacementLoss::BinaryCrossentropy => ("binary_crossentropy", Activation::Sigmoid),
                    ReplacementLoss::MeanSquaredError => ("mean_squared_error", Activation::Linear),
                    ReplacementLoss::CategoricalCrossentropy if is_sparse(e) => {
                        ("sparse_categorical_crossentropy", Activation::Softmax)
                    }
                    ReplacementLoss::CategoricalCrossentropy => {
                        ("categorical_crossentropy", Activation::Softmax)
                    }
                };
                let loss =
                    SettingEdit::new(Compile, "loss", Some(Text(e.plan.loss.clone())), Text(name.into()));
                let last = e.output().filter(|layer| layer.activation != Some(activation));
                [loss]
                    .into_iter()
                    .chain(last.map(|layer| SettingEdit::of_activation(layer, activation)))
                    .collect()
            }
            Remedy::LearningRate(rate) => {
                let old = e.plan.learning_rate.map(Number);
                one(Some(SettingEdit::new(Optimizer, "learning_rate", old, Number(*rate))))
            }
            Remedy::Initialize { layer: index } => one(layer(index).map(|layer| {
                SettingEdit::of_layer(layer, "kernel_initializer", None, Text("glorot_uniform".into()))
            })),
            Remedy::Epochs(times) => one(e.plan.epochs.map(|epochs| {
                let (old, new) = (Number(epochs as f64), Number(epochs.saturating_mul(*times) as f64));
                SettingEdit::new(Fit, "epochs", Some(old), new)
            })),
            Remedy::BatchSize(size) => {
                let old = Some(Number(e.plan.batch_size as f64));
                one(Some(SettingEdit::new(Fit, "batch_size", old, Number(*size as f64))))
            }
            Remedy::Shuffle => {
                one(Some(SettingEdit::new(Fit, "shuffle", Some(Bool(e.plan.shuffle)), Bool(true))))
            }
            Remedy::Balance => {
                one(Some(SettingEdit::new(Fit, "class_weight", None, Text("balanced".into()))))
            }
            Remedy::Dropout(rate) => {
                let dropping = e.layers.iter().filter(|layer| layer.drop_rate > *rate);
                let edit = |layer: &LayerFacts| {
                    SettingEdit::of_layer(layer, "rate", Some(Number(layer.drop_rate)), Number(*rate))
                };
                dropping.map(edit).collect()
            }
            Remedy::MaskZero { layer: index } => one(layer(index)
                .map(|layer| SettingEdit::of_layer(layer, "mask_zero", Some(Bool(false)), Bool(true)))),
            Remedy::Units { layer: index, units } => one(layer(index).map(|layer| {
                let old = layer.kernel.as_ref().map(|kernel| Number(kernel.units as f64));
                SettingEdit::of_layer(layer, "units", old, Number(*units as f64))
            })),
        }
    }
}

/// Whether the targets are class indices.
fn is_sparse(e: &Evidence) -> bool {
    e.plan.task == Task::Classes && e.data.targets.width == 1 && !e.data.targets.one_hot
}
