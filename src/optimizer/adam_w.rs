//! AdamW: w −= η·λ·w, then Adam.

use super::{Adam, LearningRate, Optimizer, OptimizerTraits, Options, Update, default_rate};
use crate::config::{Config, setters, settings};
use crate::error::Result;
use crate::scalar::Scalar;

/// [`Adam`] with decoupled weight decay.
///
/// ```text
/// w ← w − η·λ·w    then Adam
/// ```
///
/// | setter | default |
/// |---|---|
/// | `beta_1`, `beta_2`, `epsilon`, `amsgrad` | as [`Adam`] |
/// | `weight_decay` λ | 0.004 |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::optimizer::{AdamW, Optimizer};
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(AdamW::new(0.001).exclude_from_weight_decay(["bias"]), MeanSquaredError::new(), ())?;
/// let options = Optimizer::<f32>::options(&AdamW::new(0.001)).cloned();
/// assert_eq!(options.and_then(|options| options.weight_decay), Some(0.004));
///
/// let rule = AdamW::new(0.001).beta_1(0.8).beta_2(0.99).epsilon(1e-8).amsgrad(true);
/// assert_eq!(Optimizer::<f32>::traits(&rule).slots.len(), 3);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `compile`: as for [`Adam`], and for a weight decay below 0 or not finite.
///
/// # References
/// Loshchilov and Hutter (2017), *Decoupled weight decay regularization*;
/// <https://keras.io/api/optimizers/adamw/>.
#[derive(Debug, Clone)]
pub struct AdamW {
    adam: Adam,
    options: Options,
}

impl AdamW {
    /// Creates AdamW with this learning rate; Keras's default is 0.001.
    pub fn new(learning_rate: impl Into<LearningRate>) -> Self {
        let options = Options { weight_decay: Some(0.004), ..Options::default() };
        AdamW { adam: Adam::new(learning_rate), options }
    }

    setters! {
        /// The decay rate β₁ of the mean of the gradients. Default: 0.9.
        beta_1: f64 => adam.beta_1;
        /// The decay rate β₂ of the mean of the squared gradients. Default: 0.999.
        beta_2: f64 => adam.beta_2;
        /// ε, added to the divisor to keep it above 0. Default: 1e-7.
        epsilon: f64 => adam.epsilon;
        /// Whether to use AMSGrad, in which the divisor never shrinks. Default: false.
        amsgrad: bool => adam.amsgrad;
    }
}

default_rate!(AdamW, 0.001);

impl<F: Scalar> Optimizer<F> for AdamW {
    fn traits(&self) -> OptimizerTraits {
        OptimizerTraits { name: "adamw", ..Optimizer::<F>::traits(&self.adam) }
    }

    fn config(&self) -> Option<Config> {
        let mut config = Config { kind: "AdamW".into(), ..Optimizer::<F>::config(&self.adam)? };
        self.options.write(&mut config);
        Some(config)
    }

    fn learning_rate(&self) -> &LearningRate {
        Optimizer::<F>::learning_rate(&self.adam)
    }

    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        Optimizer::<F>::learning_rate_mut(&mut self.adam)
    }

    fn check(&self) -> Result<()> {
        Optimizer::<F>::check(&self.adam)
    }

    fn begin(&mut self, at: Update) {
        Optimizer::<F>::begin(&mut self.adam, at);
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        self.adam.update(at, value, grad, slots);
    }

    fn options(&self) -> Option<&Options> {
        Some(&self.options)
    }
}

settings!([] AdamW {} with { adam });
