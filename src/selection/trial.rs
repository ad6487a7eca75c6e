//! One trial: its settings, how good it was, and what became of it.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::domain::Drawn;
use super::hyper_parameters::{HyperParameters, Source};
use crate::callback::Logs;
use crate::diagnosis::Findings;
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::model::Sequential;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::training::Fit;

/// A closure that makes a compiled model and its fit from the settings that it asks for.
///
/// # Example
/// See [`Search`](super::Search).
pub trait Build<'a, F: Scalar>:
    Fn(&mut HyperParameters) -> Result<(Sequential<F>, Fit<'a, F>)> + Sync
{
}

impl<'a, F: Scalar, C> Build<'a, F> for C where
    C: Fn(&mut HyperParameters) -> Result<(Sequential<F>, Fit<'a, F>)> + Sync
{
}

/// One row of a search.
///
/// # Example
/// See [`Search`](super::Search).
#[derive(Debug, Clone)]
pub struct Trial {
    pub(super) number: usize,
    pub(super) values: Vec<(String, Drawn)>,
    pub(super) seed: u64,
    /// The best epoch so far: its number from 0, the objective, and all else that was measured.
    pub(super) best: Option<(usize, f64, Logs)>,
    /// Epochs that were trained.
    pub(super) epochs: usize,
    pub(super) error: Option<Error>,
    pub(super) stopped: Option<String>,
    pub(super) findings: Findings,
    pub(super) time: Duration,
}

impl Trial {
    /// A trial that has not begun.
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

    /// Its number, from 0, in the order of drawing.
    pub fn number(&self) -> usize {
        self.number
    }

    /// The value of a setting.
    pub fn get(&self, name: &str) -> Option<&Drawn> {
        self.values.iter().find(|(known, _)| known == name).map(|(_, drawn)| drawn)
    }

    /// All settings, in the order in which the closure asked for them.
    pub fn settings(&self) -> impl Iterator<Item = (&str, &Drawn)> {
        self.values.iter().map(|(name, drawn)| (&**name, drawn))
    }

    /// The objective in its best epoch; none where no epoch gave a finite one.
    pub fn score(&self) -> Option<f64> {
        self.best.as_ref().map(|(_, score, _)| *score)
    }

    /// The best epoch, from 0.
    pub fn best_epoch(&self) -> Option<usize> {
        self.best.as_ref().map(|(epoch, ..)| *epoch)
    }

    /// What was measured in the best epoch.
    pub fn logs(&self) -> Option<&Logs> {
        self.best.as_ref().map(|(.., logs)| logs)
    }

    /// How many epochs it was trained.
    pub fn epochs(&self) -> usize {
        self.epochs
    }

    /// Why it failed, where it did.
    pub fn error(&self) -> Option<&Error> {
        self.error.as_ref()
    }

    /// Why a callback ended it before its last epoch, where one did.
    pub fn stopped(&self) -> Option<&str> {
        self.stopped.as_deref()
    }

    /// What the diagnosis found in it.
    pub fn findings(&self) -> &Findings {
        &self.findings
    }

    /// How long it trained.
    pub fn time(&self) -> Duration {
        self.time
    }

    /// Its settings, for a closure that asks for them again.
    pub fn hyper_parameters(&self) -> HyperParameters {
        HyperParameters::new(Source::Known(self.values.clone()), self.seed)
    }

    /// The trial's model and fit, made anew by the closure of the search: untrained, with the same first weights.
    ///
    /// # Errors
    /// What the closure returns.
    pub fn build<'a, F: Scalar>(&self, build: impl Build<'a, F>) -> Result<(Sequential<F>, Fit<'a, F>)> {
        let mut hp = self.hyper_parameters();
        Rng::with_seeds(Rng::stream(self.seed, 0), || build(&mut hp))
    }

    /// Whether there is more of it to train: it has neither failed nor stopped.
    pub(super) fn goes_on(&self) -> bool {
        self.error.is_none() && self.stopped.is_none()
    }

    /// Whether it is better than another: by score, then by number. Without a score it is the worst.
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
    /// As it left the last rung.
    pub(super) model: Option<Sequential<F>>,
    /// As it was in its best epoch.
    pub(super) best: Option<Sequential<F>>,
    /// The rank that has trained it so far.
    pub(super) owner: Option<usize>,
}

pub(super) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
