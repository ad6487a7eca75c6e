//! Helps as edits, so that they can be tried on a copy.

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
/// assert_eq!(findings[0].helps[0].remedy, Some(remedy));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Remedy {
    /// A `Normalization` that is adapted to the inputs as the first layer.
    NormalizeInputs,
    /// Targets brought to mean 0 and deviation 1.
    StandardizeTargets,
    /// Another function at the end of a layer.
    Activation {
        /// The layer's place, from 0.
        layer: usize,
        /// The function.
        activation: Activation,
    },
    /// Every layer of weights before the last that ends in one function ends in another.
    Hidden {
        /// The function that goes.
        from: Activation,
        /// The function that comes.
        to: Activation,
    },
    /// Another loss, and the activation that it needs at the end.
    Loss(ReplacementLoss),
    /// Another learning rate.
    LearningRate(f64),
    /// First weights from the default initializer.
    Initialize {
        /// The layer's place, from 0.
        layer: usize,
    },
    /// So many times the epochs.
    Epochs(usize),
    /// So many samples in a batch.
    BatchSize(usize),
    /// Another order of the samples in each epoch.
    Shuffle,
    /// Classes that weigh the same in all.
    Balance,
    /// Layers that drop, drop this share.
    Dropout(f64),
    /// All regularizers' factors times this.
    Penalty(f64),
    /// So many outputs of a layer, and first weights drawn anew.
    Units {
        /// The layer's place, from 0.
        layer: usize,
        /// Outputs.
        units: usize,
    },
}

/// The loss that a remedy replaces the model's loss with.
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
    /// The same for a model that has `by` layers less before those it is about.
    pub(crate) fn shifted(self, by: usize) -> Option<Remedy> {
        use Remedy::{Activation, Initialize, Units};
        Some(match self {
            Activation { layer, activation } => Activation { layer: layer.checked_sub(by)?, activation },
            Initialize { layer } => Initialize { layer: layer.checked_sub(by)? },
            Units { layer, units } => Units { layer: layer.checked_sub(by)?, units },
            other => other,
        })
    }

    /// Whether both change the same, so that only the later of them has an effect.
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
