//! The shapes that a layer, a loss or a metric supports.

use std::fmt;

use super::Shape;

/// The supported shapes, in [`Error::InputShape`](super::Error::InputShape) and
/// [`Error::ArrayShape`](super::Error::ArrayShape).
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
    /// A number of axes within these bounds.
    Rank {
        /// The smallest number of axes.
        least: usize,
        /// The largest number of axes; `None` if there is no bound.
        most: Option<usize>,
    },
    /// Any axes with this number of values in all.
    Count(usize),
    /// Any axes with a multiple of this number of values in all, at least one.
    CountMultipleOf(usize),
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
    /// An axis of at least this length, such as the `steps` of a convolution.
    AtLeast {
        /// The name of the axis.
        name: &'static str,
        /// The smallest length.
        length: usize,
    },
    /// Any number of further axes.
    Others,
}

/// The supported shapes of one target, in [`Error::TargetShape`](super::Error::TargetShape) and
/// [`Error::MetricTarget`](super::Error::MetricTarget).
///
/// # Example
/// ```
/// use cornu::error::ExpectedTarget;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(Dense::new(3)).add(Softmax::new());
/// model.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), ())?;
/// let (x, y) = (ndarray::Array2::<f32>::zeros((2, 4)), ndarray::array![0.0f32, 1.0]);
/// let Err(Error::TargetShape { expected, .. }) = model.fit(&x, &y, &Fit::new()) else { panic!() };
/// assert_eq!(expected, ExpectedTarget::OneHot(vec![3]));
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedTarget {
    /// The shape of the output.
    Output(Vec<usize>),
    /// The shape of the output. The actual targets look like class indices.
    OneHot(Vec<usize>),
    /// This shape, with one class index per row.
    ClassIndices(Vec<usize>),
    /// This shape, with one class index per row, or the shape of the output.
    ClassIndicesOrOutput(Vec<usize>),
}

/// The supported outputs, in [`Error::LossOutput`](super::Error::LossOutput) and
/// [`Error::MetricOutput`](super::Error::MetricOutput).
///
/// # Example
/// ```
/// use cornu::error::ExpectedOutput;
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4]).add(Dense::new(1));
/// let refused = model.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), ());
/// let Err(Error::LossOutput { expected, output, .. }) = refused else { panic!() };
/// assert_eq!((expected, output), (ExpectedOutput::Classes(2), vec![1]));
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum ExpectedOutput {
    /// At least one axis.
    Axis,
    /// At least one value.
    NotEmpty,
    /// At least this number of classes along the last axis.
    Classes(usize),
    /// The outputs that a custom loss supports, in words.
    Custom(String),
}

impl ExpectedShape {
    /// Exactly this number of axes.
    pub(crate) fn rank(rank: usize) -> Self {
        ExpectedShape::Rank { least: rank, most: Some(rank) }
    }

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

impl ExpectedOutput {
    /// Names the loss for an output that a loss of classes does not support.
    pub(super) fn other_loss(&self) -> &'static str {
        match self {
            ExpectedOutput::Classes(_) => "; for one probability use BinaryCrossentropy",
            _ => "",
        }
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
            ExpectedShape::Rank { least: 1, most: Some(1) } => f.write_str("(...), with 1 axis"),
            ExpectedShape::Rank { least, most: Some(most) } if least == most => {
                write!(f, "(...), with {least} axes")
            }
            ExpectedShape::Rank { least, most: Some(most) } => {
                write!(f, "(...), with {least} to {most} axes")
            }
            ExpectedShape::Rank { least, most: None } => write!(f, "(...), with at least {least} axes"),
            ExpectedShape::Count(count) => write!(f, "(...), with {count} values"),
            ExpectedShape::CountMultipleOf(count) => write!(f, "(...), with a multiple of {count} values"),
            ExpectedShape::EvenLastAxis => f.write_str("(..., an even number) for glu"),
            ExpectedShape::Features(features) => {
                write!(f, "(..., {features}), as in the data to which it was adapted")
            }
            ExpectedShape::LayerOutput(shape) => write!(f, "{}, the output of its layers", Shape(shape)),
        }
    }
}

impl fmt::Display for ExpectedTarget {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ExpectedTarget::Output(shape) => Shape(shape).fmt(f),
            ExpectedTarget::OneHot(shape) => {
                write!(
                    f,
                    "{}; for class indices use SparseCategoricalCrossentropy, or to_categorical",
                    Shape(shape)
                )
            }
            ExpectedTarget::ClassIndices(shape) => write!(f, "{} with one class index per row", Shape(shape)),
            ExpectedTarget::ClassIndicesOrOutput(shape) => {
                write!(f, "{} with one class index per row, or the shape of the output", Shape(shape))
            }
        }
    }
}

impl fmt::Display for ExpectedOutput {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ExpectedOutput::Axis => f.write_str("at least one axis; add `Flatten`"),
            ExpectedOutput::NotEmpty => f.write_str("at least one value"),
            ExpectedOutput::Classes(classes) => {
                write!(f, "at least {classes} classes along the last axis")
            }
            ExpectedOutput::Custom(text) => f.write_str(text),
        }
    }
}

impl fmt::Display for ExpectedAxis {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match self {
            ExpectedAxis::Named(name) => f.write_str(name),
            ExpectedAxis::Length(length) => write!(f, "{length}"),
            ExpectedAxis::AtLeast { name, length } => write!(f, "{name} of at least {length}"),
            ExpectedAxis::Others => f.write_str("..."),
        }
    }
}
