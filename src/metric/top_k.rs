//! Top-k accuracy: the share of rows whose class is among the k largest outputs.

use super::{Goal, Mean, Metric, argmax, check_classes, of_mean, weight};
use crate::config::{saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// Top-k accuracy, the share of rows whose class is among the `k` largest outputs.
///
/// A row is a hit if at most `k − 1` outputs are larger than that of its class, so ties count as hits. With class
/// indices as targets the metric is Keras's `SparseTopKCategoricalAccuracy`, with one-hot targets
/// `TopKCategoricalAccuracy`.
///
/// | setter | default |
/// |---|---|
/// | `k` | 5 |
/// | `name` | `top_k_accuracy` |
///
/// # Shapes
/// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
///
/// # Example
/// ```
/// use cornu::metric::{Metric, TopKAccuracy};
/// use cornu::tensor::Batch;
/// let mut accuracy = TopKAccuracy::new().k(2);
/// let y_pred = Batch::new(&[0.5f32, 0.3, 0.2, 0.5, 0.3, 0.2], 3);
/// accuracy.update(y_pred, Batch::new(&[1.0, 2.0], 1), None);
/// assert_eq!(Metric::<f32>::value(&accuracy), 0.5);
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`] if `k` is 0; [`Error::MetricOutput`] if the output has a single column.
///
/// # References
/// <https://keras.io/api/metrics/accuracy_metrics/#topkcategoricalaccuracy-class>
#[derive(Debug, Clone)]
pub struct TopKAccuracy {
    name: String,
    k: usize,
    mean: Mean,
}

impl TopKAccuracy {
    /// Creates top-5 accuracy.
    pub fn new() -> Self {
        TopKAccuracy { name: "top_k_accuracy".into(), k: 5, mean: Mean::default() }
    }

    /// The number `k` of largest outputs that count. Default: 5.
    pub fn k(mut self, k: usize) -> Self {
        self.k = k;
        self
    }

    /// The name under which the metric is reported. Default: `top_k_accuracy`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Default for TopKAccuracy {
    fn default() -> Self {
        TopKAccuracy::new()
    }
}

impl<F: Scalar> Metric<F> for TopKAccuracy {
    fn name(&self) -> &str {
        &self.name
    }

    saved!("keras.metrics", "TopKCategoricalAccuracy");

    fn prepare(&mut self, output: &[usize], _: &[usize]) -> Result<()> {
        if self.k == 0 {
            return Err(Error::argument("k", "at least 1", self.k));
        }
        check_classes(&self.name, output)
    }

    fn goal(&self) -> Goal {
        Goal::High
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let class = match *t {
                [class] => (class >= F::zero()).then(|| class.as_f64() as usize),
                _ => Some(argmax(t)),
            };
            let own = class.and_then(|class| p.get(class)).filter(|own| !own.is_nan());
            let hit = own.is_some_and(|own| p.iter().filter(|&p| p > own).count() < self.k);
            self.mean.add(f64::from(u8::from(hit)), weight(weights, row));
        }
    }

    of_mean!();
}

settings!([] TopKAccuracy { "name": name, "k": k });
