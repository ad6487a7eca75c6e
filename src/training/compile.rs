//! `compile`: an optimizer, a loss and metrics for a model.

use crate::error::Result;
use crate::loss::Loss;
use crate::metric::IntoMetrics;
use crate::model::{Compiled, Sequential, check_loss};
use crate::optimizer::Optimizer;
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// Says how the model learns and is judged. Builds it, where the input's shape is known.
    ///
    /// The weights stay; the optimizer starts anew.
    ///
    /// # Errors
    /// What [`Sequential::build`] refuses, an [`Error::Argument`](crate::Error::Argument) of the optimizer, or an
    /// [`Error::LossOutput`](crate::Error::LossOutput). The model is unchanged then.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([4]).add(Dense::new(1));
    /// let refused = model.compile(Sgd::new(0.01), CategoricalCrossentropy::new(), [Accuracy::new()]);
    /// assert!(matches!(refused, Err(Error::LossOutput { .. })));
    /// model.compile(Sgd::new(0.01), MeanSquaredError::new(), ())?;
    /// # Ok::<(), Error>(())
    /// ```
    pub fn compile(
        &mut self,
        optimizer: impl Optimizer<F> + 'static,
        loss: impl Loss<F> + 'static,
        metrics: impl IntoMetrics<F>,
    ) -> Result<()> {
        let compiled = Compiled::new(Box::new(optimizer), Box::new(loss), metrics.into_metrics())?;
        let mut built = self.clone();
        if built.input.is_some() {
            built.build()?;
        }
        check_loss(&built, &*compiled.loss)?;
        built.walk_mut(&mut |_, param| param.forget());
        built.compiled = Some(compiled);
        *self = built;
        Ok(())
    }
}
