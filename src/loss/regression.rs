//! Mean squared error, ℓ = mean (y − t)², and mean absolute error, ℓ = mean |y − t|, over a row's outputs.

use super::mean::{mean_loss, mean_rows, mean_slopes, sign};
use super::{Loss, LossFamily};
use crate::config::settings;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

mean_loss!(
    /// The mean of the squared errors, `ℓ = mean (y − t)²` over the outputs of a row.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
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
    MeanSquaredError,
    "mean_squared_error",
    SquaredError,
    |y, t| (y - t) * (y - t),
    |y, t| F::of(2.0) * (y - t)
);

mean_loss!(
    /// The mean of the absolute errors, `ℓ = mean |y − t|` over the outputs of a row.
    ///
    /// The slope at `y = t` is −1/n, as in Keras on JAX.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
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
    MeanAbsoluteError,
    "mean_absolute_error",
    AbsoluteError,
    |y, t| (y - t).abs(),
    |y, t| sign(y - t)
);
