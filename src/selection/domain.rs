//! The values of one hyper-parameter: a range or a list, how to draw from it, and its grid.

use std::fmt;

use crate::error::{Error, Result};
use crate::rng::Rng;

/// A value drawn by a search.
///
/// # Example
/// ```
/// use cornu::selection::ParameterValue;
/// assert_eq!(ParameterValue::Float(0.0123456).to_string(), "0.01235");
/// assert_eq!(ParameterValue::Integer(32).to_string(), "32");
/// assert_eq!(ParameterValue::Choice { index: 1, label: "Tanh".into() }.to_string(), "Tanh");
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum ParameterValue {
    /// From a range of numbers.
    Float(f64),
    /// From a range of integers.
    Integer(usize),
    /// From a list.
    Choice {
        /// The index in the list, from 0.
        index: usize,
        /// The value as formatted by `Debug`, without quotes.
        label: String,
    },
}

impl fmt::Display for ParameterValue {
    /// Formats numbers with four significant digits.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ParameterValue::Float(value) => f.pad(&short(*value)),
            ParameterValue::Integer(value) => f.pad(&value.to_string()),
            ParameterValue::Choice { label, .. } => f.pad(label),
        }
    }
}

/// Formats a number with four significant digits.
pub(super) fn short(value: f64) -> String {
    match value.abs() {
        0.0 => "0".into(),
        size if !(1e-4..1e5).contains(&size) => format!("{value:.3e}"),
        size => {
            let before = libm::floor(libm::log10(size)) as i32 + 1;
            format!("{value:.*}", (4 - before).max(0) as usize)
        }
    }
}

/// The domain of a hyper-parameter.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Domain {
    Uniform(f64, f64),
    LogUniform(f64, f64),
    Integer(usize, usize),
    LogInteger(usize, usize),
    /// The labels.
    Choice(Vec<String>),
}

impl Domain {
    /// Refuses an empty range or list.
    pub(super) fn check(&self, name: &str) -> Result<()> {
        let range = |kind, low: &dyn fmt::Display, high: &dyn fmt::Display, bounds: &str| {
            let expected = format!("{bounds}, the lower first, for `{name}`");
            Err(Error::argument(kind, expected, format!("{low} to {high}")))
        };
        match self {
            Domain::Uniform(low, high) if !(low <= high && (high - low).is_finite()) => {
                range("uniform", low, high, "two finite numbers")
            }
            Domain::LogUniform(low, high) if !(*low > 0.0 && low <= high && high.is_finite()) => {
                range("log_uniform", low, high, "two finite numbers above 0")
            }
            Domain::Integer(low, high) if low > high => range("integer", low, high, "two whole numbers"),
            Domain::LogInteger(low, high) if *low == 0 || low > high => {
                range("log_integer", low, high, "two whole numbers above 0")
            }
            Domain::Choice(labels) if labels.is_empty() => {
                Err(Error::argument("choice", format!("at least one value for `{name}`"), "none"))
            }
            _ => Ok(()),
        }
    }

    /// Draws a value uniformly, or log-uniformly from a logarithmic range.
    pub(super) fn draw(&self, rng: &mut Rng) -> ParameterValue {
        let u = rng.uniform();
        let within = |value: f64, low: f64, high: f64| value.max(low).min(high);
        let log = |low: f64, high: f64| libm::exp(libm::log(low) + u * (libm::log(high) - libm::log(low)));
        match *self {
            Domain::Uniform(low, high) => ParameterValue::Float(within(low + u * (high - low), low, high)),
            Domain::LogUniform(low, high) => ParameterValue::Float(within(log(low, high), low, high)),
            Domain::Integer(low, high) => {
                ParameterValue::Integer((low + (u * ((high - low) as f64 + 1.0)) as usize).min(high))
            }
            Domain::LogInteger(low, high) => {
                ParameterValue::Integer((log(low as f64, high as f64 + 1.0) as usize).clamp(low, high))
            }
            Domain::Choice(ref labels) => self.at((u * labels.len() as f64) as usize),
        }
    }

    /// Returns the value with this index.
    fn at(&self, index: usize) -> ParameterValue {
        let Domain::Choice(labels) = self else { return ParameterValue::Integer(index) };
        let index = index.min(labels.len().saturating_sub(1));
        ParameterValue::Choice { index, label: labels.get(index).cloned().unwrap_or_default() }
    }

    /// Returns the grid: all values of a list, or `points` values of a range, evenly from end to end (all of them if
    /// there are no more).
    pub(super) fn grid(&self, points: usize) -> Vec<ParameterValue> {
        let part = |i: usize, low: f64, high: f64| match points {
            0 | 1 => 0.5 * (low + high),
            _ => low + (high - low) * i as f64 / (points - 1) as f64,
        };
        let exp = |value: f64, low: f64, high: f64| libm::exp(value).max(low).min(high);
        let all = |low: usize, high: usize, few: &dyn Fn(usize) -> usize| {
            let mut values: Vec<usize> = match high - low < points {
                true => (low..=high).collect(),
                false => (0..points.max(1)).map(few).collect(),
            };
            values.dedup();
            values.into_iter().map(ParameterValue::Integer).collect()
        };
        match *self {
            Domain::Uniform(low, high) if low == high => vec![ParameterValue::Float(low)],
            Domain::LogUniform(low, high) if low == high => vec![ParameterValue::Float(low)],
            Domain::Uniform(low, high) => {
                (0..points.max(1)).map(|i| ParameterValue::Float(part(i, low, high))).collect()
            }
            Domain::LogUniform(low, high) => {
                // The ends are exactly those requested.
                let value = |i: usize| match i {
                    0 if points > 1 => low,
                    _ if points > 1 && i + 1 == points => high,
                    _ => exp(part(i, libm::log(low), libm::log(high)), low, high),
                };
                (0..points.max(1)).map(|i| ParameterValue::Float(value(i))).collect()
            }
            Domain::Integer(low, high) => {
                all(low, high, &|i| part(i, low as f64, high as f64).round() as usize)
            }
            Domain::LogInteger(low, high) => {
                let (from, to) = (low as f64, high as f64);
                all(low, high, &|i| exp(part(i, libm::log(from), libm::log(to)), from, to).round() as usize)
            }
            Domain::Choice(ref labels) => (0..labels.len()).map(|index| self.at(index)).collect(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_fill_their_range_and_stay_inside() {
        let mut rng = Rng::new(1);
        for domain in [Domain::Integer(3, 6), Domain::LogInteger(3, 6)] {
            let mut seen = [0; 7];
            for _ in 0..4000 {
                let ParameterValue::Integer(value) = domain.draw(&mut rng) else { panic!() };
                seen[value] += 1;
            }
            assert_eq!(seen[..3], [0; 3]);
            let log = matches!(domain, Domain::LogInteger(..));
            // The share of draws that are 3: ln(4/3) / ln(7/3), or a quarter.
            let first = if log { 0.3395 } else { 0.25 };
            assert!((f64::from(seen[3]) / 4000.0 - first).abs() < 0.03, "{seen:?}");
        }
        let below = (0..4000).filter(|_| {
            let ParameterValue::Float(rate) = Domain::LogUniform(1e-4, 1e-1).draw(&mut rng) else { panic!() };
            assert!((1e-4..=1e-1).contains(&rate));
            rate < 1e-3
        });
        assert!((below.count() as f64 / 4000.0 - 1.0 / 3.0).abs() < 0.03);
    }

    #[test]
    fn grids_include_both_ends() {
        let numbers = |domain: Domain, points| {
            let grid = domain.grid(points).into_iter();
            let number = |drawn| match drawn {
                ParameterValue::Float(value) => value,
                ParameterValue::Integer(value) => value as f64,
                ParameterValue::Choice { index, .. } => index as f64,
            };
            grid.map(number).collect::<Vec<_>>()
        };
        assert_eq!(numbers(Domain::Uniform(0.0, 1.0), 3), [0.0, 0.5, 1.0]);
        assert_eq!(numbers(Domain::Uniform(2.0, 2.0), 3), [2.0]);
        assert_eq!(numbers(Domain::Integer(1, 3), 5), [1.0, 2.0, 3.0]);
        assert_eq!(numbers(Domain::Integer(0, 100), 3), [0.0, 50.0, 100.0]);
        assert_eq!(numbers(Domain::LogInteger(1, 100), 3), [1.0, 10.0, 100.0]);
        assert_eq!(numbers(Domain::LogInteger(1, 6), 5), [1.0, 2.0, 4.0, 6.0]);
        let log = numbers(Domain::LogUniform(1e-3, 1e-1), 3);
        assert!(log[0] == 1e-3 && (log[1] - 1e-2).abs() < 1e-12 && log[2] == 1e-1, "{log:?}");
        assert_eq!(numbers(Domain::Choice(vec!["a".into(), "b".into()]), 1), [0.0, 1.0]);
    }

    #[test]
    fn numbers_are_shown_with_four_digits() {
        for (value, text) in
            [(0.0, "0"), (0.25, "0.2500"), (12.345678, "12.35"), (1e-7, "1.000e-7"), (-3.0, "-3.000")]
        {
            assert_eq!(short(value), text);
        }
    }
}
