//! The vectors of a sample along one of its axes.

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// The vectors along one axis: their length, and the distance between two of their numbers.
#[derive(Debug, Clone, Copy)]
pub(super) struct AlongAxis {
    pub(super) len: usize,
    pub(super) stride: usize,
}

impl AlongAxis {
    /// The vectors along `axis`, counted from 1 for the first axis of a sample, or from −1 for the last.
    pub(super) fn new(axis: isize, input: &[usize]) -> Result<Self> {
        let rank = input.len() as isize;
        let place = if axis < 0 { rank + axis } else { axis - 1 };
        if !(0..rank).contains(&place) {
            return Err(Error::argument("axis", format!("1 to {rank}, or -{rank} to -1"), axis));
        }
        let place = place as usize;
        Ok(AlongAxis { len: input[place], stride: input[place + 1..].iter().product() })
    }

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
