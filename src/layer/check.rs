//! Checks of settings and input shapes that several layers share.

use crate::error::{Error, ExpectedShape, Result};

/// Refuses a setting of 0.
pub(super) fn check_positive(settings: &[(&'static str, usize)]) -> Result<()> {
    match settings.iter().find(|(_, value)| *value == 0) {
        Some((argument, _)) => Err(Error::argument(argument, "at least 1", 0)),
        None => Ok(()),
    }
}

/// Refuses a rate outside [0, 1).
pub(super) fn check_rate(argument: &'static str, rate: f64) -> Result<()> {
    if (0.0..1.0).contains(&rate) {
        return Ok(());
    }
    Err(Error::argument(argument, "a number of at least 0 and below 1", rate))
}

/// Refuses an input without numbers.
pub(super) fn check_not_empty(input: &[usize]) -> Result<()> {
    match input.contains(&0) {
        true => Err(wrong_shape(ExpectedShape::NotEmpty, input)),
        false => Ok(()),
    }
}

/// Returns the lengths of the axes with these names, or the error for an input of another rank or without numbers.
pub(super) fn axes<const N: usize>(input: &[usize], names: [&'static str; N]) -> Result<[usize; N]> {
    match input.try_into() {
        Ok(axes) if !input.contains(&0) => Ok(axes),
        _ => Err(wrong_shape(ExpectedShape::named(&names), input)),
    }
}

/// Returns the length of the last axis, which has this name, or the error for an input without axes or without numbers.
pub(super) fn last_axis(input: &[usize], name: &'static str) -> Result<usize> {
    match input.last() {
        Some(&last) if !input.contains(&0) => Ok(last),
        _ => Err(wrong_shape(ExpectedShape::last(name), input)),
    }
}

pub(super) fn wrong_shape(expected: ExpectedShape, input: &[usize]) -> Error {
    Error::InputShape { expected, found: input.to_vec() }
}
