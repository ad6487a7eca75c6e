//! The context in which a layer is built: a random stream, and a memory limit.

use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::elements;

/// The random stream of the initial weights, and the memory limit of a build; see
/// [`Layer::build`](crate::layer::Layer::build).
///
/// Loading a file limits the memory, so that a small file cannot declare large weights.
///
/// # Example
/// ```
/// use cornu::layer::BuildContext;
/// use cornu::{Initializer, Param, Rng};
/// let mut context = BuildContext::new(Rng::new(1));
/// let kernel = Param::<f32>::new("kernel", &[3, 2], &Initializer::GlorotUniform, &mut context)?;
/// assert_eq!(kernel.shape(), [3, 2]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct BuildContext {
    rng: Rng,
    /// The remaining bytes, if they are limited.
    memory: Option<usize>,
    draws: Draws,
    /// The number of steps of the `TimeDistributed` layers around.
    steps: usize,
}

/// What happens to the random numbers of initial weights.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Draws {
    Values,
    /// They are drawn and dropped, because later draws depend on their number; the weights come from a file.
    Skipped,
    /// None is drawn; the weights come from a file.
    Nothing,
}

impl BuildContext {
    /// Creates a context without a memory limit.
    pub fn new(rng: Rng) -> Self {
        BuildContext { rng, memory: None, draws: Draws::Values, steps: 1 }
    }

    /// The context of layer `index` of a model.
    pub(crate) fn of_layer(seed: u64, index: usize) -> Self {
        BuildContext::new(Rng::stream(seed, index as u64))
    }

    /// Limits the context to `memory` bytes, for weights from a file. With `skips` it draws and drops their random numbers,
    /// because later draws depend on the number of earlier ones.
    pub(crate) fn within(self, memory: usize, skips: bool) -> Self {
        let draws = if skips { Draws::Skipped } else { Draws::Nothing };
        BuildContext { memory: Some(memory), draws, ..self }
    }

    /// The random stream, for values that a layer draws besides its parameters.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// Builds a layer that is applied to each of these steps.
    pub(crate) fn each_of<T>(&mut self, steps: usize, build: impl FnOnce(&mut Self) -> T) -> T {
        let around = self.steps;
        self.steps = around.saturating_mul(steps);
        let built = build(self);
        self.steps = around;
        built
    }

    /// The number of steps to which the layer is applied. The steps of a sample are consecutive rows of a batch.
    pub(crate) fn steps(&self) -> usize {
        self.steps
    }

    /// The remaining bytes, if they are limited.
    pub(crate) fn memory(&self) -> Option<usize> {
        self.memory
    }

    /// Draws the initial values of a trained parameter.
    pub(super) fn draw<F: Scalar>(&mut self, initializer: &Initializer, shape: &[usize]) -> Result<Vec<F>> {
        let count = self.take_memory::<F>(shape)?;
        match self.draws {
            Draws::Values => return initializer.draw(shape, &mut self.rng),
            Draws::Skipped => initializer.skip(shape, &mut self.rng)?,
            Draws::Nothing => initializer.check(shape)?,
        }
        Ok(vec![F::zero(); count])
    }

    /// Takes the memory of an array of this shape, and returns its number of elements.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub(super) fn take_memory<F: Scalar>(&mut self, shape: &[usize]) -> Result<usize> {
        let count = elements::<F>(shape)?;
        if let Some(memory) = &mut self.memory {
            let left = memory.checked_sub(count * size_of::<F>());
            *memory = left.ok_or_else(|| Error::TooLarge { shape: shape.to_vec() })?;
        }
        Ok(count)
    }
}
