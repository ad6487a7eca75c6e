//! R²: 1 − Σ(t − p)² / Σ(t − t̄)², the explained share of the targets' variance.

use super::{Goal, Metric, check_as_wide, share, weight};
use crate::config::{saved, settings, words};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// How the scores of several outputs are averaged.
///
/// # Example
/// ```
/// use cornu::metric::{Aggregation, Metric, R2Score};
/// use cornu::tensor::Batch;
/// let mut score = R2Score::new().aggregation(Aggregation::VarianceWeighted);
/// let y = Batch::new(&[1.0f64, 4.0, 2.0, 8.0], 2);
/// score.update(y, y, None);
/// assert_eq!(Metric::<f64>::value(&score), 1.0);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Aggregation {
    /// The unweighted mean.
    #[default]
    Uniform,
    /// The mean weighted by the variance of each output's targets.
    VarianceWeighted,
}

/// The coefficient of determination, `R² = 1 − Σ w·(t − p)² / Σ w·(t − t̄)²` for each output.
///
/// `t̄` is the weighted mean of the targets. A perfect prediction has R² = 1, predicting `t̄` has R² = 0, and there
/// is no lower bound.
///
/// If the targets have no variance, R² is 1 for exact predictions and 0 otherwise (Keras: NaN). With `num_regressors
/// = r` the metric is the adjusted score `1 − (1 − R²)(N − 1)/(N − r − 1)`, in which `N` counts the numbers of all
/// outputs, as in Keras; if `r ≥ N − 1`, it is the plain score.
///
/// | setter | default |
/// |---|---|
/// | `aggregation` | [`Aggregation::Uniform`] |
/// | `num_regressors` | 0: not adjusted |
/// | `name` | `r2_score` |
///
/// # Shapes
/// Outputs `(…, outputs)`, targets of the same shape.
///
/// # Example
/// ```
/// use cornu::metric::{Metric, R2Score};
/// use cornu::tensor::Batch;
/// let mut score = R2Score::new();
/// score.update(Batch::new(&[2.0, 4.0, 4.0], 1), Batch::new(&[1.0, 4.0, 3.0], 1), None);
/// assert!((Metric::<f64>::value(&score) - 4.0 / 7.0).abs() < 1e-12);
///
/// let mut adjusted = R2Score::new().num_regressors(1).name("adjusted_r2");
/// adjusted.update(Batch::new(&[2.0, 4.0, 4.0], 1), Batch::new(&[1.0, 4.0, 3.0], 1), None);
/// assert!((Metric::<f64>::value(&adjusted) - 1.0 / 7.0).abs() < 1e-12);
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`](crate::Error::Argument) if the targets are class indices and the
/// output has several columns.
///
/// # References
/// <https://keras.io/api/metrics/regression_metrics/#r2score-class>
#[derive(Debug, Clone)]
pub struct R2Score {
    name: String,
    aggregation: Aggregation,
    num_regressors: usize,
    /// The number of values added.
    numbers: f64,
    weights: f64,
    /// The sums of each output.
    sums: Vec<Sums>,
}

/// Weighted sums of the targets minus the first target: near 0 their squares lose little precision.
#[derive(Debug, Clone, Copy, Default)]
struct Sums {
    first: f64,
    targets: f64,
    squares: f64,
    residuals: f64,
}

impl Sums {
    /// `Σ w·(t − t̄)²`.
    fn variance(&self, weights: f64) -> f64 {
        self.squares - self.targets * share(self.targets, weights)
    }

    fn score(&self, weights: f64) -> f64 {
        let variance = self.variance(weights);
        match (variance == 0.0, self.residuals == 0.0) {
            (true, true) => 1.0,
            (true, false) => 0.0,
            _ => 1.0 - self.residuals / variance,
        }
    }
}

impl R2Score {
    /// Creates the uniformly averaged, unadjusted score.
    pub fn new() -> Self {
        R2Score {
            name: "r2_score".into(),
            aggregation: Aggregation::Uniform,
            num_regressors: 0,
            numbers: 0.0,
            weights: 0.0,
            sums: Vec::new(),
        }
    }

    /// How the scores of the outputs are averaged. Default: [`Aggregation::Uniform`].
    pub fn aggregation(mut self, aggregation: Aggregation) -> Self {
        self.aggregation = aggregation;
        self
    }

    /// The number of regressors for which the score is adjusted. Default: 0, not adjusted.
    pub fn num_regressors(mut self, num_regressors: usize) -> Self {
        self.num_regressors = num_regressors;
        self
    }

    /// The name under which the metric is reported. Default: `r2_score`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl Default for R2Score {
    fn default() -> Self {
        R2Score::new()
    }
}

impl<F: Scalar> Metric<F> for R2Score {
    fn name(&self) -> &str {
        &self.name
    }

    saved!("keras.metrics", "R2Score");

    fn prepare(&mut self, output: &[usize], target: &[usize]) -> Result<()> {
        check_as_wide(&self.name, output, target)
    }

    fn goal(&self) -> Goal {
        Goal::High
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        if self.sums.is_empty() && y_true.rows() > 0 {
            let start = |t: &F| Sums { first: t.as_f64(), targets: 0.0, squares: 0.0, residuals: 0.0 };
            self.sums.extend(y_true.row(0).iter().map(start));
        }
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            self.weights += weight;
            self.numbers += t.len() as f64;
            for (sums, (p, t)) in self.sums.iter_mut().zip(p.iter().zip(t)) {
                let (error, t) = (t.as_f64() - p.as_f64(), t.as_f64() - sums.first);
                sums.targets += weight * t;
                sums.squares += weight * t * t;
                sums.residuals += weight * error * error;
            }
        }
    }

    fn value(&self) -> f64 {
        if self.weights == 0.0 {
            return 0.0;
        }
        let score = |sums: &Sums| sums.score(self.weights);
        let variance = |sums: &Sums| sums.variance(self.weights);
        let r2 = match self.aggregation {
            Aggregation::Uniform => self.sums.iter().map(score).sum::<f64>() / self.sums.len() as f64,
            Aggregation::VarianceWeighted => share(
                self.sums.iter().map(|sums| score(sums) * variance(sums)).sum(),
                self.sums.iter().map(variance).sum(),
            ),
        };
        let freedom = self.numbers - self.num_regressors as f64 - 1.0;
        if self.num_regressors == 0 || freedom <= 0.0 {
            return r2;
        }
        1.0 - (1.0 - r2) * (self.numbers - 1.0) / freedom
    }

    fn reset(&mut self) {
        (self.numbers, self.weights) = (0.0, 0.0);
        self.sums.clear();
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.numbers("counts", [&mut self.numbers, &mut self.weights])?;
        // One entry per output column, once a row was seen.
        state.list("columns", &mut self.sums, Sums::default, |sums, state| {
            let Sums { first, targets, squares, residuals } = sums;
            state.numbers("sums", [first, targets, squares, residuals])
        })
    }
}

words!(Aggregation, "uniform_average or variance_weighted_average" {
    "uniform_average" => Aggregation::Uniform,
    "variance_weighted_average" => Aggregation::VarianceWeighted,
});

settings!([] R2Score { "name": name, "class_aggregation": aggregation, "num_regressors": num_regressors });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn constant_targets_score_0_or_1() {
        let value = |p: &[f64]| {
            let mut score = R2Score::new();
            score.update(Batch::new(p, 1), Batch::new(&[0.1; 7], 1), None);
            Metric::<f64>::value(&score)
        };
        assert_eq!((value(&[0.1; 7]), value(&[0.2; 7])), (1.0, 0.0));
        assert_eq!(Metric::<f64>::value(&R2Score::new()), 0.0);
    }
}
