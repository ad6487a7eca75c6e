//! Losses that grow like |e| for large errors: Huber, ½e² up to δ, and ln cosh e.

use super::mean::{mean_loss, mean_rows, mean_slopes};
use super::{Loss, LossFamily};
use crate::config::{saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

mean_loss!(
    /// The mean of `ln cosh(y − t)`, near ½e² for small errors and |e| − ln 2 for large ones.
    ///
    /// It is computed without overflow.
    ///
    /// # Shapes
    /// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
    ///
    /// # Example
    /// ```
    /// use cornu::loss::{LogCosh, Loss};
    /// use cornu::tensor::Batch;
    /// let mut value = [0.0f64];
    /// LogCosh::new().values(Batch::new(&[100.0], 1), Batch::new(&[0.0], 1), &mut value);
    /// assert!((value[0] - (100.0 - 2f64.ln())).abs() < 1e-12);
    /// ```
    ///
    /// # References
    /// <https://keras.io/api/losses/regression_losses/#logcosh-class>
    LogCosh,
    "log_cosh",
    Distance,
    |y, t| {
        let e = y - t;
        if e.abs() < F::of(2.0) {
            // cosh² = 1 + sinh², and sinh e = ½·(u + u/(u + 1)) with u = exp(e) − 1.
            let u = e.exponential_m1();
            let sinh = F::of(0.5) * (u + u / (u + F::one()));
            return F::of(0.5) * (sinh * sinh).logarithm_1p();
        }
        e + (-(e + e)).softplus() - F::of(std::f64::consts::LN_2)
    },
    |y, t| (y - t).hyperbolic_tangent()
);

/// The Huber loss: half the squared error up to `δ`, and linear beyond, averaged over the outputs of a row.
///
/// ```text
/// ℓ = mean: |e| ≤ δ: ½·e², else δ·|e| − ½·δ²    e = y − t
/// ```
///
/// | setter | default |
/// |---|---|
/// | `delta` δ | 1 |
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Huber, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0];
/// Huber::new().values(Batch::new(&[3.0], 1), Batch::new(&[0.0], 1), &mut value);
/// assert_eq!(value, [2.5]);
/// Huber::new().delta(2.0).values(Batch::new(&[3.0], 1), Batch::new(&[0.0], 1), &mut value);
/// assert_eq!(value, [4.0]);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] if delta is not finite and above 0.
///
/// # References
/// Huber (1964), *Robust estimation of a location parameter*;
/// <https://keras.io/api/losses/regression_losses/#huber-class>
#[derive(Debug, Clone, PartialEq)]
pub struct Huber {
    delta: f64,
}

impl Huber {
    /// Creates the loss with `δ = 1`.
    pub fn new() -> Self {
        Huber { delta: 1.0 }
    }

    /// The error δ at which the loss turns from quadratic to linear. Default: 1.
    pub fn delta(mut self, delta: f64) -> Self {
        self.delta = delta;
        self
    }
}

impl Default for Huber {
    fn default() -> Self {
        Huber::new()
    }
}

impl<F: Scalar> Loss<F> for Huber {
    fn name(&self) -> &str {
        "huber_loss"
    }

    saved!("keras.losses", "Huber");

    fn family(&self) -> LossFamily {
        LossFamily::Distance
    }

    fn check(&self, _: &[usize]) -> Result<()> {
        if self.delta > 0.0 && self.delta.is_finite() {
            return Ok(());
        }
        Err(Error::argument("delta", "a finite number above 0", self.delta))
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let (delta, half) = (F::of(self.delta), F::of(0.5));
        mean_rows(y_pred, y_true, values, |y, t| {
            let e = (y - t).abs();
            if e <= delta { half * e * e } else { delta * e - half * delta * delta }
        })
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        let delta = F::of(self.delta);
        mean_slopes(y_pred, y_true, scale, dy, |y, t| (y - t).max(-delta).min(delta));
    }
}

settings!([] Huber { "delta": delta });
