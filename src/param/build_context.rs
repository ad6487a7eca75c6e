//! What a layer needs while it is built: random numbers, and a limit on memory.

use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::elements;

/// The random numbers of first weights, and the memory that weights may take; see
/// [`Layer::build`](crate::layer::Layer::build).
///
/// Loading a file limits the memory, so that a small file cannot declare large weights.
///
/// # Example
/// ```
/// use cornu::layer::BuildContext;
/// use cornu::{Initializer, Param, Rng};
/// let mut context = BuildContext::new(Rng::stream(1, 0));
/// let kernel = Param::<f32>::new("kernel", &[3, 2], &Initializer::GlorotUniform, &mut context)?;
/// assert_eq!(kernel.shape(), [3, 2]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug)]
pub struct BuildContext {
    rng: Rng,
    /// The bytes that are left.
    memory: usize,
    /// Whether first weights are drawn; those that a file holds are zeros until they are read.
    draws: bool,
}

impl BuildContext {
    /// A context without a limit on memory.
    pub fn new(rng: Rng) -> Self {
        BuildContext { rng, memory: usize::MAX, draws: true }
    }

    /// The context of layer `index` of a model.
    pub(crate) fn of_layer(seed: u64, index: usize) -> Self {
        BuildContext::new(Rng::stream(seed, index as u64))
    }

    /// For weights that a file holds: within `memory` bytes, and drawn only if later draws depend on it.
    pub(crate) fn within(self, memory: usize, draws: bool) -> Self {
        BuildContext { memory, draws, ..self }
    }

    /// The random numbers, for what a layer draws besides its parameters.
    pub fn rng(&mut self) -> &mut Rng {
        &mut self.rng
    }

    /// The bytes that are left.
    pub(crate) fn memory(&self) -> usize {
        self.memory
    }

    /// The first values of a trained parameter.
    pub(super) fn draw<F: Scalar>(&mut self, initializer: &Initializer, shape: &[usize]) -> Result<Vec<F>> {
        let count = self.take_memory::<F>(shape)?;
        match self.draws {
            true => initializer.draw(shape, &mut self.rng),
            false => initializer.check(shape).map(|()| vec![F::zero(); count]),
        }
    }

    /// Takes the memory of an array of this shape, and returns its number of elements.
    ///
    /// # Errors
    /// [`Error::TooLarge`].
    pub(super) fn take_memory<F: Scalar>(&mut self, shape: &[usize]) -> Result<usize> {
        let count = elements::<F>(shape)?;
        let left = self.memory.checked_sub(count * size_of::<F>());
        self.memory = left.ok_or_else(|| Error::TooLarge { shape: shape.to_vec() })?;
        Ok(count)
    }
}
