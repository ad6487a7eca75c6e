//! A parameter: its value, its gradient and its optimizer state.

mod build_context;
mod spec;

use std::fmt;

use ndarray::{ArrayView1, ArrayViewD};

use crate::constraint::Constraint;
use crate::error::{Result, Shape};
use crate::initializer::Initializer;
use crate::regularizer::Regularizer;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::{Batch, BatchMut};

pub use build_context::BuildContext;
pub(crate) use build_context::BuildRecord;
pub(crate) use spec::{Spec, SpecSetters, spec, spec_setters};

/// A parameter of a layer.
///
/// # Example
/// ```
/// use cornu::layer::BuildContext;
/// use cornu::{Initializer, Param, Rng};
/// # fn main() -> cornu::Result<()> {
/// let mut context = BuildContext::new(Rng::new(1));
/// let kernel = Param::<f32>::new("kernel", &[3, 2], &Initializer::GlorotUniform, &mut context)?;
/// assert_eq!(kernel.shape(), [3, 2]);
/// assert!(kernel.value().iter().all(|w| w.abs() <= (6.0f32 / 5.0).sqrt()));
/// assert_eq!((kernel.name(), kernel.len(), kernel.is_trainable()), ("kernel", 6, true));
///
/// let mut mean = Param::<f32>::fixed("moving_mean", &[2], &Initializer::Zeros)?;
/// mean.value_mut()[1] = 3.0;
/// assert_eq!(mean.array()[[1]], 3.0);
/// assert_eq!((mean.is_trainable(), mean.matrix().row(0)), (false, &[0.0, 3.0][..]));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Param<F> {
    name: &'static str,
    pub(crate) shape: Vec<usize>,
    /// The value, in row-major order.
    pub(crate) value: Vec<F>,
    /// ∂loss/∂value, overwritten by each backward pass; `None` if no optimizer changes the parameter.
    pub(crate) grad: Option<Vec<F>>,
    pub(crate) regularizer: Option<Regularizer>,
    pub(crate) constraint: Option<Constraint>,
    /// The optimizer state of this parameter. Most rules have arrays as long as `value`; a slot that the parameter does not have is
    /// empty.
    pub(crate) slots: Vec<Vec<F>>,
    /// The sum of the gradients since the last update, if gradients are accumulated.
    pub(crate) accumulated: Option<Vec<F>>,
    /// The moving average of the value, if enabled.
    pub(crate) average: Option<Vec<F>>,
    /// Whether no number of the value exceeds [`MODERATE`] in magnitude, and none of the other arrays did when a training
    /// began.
    pub(crate) is_moderate: bool,
}

/// The largest magnitude for which a bounded optimizer is certain to be finite.
pub(crate) const MODERATE: f64 = 1e9;

impl<F: Scalar> Param<F> {
    /// Creates a trained parameter with values of `initializer`.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) if the shape exceeds the address space;
    /// [`Error::Argument`](crate::Error::Argument) if the initializer does not support the shape.
    pub fn new(
        name: &'static str,
        shape: &[usize],
        initializer: &Initializer,
        context: &mut BuildContext,
    ) -> Result<Self> {
        let value = context.draw(initializer, shape)?;
        let grad = vec![F::zero(); context.take_memory::<F>(shape)?];
        Ok(Param { grad: Some(grad), ..Param::untrained(name, shape, value) })
    }

    /// Creates an array that no optimizer changes, such as a moving average.
    ///
    /// # Errors
    /// As [`Param::new`].
    pub fn fixed(name: &'static str, shape: &[usize], initializer: &Initializer) -> Result<Self> {
        Param::fixed_within(name, shape, initializer, &mut BuildContext::new(Rng::new(0)))
    }

    /// [`Param::fixed`] within the memory of a layer; it draws none of its random numbers.
    pub(crate) fn fixed_within(
        name: &'static str,
        shape: &[usize],
        initializer: &Initializer,
        context: &mut BuildContext,
    ) -> Result<Self> {
        context.take_memory::<F>(shape)?;
        let value = initializer.draw(shape, &mut Rng::new(0))?;
        Ok(Param::untrained(name, shape, value))
    }

    /// Takes the parameter, and leaves one without values in its place.
    pub(crate) fn take(&mut self) -> Self {
        std::mem::replace(self, Param::untrained(self.name, &[], Vec::new()))
    }

    fn untrained(name: &'static str, shape: &[usize], value: Vec<F>) -> Self {
        Param {
            name,
            shape: shape.to_vec(),
            value,
            grad: None,
            regularizer: None,
            constraint: None,
            slots: Vec::new(),
            accumulated: None,
            average: None,
            is_moderate: false,
        }
    }

    /// The name within the layer, such as `kernel`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// The number of elements.
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether it has no elements.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Whether the optimizer changes it.
    pub fn is_trainable(&self) -> bool {
        self.grad.is_some()
    }

    /// The value, in row-major order.
    pub fn value(&self) -> &[F] {
        &self.value
    }

    /// The mutable value, in row-major order.
    pub fn value_mut(&mut self) -> &mut [F] {
        self.is_moderate = false;
        &mut self.value
    }

    /// The gradient of the last backward pass, in row-major order; `None` if no optimizer changes the parameter.
    pub fn grad(&self) -> Option<&[F]> {
        self.grad.as_deref()
    }

    /// The gradient, for a backward pass to overwrite. That of a [fixed](Param::fixed) parameter has no elements.
    pub fn grad_mut(&mut self) -> &mut [F] {
        self.grad.as_deref_mut().unwrap_or_default()
    }

    /// The value and the mutable gradient, for a backward pass.
    pub fn split(&mut self) -> (&[F], &mut [F]) {
        (&self.value, self.grad.as_deref_mut().unwrap_or_default())
    }

    /// Clears the optimizer state.
    pub(crate) fn forget(&mut self) {
        self.slots.clear();
        (self.accumulated, self.average) = (None, None);
    }

    /// The arrays that an optimizer changes; the value is the first.
    pub(crate) fn arrays(&self) -> impl Iterator<Item = &[F]> {
        let Param { value, slots, accumulated, average, .. } = self;
        std::iter::once(value).chain(slots).chain(accumulated).chain(average).map(|array| &**array)
    }

    /// As [`Param::arrays`], mutably.
    pub(crate) fn arrays_mut(&mut self) -> impl Iterator<Item = &mut Vec<F>> {
        let Param { value, slots, accumulated, average, .. } = self;
        std::iter::once(value).chain(slots).chain(accumulated).chain(average)
    }

    /// Replaces the value by its moving average, if one is kept.
    pub(crate) fn take_average(&mut self) {
        if let Some(average) = &self.average {
            self.value.copy_from_slice(average);
        }
    }

    /// The value and the optimizer state. The next step overwrites the gradient.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        self.is_moderate = false;
        state.group(self.name, |state| {
            state.numbers("value", &mut self.value)?;
            state.numbers("slots", self.slots.iter_mut().flatten())?;
            state.numbers("accumulated", self.accumulated.iter_mut().flatten())?;
            state.numbers("average", self.average.iter_mut().flatten())
        })
    }

    /// Applies the constraint, if there is one.
    pub(crate) fn constrain(&mut self) {
        if let Some(constraint) = &self.constraint {
            constraint.apply(&self.shape, &mut self.value);
        }
    }

    /// The value as a matrix whose rows have the length of the last axis.
    pub fn matrix(&self) -> Batch<'_, F> {
        Batch::new(&self.value, self.shape.last().copied().unwrap_or(1))
    }

    /// The value as an ndarray view.
    pub fn array(&self) -> ArrayViewD<'_, F> {
        let view = ArrayViewD::from_shape(&*self.shape, &self.value);
        // A parameter has as many values as its shape, so this is never the flat view.
        view.unwrap_or_else(|_| ArrayView1::from(&*self.value).into_dyn())
    }

    /// The gradient as a mutable matrix.
    pub fn grad_matrix(&mut self) -> BatchMut<'_, F> {
        let width = self.shape.last().copied().unwrap_or(1);
        BatchMut::new(self.grad_mut(), width)
    }
}

impl<F> fmt::Debug for Param<F> {
    /// `kernel (6000, 40)`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.name, Shape(&self.shape))
    }
}
