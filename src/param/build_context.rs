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
    record: BuildRecord,
}

/// The states of the random stream each time that a layer took numbers of it besides its parameters, so that it takes the same
/// when it is built for another shape.
#[derive(Debug, Clone, Default)]
pub(crate) struct BuildRecord {
    states: Vec<Rng>,
    /// The number of states that have been used again.
    used: usize,
}

/// What happens to the random numbers of initial weights.
#[derive(Debug, Clone, Copy, PartialEq)]
enum Draws {
    Values,
    /// They are drawn and dropped, because later draws depend on their number; the weights come from a file.
    Skipped,
    /// None is drawn; the weights come from a file.
    Nothing,
    /// None is drawn; the layer has its parameters already.
    Kept,
}

impl BuildContext {
    /// Creates a context without a memory limit.
    pub fn new(rng: Rng) -> Self {
        BuildContext { rng, memory: None, draws: Draws::Values, steps: 1, record: BuildRecord::default() }
    }

    /// The context of layers that have been built for another shape, and keep their parameters.
    pub(crate) fn of_built() -> Self {
        BuildContext { draws: Draws::Kept, ..BuildContext::new(Rng::new(0)) }
    }

    /// Whether the layers keep their parameters.
    pub(crate) fn keeps_params(&self) -> bool {
        self.draws == Draws::Kept
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
        let BuildRecord { states, used } = &mut self.record;
        match (self.draws, states.get(*used)) {
            (Draws::Kept, Some(state)) => self.rng.clone_from(state),
            (Draws::Kept, None) => {}
            _ => states.push(self.rng.clone()),
        }
        *used += 1;
        &mut self.rng
    }

    /// Builds one layer, with a record that is read if the layer keeps its parameters, and written otherwise.
    pub(crate) fn with_record<T>(
        &mut self,
        record: &mut BuildRecord,
        build: impl FnOnce(&mut Self) -> T,
    ) -> T {
        let own = match self.keeps_params() {
            true => BuildRecord { used: 0, ..std::mem::take(record) },
            false => BuildRecord::default(),
        };
        let around = std::mem::replace(&mut self.record, own);
        let built = build(self);
        *record = std::mem::replace(&mut self.record, around);
        built
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
            Draws::Nothing | Draws::Kept => initializer.check(shape)?,
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
