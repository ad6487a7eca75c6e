//! A loss as a metric: its mean over all rows of an epoch.

use super::{Goal, Mean, Metric, check_as_wide, no_class_indices, of_mean, weight};
use crate::config::Config;
use crate::error::{Error, Result};
use crate::loss::{Loss, Target};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The mean of a loss over the rows, to report a loss other than the one that training minimizes.
///
/// Keras's metrics that are named after a loss, such as `CategoricalCrossentropy`, load as `MeanLoss`. Whether the
/// outputs are logits depends on the settings of this loss, not on the model's loss. Rows that the loss ignores count
/// as 0.
///
/// | setter | default |
/// |---|---|
/// | `name` | the loss's name |
///
/// # Shapes
/// Those of the loss.
///
/// # Example
/// ```
/// use cornu::loss::BinaryCrossentropy;
/// use cornu::metric::{MeanLoss, Metric};
/// use cornu::tensor::Batch;
/// let mut metric = MeanLoss::new(BinaryCrossentropy::new()).name("bce");
/// metric.update(Batch::new(&[0.5f64, 0.25], 1), Batch::new(&[1.0, 0.0], 1), None);
/// assert!((metric.value() - (2f64.ln() - 0.75f64.ln()) / 2.0).abs() < 1e-12);
/// ```
///
/// # Errors
/// When training or evaluating: those of the loss, [`Error::MetricTarget`] for targets of another shape, and [`Error::Argument`] for a
/// loss of whole batches, such as [`Dice`](crate::loss::Dice).
///
/// # References
/// <https://keras.io/api/metrics/probabilistic_metrics/>
#[derive(Debug, Clone)]
pub struct MeanLoss<F: Scalar> {
    name: String,
    loss: Box<dyn Loss<F>>,
    mean: Mean,
    /// Scratch memory for the loss of each row.
    values: Vec<F>,
}

impl<F: Scalar> MeanLoss<F> {
    /// Creates the mean of this loss, under the loss's name.
    pub fn new(loss: impl Loss<F> + 'static) -> Self {
        MeanLoss { name: loss.name().into(), loss: Box::new(loss), mean: Mean::default(), values: Vec::new() }
    }

    /// The name under which the metric is reported. Default: the loss's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl<F: Scalar> Metric<F> for MeanLoss<F> {
    fn name(&self) -> &str {
        &self.name
    }

    /// Writes the mean of Keras's function of this loss, which has the loss's settings as arguments.
    fn config(&self) -> Option<Config> {
        let loss = self.loss.config().filter(|loss| loss.module.as_deref() == Some("keras.losses"))?;
        let function = if loss.kind == "Huber" { "huber" } else { self.loss.name() };
        let mut config = Config::of("keras.metrics", "MeanMetricWrapper")
            .with("name", self.name.as_str())
            .with("fn", Config::of_function(function));
        config.fields.extend(loss.fields);
        Some(config)
    }

    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        if self.loss.couples_rows() {
            let expected = "losses of single rows; this loss is one of whole batches";
            return Err(Error::argument("metrics", expected, self.loss.name()));
        }
        self.loss.check(output)?;
        match self.loss.target() {
            Target::Classes { .. } if target.last() == Some(&1) || target.len() < output.len() => Ok(()),
            Target::Classes { .. } => Err(no_class_indices(&self.name, output, target)),
            _ => check_as_wide(&self.name, output, target),
        }
    }

    fn goal(&self) -> Goal {
        Goal::Low
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        self.values.resize(y_pred.rows(), F::zero());
        self.loss.values(y_pred, y_true, &mut self.values);
        for (row, value) in self.values.iter().enumerate() {
            self.mean.add(value.as_f64(), weight(weights, row));
        }
    }

    of_mean!();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::loss::Dice;

    #[test]
    fn losses_of_whole_batches_are_refused() {
        let found = MeanLoss::<f32>::new(Dice::new()).prepare(&[3], &[3]);
        assert!(matches!(found, Err(Error::Argument { argument: "metrics", .. })), "{found:?}");
        MeanLoss::<f32>::new(Dice::new().axis([-1])).prepare(&[3], &[3]).unwrap();
    }
}
