//! A loss of two closures: its value for a row, and its slope.

use std::fmt;

use super::Loss;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// A loss made of closures by [`loss_fn`].
///
/// # Example
/// See [`loss_fn`].
#[derive(Clone)]
pub struct LossFn<V, G> {
    name: String,
    value: V,
    gradient: G,
}

/// The loss `name` whose value for a row is `value(y, t)`, with `y` the row's outputs and `t` its targets, and whose
/// slope `gradient(y, t, dy)` writes to all of `dy`. [`check_gradient`](crate::Sequential::check_gradient) compares
/// the two.
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
