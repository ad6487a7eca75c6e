//! The arguments of a layer in training: a backward pass, and the step of a forward pass.

use crate::distributed::Ranks;
use crate::hash::spread;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// The arguments of a backward pass over one layer: input, output, and their gradients.
///
/// # Example
/// ```
/// use cornu::layer::{BackwardContext, BuildContext, Layer};
/// use cornu::prelude::*;
/// use cornu::tensor::{Batch, BatchMut, Scratch};
/// let mut layer = Rescaling::new(3.0);
/// Layer::<f32>::build(&mut layer, &[1], &mut BuildContext::new(Rng::new(1)))?;
/// let (mut dy, mut dx, mut scratch) = ([0.5f32], [0.0], Scratch::default());
/// let (x, y) = (Batch::new(&[2.0], 1), Batch::new(&[6.0], 1));
/// layer.backward(BackwardContext::new(x, y, BatchMut::new(&mut dy, 1), Some(BatchMut::new(&mut dx, 1)), &mut scratch));
/// assert_eq!(dx, [1.5]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct BackwardContext<'a, F> {
    /// The input of the layer.
    pub x: Batch<'a, F>,
    /// The output of the layer.
    pub y: Batch<'a, F>,
    /// ∂loss/∂y. The layer may overwrite it.
    pub dy: BatchMut<'a, F>,
    /// ∂loss/∂x, to be written; `None` if it is not needed.
    pub dx: Option<BatchMut<'a, F>>,
    /// Scratch memory for the call.
    pub scratch: &'a mut Scratch<F>,
    /// The global batch, of which this may be a part.
    pub global_batch: GlobalBatch<'a>,
}

impl<'a, F> BackwardContext<'a, F> {
    /// Creates the arguments of a backward pass, to call a layer without a model.
    pub fn new(
        x: Batch<'a, F>,
        y: Batch<'a, F>,
        dy: BatchMut<'a, F>,
        dx: Option<BatchMut<'a, F>>,
        scratch: &'a mut Scratch<F>,
    ) -> Self {
        BackwardContext { x, y, dy, dx, scratch, global_batch: GlobalBatch::default() }
    }

    /// The same arguments, with rows of these widths.
    pub(in crate::layer) fn reshape(self, x_width: usize, y_width: usize) -> Self {
        BackwardContext {
            x: self.x.reshape(x_width),
            y: self.y.reshape(y_width),
            dy: self.dy.reshape(y_width),
            dx: self.dx.map(|dx| dx.reshape(x_width)),
            ..self
        }
    }
}

/// The training step of a forward pass.
///
/// Random masks depend on the step and on the position of the sample in the global batch, never on a thread or a
/// machine.
///
/// # Example
/// ```
/// use cornu::layer::Step;
/// use cornu::tensor::Scratch;
/// let mut scratch = Scratch::<f32>::default();
/// let step = Step::new(7, 12, &mut scratch);
/// let salt = 99;          // each layer draws one in `build`
/// assert_eq!(step.rng(salt, 3).uniform(), step.rng(salt, 3).uniform());
/// assert_ne!(step.rng(salt, 3).uniform(), step.rng(salt, 4).uniform());
/// ```
#[derive(Debug)]
#[non_exhaustive]
pub struct Step<'a, F> {
    /// The model's seed.
    pub seed: u64,
    /// The number of the step since `compile`, from 0.
    pub number: u64,
    /// The index of this batch's first row in the global batch; 0 unless the batch is split over machines.
    pub first_row: usize,
    /// Scratch memory for the call.
    pub scratch: &'a mut Scratch<F>,
    /// The global batch, of which this may be a part.
    pub global_batch: GlobalBatch<'a>,
}

impl<'a, F> Step<'a, F> {
    /// Creates step `number` of a model with this seed.
    pub fn new(seed: u64, number: u64, scratch: &'a mut Scratch<F>) -> Self {
        Step { seed, number, first_row: 0, scratch, global_batch: GlobalBatch::default() }
    }

    /// Returns the random stream of one row of this batch, for the layer that drew this `salt`.
    pub fn rng(&self, salt: u64, row: usize) -> Rng {
        let place = spread(self.number).wrapping_add((self.first_row + row) as u64);
        Rng::stream(self.seed ^ salt, place)
    }
}

/// The global batch of a [distributed](crate::Fit::distributed) training, for layers with batch statistics.
///
/// In any other training a batch is the global batch.
///
/// # Example
/// ```
/// use cornu::layer::Step;
/// use cornu::tensor::Scratch;
/// let mut scratch = Scratch::<f32>::default();
/// let step = Step::new(7, 12, &mut scratch);
/// let mut sum_and_rows = [0.25f32, 8.0];
/// step.global_batch.sum(&mut sum_and_rows);
/// assert_eq!(sum_and_rows, [0.25, 8.0]);      // not distributed
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct GlobalBatch<'a>(Option<&'a Ranks<'a>>);

impl<'a> GlobalBatch<'a> {
    pub(crate) fn over(ranks: Option<&'a Ranks<'a>>) -> Self {
        GlobalBatch(ranks)
    }

    /// Adds the sums of all other ranks to `numbers`, the sums over the rows of this rank.
    ///
    /// Does nothing if the training is not distributed. Every rank must call it for each batch in the same order, even if
    /// it has no rows of the batch. An error ends the training after the current pass.
    ///
    /// In a backward pass, use it for sums on which `dx` depends; gradients of parameters remain those of the local
    /// rows.
    pub fn sum<F: Scalar>(self, numbers: &mut [F]) {
        if let Some(ranks) = self.0 {
            ranks.sum_or_keep(numbers);
        }
    }

    /// Like [`GlobalBatch::sum`], and returns the total number of rows.
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
