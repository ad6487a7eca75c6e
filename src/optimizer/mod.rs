//! Optimizers: rules that update parameters by their gradients.

mod adadelta;
mod adafactor;
mod adagrad;
mod adam;
mod adam_w;
mod adamax;
mod ext;
mod ftrl;
mod lamb;
mod lion;
mod muon;
mod nadam;
mod options;
mod registry;
mod rms_prop;
mod schedule;
mod sgd;
mod traits;
mod tuned;

pub use adadelta::Adadelta;
pub use adafactor::Adafactor;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use adamax::Adamax;
pub use ext::OptimizerExt;
pub use ftrl::Ftrl;
pub use lamb::Lamb;
pub use lion::Lion;
pub use muon::Muon;
pub use nadam::Nadam;
#[cfg(feature = "keras")]
pub(crate) use nadam::momenta;
pub use options::{Options, WeightAverage};
pub(crate) use registry::{from_value, registry};
pub use rms_prop::RmsProp;
pub(crate) use schedule::registry as schedules;
pub use schedule::{
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, LearningRate,
    PiecewiseConstantDecay, PolynomialDecay, Schedule,
};
pub use sgd::Sgd;
pub use traits::{OptimizerTraits, StepScale};
pub use tuned::Tuned;

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::state::State;

/// An update rule: changes each number of a parameter according to its gradient and its slots, the rule's own state.
///
/// Most rules work number by number, so a long parameter may be split into pieces. A rule that needs whole parameters, for their
/// norm or as matrices, sets [`OptimizerTraits::whole`], and gets them by [`Optimizer::update_whole`].
///
/// The options that every rule supports (weight decay, gradient clipping, averaged weights, gradient accumulation)
/// are set by the methods of [`OptimizerExt`].
///
/// # Example
/// ```
/// use cornu::optimizer::{LearningRate, Optimizer, OptimizerTraits, Update};
/// use cornu::prelude::*;
///
/// /// w −= η·sign(g)
/// #[derive(Debug, Clone)]
/// struct SignDescent { learning_rate: LearningRate }
///
/// impl<F: Scalar> Optimizer<F> for SignDescent {
///     fn traits(&self) -> OptimizerTraits { OptimizerTraits::new("sign_descent") }
///     fn learning_rate(&self) -> &LearningRate { &self.learning_rate }
///     fn learning_rate_mut(&mut self) -> &mut LearningRate { &mut self.learning_rate }
///     fn update(&self, at: Update, value: &mut [F], grad: &[F], _: &mut [&mut [F]]) {
///         let rate = F::of(at.learning_rate);
///         value.iter_mut().zip(grad).for_each(|(w, g)| *w -= rate * g.signum());
///     }
/// }
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// let rule = SignDescent { learning_rate: 0.1.into() };
/// model.compile(rule.clone().weight_decay(0.01), MeanSquaredError::new(), ())?;
///
/// let mut w = [1.0, 1.0];
/// rule.update(Update::new(1, 0.1), &mut w, &[5.0, -5.0], &mut []);
/// assert_eq!(w, [0.9, 1.1]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Optimizer<F: Scalar>: DynClone + Debug + Send + Sync {
    /// The name of the rule, its slots, and how its step depends on the gradient.
    fn traits(&self) -> OptimizerTraits;

    /// The settings of the rule, for files. Default: none; a model compiled with such a rule cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// The learning rate η, or its schedule.
    fn learning_rate(&self) -> &LearningRate;

    /// The learning rate, to be changed from the next step on.
    fn learning_rate_mut(&mut self) -> &mut LearningRate;

    /// Refuses settings that are out of range. Default: accepts all.
    ///
    /// The learning rate and the [`Options`] are checked separately.
    ///
    /// # Errors
    /// [`Error::Argument`] that names the setting.
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// Called once before the parameters of an update, to compute what they share. Default: does nothing.
    fn begin(&mut self, at: Update) {
        let _ = at;
    }

    /// Saves or restores what the rule keeps between updates apart from its slots. Default: nothing.
    ///
    /// # Errors
    /// The errors of [`State`].
    fn state(&mut self, state: &mut State) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// Updates `value`, a parameter or a piece of it; `slots` are as long as `value`.
    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]);

    /// Updates a whole parameter of this shape, in row-major order, if [`OptimizerTraits::is_whole`]; `slots` have their own
    /// shapes. Default: calls `update`.
    fn update_whole(&self, at: Update, shape: &[usize], value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        let _ = shape;
        self.update(at, value, grad, slots);
    }

    /// The shape of a slot, from 0, of the parameter with this path and shape, or `None` if the parameter has no such slot. Default:
    /// that of the parameter, which it must be unless [`OptimizerTraits::is_whole`].
    fn slot_shape(&self, slot: usize, path: &str, shape: &[usize]) -> Option<Vec<usize>> {
        let _ = (slot, path);
        Some(shape.to_vec())
    }

    /// The weight decay of a parameter with these slots, given that of the options. Default: that of the options.
    fn decay_of(&self, decay: Option<f64>, slots: &[Vec<F>]) -> Option<f64> {
        let _ = slots;
        decay
    }

    /// The options set around the rule. Default: none.
    fn options(&self) -> Option<&Options> {
        None
    }
}

dyn_clone::clone_trait_object!(<F: Scalar> Optimizer<F>);

/// A rule that is chosen at run time.
impl<F: Scalar> Optimizer<F> for Box<dyn Optimizer<F>> {
    fn traits(&self) -> OptimizerTraits {
        (**self).traits()
    }

    fn config(&self) -> Option<Config> {
        (**self).config()
    }

    fn learning_rate(&self) -> &LearningRate {
        (**self).learning_rate()
    }

    fn learning_rate_mut(&mut self) -> &mut LearningRate {
        (**self).learning_rate_mut()
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }

    fn begin(&mut self, at: Update) {
        (**self).begin(at);
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        (**self).state(state)
    }

    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        (**self).update(at, value, grad, slots);
    }

    fn update_whole(&self, at: Update, shape: &[usize], value: &mut [F], grad: &[F], slots: &mut [&mut [F]]) {
        (**self).update_whole(at, shape, value, grad, slots);
    }

    fn slot_shape(&self, slot: usize, path: &str, shape: &[usize]) -> Option<Vec<usize>> {
        (**self).slot_shape(slot, path, shape)
    }

    fn decay_of(&self, decay: Option<f64>, slots: &[Vec<F>]) -> Option<f64> {
        (**self).decay_of(decay, slots)
    }

    fn options(&self) -> Option<&Options> {
        (**self).options()
    }
}

/// The largest number of slots that a rule may use.
pub const MAX_SLOTS: usize = 4;

/// The number and the learning rate of an update.
///
/// # Example
/// ```
/// let first = cornu::optimizer::Update::new(1, 0.01);
/// assert_eq!((first.t, first.learning_rate), (1, 0.01));
/// ```
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Update {
    /// The number of this update, from 1.
    pub t: u64,
    /// The learning rate η of this update.
    pub learning_rate: f64,
}

impl Update {
    /// Creates update number `t`, from 1, at this learning rate.
    pub fn new(t: u64, learning_rate: f64) -> Self {
        Update { t, learning_rate }
    }

    /// `1 − betaᵗ`, the bias of a moving average that started at 0.
    fn correction(&self, beta: f64) -> f64 {
        1.0 - beta.power(self.t as f64)
    }
}

/// The Euclidean norm.
fn norm<F: Scalar>(numbers: impl Iterator<Item = F>) -> f64 {
    numbers.map(|x| x.as_f64() * x.as_f64()).sum::<f64>().sqrt()
}

/// Refuses a number outside `[low, high]`, and NaN.
fn check_range(argument: &'static str, value: f64, low: f64, high: f64) -> Result<()> {
    if (low..=high).contains(&value) {
        return Ok(());
    }
    let expected = match high {
        f64::MAX => format!("a finite number of at least {low}"),
        _ => format!("a number from {low} to {high}"),
    };
    Err(Error::argument(argument, expected, value))
}

/// Refuses a number that is 0, negative or not finite.
fn check_positive(argument: &'static str, value: f64) -> Result<()> {
    if value > 0.0 && value.is_finite() {
        return Ok(());
    }
    Err(Error::argument(argument, "a finite number above 0", value))
}

/// Refuses a decay rate outside `[0, 1)`, and NaN.
fn check_decay(argument: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::argument(argument, "a number of at least 0 and below 1", value))
}

/// Implements `Default` with Keras's learning rate.
macro_rules! default_rate {
    ($optimizer:ident, $rate:literal) => {
        impl Default for $optimizer {
            fn default() -> Self {
                $optimizer::new($rate)
            }
        }
    };
}

/// Implements the methods of `Optimizer` that are the same for every rule with a field `learning_rate`.
macro_rules! named {
    ($kind:literal) => {
        fn config(&self) -> Option<crate::config::Config> {
            let config = crate::config::Config::from_settings("keras.optimizers", $kind, self);
            Some(config.with("learning_rate", self.learning_rate.config()?))
        }

        fn learning_rate(&self) -> &LearningRate {
            &self.learning_rate
        }

        fn learning_rate_mut(&mut self) -> &mut LearningRate {
            &mut self.learning_rate
        }
    };
}

use {default_rate, named};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_boxed_rule_saves_what_it_keeps_between_updates() {
        fn saved(mut rule: impl Optimizer<f64>) -> Vec<u8> {
            rule.begin(Update::new(3, 0.1));
            let mut state = State::writing();
            rule.state(&mut state).unwrap();
            state.bytes().to_vec()
        }
        let boxed: Box<dyn Optimizer<f64>> = Box::new(Nadam::new(0.1));
        assert_eq!(saved(boxed), saved(Nadam::new(0.1)));
        assert_ne!(saved(Nadam::new(0.1)), saved(Sgd::new(0.1)));
    }
}
