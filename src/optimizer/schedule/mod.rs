//! Learning rates: constant, or a function of the number of steps since `compile`.

mod cosine;
mod exponential;
mod inverse_time;
mod piecewise;
mod polynomial;
mod restarts;

pub use cosine::CosineDecay;
pub use exponential::ExponentialDecay;
pub use inverse_time::InverseTimeDecay;
pub use piecewise::PiecewiseConstantDecay;
pub use polynomial::PolynomialDecay;
pub use restarts::CosineDecayRestarts;

use std::fmt;

use dyn_clone::DynClone;

use super::check_range;
use crate::config::{Config, Constructor, Fields, Registry, Value, built_in};
use crate::error::{Error, Result};
use crate::state::State;

/// A learning rate for each step; every `Fn(u64) -> f64` is a schedule.
///
/// # Example
/// ```
/// use cornu::optimizer::Schedule;
/// use cornu::prelude::*;
/// let warm_up = |step: u64| 0.01 * (step as f64 + 1.0).min(100.0) / 100.0;
/// assert_eq!(warm_up.at(49), 0.005);
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(Sgd::new(warm_up), MeanSquaredError::new(), ())?;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/optimizers/learning_rate_schedules/>
pub trait Schedule: DynClone + Send + Sync {
    /// Returns the learning rate after `step` batches since `compile`; the first update has `step` 0.
    fn at(&self, step: u64) -> f64;

    /// The settings of the schedule, for files. Default: none; a model compiled with such a schedule cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// Refuses settings that are out of range. Default: accepts all.
    ///
    /// # Errors
    /// [`Error::Argument`] that names the setting.
    fn check(&self) -> Result<()> {
        Ok(())
    }
}

dyn_clone::clone_trait_object!(Schedule);

/// A schedule that is chosen at run time.
impl Schedule for Box<dyn Schedule> {
    fn at(&self, step: u64) -> f64 {
        (**self).at(step)
    }

    fn config(&self) -> Option<Config> {
        (**self).config()
    }

    fn check(&self) -> Result<()> {
        (**self).check()
    }
}

impl<S: Fn(u64) -> f64 + Clone + Send + Sync> Schedule for S {
    fn at(&self, step: u64) -> f64 {
        self(step)
    }
}

/// A constant learning rate, or a [`Schedule`].
///
/// # Example
/// ```
/// use cornu::optimizer::{ExponentialDecay, LearningRate};
/// let halved: LearningRate = ExponentialDecay::new(0.1, 10, 0.5).into();
/// assert_eq!((LearningRate::from(0.1).at(10), halved.at(10)), (0.1, 0.05));
/// ```
#[derive(Clone)]
pub enum LearningRate {
    /// The same rate at each step.
    Constant(f64),
    /// A rate that depends on the step.
    Schedule(Box<dyn Schedule>),
}

impl From<f64> for LearningRate {
    fn from(rate: f64) -> Self {
        LearningRate::Constant(rate)
    }
}

impl<S: Schedule + 'static> From<S> for LearningRate {
    fn from(schedule: S) -> Self {
        LearningRate::Schedule(Box::new(schedule))
    }
}

impl LearningRate {
    /// Returns the learning rate after `step` batches.
    pub fn at(&self, step: u64) -> f64 {
        match self {
            LearningRate::Constant(rate) => *rate,
            LearningRate::Schedule(schedule) => schedule.at(step),
        }
    }

    /// Sets the rate to a constant.
    ///
    /// # Errors
    /// [`Error::Argument`] if the rate follows a schedule, or if the new rate is negative or not finite.
    pub fn set(&mut self, rate: f64) -> Result<()> {
        match self {
            LearningRate::Constant(own) => {
                check_range("learning_rate", rate, 0.0, f64::MAX)?;
                *own = rate;
                Ok(())
            }
            LearningRate::Schedule(_) => Err(Error::argument(
                "learning_rate",
                "an optimizer with a constant rate, to change it",
                "one with a schedule",
            )),
        }
    }

    /// Saves or restores a constant rate, which a callback may have changed; a schedule needs no state.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        match self {
            LearningRate::Constant(rate) => state.item("learning_rate", rate),
            LearningRate::Schedule(_) => Ok(()),
        }
    }

    /// Refuses rates that are negative or not finite.
    pub(crate) fn check(&self) -> Result<()> {
        if let LearningRate::Schedule(schedule) = self {
            schedule.check()?;
        }
        check_range("learning_rate", self.at(0), 0.0, f64::MAX)
    }
}

/// Keras's module of schedules.
const MODULE: &str = "keras.optimizers.schedules";

impl LearningRate {
    /// Returns the rate if it is constant.
    #[cfg_attr(not(feature = "keras"), allow(dead_code))] // for files alone
    pub(crate) fn constant(&self) -> Option<f64> {
        match self {
            LearningRate::Constant(rate) => Some(*rate),
            LearningRate::Schedule(_) => None,
        }
    }

    /// Returns whether the rate can be written to a file.
    pub(crate) fn has_config(&self) -> bool {
        self.config().is_some()
    }

    /// The rate as a setting; none for a closure.
    pub(super) fn config(&self) -> Option<Value> {
        match self {
            LearningRate::Constant(rate) => Some(Value::Float(*rate)),
            LearningRate::Schedule(schedule) => schedule.config().map(Value::from),
        }
    }
}

/// Returns the registry of the built-in schedules.
pub(crate) fn registry() -> Registry<dyn Schedule> {
    let rows: Vec<Constructor<dyn Schedule>> = built_in![
        "CosineDecay": CosineDecay::new(0.0, 1),
        "CosineDecayRestarts": CosineDecayRestarts::new(0.0, 1),
        "ExponentialDecay": ExponentialDecay::new(0.0, 1, 1.0),
        "InverseTimeDecay": InverseTimeDecay::new(0.0, 1, 1.0),
        "PiecewiseConstantDecay": PiecewiseConstantDecay::new([], []),
        "PolynomialDecay": PolynomialDecay::new(0.0, 1),
    ];
    Registry::new("schedule", rows)
}

/// Constructs a schedule from its settings.
pub(super) fn from_config(
    config: &Config,
    path: &str,
    registry: &Registry<dyn Schedule>,
) -> Result<Box<dyn Schedule>> {
    let mut fields = Fields::new(config, format!("{path}.config"));
    let schedule = registry.construct(&mut fields)?;
    fields.finish()?;
    Ok(schedule)
}

impl fmt::Debug for LearningRate {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            LearningRate::Constant(rate) => write!(f, "{rate}"),
            // All settings, because a backup and the other ranks are compared with this text.
            LearningRate::Schedule(schedule) => match schedule.config() {
                Some(config) => {
                    let mut text = f.debug_struct(&config.kind);
                    for (name, value) in &config.fields {
                        text.field(name, value);
                    }
                    text.finish()
                }
                None => write!(f, "schedule from {}", schedule.at(0)),
            },
        }
    }
}

/// Refuses a schedule of 0 steps.
fn check_steps(argument: &'static str, steps: u64) -> Result<()> {
    if steps == 0 {
        return Err(Error::argument(argument, "at least 1", 0));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    const STEPS: [u64; 10] = [0, 1, 5, 6, 9, 10, 11, 15, 20, 25];

    #[track_caller]
    fn check(schedule: impl Schedule, expected: [f64; 10]) {
        schedule.check().unwrap();
        for (step, expected) in STEPS.into_iter().zip(expected) {
            let found = schedule.at(step);
            assert!((found - expected).abs() < 6e-7, "step {step}: {found}, expected {expected}");
        }
    }

    #[test]
    fn schedules_agree_with_keras() {
        check(
            ExponentialDecay::new(0.1, 10, 0.5),
            [0.1, 0.093303, 0.070711, 0.065975, 0.053589, 0.05, 0.046652, 0.035355, 0.025, 0.017678],
        );
        check(
            PolynomialDecay::new(0.1, 10).power(2.0),
            [0.1, 0.081019, 0.025075, 0.016084, 0.001099, 0.0001, 0.0001, 0.0001, 0.0001, 0.0001],
        );
        check(
            PolynomialDecay::new(0.1, 10).cycle(true),
            [0.1, 0.09001, 0.05005, 0.04006, 0.01009, 0.0001, 0.045055, 0.025075, 0.0001, 0.01675],
        );
        check(
            InverseTimeDecay::new(0.1, 10, 0.5),
            [0.1, 0.095238, 0.08, 0.076923, 0.068966, 0.066667, 0.064516, 0.057143, 0.05, 0.044444],
        );
        check(
            CosineDecay::new(0.1, 10).alpha(0.1),
            [0.1, 0.097798, 0.055, 0.041094, 0.012202, 0.01, 0.01, 0.01, 0.01, 0.01],
        );
        check(
            CosineDecay::new(0.0, 10).warm_up(0.1, 5),
            [0.0, 0.02, 0.1, 0.097553, 0.065451, 0.05, 0.034549, 0.0, 0.0, 0.0],
        );
        check(
            CosineDecayRestarts::new(0.1, 5),
            [0.1, 0.090451, 0.1, 0.097553, 0.065451, 0.05, 0.034549, 0.1, 0.085355, 0.05],
        );
        check(
            CosineDecayRestarts::new(0.1, 5).t_mul(1.0).m_mul(0.5),
            [0.1, 0.090451, 0.05, 0.045225, 0.004775, 0.025, 0.022613, 0.0125, 0.00625, 0.003125],
        );
        check(
            PiecewiseConstantDecay::new([5, 10], [1.0, 0.5, 0.25]),
            [1.0, 1.0, 1.0, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.25],
        );
        check(
            ExponentialDecay::new(0.1, 10, 0.5).staircase(true),
            [0.1, 0.1, 0.1, 0.1, 0.1, 0.05, 0.05, 0.05, 0.025, 0.025],
        );
    }

    #[test]
    fn invalid_settings_are_refused() {
        let refused = |rate: LearningRate| matches!(rate.check(), Err(Error::Argument { .. }));
        assert!(refused(ExponentialDecay::new(0.1, 0, 0.5).into()));
        assert!(refused(InverseTimeDecay::new(f64::NAN, 1, 0.5).into()));
        assert!(refused(PolynomialDecay::new(0.1, 0).into()));
        assert!(refused(CosineDecay::new(0.1, 0).into()));
        assert!(refused(CosineDecayRestarts::new(0.1, 5).t_mul(0.0).into()));
        assert!(refused(PiecewiseConstantDecay::new([5, 3], [1.0, 0.5, 0.25]).into()));
        assert!(refused(PiecewiseConstantDecay::new([5], [1.0]).into()));
        assert!(refused((|_: u64| -1.0).into()));
        let boxed: Box<dyn Schedule> = Box::new(ExponentialDecay::new(0.1, 0, 0.5));
        assert!(refused(boxed.into()));
        let mut schedule = LearningRate::from(CosineDecay::new(0.1, 5));
        assert!(matches!(schedule.set(0.1), Err(Error::Argument { .. })));
        assert!(LearningRate::from(0.1).set(f64::NAN).is_err());
    }
}
