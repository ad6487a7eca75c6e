//! Errors relative to the target: ℓ = 100·mean |(t − y)/max(|t|, ε)|, and ℓ = mean (ln(y + 1) − ln(t + 1))².

use super::mean::{above, at_least, ln_ratio, mean_loss, mean_rows, mean_slopes, sign};
use super::{EPSILON, Loss, LossFamily};
use crate::config::settings;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

mean_loss!(
    /// The mean absolute error in percent of the targets, `ℓ = 100 · mean |(t − y) / max(|t|, 1e-7)|`.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
    ///
    /// # Example
    /// ```
    /// use cornu::loss::{Loss, MeanAbsolutePercentageError};
    /// use cornu::tensor::Batch;
    /// let mut value = [0.0];
    /// MeanAbsolutePercentageError::new().values(Batch::new(&[1.0], 1), Batch::new(&[4.0], 1), &mut value);
    /// assert_eq!(value, [75.0]);
    /// ```
    ///
    /// # References
    /// <https://keras.io/api/losses/regression_losses/#meanabsolutepercentageerror-class>
    MeanAbsolutePercentageError,
    "mean_absolute_percentage_error",
    AbsoluteError,
    |y, t: F| F::of(100.0) * ((t - y) / t.abs().max(F::of(EPSILON))).abs(),
    |y, t: F| F::of(100.0) * sign(y - t) / t.abs().max(F::of(EPSILON))
);

mean_loss!(
    /// The mean of the squared errors of the logarithms, for targets that differ by orders of magnitude.
    ///
    /// `ℓ = mean (ln(max(y, ε) + 1) − ln(max(t, ε) + 1))²` with `ε = 1e-7`. Targets must be at least 0; the slope is
    /// 0 for outputs below ε.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
    ///
    /// # Example
    /// ```
    /// use cornu::loss::{Loss, MeanSquaredLogarithmicError};
    /// use cornu::tensor::Batch;
    /// let mut value = [0.0f64];
    /// MeanSquaredLogarithmicError::new().values(Batch::new(&[1.0], 1), Batch::new(&[0.0], 1), &mut value);
    /// assert!((value[0] - 2f64.ln().powi(2)).abs() < 1e-6);
    /// ```
    ///
    /// # References
    /// <https://keras.io/api/losses/regression_losses/#meansquaredlogarithmicerror-class>
    MeanSquaredLogarithmicError,
    "mean_squared_logarithmic_error",
    Distance,
    |y, t| logarithmic(y, t).powi(2),
    |y, t| F::of(2.0) * logarithmic(y, t) * above(y, F::of(EPSILON)) / (at_least(y, F::of(EPSILON)) + F::one())
);

/// ln(y + 1) − ln(t + 1) with y and t of at least ε.
fn logarithmic<F: Scalar>(y: F, t: F) -> F {
    let (y, t) = (at_least(y, F::of(EPSILON)), at_least(t, F::of(EPSILON)));
    ln_ratio(y - t, y + F::one(), t + F::one())
}
