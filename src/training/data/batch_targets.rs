//! The targets of a batch.

use crate::tensor::Batch;

/// The targets of a batch: its rows, and their weights.
#[derive(Clone, Copy)]
pub(crate) struct BatchTargets<'a, F> {
    pub(crate) y: Batch<'a, F>,
    pub(crate) weights: Option<&'a [F]>,
    /// The number of samples that the rows belong to.
    pub(crate) samples: usize,
}
