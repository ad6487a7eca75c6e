//! A parameter: its value, its gradient, and the optimizer's memory of it, side by side.

mod spec;

use std::fmt;

use ndarray::{ArrayViewD, ArrayViewMutD};

use crate::constraint::Constraint;
use crate::error::{Result, Shape};
use crate::initializer::Initializer;
use crate::kernel;
use crate::regularizer::Regularizer;
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::{Batch, BatchMut};

pub(crate) use spec::{Spec, spec_setters};

/// A layer's parameter.
///
/// # Example
/// ```
/// use cornu::{Initializer, Param, Rng};
/// # fn main() -> cornu::Result<()> {
/// let mut rng = Rng::stream(1, 0);
/// let kernel = Param::<f32>::new("kernel", &[3, 2], &Initializer::GlorotUniform, &mut rng)?;
/// assert_eq!(kernel.shape(), [3, 2]);
/// assert!(kernel.value().iter().all(|w| w.abs() <= (6.0f32 / 5.0).sqrt()));
/// # Ok(())
/// # }
/// ```
#[derive(Clone)]
pub struct Param<F> {
    name: &'static str,
    shape: Vec<usize>,
    trainable: bool,
    /// The numbers themselves, row-major.
    pub(crate) value: Vec<F>,
    /// ∂loss/∂value, written anew by each backward pass. Empty where the parameter is not trained.
    pub(crate) grad: Vec<F>,
    pub(crate) regularizer: Option<Regularizer>,
    pub(crate) constraint: Option<Constraint>,
    /// The optimizer's arrays for this parameter, each as long as `value`.
    pub(crate) slots: Vec<Vec<F>>,
    /// The sum of the gradients since the last update, where several batches make one.
    pub(crate) accumulated: Vec<F>,
    /// The moving average of the value, where one is kept.
    pub(crate) average: Vec<F>,
    pub(crate) descent: Descent<F>,
}

/// Whether the next gradient is written down, or becomes an update at once.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) enum Descent<F> {
    /// The gradient is written down.
    Off,
    /// The gradient may be taken off the value at once, in the place of being written down.
    Allowed {
        rate: F,
        /// No number that the layer reads is larger.
        bound: F,
    },
    /// It was.
    Done,
}

impl<F: Scalar> Param<F> {
    /// A parameter to be trained, drawn by `initializer`.
    ///
    /// # Errors
    /// [`Error::TooLarge`](crate::Error::TooLarge) where the shape has more elements than memory has addresses,
    /// [`Error::Argument`](crate::Error::Argument) where the initializer does not fit the shape.
    pub fn new(
        name: &'static str,
        shape: &[usize],
        initializer: &Initializer,
        rng: &mut Rng,
    ) -> Result<Self> {
        let value = initializer.draw(shape, rng)?;
        rng.take_room::<F>(value.len(), shape)?;
        let grad = vec![F::zero(); value.len()];
        Ok(Param { trainable: true, grad, ..Param::untrained(name, shape, value) })
    }

    /// A number or array that a layer keeps and no optimizer changes, such as a moving average.
    ///
    /// # Errors
    /// As [`Param::new`].
    pub fn fixed(name: &'static str, shape: &[usize], initializer: &Initializer) -> Result<Self> {
        Param::fixed_within(name, shape, initializer, &mut Rng::stream(0, 0))
    }

    /// The same in the room that `rng` has left; it draws nothing of it.
    pub(crate) fn fixed_within(
        name: &'static str,
        shape: &[usize],
        initializer: &Initializer,
        rng: &mut Rng,
    ) -> Result<Self> {
        let mut own = Rng::stream(0, 0).within(rng.room(), true);
        let value = initializer.draw(shape, &mut own)?;
        rng.take_room::<F>(value.len(), shape)?;
        Ok(Param::untrained(name, shape, value))
    }

    fn untrained(name: &'static str, shape: &[usize], value: Vec<F>) -> Self {
        Param {
            name,
            shape: shape.to_vec(),
            trainable: false,
            value,
            grad: Vec::new(),
            regularizer: None,
            constraint: None,
            slots: Vec::new(),
            accumulated: Vec::new(),
            average: Vec::new(),
            descent: Descent::Off,
        }
    }

    /// The name within its layer, such as `kernel`.
    pub fn name(&self) -> &'static str {
        self.name
    }

    /// The shape.
    pub fn shape(&self) -> &[usize] {
        &self.shape
    }

    /// How many numbers.
    pub fn len(&self) -> usize {
        self.value.len()
    }

    /// Whether there is no number in it.
    pub fn is_empty(&self) -> bool {
        self.value.is_empty()
    }

    /// Whether the optimizer changes it.
    pub fn is_trainable(&self) -> bool {
        self.trainable
    }

    /// The numbers, row-major.
    pub fn value(&self) -> &[F] {
        &self.value
    }

    /// The numbers to write, row-major.
    pub fn value_mut(&mut self) -> &mut [F] {
        &mut self.value
    }

    /// The gradient of the last backward pass, row-major; empty where the parameter is not trained.
    pub fn grad(&self) -> &[F] {
        &self.grad
    }

    /// The value to read and the gradient to write, for a backward pass.
    pub fn split(&mut self) -> (&[F], &mut [F]) {
        (&self.value, &mut self.grad)
    }

    /// The gradient `xᵀ·dz` of the weights of an affine map, the last thing that its layer's backward pass does: written
    /// down, or where the trainer allows it, taken off the value at once.
    pub(crate) fn learn(&mut self, x: Batch<F>, dz: Batch<F>) {
        let width = dz.width();
        // An allowance is for one pass: where the step then fails, none is left for the next training.
        if let Descent::Allowed { rate, bound } = std::mem::replace(&mut self.descent, Descent::Off)
            && kernel::descend(x, dz, rate, bound, BatchMut::new(&mut self.value, width))
        {
            self.descent = Descent::Done;
            return;
        }
        kernel::affine_weights(x, dz, self.grad_matrix());
    }

    /// Forgets what an optimizer kept.
    pub(crate) fn forget(&mut self) {
        self.slots.clear();
        self.accumulated.clear();
        self.average.clear();
    }

    /// The numbers, and what the optimizer keeps beside them. The gradient is written anew by the next step.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.group(self.name, |state| {
            state.numbers("value", &mut self.value)?;
            state.numbers("slots", self.slots.iter_mut().flatten())?;
            state.numbers("accumulated", &mut self.accumulated)?;
            state.numbers("average", &mut self.average)
        })
    }

    /// Brings the value within the constraint, where there is one.
    pub(crate) fn constrain(&mut self) {
        if let Some(constraint) = self.constraint {
            constraint.apply(&self.shape, &mut self.value);
        }
    }

    /// The value as a matrix whose rows have the length of the last axis.
    pub fn matrix(&self) -> Batch<'_, F> {
        Batch::new(&self.value, self.shape.last().copied().unwrap_or(1))
    }

    /// The value as an ndarray view.
    pub fn array(&self) -> ArrayViewD<'_, F> {
        match ArrayViewD::from_shape(&*self.shape, &self.value) {
            Ok(view) => view,
            Err(_) => unreachable!("a parameter holds as many values as its shape says"),
        }
    }

    /// The gradient as a matrix to write.
    pub fn grad_matrix(&mut self) -> BatchMut<'_, F> {
        BatchMut::new(&mut self.grad, self.shape.last().copied().unwrap_or(1))
    }

    /// The value as an ndarray view to write.
    pub fn array_mut(&mut self) -> ArrayViewMutD<'_, F> {
        match ArrayViewMutD::from_shape(&*self.shape, &mut self.value) {
            Ok(view) => view,
            Err(_) => unreachable!("a parameter holds as many values as its shape says"),
        }
    }
}

impl<F> fmt::Debug for Param<F> {
    /// `kernel (6000, 40)`.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "{} {}", self.name, Shape(&self.shape))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_to_descend_is_for_one_pass() {
        let mut param =
            Param::<f32>::new("kernel", &[1, 1], &Initializer::Ones, &mut Rng::stream(1, 0)).unwrap();
        let (x, dz) = (Batch::new(&[2.0], 1), Batch::new(&[3.0], 1));
        param.descent = Descent::Allowed { rate: 0.5, bound: f32::MAX };
        param.learn(x, dz);
        assert_eq!((param.descent, param.value[0], param.grad[0]), (Descent::Off, 1.0, 6.0));
        param.descent = Descent::Allowed { rate: 0.5, bound: 2.0 };
        param.learn(x, dz);
        assert_eq!((param.descent, param.value[0]), (Descent::Done, -2.0));
    }
}
