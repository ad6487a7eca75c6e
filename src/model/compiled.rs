//! What `compile` adds to a model: loss, metrics and optimizer.

use super::Sequential;
use crate::error::{Error, Result};
use crate::loss::Loss;
use crate::metric::Metric;
use crate::optimizer::{Optimizer, Options};
use crate::scalar::Scalar;

#[derive(Debug, Clone)]
pub(crate) struct Compiled<F: Scalar> {
    pub(crate) optimizer: Box<dyn Optimizer<F>>,
    pub(crate) loss: Box<dyn Loss<F>>,
    pub(crate) metrics: Vec<Box<dyn Metric<F>>>,
    /// The name under which each metric is reported.
    pub(crate) keys: Vec<String>,
    /// The descriptions of the optimizer, loss and metrics passed to `compile`.
    pub(crate) given: [String; 3],
    /// The number of batches trained on since `compile`.
    pub(crate) steps: u64,
}

impl<F: Scalar> Compiled<F> {
    /// Checks the settings of the optimizer.
    pub(crate) fn new(
        optimizer: Box<dyn Optimizer<F>>,
        loss: Box<dyn Loss<F>>,
        metrics: Vec<Box<dyn Metric<F>>>,
    ) -> Result<Self> {
        optimizer.learning_rate().check()?;
        optimizer.check()?;
        optimizer.options().map_or(Ok(()), Options::check)?;
        let given = [format!("{optimizer:?}"), format!("{loss:?}"), format!("{metrics:?}")];
        Ok(Compiled { given, keys: keys(&metrics), optimizer, loss, metrics, steps: 0 })
    }
}

/// Refuses a loss that cannot handle the output of the model, once that is known.
pub(crate) fn check_loss<F: Scalar>(model: &Sequential<F>, loss: &dyn Loss<F>) -> Result<()> {
    let Some(output) = model.output_shape() else { return Ok(()) };
    if output.is_empty() || output.contains(&0) {
        let reason = "the output has no values".into();
        return Err(Error::LossOutput { loss: loss.name().into(), output: output.to_vec(), reason });
    }
    loss.check(output)
}

/// Returns the key of each metric: its name, or with a prefix `weighted_` or a number if that is taken.
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
    use crate::metric::IntoMetrics;
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
