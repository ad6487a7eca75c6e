//! The options of every rule: weight decay, clipping, averaged weights, gradient accumulation.

use super::{check_decay, check_positive, check_range};
use crate::error::{Error, Result};

/// The options around a rule, in the order in which a step applies them:
///
/// 1. the gradients of `accumulation` batches are averaged;
/// 2. the mean is clipped;
/// 3. each weight loses `weight_decay · η` of itself;
/// 4. the rule;
/// 5. the moving average is updated with the new weights, and replaces them if an overwrite is due;
/// 6. the parameters' constraints.
///
/// They are set by the methods of [`OptimizerExt`](super::OptimizerExt).
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, OptimizerExt, Sgd};
/// let rule = OptimizerExt::<f32>::weight_decay(Sgd::new(0.1), 0.01).clip_norm(1.0);
/// assert_eq!(rule.options().and_then(|options| options.weight_decay), Some(0.01));
/// ```
///
/// # References
/// Loshchilov and Hutter (2017), *Decoupled weight decay regularization*; Pascanu et al. (2013), *On the
/// difficulty of training recurrent neural networks*; <https://keras.io/api/optimizers/>.
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct Options {
    /// The share of each weight, times η, that an update removes.
    pub weight_decay: Option<f64>,
    /// Words; a parameter whose name contains one of them does not decay.
    pub undecayed: Vec<String>,
    /// The bound c on the norm of each parameter's gradient, `g · c / max(‖g‖, c)`. At most one of the three bounds is set.
    pub clip_norm: Option<f64>,
    /// The bound c on the norm N over all parameters, `g · c · min(1/N, 1/c)`.
    pub global_clip_norm: Option<f64>,
    /// The bound c on each number of a gradient, `min(max(g, −c), c)`.
    pub clip_value: Option<f64>,
    /// The moving average of the weights.
    pub average: Option<WeightAverage>,
    /// The number of batches per update.
    pub accumulation: Option<usize>,
}

/// A moving average of the weights, `a ← m·a + (1 − m)·w` after every update.
///
/// The average starts at the weights of the first update. The weights become the average at the end of a fit, after
/// the last epoch's callbacks.
///
/// | setter | default |
/// |---|---|
/// | `overwrite_every` | at the end of a fit only |
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, Sgd, WeightAverage};
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([1]).add(Dense::new(1).use_bias(false).name("F1"));
/// let rule = Sgd::new(0.1).average_weights(WeightAverage::new(0.99).overwrite_every(100));
/// model.compile(rule, MeanSquaredError::new(), ())?;
/// model.set_weight("F1/kernel", &array![[0.0]])?;
/// // One update: the average is the new weight, 0 + 0.1 · 2 · 3.
/// model.fit(&array![[1.0]], &array![3.0], &Fit::new().verbose(Verbose::Silent))?;
/// assert!((model.weight("F1/kernel")?[[0, 0]] - 0.6).abs() < 1e-6);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Polyak and Juditsky (1992), *Acceleration of stochastic approximation by averaging*.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct WeightAverage {
    pub(crate) momentum: f64,
    pub(crate) overwrite: Option<u64>,
}

impl WeightAverage {
    /// Creates an average with this momentum `m`; Keras's default is 0.99.
    pub fn new(momentum: f64) -> Self {
        WeightAverage { momentum, overwrite: None }
    }

    /// Also replaces the weights by their average after every `batches` batches. Default: at the end of a fit only.
    pub fn overwrite_every(mut self, batches: u64) -> Self {
        self.overwrite = Some(batches);
        self
    }
}

impl Options {
    /// Refuses options out of range, and two bounds at once.
    pub(crate) fn check(&self) -> Result<()> {
        check_range("weight_decay", self.weight_decay.unwrap_or(0.0), 0.0, f64::MAX)?;
        let bounds = [
            ("clip_norm", self.clip_norm),
            ("global_clip_norm", self.global_clip_norm),
            ("clip_value", self.clip_value),
        ];
        let mut set = bounds.into_iter().filter_map(|(name, bound)| Some((name, bound?)));
        if let Some((first, bound)) = set.next() {
            check_positive(first, bound)?;
            if let Some((second, _)) = set.next() {
                let found = format!("{first} and {second}");
                return Err(Error::argument("clip", "one of clip_norm, global_clip_norm, clip_value", found));
            }
        }
        if let Some(average) = self.average {
            check_decay("momentum", average.momentum)?;
            if average.overwrite == Some(0) {
                return Err(Error::argument("overwrite_every", "at least 1", 0));
            }
        }
        match self.accumulation {
            Some(0) => Err(Error::argument("accumulate_gradients", "at least 1", 0)),
            _ => Ok(()),
        }
    }

    /// Returns whether a parameter of this name decays.
    pub(crate) fn decays(&self, name: &str) -> bool {
        !self.undecayed.iter().any(|word| name.contains(&**word))
    }
}
