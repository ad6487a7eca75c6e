//! The steps that the mask of a batch excludes, in the order in which a layer processes them.

use crate::tensor::Batch;

/// The steps of a block of rows that are padding.
#[derive(Clone, Copy)]
pub(super) struct StepMask<'a> {
    mask: Option<&'a [bool]>,
    steps: usize,
    backwards: bool,
}

impl<'a> StepMask<'a> {
    /// The padding of a batch. A mask that is not one of its steps, but of an axis before, excludes no step.
    pub(super) fn of<F>(x: Batch<'a, F>, steps: usize, backwards: bool) -> Self {
        StepMask { mask: x.mask().filter(|mask| mask.len() == x.rows() * steps), steps, backwards }
    }

    /// Whether a step of a row is padding; steps count in the order in which they are processed.
    pub(super) fn has(&self, row: usize, step: usize) -> bool {
        let time = if self.backwards { self.steps - 1 - step } else { step };
        self.mask.is_some_and(|mask| !mask[row * self.steps + time])
    }

    /// The rows whose step is padding.
    pub(super) fn rows(self, step: usize) -> impl Iterator<Item = usize> + use<'a> {
        (0..self.count()).filter(move |&row| self.has(row, step))
    }

    /// Whether a step is padding in every row, so that the cell need not compute it.
    pub(super) fn has_all(self, step: usize) -> bool {
        self.mask.is_some() && (0..self.count()).all(|row| self.has(row, step))
    }

    /// The number of rows, 0 without a mask.
    fn count(self) -> usize {
        self.mask.map_or(0, |mask| mask.len() / self.steps)
    }
}
