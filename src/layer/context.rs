//! What a layer is called with while training: a backward pass, and the step that a forward pass belongs to.

use crate::distributed::Ranks;
use crate::hash::spread;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A backward pass over one layer: what went in and came out, and the gradients of both.
///
/// # Example
/// See [`Layer`](crate::layer::Layer).
#[derive(Debug)]
#[non_exhaustive]
pub struct BackwardContext<'a, F> {
    /// What the layer read.
    pub x: Batch<'a, F>,
    /// What the layer wrote.
    pub y: Batch<'a, F>,
    /// ∂loss/∂y. May be overwritten: nobody reads it afterwards.
    pub dy: BatchMut<'a, F>,
    /// ∂loss/∂x, to be written; `None` when nothing below needs it.
    pub dx: Option<BatchMut<'a, F>>,
    /// Memory for the time of the call.
    pub scratch: &'a mut Scratch<F>,
    /// The whole batch, of which this may be a part.
    pub whole: GlobalBatch<'a>,
}

impl<'a, F> BackwardContext<'a, F> {
    /// A pass over one layer, to drive it without a model.
    pub fn new(
        x: Batch<'a, F>,
        y: Batch<'a, F>,
        dy: BatchMut<'a, F>,
        dx: Option<BatchMut<'a, F>>,
        scratch: &'a mut Scratch<F>,
    ) -> Self {
        BackwardContext { x, y, dy, dx, scratch, whole: GlobalBatch::default() }
    }

    /// The same pass over a part of this batch.
    pub(in crate::layer) fn of(mut self, whole: GlobalBatch<'a>) -> Self {
        self.whole = whole;
        self
    }
}

/// The training step that a forward pass belongs to, so that random masks depend on the step and on the
/// sample's place in the whole batch, never on a thread or a machine.
///
/// # Example
/// ```
/// use cornu::layer::Step;
/// use cornu::tensor::Scratch;
/// let mut scratch = Scratch::<f32>::default();
/// let step = Step::new(7, 12, &mut scratch);
/// let salt = 99;          // drawn once by each layer in `build`
/// assert_eq!(step.rng(salt, 3).uniform(), step.rng(salt, 3).uniform());
/// assert_ne!(step.rng(salt, 3).uniform(), step.rng(salt, 4).uniform());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Step<'a, F> {
    /// The model's seed.
    pub seed: u64,
    /// The number of the step since the model was compiled, from 0.
    pub number: u64,
    /// The place of this batch's first row in the whole batch; 0 unless the batch is split over machines.
    pub first_row: usize,
    /// Memory for the time of the call.
    pub scratch: &'a mut Scratch<F>,
    /// The whole batch, of which this may be a part.
    pub whole: GlobalBatch<'a>,
}

impl<'a, F> Step<'a, F> {
    /// The step `number` of a model with this seed.
    pub fn new(seed: u64, number: u64, scratch: &'a mut Scratch<F>) -> Self {
        Step { seed, number, first_row: 0, scratch, whole: GlobalBatch::default() }
    }

    /// The random stream of one row of this batch for the layer that drew this `salt`.
    pub fn rng(&self, salt: u64, row: usize) -> Rng {
        let place = spread(self.number).wrapping_add((self.first_row + row) as u64);
        Rng::stream(self.seed ^ salt, place)
    }
}

/// The whole batch of which a layer holds a part, where a training is [distributed](crate::Fit::distributed): for layers
/// with statistics over the batch. Elsewhere a batch is whole.
///
/// # Example
/// ```
/// use cornu::layer::Step;
/// use cornu::tensor::Scratch;
/// let mut scratch = Scratch::<f32>::default();
/// let step = Step::new(7, 12, &mut scratch);
/// let mut sum_and_rows = [0.25f32, 8.0];
/// step.whole.sum(&mut sum_and_rows);
/// assert_eq!(sum_and_rows, [0.25, 8.0]);      // alone
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct GlobalBatch<'a>(Option<&'a Ranks<'a>>);

impl<'a> GlobalBatch<'a> {
    pub(crate) fn over(ranks: Option<&'a Ranks<'a>>) -> Self {
        GlobalBatch(ranks)
    }

    /// Adds to what was summed over the rows of this part what the other ranks have summed over theirs. Changes nothing
    /// where the training is not distributed. All ranks call it for each batch, in the same order, those without a row
    /// too. What goes wrong is kept, and ends the training after the pass.
    ///
    /// In a backward pass it is meant for what `dx` depends on; gradients of parameters stay those of the rows here.
    pub fn sum<F: Scalar>(self, numbers: &mut [F]) {
        if let Some(ranks) = self.0 {
            ranks.sum_or_keep(numbers);
        }
    }

    /// The same, together with the number of rows, which it gives.
    pub(in crate::layer) fn sum_and_rows<F: Scalar>(self, numbers: &mut [F], rows: usize) -> F {
        let mut rows = F::of(rows as f64);
        if self.0.is_some() {
            let mut all = [&*numbers, &[rows]].concat();
            self.sum(&mut all);
            numbers.copy_from_slice(&all[..numbers.len()]);
            rows = all[numbers.len()];
        }
        rows
    }
}
