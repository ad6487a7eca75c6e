//! The F1 score, which weighs precision and recall equally: F1 = 2·P·R / (P + R).

use super::{Average, FBetaScore, Goal, Metric, forwarded};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// The F1 score, the harmonic mean of precision and recall: `2·P·R / (P + R)`.
///
/// It equals [`FBetaScore`] with `β = 1`.
///
/// | setter | default |
/// |---|---|
/// | `average` | [`Average::Macro`] |
/// | `threshold` | none: the largest output is positive |
/// | `name` | `f1_score` |
///
/// # Shapes
/// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
///
/// # Example
/// ```
/// use cornu::metric::{F1Score, Metric};
/// use cornu::tensor::Batch;
/// let mut score = F1Score::new();
/// let y_pred = Batch::new(&[0.9f32, 0.1, 0.2, 0.8], 2);
/// score.update(y_pred, Batch::new(&[0.0, 1.0], 1), None);
/// assert!((Metric::<f32>::value(&score) - 1.0).abs() < 1e-6);
/// let named = F1Score::new().average(cornu::metric::Average::Micro).threshold(0.5).name("f1_micro");
/// assert_eq!(Metric::<f32>::name(&named), "f1_micro");
/// ```
///
/// # Errors
/// As [`FBetaScore`].
///
/// # References
/// <https://keras.io/api/metrics/classification_metrics/#f1score-class>
#[derive(Debug, Clone)]
pub struct F1Score(FBetaScore);

impl F1Score {
    /// Creates the macro-averaged F1 score.
    pub fn new() -> Self {
        F1Score(FBetaScore::new(1.0).name("f1_score"))
    }

    /// How the scores of the classes are averaged. Default: [`Average::Macro`].
    pub fn average(self, average: Average) -> Self {
        F1Score(self.0.average(average))
    }

    /// Outputs above the threshold are predicted positive. Default: none, the largest of each row is.
    pub fn threshold(self, threshold: f64) -> Self {
        F1Score(self.0.threshold(threshold))
    }

    /// The name under which the metric is reported. Default: `f1_score`.
    pub fn name(self, name: impl Into<String>) -> Self {
        F1Score(self.0.name(name))
    }
}

impl Default for F1Score {
    fn default() -> Self {
        F1Score::new()
    }
}

impl<F: Scalar> Metric<F> for F1Score {
    fn name(&self) -> &str {
        &self.0.name
    }

    saved!("keras.metrics", "F1Score");

    forwarded!(self, self.0);
}

settings!([] F1Score { "name": 0.name, "average" required: 0.average, "threshold": 0.threshold });
