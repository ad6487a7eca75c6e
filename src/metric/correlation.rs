//! Correlations of a row's outputs with its targets: Pearson's, cov / (σ·σ), and concordance, 2·cov / (σ² + σ² + (t̄ − p̄)²).

use super::{Goal, Mean, Metric, check_as_wide, check_classes, of_mean, share, weight};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// Keras's global epsilon.
const EPSILON: f64 = 1e-7;

/// The means and variances of outputs and targets over a row, and their covariance.
struct Moments {
    means: [f64; 2],
    variances: [f64; 2],
    covariance: f64,
}

impl Moments {
    fn of<F: Scalar>(p: &[F], t: &[F]) -> Self {
        let mean = |sum: f64| sum / p.len() as f64;
        let means = [p, t].map(|row| mean(row.iter().map(|x| x.as_f64()).sum()));
        let product = |a: &[F], b: &[F], [mean_a, mean_b]: [f64; 2]| {
            mean(a.iter().zip(b).map(|(a, b)| (a.as_f64() - mean_a) * (b.as_f64() - mean_b)).sum())
        };
        // The mean of equal numbers may be rounded.
        let variance = |row: &[F], mean: f64| match row.iter().all(|x| *x == row[0]) {
            true => 0.0,
            false => product(row, row, [mean; 2]),
        };
        Moments {
            variances: [variance(p, means[0]), variance(t, means[1])],
            covariance: product(p, t, means),
            means,
        }
    }
}

macro_rules! correlation {
    ($(#[$doc:meta])* $metric:ident, $name:literal, $page:literal, $row:expr) => {
        $(#[$doc])*
        ///
        /// | setter | default |
        /// |---|---|
        #[doc = concat!("| `name` | `", $name, "` |")]
        ///
        /// # Shapes
        /// Outputs `(…, outputs)` with at least two outputs; targets of the same shape.
        ///
        /// # Errors
        /// When training or evaluating: [`Error::MetricOutput`](crate::Error::MetricOutput) for a single output per row;
        /// [`Error::MetricTarget`](crate::Error::MetricTarget) for targets of another shape.
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/metrics/regression_metrics/#", $page, "-class>")]
        #[derive(Debug, Clone)]
        pub struct $metric {
            name: String,
            mean: Mean,
        }

        impl $metric {
            #[doc = concat!("Creates the metric `", $name, "`.")]
            pub fn new() -> Self {
                $metric { name: $name.into(), mean: Mean::default() }
            }

            #[doc = concat!("The name under which the metric is reported. Default: `", $name, "`.")]
            pub fn name(mut self, name: impl Into<String>) -> Self {
                self.name = name.into();
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
                &self.name
            }

            saved!("keras.metrics", stringify!($metric));

            fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
                check_classes(&self.name, output)?;
                check_as_wide(&self.name, output, target)
            }

            fn goal(&self) -> Goal {
                Goal::High
            }

            fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
                let row: fn(Moments) -> f64 = $row;
                for (index, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
                    self.mean.add(row(Moments::of(p, t)), weight(weights, index));
                }
            }

            of_mean!();
        }

        settings!([] $metric { "name": name } only { "axis": -1 });
    };
}

correlation!(
    /// The mean over rows of Pearson's correlation, `mean((p − p̄)·(t − t̄)) / (σ_p·σ_t)`: 1 for a rising linear relation of a
    /// row's outputs and targets, 0 for none, −1 for a falling one.
    ///
    /// A row with constant outputs or targets counts as 0 (Keras: NaN). Like every metric here, it correlates within rows, not
    /// across them.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{Metric, PearsonCorrelation};
    /// use cornu::tensor::Batch;
    /// let mut correlation = PearsonCorrelation::new();
    /// let y_pred = Batch::new(&[0.1f64, 0.9, 0.5, 1.0, 0.9, 0.2], 3);
    /// correlation.update(y_pred, Batch::new(&[0.0, 1.0, 0.5, 1.0, 1.0, 0.2], 3), None);
    /// assert!((Metric::<f64>::value(&correlation) - 0.9966996).abs() < 1e-7);
    /// ```
    PearsonCorrelation, "pearson_correlation", "pearsoncorrelation", |row| {
        let scale = row.variances[0].sqrt() * row.variances[1].sqrt();
        share(row.covariance, scale)
    }
);
correlation!(
    /// The mean over rows of the concordance correlation, `2·mean((p − p̄)·(t − t̄)) / (σ_p² + σ_t² + (p̄ − t̄)² + 1e-7)`: 1 only
    /// if a row's outputs equal its targets.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{ConcordanceCorrelation, Metric};
    /// use cornu::tensor::Batch;
    /// let mut correlation = ConcordanceCorrelation::new();
    /// let y_pred = Batch::new(&[0.1f64, 0.9, 0.5, 1.0, 0.9, 0.2], 3);
    /// correlation.update(y_pred, Batch::new(&[0.0, 1.0, 0.5, 1.0, 1.0, 0.2], 3), None);
    /// assert!((Metric::<f64>::value(&correlation) - 0.9816320).abs() < 1e-6);
    /// ```
    ///
    /// Lin (1989), *A concordance correlation coefficient to evaluate reproducibility*.
    ConcordanceCorrelation, "concordance_correlation", "concordancecorrelation", |row| {
        let offset = row.means[0] - row.means[1];
        2.0 * row.covariance / (row.variances[0] + row.variances[1] + offset * offset + EPSILON)
    }
);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::error::Error;

    #[test]
    fn constant_rows_do_not_correlate() {
        let mut correlation = PearsonCorrelation::new();
        correlation.update(
            Batch::new(&[0.1f64, 0.1, 0.2, 0.3], 2),
            Batch::new(&[1.0, 2.0, 2.0, 3.0], 2),
            None,
        );
        assert_eq!(Metric::<f64>::value(&correlation), 0.5);
        // The mean of three tenths is rounded.
        let mut correlation = PearsonCorrelation::new();
        let tenths = [0.1f64; 3];
        correlation.update(Batch::new(&tenths, 3), Batch::new(&tenths, 3), None);
        assert_eq!(Metric::<f64>::value(&correlation), 0.0);
    }

    #[test]
    fn single_outputs_are_refused() {
        let found = Metric::<f32>::prepare(&mut PearsonCorrelation::new(), &[5, 1], &[5, 1]);
        assert!(matches!(found, Err(Error::MetricOutput { .. })), "{found:?}");
    }
}
