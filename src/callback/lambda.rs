//! A callback defined by closures.

use std::fmt;

use super::{Callback, CallbackContext, Flow};
use crate::error::Result;
use crate::scalar::Scalar;

/// Calls closures at the main events of a training run.
///
/// What they capture is not part of a backup; see [`BackupAndRestore`](super::BackupAndRestore).
///
/// # Example
/// ```
/// use cornu::callback::{Flow, LambdaCallback, CallbackContext};
/// use cornu::prelude::*;
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let x = ndarray::array![[0.0], [1.0]];
/// let mut losses = Vec::new();
/// let watch = LambdaCallback::new()
///     .on_fit_begin(|at: &mut CallbackContext<f32>| {
///         assert_eq!(at.epochs, 10);
///         Ok(())
///     })
///     .on_epoch_begin(|at| at.set_learning_rate(0.1 / (at.epoch + 1) as f64))
///     .on_batch_end(|_| Ok(Flow::Continue))
///     .on_epoch_end(|at| {
///         losses.extend(at.logs.get("loss"));
///         Ok(if at.epoch == 2 { Flow::Stop("three are enough".into()) } else { Flow::Continue })
///     })
///     .on_fit_end(|at| {
///         assert_eq!((at.learning_rate(), at.logs.iter().count()), (0.1 / 3.0, 1));
///         Ok(())
///     });
/// model.fit(&x, &x, &Fit::new().epochs(10).callback(watch).verbose(Verbose::Silent))?;
/// assert_eq!(losses.len(), 3);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/callbacks/lambda_callback/>
pub struct LambdaCallback<'a, F: Scalar = f32> {
    fit_begin: Option<Hook<'a, F, ()>>,
    epoch_begin: Option<Hook<'a, F, ()>>,
    batch_end: Option<Hook<'a, F, Flow>>,
    epoch_end: Option<Hook<'a, F, Flow>>,
    fit_end: Option<Hook<'a, F, ()>>,
}

type Hook<'a, F, R> = Box<dyn FnMut(&mut CallbackContext<F>) -> Result<R> + 'a>;

impl<'a, F: Scalar> LambdaCallback<'a, F> {
    /// Creates a callback without closures.
    pub fn new() -> Self {
        LambdaCallback { fit_begin: None, epoch_begin: None, batch_end: None, epoch_end: None, fit_end: None }
    }

    /// The closure to call before the first epoch. Default: none.
    pub fn on_fit_begin(mut self, f: impl FnMut(&mut CallbackContext<F>) -> Result<()> + 'a) -> Self {
        self.fit_begin = Some(Box::new(f));
        self
    }

    /// The closure to call before each epoch. Default: none.
    pub fn on_epoch_begin(mut self, f: impl FnMut(&mut CallbackContext<F>) -> Result<()> + 'a) -> Self {
        self.epoch_begin = Some(Box::new(f));
        self
    }

    /// The closure to call after each batch. Default: none.
    pub fn on_batch_end(mut self, f: impl FnMut(&mut CallbackContext<F>) -> Result<Flow> + 'a) -> Self {
        self.batch_end = Some(Box::new(f));
        self
    }

    /// The closure to call after each epoch. Default: none.
    ///
    /// Later callbacks may monitor any key that it sets in the logs.
    pub fn on_epoch_end(mut self, f: impl FnMut(&mut CallbackContext<F>) -> Result<Flow> + 'a) -> Self {
        self.epoch_end = Some(Box::new(f));
        self
    }

    /// The closure to call after the last epoch. Default: none.
    pub fn on_fit_end(mut self, f: impl FnMut(&mut CallbackContext<F>) -> Result<()> + 'a) -> Self {
        self.fit_end = Some(Box::new(f));
        self
    }
}

impl<F: Scalar> Default for LambdaCallback<'_, F> {
    fn default() -> Self {
        LambdaCallback::new()
    }
}

impl<F: Scalar> fmt::Debug for LambdaCallback<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("LambdaCallback")
    }
}

impl<F: Scalar> Callback<F> for LambdaCallback<'_, F> {
    fn on_fit_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        if self.epoch_end.is_none() {
            at.declare_keys([]);
        }
        self.fit_begin.as_mut().map_or(Ok(()), |f| f(at))
    }

    fn on_epoch_begin(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        self.epoch_begin.as_mut().map_or(Ok(()), |f| f(at))
    }

    fn on_batch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.batch_end.as_mut().map_or(Ok(Flow::Continue), |f| f(at))
    }

    fn on_epoch_end(&mut self, at: &mut CallbackContext<F>) -> Result<Flow> {
        self.epoch_end.as_mut().map_or(Ok(Flow::Continue), |f| f(at))
    }

    fn on_fit_end(&mut self, at: &mut CallbackContext<F>) -> Result<()> {
        self.fit_end.as_mut().map_or(Ok(()), |f| f(at))
    }
}
