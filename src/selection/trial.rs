//! One trial of a search: its hyper-parameters, its score, and its outcome.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::domain::ParameterValue;
use super::hyper_parameters::{HyperParameters, ValueSource};
use crate::callback::Logs;
use crate::diagnosis::Findings;
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::model::Sequential;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::training::Fit;

/// A closure that builds a compiled model and its fit from the hyper-parameters that it requests.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::{Build, HyperParameters, Search};
/// fn search<'a>(build: impl Build<'a, f32>) -> Result<usize> {
///     let x = ndarray::array![[0.0f32], [0.25], [0.5], [1.0]];
///     Ok(Search::random(2).verbose(Verbose::Silent).run(&x, &x, build)?.trials().len())
/// }
/// let trials = search(|hp: &mut HyperParameters| {
///     let mut model = Sequential::new().add(Dense::new(1));
///     model.compile(Sgd::new(hp.uniform("rate", 0.01..=0.1)?), MeanSquaredError::new(), ())?;
///     Ok((model, Fit::new().validation_split(0.25)))
/// })?;
/// assert_eq!(trials, 2);
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Build<'a, F: Scalar>:
    Fn(&mut HyperParameters) -> Result<(Sequential<F>, Fit<'a, F>)> + Sync
{
}

impl<'a, F: Scalar, C> Build<'a, F> for C where
    C: Fn(&mut HyperParameters) -> Result<(Sequential<F>, Fit<'a, F>)> + Sync
{
}

/// One trial of a search.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::Search;
/// let x = ndarray::Array2::from_shape_fn((30, 1), |(i, _)| i as f32 / 30.0);
/// let results = Search::random(1).seed(1).run(&x, &(&x * 2.0), |hp| {
///     let mut model = Sequential::new().add(Dense::new(1));
///     model.compile(Sgd::new(hp.uniform("learning_rate", 0.01..=0.1)?), MeanSquaredError::new(), ())?;
///     Ok((model, Fit::new().epochs(2).validation_split(0.3)))
/// })?;
/// let trial = &results.trials()[0];
/// assert_eq!((trial.number(), trial.epochs(), trial.error().is_none()), (0, 2, true));
/// assert!(trial.get("learning_rate").is_some() && trial.score().is_some());
/// assert_eq!(trial.settings().map(|(name, _)| name).collect::<Vec<_>>(), ["learning_rate"]);
/// assert_eq!(trial.score(), trial.logs().and_then(|logs| logs.get("val_loss")));
/// assert!(trial.best_epoch() < Some(2) && trial.stopped().is_none() && !trial.time().is_zero());
/// let mut again = trial.hyper_parameters();
/// assert!((0.01..=0.1).contains(&again.uniform("learning_rate", 0.01..=0.1)?));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct Trial {
    pub(super) number: usize,
    pub(super) values: Vec<(String, ParameterValue)>,
    pub(super) seed: u64,
    /// The best epoch so far: its index from 0, the objective, and all other measurements.
    pub(super) best: Option<(usize, f64, Logs)>,
    /// The number of trained epochs.
    pub(super) epochs: usize,
    pub(super) error: Option<Error>,
    pub(super) stopped: Option<String>,
    pub(super) findings: Findings,
    pub(super) time: Duration,
}

impl Trial {
    /// Creates a trial that has not started.
    pub(super) fn new(number: usize, hp: &HyperParameters) -> Self {
        Trial {
            number,
            values: hp.values(),
            seed: hp.seed,
            best: None,
            epochs: 0,
            error: None,
            stopped: None,
            findings: Findings::default(),
            time: Duration::ZERO,
        }
    }

    /// The number of the trial, from 0, in the order in which trials were drawn.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The value of a hyper-parameter.
    pub fn get(&self, name: &str) -> Option<&ParameterValue> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, drawn)| drawn)
    }

    /// All hyper-parameters, in the order in which the closure requested them.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &ParameterValue)> {
        self.values.iter().map(|(name, drawn)| (&**name, drawn))
    }

    /// The objective at the best epoch; none if no epoch had a finite one.
    pub fn score(&self) -> Option<f64> {
        self.best.as_ref().map(|(_, score, _)| *score)
    }

    /// The best epoch, from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best.as_ref().map(|(epoch, ..)| *epoch)
    }

    /// The measurements of the best epoch.
    pub fn logs(&self) -> Option<&Logs> {
        self.best.as_ref().map(|(.., logs)| logs)
    }

    /// The number of trained epochs.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// The error that ended the trial, if any.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// The reason why a callback stopped the trial, if one did.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// The findings of the diagnosis.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// The training time.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// The hyper-parameters of the trial, to pass to a closure again.
    pub fn hyper_parameters(&self) -> HyperParameters {
        HyperParameters::new(ValueSource::Known(self.values.clone()), self.seed)
    }

    /// Builds the trial's model and fit again with the closure of the search: untrained, with the same initial weights.
    ///
    /// # Errors
    /// The errors of the closure.
    pub fn build<'a, F: Scalar>(&self, build: impl Build<'a, F>) -> Result<(Sequential<F>, Fit<'a, F>)> {
        let mut hp = self.hyper_parameters();
        Rng::with_seeds(Rng::new(self.seed), || build(&mut hp))
    }

    /// Returns whether the trial can be trained further: it neither failed nor stopped.
    pub(super) fn can_continue(&self) -> bool {
        self.error.is_none() && self.stopped.is_none()
    }

    /// Orders trials by score, then by number. A trial without a score is the worst.
    pub(super) fn order(&self, other: &Self, goal: Goal) -> std::cmp::Ordering {
        let key = |trial: &Trial| match goal {
            Goal::Low => trial.score().unwrap_or(f64::INFINITY),
            Goal::High => -trial.score().unwrap_or(f64::NEG_INFINITY),
        };
        let missing = |trial: &Trial| trial.score().is_none();
        (missing(self).cmp(&missing(other)))
            .then(key(self).total_cmp(&key(other)))
            .then(self.number.cmp(&other.number))
    }
}

/// A trial between its rungs.
pub(super) struct ActiveTrial<F: Scalar> {
    pub(super) trial: Trial,
    /// The epochs that it is to train.
    pub(super) epochs: usize,
    /// The model after the last rung.
    pub(super) model: Option<Sequential<F>>,
    /// The model after its best epoch.
    pub(super) best_model: Option<Sequential<F>>,
    /// The rank that has trained it so far.
    pub(super) owner: Option<usize>,
}

/// A trial with its model after the best epoch.
pub(super) struct BestTrial<F: Scalar> {
    pub(super) trial: Trial,
    pub(super) model: Sequential<F>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

pub(super) fn into_inner<T>(mutex: Mutex<T>) -> T {
    mutex.into_inner().unwrap_or_else(PoisonError::into_inner)
}
