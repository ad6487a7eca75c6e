//! Suggestions as edits, so that trials can apply them to a copy.

use crate::activation::Activation;

/// An edit of a network, its data or its settings, which a trial applies to a copy.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::diagnosis::Remedy;
/// let mut model = Sequential::new().input([2]).add(Dense::new(1).activation(Activation::Softmax));
/// model.compile(Sgd::new(0.01), BinaryCrossentropy::new(), ())?;
/// let findings = model.check(&ndarray::array![[0.0, 1.0], [1.0, 0.0]], &ndarray::array![0, 1])?;
/// let remedy = Remedy::Activation { layer: 0, activation: Activation::Sigmoid };
/// assert_eq!(findings[0].suggestions[0].remedy, Some(remedy));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Remedy {
    /// Adds a `Normalization` adapted to the inputs as the first layer.
    NormalizeInputs,
    /// Scales the targets to mean 0 and standard deviation 1.
    StandardizeTargets,
    /// Sets the activation of a layer.
    Activation {
        /// The index of the layer, from 0.
        layer: usize,
        /// The activation.
        activation: Activation,
    },
    /// Replaces an activation in all hidden layers.
    Hidden {
        /// The activation to replace.
        from: Activation,
        /// The new activation.
        to: Activation,
    },
    /// Another loss, and the activation that it needs at the end.
    Loss(ReplacementLoss),
    /// Sets the learning rate.
    LearningRate(f64),
    /// Uses the default initializer for a layer.
    Initialize {
        /// The index of the layer, from 0.
        layer: usize,
    },
    /// Multiplies the number of epochs.
    Epochs(usize),
    /// Sets the batch size.
    BatchSize(usize),
    /// Shuffles the samples in each epoch.
    Shuffle,
    /// Balances the class weights.
    Balance,
    /// Sets the rate of all dropout layers.
    Dropout(f64),
    /// Multiplies the factors of all regularizers.
    Penalty(f64),
    /// Makes an embedding treat index 0 as padding.
    MaskZero {
        /// The index of the layer, from 0.
        layer: usize,
    },
    /// Adds a `Masking` of this value as the first layer.
    Masking(f64),
    /// Sets the number of units of a layer and reinitializes its weights.
    Units {
        /// The index of the layer, from 0.
        layer: usize,
        /// The number of units.
        units: usize,
    },
}

/// The loss with which a remedy replaces the model's loss.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Remedy, ReplacementLoss};
/// let remedy = Remedy::Loss(ReplacementLoss::BinaryCrossentropy);
/// assert_ne!(remedy, Remedy::Loss(ReplacementLoss::MeanSquaredError));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum ReplacementLoss {
    /// Binary cross-entropy, after a sigmoid.
    BinaryCrossentropy,
    /// Categorical cross-entropy, after a softmax; the sparse one if the targets are class indices.
    CategoricalCrossentropy,
    /// Mean squared error, of a linear output.
    MeanSquaredError,
}

impl ReplacementLoss {
    pub(super) const ALL: [ReplacementLoss; 3] = [
        ReplacementLoss::BinaryCrossentropy,
        ReplacementLoss::CategoricalCrossentropy,
        ReplacementLoss::MeanSquaredError,
    ];
}

impl Remedy {
    /// The name of the kind of edit, such as `learning_rate`.
    pub(super) fn kind(&self) -> &'static str {
        match self {
            Remedy::NormalizeInputs => "normalize_inputs",
            Remedy::StandardizeTargets => "standardize_targets",
            Remedy::Activation { .. } => "activation",
            Remedy::Hidden { .. } => "hidden_activations",
            Remedy::Loss(_) => "loss",
            Remedy::LearningRate(_) => "learning_rate",
            Remedy::Initialize { .. } => "initializer",
            Remedy::Epochs(_) => "epochs",
            Remedy::BatchSize(_) => "batch_size",
            Remedy::Shuffle => "shuffle",
            Remedy::Balance => "class_weight",
            Remedy::Dropout(_) => "dropout",
            Remedy::Penalty(_) => "penalty",
            Remedy::MaskZero { .. } => "mask_zero",
            Remedy::Masking(_) => "masking",
            Remedy::Units { .. } => "units",
        }
    }

    /// Shifts layer indices for a model with `by` fewer layers at the front.
    pub(crate) fn shifted(self, by: usize) -> Option<Remedy> {
        use Remedy::{Activation, Initialize, MaskZero, Units};
        Some(match self {
            Activation { layer, activation } => Activation { layer: layer.checked_sub(by)?, activation },
            Initialize { layer } => Initialize { layer: layer.checked_sub(by)? },
            MaskZero { layer } => MaskZero { layer: layer.checked_sub(by)? },
            Units { layer, units } => Units { layer: layer.checked_sub(by)?, units },
            other => other,
        })
    }

    /// Whether it adds a layer in front, which shifts the indices of the others.
    pub(crate) fn adds_layer(&self) -> bool {
        matches!(self, Remedy::NormalizeInputs | Remedy::Masking(_))
    }

    /// Whether both change the same setting, so that only the later one has an effect.
    pub(crate) fn replaces(&self, other: &Remedy) -> bool {
        use Remedy::{Activation, Initialize, Units};
        match (self, other) {
            (Activation { layer: a, .. }, Activation { layer: b, .. })
            | (Initialize { layer: a }, Initialize { layer: b })
            | (Units { layer: a, .. }, Units { layer: b, .. }) => a == b,
            _ => std::mem::discriminant(self) == std::mem::discriminant(other),
        }
    }
}
