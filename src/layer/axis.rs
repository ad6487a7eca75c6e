//! The axes along which a layer computes. Axes that are not the last of a sample are moved behind the others.

use super::strided_copy::{StridedCopy, strides};
use super::{BackwardContext, Memory};
use crate::config::{Setting, Value, axes_from_value, axes_to_value};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// The axes along which a layer computes, counted from 1 for the first axis of a sample, or from −1 for the last.
///
/// Several axes are computed as one.
#[derive(Debug, Clone)]
pub(crate) struct JoinedAxes(pub(crate) Vec<isize>);

impl JoinedAxes {
    /// The indices of the axes in the shape of a sample, in increasing order.
    pub(crate) fn indices(&self, input: &[usize]) -> Result<Vec<usize>> {
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

/// The axes of a built layer: how many numbers they span, and how they are moved.
#[derive(Debug, Clone, Default)]
pub(super) struct MovedAxes {
    /// The lengths of the axes, in their order in a sample.
    pub(super) shape: Vec<usize>,
    /// The number of values per vector along the axes.
    pub(super) width: usize,
    /// The numbers of a sample, if its axes are not the last already.
    copy: Option<(StridedCopy, usize)>,
}

impl MovedAxes {
    /// Moves these axes to the end of a sample of the shape `input`.
    pub(super) fn new(axes: &JoinedAxes, input: &[usize]) -> Result<Self> {
        Ok(MovedAxes::of(&axes.indices(input)?, input))
    }

    /// As `new`, for the axes with these indices, possibly none.
    pub(super) fn of(axes: &[usize], input: &[usize]) -> Self {
        let shape: Vec<usize> = axes.iter().map(|&axis| input[axis]).collect();
        let width = shape.iter().product();
        let others = (0..input.len()).filter(|axis| !axes.contains(axis));
        let order: Vec<usize> = others.chain(axes.iter().copied()).collect();
        if order.is_sorted() {
            return MovedAxes { shape, width, copy: None };
        }
        let there = strides(input);
        let from: Vec<usize> = order.iter().map(|&axis| there[axis]).collect();
        let sizes: Vec<usize> = order.iter().map(|&axis| input[axis]).collect();
        let copy = StridedCopy::new(&sizes, &from, &strides(&sizes));
        MovedAxes { shape, width, copy: Some((copy, input.iter().product())) }
    }

    /// Writes a sample with its axes moved to `to`.
    pub(super) fn sample<F: Scalar>(&self, x: &[F], to: &mut [F]) {
        match &self.copy {
            Some((copy, size)) => copy.forward(Batch::new(x, *size), BatchMut::new(to, *size)),
            None => to.copy_from_slice(x),
        }
    }

    /// Whether the axes are the last ones of a sample.
    pub(super) fn are_last(&self) -> bool {
        self.copy.is_none()
    }

    /// Calls `pass` with one row per vector along the axes.
    pub(super) fn forward<F: Scalar>(
        &self,
        x: Batch<F>,
        mut y: BatchMut<F>,
        scratch: &mut Scratch<F>,
        pass: impl FnOnce(Batch<F>, BatchMut<F>, &mut Scratch<F>),
    ) {
        let Some((copy, size)) = &self.copy else {
            return pass(x.reshape(self.width), y.reshape(self.width), scratch);
        };
        let count = x.data().len();
        let (moved, scratch) = scratch.take(2 * count);
        let (moved_x, moved_y) = moved.split_at_mut(count);
        copy.forward(x.reshape(*size), BatchMut::new(moved_x, *size));
        pass(Batch::new(moved_x, self.width), BatchMut::new(moved_y, self.width), scratch);
        copy.backward(Batch::new(moved_y, *size), Some(BatchMut::new(y.data(), *size)));
    }

    /// Calls `pass` with one row per vector along the axes; its `y` is empty.
    pub(super) fn backward<F: Scalar>(
        &self,
        mut context: BackwardContext<F>,
        pass: impl FnOnce(BackwardContext<F>),
    ) {
        let Some((copy, size)) = &self.copy else {
            return pass(BackwardContext {
                x: context.x.reshape(self.width),
                dy: context.dy.reshape(self.width),
                dx: context.dx.map(|dx| dx.reshape(self.width)),
                ..context
            });
        };
        let count = context.x.data().len();
        let (moved, scratch) = context.scratch.take(3 * count);
        let (moved_x, moved) = moved.split_at_mut(count);
        let (moved_dy, moved_dx) = moved.split_at_mut(count);
        copy.forward(context.x.reshape(*size), BatchMut::new(moved_x, *size));
        copy.forward(context.dy.as_batch().reshape(*size), BatchMut::new(moved_dy, *size));
        pass(BackwardContext {
            x: Batch::new(moved_x, self.width),
            y: Batch::new(&[], self.width),
            dy: BatchMut::new(moved_dy, self.width),
            dx: context.dx.is_some().then(|| BatchMut::new(moved_dx, self.width)),
            scratch,
            global_batch: context.global_batch,
        });
        if let Some(dx) = &mut context.dx {
            copy.backward(Batch::new(moved_dx, *size), Some(BatchMut::new(dx.data(), *size)));
        }
    }

    /// The memory of a backward pass.
    pub(super) fn memory(&self) -> Memory {
        Memory::per_row(self.copy.as_ref().map_or(0, |(_, size)| 3 * size))
    }
}
