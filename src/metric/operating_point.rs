//! The best of one rate among the thresholds at which another is high enough: precision at recall, recall at precision,
//! sensitivity at specificity, specificity at sensitivity.

use super::auc::BinCounts;
use super::{Goal, MAX_THRESHOLDS, Metric, probabilities, share, target_at, weight};
use crate::activation::Activation;
use crate::config::{saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// A bound on one rate, and the counts at evenly spaced thresholds.
#[derive(Debug, Clone)]
struct OperatingPoint {
    name: String,
    /// The lowest value of the constrained rate.
    least: f64,
    num_thresholds: usize,
    class_id: Option<usize>,
    /// The activation that turns the outputs into probabilities.
    link: Activation,
    /// The probabilities of a row.
    probabilities: Vec<f64>,
    /// The positives and negatives above no threshold, above the first, and so on.
    buckets: Vec<BinCounts>,
}

/// The two rates at a threshold.
struct Rates {
    constrained: f64,
    best: f64,
}

impl OperatingPoint {
    fn new(name: &str, least: f64) -> Self {
        OperatingPoint {
            name: name.into(),
            least,
            num_thresholds: 200,
            class_id: None,
            link: Activation::Linear,
            probabilities: Vec::new(),
            buckets: Vec::new(),
        }
    }

    fn check(&self, rate: &'static str, output: &[usize]) -> Result<()> {
        if !(0.0..=1.0).contains(&self.least) {
            return Err(Error::argument(rate, "a number from 0 to 1", self.least));
        }
        if !(1..=MAX_THRESHOLDS).contains(&self.num_thresholds) {
            let expected = format!("1 to {MAX_THRESHOLDS}");
            return Err(Error::argument("num_thresholds", expected, self.num_thresholds));
        }
        let width = output.last().copied().unwrap_or(1);
        match self.class_id.filter(|&class| class >= width) {
            Some(class) => {
                Err(Error::argument("class_id", format!("one of the {width} columns from 0"), class))
            }
            None => Ok(()),
        }
    }

    fn update<F: Scalar>(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        let width = y_pred.width();
        let columns = self.class_id.map_or(0..width, |class| class..class + 1);
        self.buckets.resize(self.num_thresholds.max(2), BinCounts::default());
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            let of_logits = self.link != Activation::Linear;
            if of_logits {
                probabilities(&self.link, p, &mut self.probabilities);
            }
            for column in columns.clone() {
                let p = if of_logits { F::of(self.probabilities[column]) } else { p[column] };
                // The number of thresholds below the output.
                let place = match self.num_thresholds {
                    1 => usize::from(p > F::of(0.5)),
                    n => {
                        let p = p.max(F::zero()).min(F::one());
                        ((p * F::of((n - 1) as f64)).ceil().as_f64() as usize).min(n - 1)
                    }
                };
                match target_at(t, column, width) != F::zero() {
                    true => self.buckets[place].positives += weight,
                    false => self.buckets[place].negatives += weight,
                }
            }
        }
    }

    /// The best rate at a threshold that meets the bound; 0 if none does. `rates` gets the counts above a threshold, and all.
    fn value(&self, rates: impl Fn(BinCounts, BinCounts) -> Rates) -> f64 {
        // From the highest threshold down, as the sums above a threshold, so that all of them are exactly the total.
        let total = self.buckets.iter().rev().fold(BinCounts::default(), |sum, bucket| sum.plus(bucket));
        let (mut above, mut best) = (BinCounts::default(), 0f64);
        for place in (0..self.num_thresholds.min(self.buckets.len())).rev() {
            if let Some(bucket) = self.buckets.get(place + 1) {
                above = above.plus(bucket);
            }
            let found = rates(above, total);
            if found.constrained >= self.least {
                best = best.max(found.best);
            }
        }
        best
    }
}

/// TP / (TP + FN).
fn recall(above: BinCounts, total: BinCounts) -> f64 {
    share(above.positives, total.positives)
}

/// TP / (TP + FP).
fn precision(above: BinCounts) -> f64 {
    share(above.positives, above.called())
}

/// TN / (TN + FP).
fn specificity(above: BinCounts, total: BinCounts) -> f64 {
    share(total.negatives - above.negatives, total.negatives)
}

macro_rules! operating_point {
    (
        $(#[$doc:meta])* $metric:ident, $name:literal, $rate:ident, $rates:expr, $first:literal, $value:literal
    ) => {
        $(#[$doc])*
        ///
        /// An output above a threshold is predicted positive; a target other than 0 is positive. The value is 0 if no threshold
        /// meets the bound. The thresholds are `0, 1/(n−1) … 1`, or 0.5 for `n = 1`. Outputs are probabilities, unless the
        /// loss takes logits; those outside [0, 1] count as 0 or 1.
        ///
        /// | setter | default |
        /// |---|---|
        /// | `num_thresholds` n | 200 |
        /// | `class_id` | none: all columns |
        #[doc = concat!("| `name` | `", $name, "` |")]
        ///
        /// # Shapes
        /// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
        ///
        /// # Example
        /// ```
        #[doc = concat!("use cornu::metric::{Metric, ", stringify!($metric), "};")]
        /// use cornu::tensor::Batch;
        #[doc = concat!("let mut metric = ", stringify!($metric), "::new(", stringify!($first), ");")]
        /// let y_pred = Batch::new(&[0.0f64, 0.3, 0.8, 0.3, 0.8], 1);
        /// metric.update(y_pred, Batch::new(&[0.0, 0.0, 0.0, 1.0, 1.0], 1), None);
        #[doc = concat!("assert!((Metric::<f64>::value(&metric) - ", stringify!($value), ").abs() < 1e-12);")]
        /// ```
        ///
        /// # Errors
        #[doc = concat!("When training or evaluating: [`Error::Argument`] for a ", stringify!($rate), " outside [0, 1],")]
        /// no thresholds, or a `class_id` beyond the columns of the output.
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/metrics/classification_metrics/#", $name, "-class>")]
        #[derive(Debug, Clone)]
        pub struct $metric(OperatingPoint);

        impl $metric {
            #[doc = concat!("Creates the metric for a ", stringify!($rate), " of at least this, with 200 thresholds.")]
            pub fn new($rate: f64) -> Self {
                $metric(OperatingPoint::new($name, $rate))
            }

            /// The number of thresholds. Default: 200.
            pub fn num_thresholds(mut self, num_thresholds: usize) -> Self {
                self.0.num_thresholds = num_thresholds;
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

        impl<F: Scalar> Metric<F> for $metric {
            fn name(&self) -> &str {
                &self.0.name
            }

            saved!("keras.metrics", stringify!($metric));

            fn outputs(&mut self, link: Activation) {
                self.0.link = link;
            }

            fn prepare(&mut self, output: &[usize], _: &[usize]) -> Result<()> {
                self.0.check(stringify!($rate), output)
            }

            fn goal(&self) -> Goal {
                Goal::High
            }

            fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
                self.0.update(y_pred, y_true, weights);
            }

            fn value(&self) -> f64 {
                self.0.value($rates)
            }

            fn reset(&mut self) {
                self.0.buckets.fill(BinCounts::default());
            }

            fn state(&mut self, state: &mut State) -> Result<()> {
                state.list("buckets", &mut self.0.buckets, BinCounts::default, |counts, state| {
                    state.numbers("counts", counts.numbers())
                })
            }
        }
    };
}

operating_point!(
    /// The highest precision `TP / (TP + FP)` at a threshold whose recall `TP / (TP + FN)` is at least a given one.
    PrecisionAtRecall, "precision_at_recall", recall,
    |above, total| Rates { constrained: recall(above, total), best: precision(above) }, 0.5, 0.5
);
operating_point!(
    /// The highest recall `TP / (TP + FN)` at a threshold whose precision `TP / (TP + FP)` is at least a given one.
    RecallAtPrecision, "recall_at_precision", precision,
    |above, total| Rates { constrained: precision(above), best: recall(above, total) }, 0.4, 1.0
);
operating_point!(
    /// The highest sensitivity `TP / (TP + FN)` at a threshold whose specificity `TN / (TN + FP)` is at least a given one.
    SensitivityAtSpecificity, "sensitivity_at_specificity", specificity,
    |above, total| Rates { constrained: specificity(above, total), best: recall(above, total) }, 0.5, 0.5
);
operating_point!(
    /// The highest specificity `TN / (TN + FP)` at a threshold whose sensitivity `TP / (TP + FN)` is at least a given one.
    SpecificityAtSensitivity, "specificity_at_sensitivity", sensitivity,
    |above, total| Rates { constrained: recall(above, total), best: specificity(above, total) }, 0.5, 0.6666666666666666
);

settings!([] OperatingPoint { "name": name, "num_thresholds": num_thresholds, "class_id": class_id });
settings!([] PrecisionAtRecall { "recall" required: 0.least } with { 0 });
settings!([] RecallAtPrecision { "precision" required: 0.least } with { 0 });
settings!([] SensitivityAtSpecificity { "specificity" required: 0.least } with { 0 });
settings!([] SpecificityAtSensitivity { "sensitivity" required: 0.least } with { 0 });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_settings_are_refused() {
        for (metric, argument) in [
            (PrecisionAtRecall::new(1.5), "recall"),
            (PrecisionAtRecall::new(f64::NAN), "recall"),
            (PrecisionAtRecall::new(0.5).num_thresholds(0), "num_thresholds"),
            (PrecisionAtRecall::new(0.5).num_thresholds(usize::MAX), "num_thresholds"),
            (PrecisionAtRecall::new(0.5).class_id(3), "class_id"),
        ] {
            let mut metric = metric;
            let found = Metric::<f32>::prepare(&mut metric, &[3], &[3]);
            let named = matches!(found, Err(Error::Argument { argument: a, .. }) if a == argument);
            assert!(named, "{argument}: {found:?}");
        }
    }

    #[test]
    fn one_threshold_is_a_half() {
        let mut metric = SensitivityAtSpecificity::new(0.5).num_thresholds(1);
        metric.update(Batch::new(&[0.5f32, 0.6, 0.2, 0.9], 1), Batch::new(&[1.0, 1.0, 0.0, 0.0], 1), None);
        assert_eq!(Metric::<f32>::value(&metric), 0.5);
    }
}
