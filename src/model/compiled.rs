//! `compile`: an optimizer, a loss and metrics for a model.

use super::Sequential;
use crate::error::{Error, ExpectedOutput, Result};
use crate::loss::Loss;
use crate::metric::{IntoMetrics, Metric};
use crate::optimizer::{Optimizer, Options};
use crate::scalar::Scalar;

#[derive(Debug, Clone)]
pub(crate) struct Compiled<F: Scalar> {
    pub(crate) optimizer: Box<dyn Optimizer<F>>,
    pub(crate) loss: Box<dyn Loss<F>>,
    pub(crate) metrics: Vec<Box<dyn Metric<F>>>,
    /// The key under which each metric is reported.
    pub(crate) keys: Vec<String>,
    /// The descriptions of the optimizer, the loss and the metrics as the user passed them.
    pub(crate) descriptions: [String; 3],
    /// Batches trained on since `compile`.
    pub(crate) steps: u64,
    /// Why the optimizer's state was not restored from a file; cleared by the next training.
    pub(crate) note: Option<String>,
}

impl<F: Scalar> Compiled<F> {
    /// Starts the optimizer from the beginning, since its state in a file cannot be restored.
    #[cfg(any(feature = "keras", feature = "safetensors"))]
    pub(crate) fn reset(&mut self, why: impl std::fmt::Display) {
        self.steps = 0;
        self.note =
            Some(format!("the optimizer's state was not restored, and starts from the beginning: {why}"));
    }

    /// Of an optimizer with settings that make sense.
    pub(crate) fn new(
        optimizer: Box<dyn Optimizer<F>>,
        loss: Box<dyn Loss<F>>,
        metrics: Vec<Box<dyn Metric<F>>>,
    ) -> Result<Self> {
        optimizer.learning_rate().check()?;
        optimizer.check()?;
        optimizer.options().map_or(Ok(()), Options::check)?;
        let descriptions = [format!("{optimizer:?}"), format!("{loss:?}"), format!("{metrics:?}")];
        Ok(Compiled { descriptions, keys: keys(&metrics), optimizer, loss, metrics, steps: 0, note: None })
    }
}

impl<F: Scalar> Sequential<F> {
    /// Sets the optimizer, the loss and the metrics, and builds the model if its input shape is known.
    ///
    /// The weights stay; the optimizer's state is reset.
    ///
    /// # Errors
    /// The errors of [`Sequential::build`], an [`Error::Argument`] of the optimizer, or an
    /// [`Error::LossOutput`]. The model is unchanged then.
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
        if built.input_axes().is_some() {
            built.build()?;
        }
        check_loss(&built, &*compiled.loss)?;
        built.walk_mut(&mut |_, param| param.forget());
        built.compiled = Some(compiled);
        *self = built;
        Ok(())
    }
}

impl<F: Scalar> Sequential<F> {
    /// Why the optimizer's state was not restored when this model was loaded. `None` if it was restored, if there was
    /// none, or if the model has been trained or compiled since.
    ///
    /// The optimizer, its step count and so its learning rate schedule then start from the beginning. This happens with
    /// files of Keras 2, and with files that Keras saved before training, or after a layer was frozen or unfrozen.
    /// `fit` prints the note unless it is silent.
    ///
    /// # Example
    /// ```
    /// # #[cfg(feature = "keras")] {
    /// use cornu::prelude::*;
    /// let path = std::env::temp_dir().join("cornu-example-optimizer-note.keras");
    /// let mut model = Sequential::new().input([1]).add(Dense::new(1));
    /// model.compile(Adam::new(0.1), MeanSquaredError::new(), ())?;
    /// model.save(&path)?;
    /// assert_eq!(Sequential::load(&path)?.optimizer_note(), None);
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn optimizer_note(&self) -> Option<&str> {
        self.compiled.as_ref()?.note.as_deref()
    }
}

/// Refuses a loss that cannot handle the output of the model, once that is known.
pub(crate) fn check_loss<F: Scalar>(model: &Sequential<F>, loss: &dyn Loss<F>) -> Result<()> {
    let Some(output) = model.output_shape() else { return Ok(()) };
    if output.is_empty() || output.contains(&0) {
        let expected = if output.is_empty() { ExpectedOutput::Axis } else { ExpectedOutput::NotEmpty };
        return Err(Error::LossOutput { loss: loss.name().into(), output: output.to_vec(), expected });
    }
    loss.check(output)
}

/// The key of each metric: its name. If that is taken, it gets the prefix `weighted_` or a number.
fn keys<F: Scalar>(metrics: &[Box<dyn Metric<F>>]) -> Vec<String> {
    let mut keys: Vec<String> = vec!["loss".into()];
    for metric in metrics {
        let name = metric.name();
        let taken = |key: &String| keys.contains(key);
        let prefixed = metric.is_weighted().then(|| format!("weighted_{name}"));
        let numbered = (1..).map(|i| format!("{}_{i}", prefixed.as_deref().unwrap_or(name)));
        let key =
            std::iter::once(name.into()).chain(prefixed.clone()).chain(numbered).find(|key| !taken(key));
        keys.extend(key);
    }
    keys.remove(0);
    keys
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::metric::{Accuracy, Weighted};

    #[test]
    fn keys_are_unique_as_in_keras() {
        let (plain, weighted) = (Accuracy::new, || Weighted::new(Accuracy::new()));
        let keys = |metrics: Vec<Box<dyn Metric<f32>>>| super::keys(&metrics);
        assert_eq!(keys((weighted(),).into_metrics()), ["accuracy"]);
        assert_eq!(
            keys((plain(), plain(), weighted(), weighted()).into_metrics()),
            ["accuracy", "accuracy_1", "weighted_accuracy", "weighted_accuracy_1"]
        );
    }
}
