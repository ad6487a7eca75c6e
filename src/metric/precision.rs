//! Precision and recall: TP / (TP + FP) and TP / (TP + FN), over all columns of all rows.

use std::cmp::Ordering;

use super::{Goal, Metric, check_threshold, probabilities, share, target_at, weight};
use crate::activation::Activation;
use crate::config::{saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// Precision, the share of the predicted positives that are positive: `TP / (TP + FP)`.
///
/// It is 0 if nothing is predicted positive. Each column of each row is one decision. An output is predicted positive
/// if it is above the threshold and, with `top_k`, among the `k` largest of its row (of equal outputs, the first).
/// Targets other than 0 are positive.
///
/// | setter | default |
/// |---|---|
/// | `threshold` | 0.5; none with `top_k` |
/// | `top_k` | none: the threshold alone decides |
/// | `class_id` | none: all columns |
/// | `name` | `precision` |
///
/// # Shapes
/// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
///
/// # Example
/// ```
/// use cornu::metric::{Metric, Precision};
/// use cornu::tensor::Batch;
/// let mut precision = Precision::new();
/// precision.update(Batch::new(&[0.9f32, 0.8, 0.3, 0.7], 1), Batch::new(&[1.0, 1.0, 1.0, 0.0], 1), None);
/// assert_eq!(Metric::<f32>::value(&precision), 2.0 / 3.0);
///
/// // Of column 0 only, and only if it is the largest of its row.
/// let mut precision = Precision::new().top_k(1).class_id(0).name("precision_0");
/// precision.update(Batch::new(&[0.6f32, 0.9, 0.8, 0.1], 2), Batch::new(&[0.0, 1.0, 1.0, 0.0], 2), None);
/// assert_eq!(Metric::<f32>::value(&precision), 1.0);
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`] for a threshold outside [0, 1] of probabilities, or for a `top_k` or `class_id`
/// beyond the columns of the output.
///
/// # References
/// <https://keras.io/api/metrics/classification_metrics/#precision-class>
#[derive(Debug, Clone)]
pub struct Precision(Decisions);

/// Recall, the share of the positives that are predicted positive: `TP / (TP + FN)`.
///
/// It is 0 if nothing is positive. The decisions are those of [`Precision`].
///
/// | setter | default |
/// |---|---|
/// | `threshold` | 0.5; none with `top_k` |
/// | `top_k` | none: the threshold alone decides |
/// | `class_id` | none: all columns |
/// | `name` | `recall` |
///
/// # Shapes
/// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
///
/// # Example
/// ```
/// use cornu::metric::{Metric, Recall};
/// use cornu::tensor::Batch;
/// let mut recall = Recall::new().threshold(0.75);
/// recall.update(Batch::new(&[0.9f32, 0.8, 0.3, 0.7], 1), Batch::new(&[1.0, 1.0, 1.0, 0.0], 1), None);
/// assert_eq!(Metric::<f32>::value(&recall), 2.0 / 3.0);
/// ```
///
/// # Errors
/// As [`Precision`].
///
/// # References
/// <https://keras.io/api/metrics/classification_metrics/#recall-class>
#[derive(Debug, Clone)]
pub struct Recall(Decisions);

/// The rule that predicts positives, and the counts of its decisions.
#[derive(Debug, Clone)]
struct Decisions {
    name: String,
    threshold: Option<f64>,
    top_k: Option<usize>,
    class_id: Option<usize>,
    true_positives: f64,
    false_positives: f64,
    false_negatives: f64,
    /// The activation that turns the outputs into probabilities.
    link: Activation,
    /// Scratch memory to find the largest outputs of a row.
    order: Vec<usize>,
    /// The probabilities of a row.
    probabilities: Vec<f64>,
}

impl Decisions {
    fn new(name: &str) -> Self {
        Decisions {
            name: name.into(),
            threshold: None,
            top_k: None,
            class_id: None,
            true_positives: 0.0,
            false_positives: 0.0,
            false_negatives: 0.0,
            link: Activation::Linear,
            order: Vec::new(),
            probabilities: Vec::new(),
        }
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        let width = output.last().copied().unwrap_or(1);
        check_threshold(self.threshold, &self.link, 0.0)?;
        if let Some(k) = self.top_k.filter(|k| !(1..=width).contains(k)) {
            return Err(Error::argument("top_k", format!("a whole number from 1 to {width}"), k));
        }
        if let Some(class) = self.class_id.filter(|&class| class >= width) {
            return Err(Error::argument("class_id", format!("one of the {width} columns from 0"), class));
        }
        Ok(())
    }

    fn update<F: Scalar>(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        let width = y_pred.width();
        let columns = self.class_id.map_or(0..width, |class| class..class + 1);
        let lowest = match (self.threshold, self.top_k) {
            (Some(threshold), _) => F::of(threshold),
            (None, Some(_)) => F::neg_infinity(),
            (None, None) => F::of(0.5),
        };
        let of_probabilities =
            self.link != Activation::Linear && (self.threshold, self.top_k) == (None, None);
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            let last = self.top_k.map(|k| place_of_kth(p, k, &mut self.order));
            if of_probabilities {
                probabilities(&self.link, p, &mut self.probabilities);
            }
            for column in columns.clone() {
                let is_above =
                    if of_probabilities { self.probabilities[column] > 0.5 } else { p[column] > lowest };
                let called = is_above && last.is_none_or(|last| order(p, column, last).is_le());
                match (called, target_at(t, column, width) != F::zero()) {
                    (true, true) => self.true_positives += weight,
                    (true, false) => self.false_positives += weight,
                    (false, true) => self.false_negatives += weight,
                    (false, false) => {}
                }
            }
        }
    }

    fn reset(&mut self) {
        (self.true_positives, self.false_positives, self.false_negatives) = (0.0, 0.0, 0.0);
    }
}

/// Orders larger numbers first, and equal ones by position.
fn order<F: Scalar>(row: &[F], a: usize, b: usize) -> Ordering {
    row[b].as_f64().total_cmp(&row[a].as_f64()).then(a.cmp(&b))
}

/// Returns the index of the `k`-th largest number.
fn place_of_kth<F: Scalar>(row: &[F], k: usize, places: &mut Vec<usize>) -> usize {
    places.clear();
    places.extend(0..row.len());
    *places.select_nth_unstable_by(k.clamp(1, row.len()) - 1, |&a, &b| order(row, a, b)).1
}

macro_rules! of_decisions {
    ($metric:ident, $name:literal, $missed:ident) => {
        impl $metric {
            #[doc = concat!("Creates the metric `", $name, "` over all columns at a threshold of 0.5.")]
            pub fn new() -> Self {
                $metric(Decisions::new($name))
            }

            /// Outputs above the threshold are predicted positive, as they are, also if they are logits. Default: the
            /// probability 0.5; none with `top_k`.
            pub fn threshold(mut self, threshold: f64) -> Self {
                self.0.threshold = Some(threshold);
                self
            }

            /// Only the `k` largest outputs of a row are predicted positive. Default: none.
            pub fn top_k(mut self, k: usize) -> Self {
                self.0.top_k = Some(k);
                self
            }

            /// Only this column counts, from 0. Default: all columns.
            pub fn class_id(mut self, class: usize) -> Self {
                self.0.class_id = Some(class);
                self
            }

            #[doc = concat!("The name under which the metric is reported. Default: `", $name, "`.")]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.0.name = name.into();
                self
            }
        }

        impl Default for $metric {
            fn default() -> Self {
                $metric::new()
            }
        }

        impl<F: Scalar> Metric<F> for $metric {
            fn name(&self) -> &str {
                &self.0.name
            }

            saved!("keras.metrics", stringify!($metric));

            fn outputs(&mut self, link: Activation) {
                self.0.link = link;
            }

            fn prepare(&mut self, output: &[usize], _: &[usize]) -> Result<()> {
                self.0.check(output)
            }

            fn goal(&self) -> Goal {
                Goal::High
            }

            fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
                self.0.update(y_pred, y_true, weights);
            }

            fn value(&self) -> f64 {
                share(self.0.true_positives, self.0.true_positives + self.0.$missed)
            }

            fn reset(&mut self) {
                self.0.reset();
            }

            fn state(&mut self, state: &mut State) -> Result<()> {
                let Decisions { true_positives, false_positives, false_negatives, .. } = &mut self.0;
                state.numbers("counts", [true_positives, false_positives, false_negatives])
            }
        }
    };
}

of_decisions!(Precision, "precision", false_positives);
of_decisions!(Recall, "recall", false_negatives);

settings!([] Decisions { "name": name, "thresholds": threshold, "top_k": top_k, "class_id": class_id });
settings!([] Precision {} with { 0 });
settings!([] Recall {} with { 0 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_settings_are_refused() {
        for (metric, argument) in [
            (Precision::new().threshold(1.5), "threshold"),
            (Precision::new().top_k(4), "top_k"),
            (Precision::new().top_k(0), "top_k"),
            (Precision::new().class_id(3), "class_id"),
        ] {
            let mut metric = metric;
            let found = Metric::<f32>::prepare(&mut metric, &[3], &[3]);
            let named = matches!(found, Err(Error::Argument { argument: a, .. }) if a == argument);
            assert!(named, "{argument}: {found:?}");
        }
    }

    #[test]
    fn the_first_of_equal_outputs_counts_as_the_largest() {
        let mut recall = Recall::new().top_k(2);
        recall.update(Batch::new(&[0.5f32; 4], 4), Batch::new(&[1.0, 0.0, 1.0, 0.0], 4), None);
        assert_eq!(Metric::<f32>::value(&recall), 0.5);
    }
}
