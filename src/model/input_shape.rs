//! The shape of one input sample, in which axes may have any length.

use std::fmt;

use crate::error::{ExpectedAxis, ExpectedShape};

/// The shape of one input sample; `None` for an axis of any length.
///
/// [`Sequential::input`](crate::Sequential::input) takes one. Numbers, or `Some` and `None`, convert into it.
///
/// # Example
/// ```
/// use cornu::InputShape;
/// assert_eq!(InputShape::from([None, Some(3)]).to_string(), "(None, 3)");
/// assert_eq!(InputShape::from([20, 3]).axes(), [Some(20), Some(3)]);
/// ```
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct InputShape(Vec<Option<usize>>);

impl InputShape {
    /// The length of each axis; `None` for any.
    pub fn axes(&self) -> &[Option<usize>] {
        &self.0
    }

    /// The shape, if no axis is open.
    pub(crate) fn fixed(&self) -> Option<Vec<usize>> {
        self.0.iter().copied().collect()
    }

    /// Whether a sample of this shape fits.
    pub(crate) fn includes(&self, shape: &[usize]) -> bool {
        let fits = |(axis, len): (&Option<usize>, &usize)| axis.is_none_or(|axis| axis == *len);
        self.0.len() == shape.len() && self.0.iter().zip(shape).all(fits)
    }

    /// The shape, for an error.
    pub(crate) fn expected(&self) -> ExpectedShape {
        let axis =
            |axis: &Option<usize>| axis.map_or(ExpectedAxis::Named("any length"), ExpectedAxis::Length);
        ExpectedShape::Axes(self.0.iter().map(axis).collect())
    }

    /// The shape with open axes of this length.
    pub(crate) fn with_length(&self, length: usize) -> Vec<usize> {
        self.0.iter().map(|axis| axis.unwrap_or(length)).collect()
    }
}

impl From<Vec<Option<usize>>> for InputShape {
    fn from(axes: Vec<Option<usize>>) -> Self {
        InputShape(axes)
    }
}

impl<const N: usize> From<[Option<usize>; N]> for InputShape {
    fn from(axes: [Option<usize>; N]) -> Self {
        InputShape(axes.into())
    }
}

impl From<&[usize]> for InputShape {
    fn from(shape: &[usize]) -> Self {
        InputShape(shape.iter().map(|axis| Some(*axis)).collect())
    }
}

impl From<Vec<usize>> for InputShape {
    fn from(shape: Vec<usize>) -> Self {
        InputShape::from(&*shape)
    }
}

impl From<&Vec<usize>> for InputShape {
    fn from(shape: &Vec<usize>) -> Self {
        InputShape::from(&**shape)
    }
}

impl<const N: usize> From<[usize; N]> for InputShape {
    fn from(shape: [usize; N]) -> Self {
        InputShape::from(&shape[..])
    }
}

impl<const N: usize> From<&[usize; N]> for InputShape {
    fn from(shape: &[usize; N]) -> Self {
        InputShape::from(&shape[..])
    }
}

impl fmt::Display for InputShape {
    /// `(None, 3)`, as Keras writes it.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        let axes = self.0.iter().map(|axis| axis.map_or("None".into(), |axis| axis.to_string()));
        write!(f, "({})", axes.collect::<Vec<_>>().join(", "))
    }
}
