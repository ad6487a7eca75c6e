//! The vectors of a sample along one of its axes, or along several neighbouring ones.

use std::ops::Range;

use crate::config::{Setting, Value, axes_from_value, axes_to_value};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The axes along which a layer computes, counted from 1 for the first axis of a sample, or from −1 for the last.
///
/// Several axes are computed as one.
#[derive(Debug, Clone)]
pub(super) struct JoinedAxes(pub(super) Vec<isize>);

impl JoinedAxes {
    /// The indices of the axes in the shape of a sample, in increasing order.
    pub(super) fn indices(&self, input: &[usize]) -> Result<Vec<usize>> {
        let rank = input.len() as isize;
        let mut indices = Vec::with_capacity(self.0.len());
        for &axis in &self.0 {
            let index = if axis < 0 { rank + axis } else { axis - 1 };
            if !(0..rank).contains(&index) {
                return Err(Error::argument("axis", format!("1 to {rank}, or -{rank} to -1"), axis));
            }
            indices.push(index as usize);
        }
        indices.sort_unstable();
        match indices.is_empty() || indices.windows(2).any(|pair| pair[0] == pair[1]) {
            true => Err(Error::argument("axis", "different axes, at least one", format!("{:?}", self.0))),
            false => Ok(indices),
        }
    }

    /// The indices of the axes, which must be neighbours.
    pub(super) fn range(&self, input: &[usize]) -> Result<Range<usize>> {
        let indices = self.indices(input)?;
        let (first, end) = (indices[0], indices[0] + indices.len());
        match indices.last() {
            Some(last) if last + 1 == end => Ok(first..end),
            _ => Err(Error::argument("axis", "neighbouring axes", format!("{:?}", self.0))),
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
