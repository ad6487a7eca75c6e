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
    /// The loss of this name.
    Loss(&'static str),
    /// Another learning rate.
    LearningRate(f64),
    /// First weights from the default initializer.
    Initialize {
        /// The layer's place, from 0.
        layer: usize,
    },
    /// So many times the epochs.
    Epochs(usize),
    /// Another order of the samples in each epoch.
    Shuffle,
}
