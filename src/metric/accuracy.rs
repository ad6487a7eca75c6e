//! Accuracy: the share of rows that are right, by the rule that fits the shapes.

use super::{Goal, Mean, Metric, argmax, weight};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The share of right answers. Which rule it is, the shapes decide, as in Keras for `"accuracy"`:
///
/// | output's last axis | targets | rule |
/// |---|---|---|
/// | 1 | any | binary: `(p > 0.5) == t`, the mean over the row |
/// | more | one index a row | sparse: `argmax p == t` |
/// | more | as many columns | categorical: `argmax p == argmax t` |
///
/// Of equal outputs the first is taken as the largest.
///
/// | setter | default |
/// |---|---|
/// | `name` | `accuracy` |
///
/// # Example
/// ```
/// use cornu::metric::{Accuracy, Metric};
/// use cornu::tensor::Batch;
/// let mut accuracy = Accuracy::new();
/// Metric::<f32>::prepare(&mut accuracy, &[2], &[1])?;
/// accuracy.update(Batch::new(&[0.9f32, 0.1, 0.2, 0.8], 2), Batch::new(&[0.0, 0.0], 1), None);
/// assert_eq!(Metric::<f32>::value(&accuracy), 0.5);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/metrics/accuracy_metrics/>
#[derive(Debug, Clone)]
pub struct Accuracy {
    name: String,
    rule: Rule,
    mean: Mean,
}

#[derive(Debug, Clone, Copy, Default)]
enum Rule {
    Binary,
    Sparse,
    #[default]
    Categorical,
}

impl Accuracy {
    /// Accuracy under the name `accuracy`.
    pub fn new() -> Self {
        Accuracy { name: "accuracy".into(), rule: Rule::default(), mean: Mean::default() }
    }

    /// The key under which it is reported. Default: `accuracy`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Default for Accuracy {
    fn default() -> Self {
        Accuracy::new()
    }
}

impl<F: Scalar> Metric<F> for Accuracy {
    fn name(&self) -> &str {
        &self.name
    }

    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        self.rule = match (output.last(), target.last()) {
            (Some(1), _) => Rule::Binary,
            (_, Some(1)) => Rule::Sparse,
            _ if target.len() < output.len() => Rule::Sparse,
            _ => Rule::Categorical,
        };
        Ok(())
    }

    fn goal(&self) -> Goal {
        Goal::High
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let right = match self.rule {
                Rule::Binary => binary(p, t),
                Rule::Sparse => F::of(argmax(p) as f64) == t[0],
                Rule::Categorical => argmax(p) == argmax(t),
            };
            self.mean.add(f64::from(u8::from(right)), weight(weights, row));
        }
    }

    fn value(&self) -> f64 {
        self.mean.value()
    }

    fn reset(&mut self) {
        self.mean = Mean::default();
    }
}

/// Whether the one output is on its target's side of a half.
fn binary<F: Scalar>(p: &[F], t: &[F]) -> bool {
    let decided = if p[0] > F::of(0.5) { F::one() } else { F::zero() };
    decided == t[0]
}
