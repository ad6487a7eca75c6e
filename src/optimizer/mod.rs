//! Optimizers: how a gradient changes a value. A rule sees slices of one parameter and never a layer.

mod adadelta;
mod adagrad;
mod adam;
mod adam_w;
mod adamax;
mod ftrl;
mod lion;
mod nadam;
mod options;
mod registry;
mod rms_prop;
mod schedule;
mod sgd;
mod tuned;

pub use adadelta::Adadelta;
pub use adagrad::Adagrad;
pub use adam::Adam;
pub use adam_w::AdamW;
pub use adamax::Adamax;
pub use ftrl::Ftrl;
pub use lion::Lion;
pub use nadam::Nadam;
#[cfg(feature = "keras")]
pub(crate) use nadam::momenta;
pub use options::{Clip, Options, WeightAverage};
pub(crate) use registry::{from_value, registry};
pub use rms_prop::RmsProp;
pub(crate) use schedule::registry as schedules;
pub use schedule::{
    CosineDecay, CosineDecayRestarts, ExponentialDecay, InverseTimeDecay, LearningRate,
    PiecewiseConstantDecay, PolynomialDecay, Schedule,
};
pub use sgd::Sgd;
pub use tuned::Tuned;

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::config::Config;
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::state::State;

/// An update rule: plain data that changes each number of a parameter by its gradient and its slots.
///
/// The rule works number by number, so that a long parameter may be cut in pieces. What all rules can be
/// given (weight decay, clipped gradients, averaged weights, gradients summed over several batches) is
/// added by the provided methods, which wrap the rule into a [`Tuned`] one; so they come last in a chain.
///
/// # Example
/// ```
/// use cornu::optimizer::{LearningRate, Optimizer, Update};
/// use cornu::prelude::*;
///
/// /// w −= η·sign(g)
/// #[derive(Debug, Clone)]
/// struct SignDescent { learning_rate: LearningRate }
///
/// impl<F: Scalar> Optimizer<F> for SignDescent {
///     fn name(&self) -> &str { "sign_descent" }
///     fn learning_rate(&self) -> &LearningRate { &self.learning_rate }
///     fn learning_rate_mut(&mut self) -> &mut LearningRate { &mut self.learning_rate }
///     fn update(&self, at: Update, value: &mut [F], grad: &[F], _: &mut [&mut [F]]) {
///         let rate = F::of(at.learning_rate);
///         value.iter_mut().zip(grad).for_each(|(w, g)| *w -= rate * g.signum());
///     }
/// }
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// let rule = SignDescent { learning_rate: 0.1.into() };
/// model.compile(rule.weight_decay(0.01), MeanSquaredError::new(), ())?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Optimizer<F: Scalar>: DynClone + Debug + Send + Sync {
    /// The rule's name, as Keras has it.
    fn name(&self) -> &str;

    /// The optimizer's settings, for files. Default: none to tell, and a model that is compiled with it cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// The learning rate η, or its schedule.
    fn learning_rate(&self) -> &LearningRate;

    /// As [`Optimizer::learning_rate`], to change it from the next step on.
    fn learning_rate_mut(&mut self) -> &mut LearningRate;

    /// Refuses settings that make no rule. Default: takes all; the learning rate and the options are
    /// checked besides.
    ///
    /// # Errors
    /// [`Error::Argument`].
    fn check(&self) -> Result<()> {
        Ok(())
    }

    /// How many arrays the rule keeps beside each parameter, at most [`MAX_SLOTS`].
    fn slots(&self) -> usize {
        0
    }

    /// The number that fills array `slot` at the start. Default: 0.
    fn slot_start(&self, slot: usize) -> f64 {
        let _ = slot;
        0.0
    }

    /// Told before the parameters of an update, for what is the same for all of them.
    fn begin(&mut self, at: Update) {
        let _ = at;
    }

    /// What the rule keeps from one update to the next besides its slots, for a training that is killed to go on.
    /// Default: nothing.
    ///
    /// # Errors
    /// What [`State`] returns.
    fn state(&mut self, state: &mut State) -> Result<()> {
        let _ = state;
        Ok(())
    }

    /// One step for `value`, or for a piece of it; `slots` are as long as `value`.
    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]);

    /// The rate η of an update that is w ← w − η·g and nothing else: it may then be made within the product that gives
    /// g, with the same bits, and `update` is not called. Default: none, as for every other rule.
    fn descent(&self, at: Update) -> Option<f64> {
        let _ = at;
        None
    }

    /// What is done around the rule. Default: nothing.
    fn options(&self) -> Option<&Options> {
        None
    }

    /// Pulls every weight towards 0 by `weight_decay · η` of itself before each update, apart from the
    /// gradient (*decoupled*). Default: 0.
    fn weight_decay(self, weight_decay: f64) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.weight_decay = Some(weight_decay))
    }

    /// Leaves parameters out of the weight decay in whose own names, such as `bias` or `gamma`, one of
    /// these words occurs. Default: none.
    fn exclude_from_weight_decay<W: Into<String>>(self, words: impl IntoIterator<Item = W>) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.undecayed.extend(words.into_iter().map(Into::into)))
    }

    /// Shortens the gradient of each parameter to this norm where it is longer. Default: no bound.
    fn clip_norm(self, norm: f64) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.clips.push(Clip::Norm(norm)))
    }

    /// Shortens the gradient of all parameters together to this norm where it is longer. Default: no bound.
    fn global_clip_norm(self, norm: f64) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.clips.push(Clip::GlobalNorm(norm)))
    }

    /// Brings every number of the gradient within ± this. Default: no bound.
    fn clip_value(self, value: f64) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.clips.push(Clip::Value(value)))
    }

    /// Keeps a moving average of the weights, which becomes the weights at the end of a fit. Default: none.
    fn average_weights(self, average: WeightAverage) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.average = Some(average))
    }

    /// Updates once every `batches` batches, by the mean of their gradients. Default: each batch.
    fn accumulate_gradients(self, batches: usize) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        self.tuned().with(|options| options.accumulation = Some(batches))
    }

    /// The rule with its options.
    fn tuned(self) -> Tuned<F>
    where
        Self: Sized + 'static,
    {
        Tuned::new(Box::new(self))
    }
}

dyn_clone::clone_trait_object!(<F: Scalar> Optimizer<F>);

/// The most arrays that a rule may keep beside each parameter.
pub const MAX_SLOTS: usize = 4;

/// When an update happens, and how fast.
///
/// # Example
/// See [`Optimizer`].
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub struct Update {
    /// The number of this update, from 1.
    pub t: u64,
    /// The learning rate η of this update.
    pub learning_rate: f64,
}

impl Update {
    /// The update number `t`, from 1, at this learning rate.
    pub fn new(t: u64, learning_rate: f64) -> Self {
        Update { t, learning_rate }
    }

    /// `1 − betaᵗ`, by which a mean that started at 0 is too small.
    fn correction(&self, beta: f64) -> f64 {
        1.0 - beta.powf(self.t as f64)
    }
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

/// The setters of a rule: `setters! { /// What it is. Default: 0.9. beta_1: f64; }`.
macro_rules! setters {
    ($($(#[$doc:meta])* $name:ident: $type:ty;)*) => {$(
        $(#[$doc])*
        pub fn $name(mut self, $name: $type) -> Self {
            self.$name = $name;
            self
        }
    )*};
}

/// What every rule with a field `learning_rate` says alike.
macro_rules! named {
    ($name:literal, $kind:literal) => {
        fn name(&self) -> &str {
            $name
        }

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

use {named, setters};
