//! Regression metrics: means of errors, under the names of Keras's losses.

use super::{Goal, Mean, Metric, check_as_wide, of_mean, weight};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::Batch;

/// Keras's global epsilon.
const EPSILON: f64 = 1e-7;

macro_rules! mean_metric {
    (
        $(#[$doc:meta])* $metric:ident, $name:literal, $goal:ident, $row:expr, $of_mean:expr,
        [$p:expr, $t:expr] => $value:expr, $page:literal
    ) => {
        $(#[$doc])*
        ///
        /// | setter | default |
        /// |---|---|
        #[doc = concat!("| `name` | `", $name, "` |")]
        ///
        /// # Shapes
        /// Outputs of any shape; targets of the same shape.
        ///
        /// # Example
        /// ```
        #[doc = concat!("use cornu::metric::{Metric, ", stringify!($metric), "};")]
        /// use cornu::tensor::Batch;
        #[doc = concat!("let mut metric = ", stringify!($metric), "::new();")]
        #[doc = concat!("let (y_pred, y_true) = (", stringify!($p), ", ", stringify!($t), ");")]
        /// metric.update(Batch::<f64>::new(&y_pred, 2), Batch::new(&y_true, 2), None);
        #[doc = concat!("assert!((Metric::<f64>::value(&metric) - ", stringify!($value), ").abs() < 1e-6);")]
        /// ```
        ///
        /// # Errors
        /// When training or evaluating: [`Error::Argument`](crate::Error::Argument) if the targets are class indices
        /// and the output has several columns.
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/metrics/", $page, "-class>")]
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
                check_as_wide(&self.name, output, target)
            }

            fn goal(&self) -> Goal {
                Goal::$goal
            }

            fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
                for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
                    self.mean.add($row(p, t), weight(weights, row));
                }
            }

            of_mean!($of_mean);
        }

        settings!([] $metric { "name": name });
    };
}

/// Returns the mean of a function of output and target over a row.
fn mean<F: Scalar>(p: &[F], t: &[F], f: impl Fn(f64, f64) -> f64) -> f64 {
    p.iter().zip(t).map(|(p, t)| f(p.as_f64(), t.as_f64())).sum::<f64>() / p.len() as f64
}

fn squared<F: Scalar>(p: &[F], t: &[F]) -> f64 {
    mean(p, t, |p, t| (p - t) * (p - t))
}

fn absolute<F: Scalar>(p: &[F], t: &[F]) -> f64 {
    mean(p, t, |p, t| (p - t).abs())
}

fn percentage<F: Scalar>(p: &[F], t: &[F]) -> f64 {
    100.0 * mean(p, t, |p, t| (p - t).abs() / t.abs().max(EPSILON))
}

fn squared_logarithmic<F: Scalar>(p: &[F], t: &[F]) -> f64 {
    mean(p, t, |p, t| (p.max(EPSILON).logarithm_1p() - t.max(EPSILON).logarithm_1p()).powi(2))
}

/// `ln cosh e = |e| + ln(1 + exp(−2|e|)) − ln 2`, which does not overflow.
fn log_cosh<F: Scalar>(p: &[F], t: &[F]) -> f64 {
    mean(p, t, |p, t| (p - t).abs() + (-2.0 * (p - t).abs()).softplus() - std::f64::consts::LN_2)
}

fn cosine<F: Scalar>(p: &[F], t: &[F]) -> f64 {
    let product = |a: &[F], b: &[F]| a.iter().zip(b).map(|(a, b)| a.as_f64() * b.as_f64()).sum::<f64>();
    product(p, t) / (product(p, p).sqrt().max(EPSILON) * product(t, t).sqrt().max(EPSILON))
}

mean_metric!(
    /// The mean squared error, `mean (p − t)²`.
    MeanSquaredError, "mean_squared_error", Low, squared, std::convert::identity,
    [[1.0, 2.0], [0.0, 4.0]] => 2.5, "regression_metrics/#meansquarederror"
);
mean_metric!(
    /// The root mean squared error, `√(mean (p − t)²)`, in the units of the targets.
    RootMeanSquaredError, "root_mean_squared_error", Low, squared, f64::sqrt,
    [[1.0, 2.0], [2.0, 9.0]] => 5.0, "regression_metrics/#rootmeansquarederror"
);
mean_metric!(
    /// The mean absolute error, `mean |p − t|`.
    MeanAbsoluteError, "mean_absolute_error", Low, absolute, std::convert::identity,
    [[1.0, 2.0], [0.0, 4.0]] => 1.5, "regression_metrics/#meanabsoluteerror"
);
mean_metric!(
    /// The mean absolute error in percent of the targets, `100·mean |p − t| / max(|t|, 1e-7)`.
    MeanAbsolutePercentageError, "mean_absolute_percentage_error", Low, percentage, std::convert::identity,
    [[1.0, 2.0], [2.0, 4.0]] => 50.0, "regression_metrics/#meanabsolutepercentageerror"
);
mean_metric!(
    /// The mean squared error of the logarithms, `mean (ln(1 + p) − ln(1 + t))²`; numbers below 1e-7 count as 1e-7.
    MeanSquaredLogarithmicError, "mean_squared_logarithmic_error", Low, squared_logarithmic,
    std::convert::identity,
    [[1.0, 3.0], [3.0, 1.0]] => 2f64.ln().powi(2), "regression_metrics/#meansquaredlogarithmicerror"
);
mean_metric!(
    /// The mean of `ln cosh(p − t)`, about quadratic for small errors and linear for large ones.
    LogCoshError, "logcosh", Low, log_cosh, std::convert::identity,
    [[1.0, 2.0], [0.0, 1.0]] => 1f64.cosh().ln(), "regression_metrics/#logcosherror"
);
mean_metric!(
    /// The mean cosine similarity of output and target, `Σ p·t / (‖p‖·‖t‖)`: 1 for equal directions.
    ///
    /// Norms count as at least 1e-7. The loss of this name has the opposite sign.
    CosineSimilarity, "cosine_similarity", High, cosine, std::convert::identity,
    [[1.0, 0.0], [3.0, 4.0]] => 0.6, "regression_metrics/#cosinesimilarity"
);
