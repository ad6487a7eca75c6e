//! Hyper-parameters, as the closure of a search requests them.

use std::fmt::Debug;
use std::ops::RangeInclusive;

use super::domain::{Domain, ParameterValue};
use crate::error::{Error, Result};
use crate::hash::{FNV_OFFSET, fnv1a};
use crate::rng::Rng;

/// The hyper-parameters of one trial; the closure that builds the model requests them and so defines the search space.
///
/// Each has a name, a range or a list of values, and the type in which it is used: a number, an integer, a boolean,
/// or the type of the list. A hyper-parameter may depend on another: a closure that requests the units of a second
/// layer only if it drew two layers searches both. A name requested twice in one trial has one value.
///
/// | method | values | in Keras Tuner |
/// |---|---|---|
/// | [`uniform`](Self::uniform) | numbers of a range | `hp.Float` |
/// | [`log_uniform`](Self::log_uniform) | numbers above 0, uniform in the logarithm | `hp.Float(sampling="log")` |
/// | [`integer`](Self::integer), [`log_integer`](Self::log_integer) | integers | `hp.Int` |
/// | [`choice`](Self::choice) | values of a list | `hp.Choice` |
/// | [`boolean`](Self::boolean) | false, true | `hp.Boolean` |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::selection::{HyperParameters, Search};
/// let build = |hp: &mut HyperParameters| {
///     let mut model = Sequential::new().input([2]);
///     for layer in 0..hp.integer("layers", 1..=2)? {
///         let units = hp.log_integer(&format!("units_{layer}"), 4..=64)?;
///         model = model.add(Dense::new(units).activation(hp.choice("activation", [Activation::Relu, Activation::Tanh])?));
///     }
///     if hp.boolean("dropout")? {
///         model = model.add(Dropout::new(hp.uniform("rate", 0.1..=0.5)?));
///     }
///     let mut model = model.add(Dense::new(1));
///     model.compile(Adam::new(hp.log_uniform("learning_rate", 1e-4..=1e-1)?), MeanSquaredError::new(), ())?;
///     Ok((model, Fit::new().epochs(3).validation_split(0.2)))
/// };
/// let x = ndarray::Array2::from_shape_fn((40, 2), |(i, j)| ((i * 7 + j * 3) % 10) as f32);
/// let y = x.column(0).to_owned();
/// let results = Search::random(4).seed(1).run(&x, &y, build)?;
/// assert!(results.trials().iter().all(|trial| trial.get("layers").is_some()));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct HyperParameters {
    source: ValueSource,
    asked: Vec<(String, Domain, ParameterValue)>,
    pub(super) seed: u64,
    /// The first error in a request, even if the closure ignored it.
    pub(super) fault: Option<Error>,
}

/// The source of values.
#[derive(Debug, Clone)]
pub(super) enum ValueSource {
    /// Drawn for this attempt of the search.
    Random { seed: u64, attempt: u64 },
    /// For each hyper-parameter in order of request, an index among its values; 0 beyond the end.
    Grid { places: Vec<usize>, points: usize },
    /// The values of a trial.
    Known(Vec<(String, ParameterValue)>),
}

impl HyperParameters {
    /// Creates hyper-parameters from this source, for a trial with this seed.
    pub(super) fn new(source: ValueSource, seed: u64) -> Self {
        HyperParameters { source, asked: Vec::new(), seed, fault: None }
    }

    /// Returns a number from this range, ends included.
    ///
    /// # Errors
    /// [`Error::Argument`] for invalid bounds, and for a name that was requested earlier with other values. Either
    /// ends the search.
    pub fn uniform(&mut self, name: &str, range: RangeInclusive<f64>) -> Result<f64> {
        self.number(name, Domain::Uniform(*range.start(), *range.end()))
    }

    /// Returns a number above 0 from this range, uniform in the logarithm, as for learning rates and penalties.
    ///
    /// # Errors
    /// As [`HyperParameters::uniform`].
    pub fn log_uniform(&mut self, name: &str, range: RangeInclusive<f64>) -> Result<f64> {
        self.number(name, Domain::LogUniform(*range.start(), *range.end()))
    }

    /// Returns an integer from this range, ends included.
    ///
    /// # Errors
    /// As [`HyperParameters::uniform`].
    pub fn integer(&mut self, name: &str, range: RangeInclusive<usize>) -> Result<usize> {
        self.place(name, Domain::Integer(*range.start(), *range.end()))
    }

    /// Returns an integer above 0 from this range, uniform in the logarithm, as for numbers of units.
    ///
    /// # Errors
    /// As [`HyperParameters::uniform`].
    pub fn log_integer(&mut self, name: &str, range: RangeInclusive<usize>) -> Result<usize> {
        self.place(name, Domain::LogInteger(*range.start(), *range.end()))
    }

    /// Returns one of these values; tables show it as `Debug` does.
    ///
    /// # Errors
    /// As [`HyperParameters::uniform`].
    pub fn choice<T: Debug>(&mut self, name: &str, values: impl IntoIterator<Item = T>) -> Result<T> {
        let values: Vec<T> = values.into_iter().collect();
        let label = |value: &T| format!("{value:?}").trim_matches('"').to_string();
        let index = self.place(name, Domain::Choice(values.iter().map(label).collect()))?;
        let count = values.len();
        values
            .into_iter()
            .nth(index)
            .ok_or_else(|| Error::argument("choice", format!("an index below {count} in `{name}`"), index))
    }

    /// Returns false or true.
    ///
    /// # Errors
    /// As [`HyperParameters::uniform`].
    pub fn boolean(&mut self, name: &str) -> Result<bool> {
        self.choice(name, [false, true])
    }

    /// The seed of the trial, for random numbers that the closure draws itself.
    ///
    /// Models built in the closure without a seed get one from the search automatically.
    pub fn seed(&self) -> u64 {
        self.seed
    }

    /// Returns what was requested so far.
    pub(super) fn values(&self) -> Vec<(String, ParameterValue)> {
        self.asked.iter().map(|(name, _, drawn)| (name.clone(), drawn.clone())).collect()
    }

    /// Returns the next grid point after that of this trial; none after the last.
    pub(super) fn next_places(&self) -> Option<Vec<usize>> {
        let ValueSource::Grid { places, points } = &self.source else { return None };
        let counts = self.asked.iter().map(|(_, domain, _)| domain.grid(*points).len());
        let mut next: Vec<(usize, usize)> =
            counts.enumerate().map(|(i, count)| (places.get(i).copied().unwrap_or(0), count)).collect();
        while let Some((place, count)) = next.pop() {
            if place + 1 < count {
                return Some(next.into_iter().map(|(place, _)| place).chain([place + 1]).collect());
            }
        }
        None
    }

    fn number(&mut self, name: &str, domain: Domain) -> Result<f64> {
        match self.ask(name, domain)? {
            ParameterValue::Float(value) => Ok(value),
            other => self.refuse(name, "a number", other),
        }
    }

    fn place(&mut self, name: &str, domain: Domain) -> Result<usize> {
        match self.ask(name, domain)? {
            ParameterValue::Integer(value) => Ok(value),
            ParameterValue::Choice { index, .. } => Ok(index),
            other => self.refuse(name, "a whole number", other),
        }
    }

    fn ask(&mut self, name: &str, domain: Domain) -> Result<ParameterValue> {
        let drawn = self.value_of(name, &domain).inspect_err(|error| self.fault = Some(error.clone()))?;
        if !self.asked.iter().any(|(known, ..)| known == name) {
            self.asked.push((name.into(), domain, drawn.clone()));
        }
        Ok(drawn)
    }

    fn value_of(&self, name: &str, domain: &Domain) -> Result<ParameterValue> {
        domain.check(name)?;
        if let Some((_, known, drawn)) = self.asked.iter().find(|(known, ..)| known == name) {
            return match known == domain {
                true => Ok(drawn.clone()),
                false => {
                    let expected = format!("the values that `{name}` had before, {known:?}");
                    Err(Error::argument("hyperparameter", expected, format!("{domain:?}")))
                }
            };
        }
        match &self.source {
            // By name, so that an additional hyper-parameter does not change the others.
            ValueSource::Random { seed, attempt } => {
                let own = seed ^ fnv1a(FNV_OFFSET, name.as_bytes());
                Ok(domain.draw(&mut Rng::stream(own, *attempt)))
            }
            ValueSource::Grid { places, points } => {
                let values = domain.grid(*points);
                let place = places.get(self.asked.len()).copied().unwrap_or(0);
                let last = values.len().saturating_sub(1);
                values
                    .into_iter()
                    .nth(place.min(last))
                    .ok_or_else(|| Error::argument("hyperparameter", format!("a value for `{name}`"), "none"))
            }
            ValueSource::Known(values) => {
                let known = values.iter().find(|(known, _)| known == name);
                known.map(|(_, drawn)| drawn.clone()).ok_or_else(|| Error::Unknown {
                    what: "hyperparameter",
                    name: name.into(),
                    known: values.iter().map(|(known, _)| known.clone()).collect(),
                })
            }
        }
    }

    fn refuse<T>(&mut self, name: &str, expected: &str, found: ParameterValue) -> Result<T> {
        let error = Error::argument("hyperparameter", format!("{expected} for `{name}`"), found);
        self.fault = Some(error.clone());
        Err(error)
    }
}
