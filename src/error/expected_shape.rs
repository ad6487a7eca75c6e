//! The shapes of samples that a layer supports.

use std::fmt;

use super::Shape;

/// The supported shapes of one sample, in [`Error::InputShape`](super::Error::InputShape).
///
/// # Example
/// ```
/// use cornu::error::{ExpectedAxis, ExpectedShape};
/// use cornu::prelude::*;
/// let error = Sequential::new().input([10]).add(Conv1D::new(8, 3)).build().unwrap_err();
/// let Error::Layer { fault, .. } = error else { panic!("{error}") };
/// let Error::InputShape { expected: ExpectedShape::Axes(axes), found } = *fault else { panic!("{fault}") };
/// assert_eq!(axes, [ExpectedAxis::Named("steps"), ExpectedAxis::Named("channels")]);
/// assert_eq!(found, [10]);
/// assert_eq!(ExpectedShape::Axes(axes).to_string(), "(steps, channels)");
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedShape {
    /// These axes, in this order, none of length 0: `(steps, channels)`.
    Axes(Vec<ExpectedAxis>),
    /// Any number of axes, none of length 0.
    NotEmpty,
    /// A last axis of even length, which `glu` halves.
    EvenLastAxis,
    /// A last axis of this length, for which a `Normalization` has statistics.
    Features(usize),
    /// The shape of the output of the layers of a `Residual`.
    LayerOutput(Vec<usize>),
}

/// One axis of an [`ExpectedShape`].
///
/// # Example
/// ```
/// use cornu::error::{ExpectedAxis, ExpectedShape};
/// let expected = ExpectedShape::Axes(vec![ExpectedAxis::Others, ExpectedAxis::Length(3)]);
/// assert_eq!(expected.to_string(), "(..., 3)");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedAxis {
    /// An axis of any length, by its name, such as `channels`.
    Named(&'static str),
    /// An axis of this length.
    Length(usize),
    /// Any number of further axes.
    Others,
}

impl ExpectedShape {
    /// One axis for each name.
    pub(crate) fn named(names: &[&'static str]) -> Self {
        ExpectedShape::Axes(names.iter().copied().map(ExpectedAxis::Named).collect())
    }

    /// Exactly this shape.
    pub(crate) fn exactly(shape: &[usize]) -> Self {
        ExpectedShape::Axes(shape.iter().copied().map(ExpectedAxis::Length).collect())
    }

    /// Any number of axes before the last.
    pub(crate) fn last(name: &'static str) -> Self {
        ExpectedShape::Axes(vec![ExpectedAxis::Others, ExpectedAxis::Named(name)])
    }
}

impl fmt::Display for ExpectedShape {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ExpectedShape::Axes(axes) => {
                let axes: Vec<String> = axes.iter().map(ExpectedAxis::to_string).collect();
                write!(f, "({})", axes.join(", "))
            }
            ExpectedShape::NotEmpty => f.write_str("(...), with no axis of length 0"),
            ExpectedShape::EvenLastAxis => f.write_str("(..., an even number) for glu"),
            ExpectedShape::Features(features) => {
                write!(f, "(..., {features}), as in the data that it was adapted to")
            }
            ExpectedShape::LayerOutput(shape) => write!(f, "{}, as its layers put out", Shape(shape)),
        }
    }
}

impl fmt::Display for ExpectedAxis {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ExpectedAxis::Named(name) => f.write_str(name),
            ExpectedAxis::Length(length) => write!(f, "{length}"),
            ExpectedAxis::Others => f.write_str("..."),
        }
    }
}
