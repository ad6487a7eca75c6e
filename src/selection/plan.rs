//! The plan of a search: the hyper-parameters of every trial, drawn before any training.

use super::hyper_parameters::{HyperParameters, ValueSource};
use super::search::Search;
use super::trial::{Build, Trial};
use crate::callback::{LogKeys, goal};
use crate::error::{Error, Result};
use crate::metric::Goal;
use crate::model::Sequential;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::training::Fit;

/// The first of the random streams of trial seeds.
const SEEDS: u64 = 1 << 41;
/// A random search ends after this many draws in a row that repeat earlier ones: the space is exhausted, or nearly so.
const REPEATS: u64 = 100;
/// The largest grid; a larger one is a mistake.
const MOST: usize = 100_000;

/// The trials of a search, and the epochs of each.
pub(super) struct SearchPlan {
    pub(super) trials: Vec<Trial>,
    pub(super) epochs: Vec<usize>,
    pub(super) goal: Goal,
}

impl Search<'_> {
    /// Draws the hyper-parameters, calling the closure once per trial to learn the search space.
    pub(super) fn plan<'a, F: Scalar>(&self, build: &impl Build<'a, F>) -> Result<SearchPlan> {
        self.check()?;
        let mut plan = SearchPlan { trials: Vec::new(), epochs: Vec::new(), goal: Goal::Low };
        let mut judged = false;
        let mut places = Some(Vec::new());
        let (mut attempt, mut repeats) = (0, 0);
        while plan.trials.len() < self.trials.unwrap_or(usize::MAX) && repeats < REPEATS {
            let source = match self.trials {
                Some(_) => ValueSource::Random { seed: self.seed, attempt },
                None => match places.take() {
                    Some(places) => ValueSource::Grid { places, points: self.points },
                    None => break,
                },
            };
            let mut hp = HyperParameters::new(source, Rng::stream(self.seed, SEEDS + attempt).bits());
            let built = Rng::with_seeds(Rng::new(hp.seed), || build(&mut hp));
            if let Some(fault) = hp.fault.take() {
                return Err(fault);
            }
            (attempt, places) = (attempt + 1, hp.next_places());
            let mut trial = Trial::new(plan.trials.len(), &hp);
            if plan.trials.iter().any(|known| known.values == trial.values) {
                repeats += 1;
                continue;
            }
            repeats = 0;
            match built {
                Ok((_, fit)) if self.world.is_some() && fit.is_distributed() => {
                    let expected = "a fit on one rank, as the trials are spread over ranks";
                    return Err(Error::argument("build", expected, "one that is distributed"));
                }
                Ok((model, fit)) => {
                    let goal = self.goal(&model, &fit)?;
                    if !judged {
                        (plan.goal, judged) = (goal, true);
                    }
                    plan.epochs.push(fit.span().len());
                }
                Err(error) => {
                    trial.error = Some(error);
                    plan.epochs.push(0);
                }
            }
            plan.trials.push(trial);
            if plan.trials.len() > MOST {
                return Err(Error::argument("grid", format!("at most {MOST} combinations"), "more"));
            }
        }
        Ok(plan)
    }

    /// Returns the direction in which the objective improves.
    ///
    /// # Errors
    /// [`Error::NotCompiled`], and [`Error::Unknown`] for a key that no epoch of this fit will have, or whose direction
    /// is unknown.
    fn goal<F: Scalar>(&self, model: &Sequential<F>, fit: &Fit<F>) -> Result<Goal> {
        let compiled = Some(model.compiled.as_ref().ok_or(Error::NotCompiled)?);
        let mut keys = LogKeys::new(compiled, fit.measures_validation());
        if !fit.hooks.borrow().callbacks.is_empty() {
            // A callback declares its keys when a trial begins.
            keys.add(None);
        }
        keys.check("objective", &self.objective)?;
        goal(compiled, "objective without a `mode`", &self.objective, self.mode)
    }
}
