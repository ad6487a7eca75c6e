//! A loss defined by two closures: its value for a row, and its gradient.

use std::fmt;

use super::Loss;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// A loss defined by two closures; [`loss_fn`] creates it.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, loss_fn};
/// use cornu::tensor::Batch;
/// let absolute = loss_fn("absolute", |y: &[f32], t: &[f32]| (y[0] - t[0]).abs(), |y: &[f32], t: &[f32], dy: &mut [f32]| {
///     dy[0] = (y[0] - t[0]).signum();
/// });
/// let mut values = [0.0];
/// absolute.values(Batch::new(&[3.0], 1), Batch::new(&[1.0], 1), &mut values);
/// assert_eq!(values, [2.0]);
/// ```
#[derive(Clone)]
pub struct LossFn<V, G> {
    name: String,
    value: V,
    gradient: G,
}

/// Creates a loss from a function of one row and its gradient.
///
/// `value(y, t)` returns the loss of a row with outputs `y` and targets `t`; `gradient(y, t, dy)` writes `∂value/∂y`
/// to all of `dy`. [`check_gradient`](crate::Sequential::check_gradient) compares the two.
///
/// # Example
/// ```
/// use cornu::loss::loss_fn;
/// use cornu::prelude::*;
/// let fourth = loss_fn(
///     "fourth",
///     |y: &[f32], t: &[f32]| (y[0] - t[0]).powi(4),
///     |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = 4.0 * (y[0] - t[0]).powi(3),
/// );
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), fourth, ())?;
/// model.set_weight("dense/kernel", &ndarray::Array2::<f32>::zeros((3, 1)))?;
/// let scores = model.evaluate(&ndarray::array![[1.0, 1.0, 1.0]], &ndarray::array![2.0], &Evaluate::new())?;
/// assert_eq!(scores.get("loss"), Some(16.0));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn loss_fn<F, V, G>(name: impl Into<String>, value: V, gradient: G) -> LossFn<V, G>
where
    F: Scalar,
    V: Fn(&[F], &[F]) -> F,
    G: Fn(&[F], &[F], &mut [F]),
{
    LossFn { name: name.into(), value, gradient }
}

impl<V, G> fmt::Debug for LossFn<V, G> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        write!(f, "LossFn({})", self.name)
    }
}

impl<F, V, G> Loss<F> for LossFn<V, G>
where
    F: Scalar,
    V: Fn(&[F], &[F]) -> F + Clone + Send + Sync,
    G: Fn(&[F], &[F], &mut [F]) + Clone + Send + Sync,
{
    fn name(&self) -> &str {
        &self.name
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            *value = (self.value)(y, t);
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            (self.gradient)(y, t, dy);
            dy.iter_mut().for_each(|dy| *dy *= scale);
        }
    }
}
