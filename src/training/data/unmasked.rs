//! The rows of a batch that the mask of its outputs includes: only they count in losses and metrics.

use super::batch_targets::BatchTargets;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Copies of the included rows, allocated once.
#[derive(Debug, Default)]
pub(crate) struct Unmasked<F> {
    outputs: Vec<F>,
    targets: Vec<F>,
    weights: Vec<F>,
    gradients: Vec<F>,
}

impl<F: Scalar> Unmasked<F> {
    /// Returns the rows that count; the batch itself if it has no mask.
    pub(crate) fn select<'a>(
        &'a mut self,
        y_pred: Batch<'a, F>,
        targets: BatchTargets<'a, F>,
    ) -> (Batch<'a, F>, BatchTargets<'a, F>) {
        if y_pred.mask().is_none() {
            return (y_pred, targets);
        }
        let weights = targets.weights.unwrap_or_default();
        copy(y_pred, y_pred, &mut self.outputs);
        copy(y_pred, targets.y, &mut self.targets);
        copy(y_pred, Batch::new(weights, 1), &mut self.weights);
        let y = Batch::new(&self.targets, targets.y.width());
        let weights = targets.weights.map(|_| &*self.weights);
        (Batch::new(&self.outputs, y_pred.width()), BatchTargets { y, weights, ..targets })
    }

    /// Calls `gradient` with the rows that count; the gradients of the others are 0.
    pub(crate) fn gradient(
        &mut self,
        y_pred: Batch<F>,
        targets: BatchTargets<F>,
        mut dy: BatchMut<F>,
        gradient: impl FnOnce(Batch<F>, BatchTargets<F>, BatchMut<F>),
    ) {
        if y_pred.mask().is_none() {
            return gradient(y_pred, targets, dy);
        }
        let width = dy.width();
        let mut gradients = std::mem::take(&mut self.gradients);
        gradients.resize(dy.data().len(), F::zero());
        let (y_pred_included, targets) = self.select(y_pred, targets);
        let count = y_pred_included.data().len();
        gradient(y_pred_included, targets, BatchMut::new(&mut gradients[..count], width));
        let mut included = gradients.chunks_exact(width);
        for (row, dy) in dy.iter_mut().enumerate() {
            match y_pred.includes(row).then(|| included.next()).flatten() {
                Some(gradient) => dy.copy_from_slice(gradient),
                None => dy.fill(F::zero()),
            }
        }
        self.gradients = gradients;
    }
}

/// Copies the rows that the mask of `y_pred` includes.
fn copy<F: Scalar>(y_pred: Batch<F>, rows: Batch<F>, to: &mut Vec<F>) {
    to.clear();
    let included = rows.iter().enumerate().filter(|(row, _)| y_pred.includes(*row));
    included.for_each(|(_, row)| to.extend_from_slice(row));
}
