//! Mean squared error, ℓ = mean (y − t)², and mean absolute error, ℓ = mean |y − t|, over a row's outputs.

use super::Loss;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The mean of the squared errors, `ℓ = mean (y − t)²` over the outputs of a row.
///
/// # Shapes
/// Output `(..., outputs)`, targets alike; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, MeanSquaredError};
/// use cornu::tensor::Batch;
/// let mut value = [0.0];
/// MeanSquaredError::new().values(Batch::new(&[1.0, 5.0], 2), Batch::new(&[0.0, 3.0], 2), &mut value);
/// assert_eq!(value, [2.5]);
/// ```
///
/// # References
/// <https://keras.io/api/losses/regression_losses/#meansquarederror-class>
#[derive(Debug, Clone, Default)]
pub struct MeanSquaredError;

/// The mean of the absolute errors, `ℓ = mean |y − t|` over the outputs of a row. Its slope where `y = t`
/// is −1/n, as in Keras on JAX.
///
/// # Shapes
/// Output `(..., outputs)`, targets alike; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, MeanAbsoluteError};
/// use cornu::tensor::Batch;
/// let mut value = [0.0];
/// MeanAbsoluteError::new().values(Batch::new(&[1.0, 5.0], 2), Batch::new(&[0.0, 3.0], 2), &mut value);
/// assert_eq!(value, [1.5]);
/// ```
///
/// # References
/// <https://keras.io/api/losses/regression_losses/#meanabsoluteerror-class>
#[derive(Debug, Clone, Default)]
pub struct MeanAbsoluteError;

impl MeanSquaredError {
    /// The loss; it has no arguments.
    pub fn new() -> Self {
        MeanSquaredError
    }
}

impl MeanAbsoluteError {
    /// The loss; it has no arguments.
    pub fn new() -> Self {
        MeanAbsoluteError
    }
}

impl<F: Scalar> Loss<F> for MeanSquaredError {
    fn name(&self) -> &str {
        "mean_squared_error"
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        mean_rows(y_pred, y_true, values, |e| e * e)
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        mean_slopes(y_pred, y_true, scale, dy, |e| e + e);
    }
}

impl<F: Scalar> Loss<F> for MeanAbsoluteError {
    fn name(&self) -> &str {
        "mean_absolute_error"
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        mean_rows(y_pred, y_true, values, |e| e.abs())
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        mean_slopes(y_pred, y_true, scale, dy, |e| if e > F::zero() { F::one() } else { -F::one() });
    }
}

/// ℓ = mean f(y − t) over each row.
fn mean_rows<F: Scalar>(y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F], f: impl Fn(F) -> F) -> usize {
    let width = F::of(y_pred.width() as f64);
    for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
        *value = y.iter().zip(t).map(|(&y, &t)| f(y - t)).sum::<F>() / width;
    }
    values.len()
}

/// ∂ℓ/∂y = f'(y − t) / n.
fn mean_slopes<F: Scalar>(
    y_pred: Batch<F>,
    y_true: Batch<F>,
    scale: &[F],
    mut dy: BatchMut<F>,
    slope: impl Fn(F) -> F,
) {
    let width = F::of(y_pred.width() as f64);
    for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
        dy.iter_mut().zip(y.iter().zip(t)).for_each(|(dy, (&y, &t))| *dy = scale * slope(y - t) / width);
    }
}
