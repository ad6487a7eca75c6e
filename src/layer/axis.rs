//! The vectors of a sample along one of its axes, or along several neighbouring ones.

use std::ops::Range;

use crate::config::{Setting, Value, axes_from_value, axes_to_value};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The axes along which a layer computes, counted from 1 for the first axis of a sample, or from −1 for the last.
///
/// Several neighbouring axes are computed as one.
#[derive(Debug, Clone)]
pub(super) struct JoinedAxes(pub(super) Vec<isize>);

impl JoinedAxes {
    /// The indices of the axes in the shape of a sample.
    pub(super) fn range(&self, input: &[usize]) -> Result<Range<usize>> {
        let rank = input.len() as isize;
        let mut places = Vec::new();
        for &axis in &self.0 {
            let place = if axis < 0 { rank + axis } else { axis - 1 };
            if !(0..rank).contains(&place) {
                return Err(Error::argument("axis", format!("1 to {rank}, or -{rank} to -1"), axis));
            }
            places.push(place as usize);
        }
        places.sort_unstable();
        match places[..] {
            [first, .., last] if places.windows(2).all(|pair| pair[0] + 1 == pair[1]) => Ok(first..last + 1),
            [only] => Ok(only..only + 1),
            _ => Err(Error::argument("axis", "neighbouring axes, each once", format!("{:?}", self.0))),
        }
    }

    /// The vectors along these axes.
    pub(super) fn along(&self, input: &[usize]) -> Result<AlongAxis> {
        let range = self.range(input)?;
        let stride = input[range.end..].iter().product();
        Ok(AlongAxis { len: input[range].iter().product(), stride })
    }
}

/// One axis as its number, as in Keras.
impl Setting for JoinedAxes {
    const EXPECTED: &'static str = "an axis or a list of axes";

    fn to_value(&self) -> Value {
        axes_to_value(&self.0)
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        axes_from_value(value, path).map(JoinedAxes)
    }
}

/// The vectors along one axis: their length, and the distance between two of their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlongAxis {
    pub(super) len: usize,
    pub(super) stride: usize,
}

impl AlongAxis {
    /// The place of the first number of each vector in a batch of `count` numbers.
    pub(super) fn starts(self, count: usize) -> impl Iterator<Item = usize> {
        let AlongAxis { len, stride } = self;
        (0..count / (len * stride))
            .flat_map(move |block| (0..stride).map(move |start| block * len * stride + start))
    }

    /// The numbers of the vector that starts at `start`.
    pub(super) fn vector<F: Scalar>(self, values: &[F], start: usize) -> impl Iterator<Item = F> {
        values[start..].iter().step_by(self.stride).take(self.len).copied()
    }
}
