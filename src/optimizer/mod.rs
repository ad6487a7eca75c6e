//! Optimizers: how a gradient changes a value. A rule sees slices of one parameter and never a layer.

mod adam;
mod sgd;

pub use adam::Adam;
pub use sgd::Sgd;

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// An update rule: plain data that changes each number of a parameter by its gradient and its slots.
///
/// The rule works number by number, so that a long parameter may be cut in pieces.
///
/// # Example
/// ```
/// use cornu::optimizer::{Optimizer, Update};
/// use cornu::prelude::*;
///
/// /// w −= η·sign(g)
/// #[derive(Debug, Clone)]
/// struct SignDescent { learning_rate: f64 }
///
/// impl<F: Scalar> Optimizer<F> for SignDescent {
///     fn name(&self) -> &str { "sign_descent" }
///     fn learning_rate(&self) -> f64 { self.learning_rate }
///     fn set_learning_rate(&mut self, learning_rate: f64) { self.learning_rate = learning_rate }
///     fn update(&self, at: Update, value: &mut [F], grad: &[F], _: &mut [&mut [F]]) {
///         let rate = F::of(at.learning_rate);
///         value.iter_mut().zip(grad).for_each(|(w, g)| *w -= rate * g.signum());
///     }
/// }
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(SignDescent { learning_rate: 0.1 }, MeanSquaredError::new(), ())?;
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Optimizer<F: Scalar>: DynClone + Debug + Send + Sync {
    /// The rule's name, as Keras has it.
    fn name(&self) -> &str;

    /// The learning rate η.
    fn learning_rate(&self) -> f64;

    /// Changes the learning rate, from the next step on.
    fn set_learning_rate(&mut self, learning_rate: f64);

    /// Refuses settings that make no rule. Default: a learning rate that is finite and at least 0.
    ///
    /// # Errors
    /// [`Error::Argument`].
    fn check(&self) -> Result<()> {
        check_range("learning_rate", self.learning_rate(), 0.0, f64::MAX)
    }

    /// How many arrays the rule keeps beside each parameter, at most [`MAX_SLOTS`]. They start at 0.
    fn slots(&self) -> usize {
        0
    }

    /// One step for `value`, or for a piece of it; `slots` are as long as `value`.
    fn update(&self, at: Update, value: &mut [F], grad: &[F], slots: &mut [&mut [F]]);
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

/// Refuses a decay rate outside `[0, 1)`, and NaN.
fn check_decay(argument: &'static str, value: f64) -> Result<()> {
    if (0.0..1.0).contains(&value) {
        return Ok(());
    }
    Err(Error::argument(argument, "a number of at least 0 and below 1", value))
}
