//! What a layer is called with while training: a backward pass, and the step that a forward pass belongs to.

use crate::rng::Rng;
use crate::tensor::{Batch, BatchMut, Scratch};

/// A backward pass over one layer: what went in and came out, and the gradients of both.
///
/// # Example
/// See [`Layer`](crate::layer::Layer).
#[derive(Debug)]
#[non_exhaustive]
pub struct Pass<'a, F> {
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
}

impl<'a, F> Pass<'a, F> {
    /// A pass over one layer, to drive it without a model.
    pub fn new(
        x: Batch<'a, F>,
        y: Batch<'a, F>,
        dy: BatchMut<'a, F>,
        dx: Option<BatchMut<'a, F>>,
        scratch: &'a mut Scratch<F>,
    ) -> Self {
        Pass { x, y, dy, dx, scratch }
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
}

impl<'a, F> Step<'a, F> {
    /// The step `number` of a model with this seed.
    pub fn new(seed: u64, number: u64, scratch: &'a mut Scratch<F>) -> Self {
        Step { seed, number, first_row: 0, scratch }
    }

    /// The random stream of one row of this batch for the layer that drew this `salt`.
    pub fn rng(&self, salt: u64, row: usize) -> Rng {
        let place =
            self.number.wrapping_mul(0x9E37_79B9_7F4A_7C15).wrapping_add((self.first_row + row) as u64);
        Rng::stream(self.seed ^ salt, place)
    }
}
