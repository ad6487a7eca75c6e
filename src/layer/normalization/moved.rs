//! Axes that are moved behind the others of a sample, for layers that compute along the last axes.

use crate::error::Result;
use crate::layer::axis::JoinedAxes;
use crate::layer::strided_copy::{StridedCopy, strides};
use crate::layer::{BackwardContext, Memory};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

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
        let axes = axes.indices(input)?;
        let shape: Vec<usize> = axes.iter().map(|&axis| input[axis]).collect();
        let width = shape.iter().product();
        let others = (0..input.len()).filter(|axis| !axes.contains(axis));
        let order: Vec<usize> = others.chain(axes.iter().copied()).collect();
        if order.is_sorted() {
            return Ok(MovedAxes { shape, width, copy: None });
        }
        let there = strides(input);
        let from: Vec<usize> = order.iter().map(|&axis| there[axis]).collect();
        let sizes: Vec<usize> = order.iter().map(|&axis| input[axis]).collect();
        let copy = StridedCopy::new(&sizes, &from, &strides(&sizes));
        Ok(MovedAxes { shape, width, copy: Some((copy, input.iter().product())) })
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
