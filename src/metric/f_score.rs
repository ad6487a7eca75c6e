//! F-scores: Fᵦ = (1 + β²)·P·R / (β²·P + R) with precision P and recall R.

use super::{Goal, Metric, check_threshold, target_at, weight};
use crate::activation::Activation;
use crate::config::{saved, settings, words};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// Keras's global epsilon, which keeps the divisors from 0.
const EPSILON: f64 = 1e-7;

/// How the scores of the classes are averaged.
///
/// # Example
/// ```
/// use cornu::metric::{Average, F1Score, Metric};
/// use cornu::tensor::Batch;
/// let mut score = F1Score::new().average(Average::Micro);
/// score.update(Batch::new(&[0.9f32, 0.1, 0.2, 0.8], 2), Batch::new(&[0.0, 0.0], 1), None);
/// assert!((Metric::<f32>::value(&score) - 0.5).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Average {
    /// One score from the counts of all classes together.
    Micro,
    /// The unweighted mean over the classes.
    #[default]
    Macro,
    /// The mean over the classes, each weighted by its number of samples.
    Weighted,
}

/// The F-beta score, `Fᵦ = (1 + β²)·P·R / (β²·P + R)`, which weighs recall `β` times as much as precision.
///
/// The largest output of each row is predicted positive: all of them if several are equally large, none if it is 0.
/// With a threshold, every output above it is. As in Keras, 1e-7 is added to each divisor, so a perfect score is
/// 0.9999998.
///
/// | setter | default |
/// |---|---|
/// | `average` | [`Average::Macro`]; for Keras's `None`, one score per class, use [`ConfusionMatrix::report`] |
/// | `threshold` | none: the largest output is positive |
/// | `name` | `fbeta_score` |
///
/// # Shapes
/// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
///
/// # Example
/// ```
/// use cornu::metric::{FBetaScore, Metric};
/// use cornu::tensor::Batch;
/// let mut score = FBetaScore::new(2.0).threshold(0.5);
/// let y_true = Batch::new(&[1.0f32, 1.0, 1.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0], 3);
/// score.update(Batch::new(&[0.2, 0.6, 0.7, 0.2, 0.6, 0.6, 0.6, 0.8, 0.0], 3), y_true, None);
/// let classes = [0.3846154, 0.9090909, 0.8333333];
/// assert!((Metric::<f32>::value(&score) - classes.iter().sum::<f64>() / 3.0).abs() < 1e-6);
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`] for a `β` that is not above 0, a threshold of probabilities outside
/// (0, 1], or no threshold for an output of a single column, whose largest output is always that column, unless it is a
/// logit.
///
/// # References
/// <https://keras.io/api/metrics/classification_metrics/#fbetascore-class>
///
/// [`ConfusionMatrix::report`]: super::ConfusionMatrix::report
#[derive(Debug, Clone)]
pub struct FBetaScore {
    pub(super) name: String,
    beta: f64,
    pub(super) average: Average,
    pub(super) threshold: Option<f64>,
    /// The activation that turns the outputs into probabilities, if they are logits.
    link: Option<Activation>,
    /// The counts of each class.
    counts: Vec<ClassCounts>,
}

#[derive(Debug, Clone, Copy, Default)]
struct ClassCounts {
    true_positives: f64,
    false_positives: f64,
    false_negatives: f64,
}

impl ClassCounts {
    fn numbers(&mut self) -> [&mut f64; 3] {
        [&mut self.true_positives, &mut self.false_positives, &mut self.false_negatives]
    }

    fn score(&self, beta: f64) -> f64 {
        let precision = self.true_positives / (self.true_positives + self.false_positives + EPSILON);
        let recall = self.true_positives / (self.support() + EPSILON);
        let square = beta * beta;
        (1.0 + square) * precision * recall / (square * precision + recall + EPSILON)
    }

    /// The number of samples of the class.
    fn support(&self) -> f64 {
        self.true_positives + self.false_negatives
    }

    fn add(&mut self, other: &ClassCounts) {
        self.true_positives += other.true_positives;
        self.false_positives += other.false_positives;
        self.false_negatives += other.false_negatives;
    }
}

impl FBetaScore {
    /// Creates the macro-averaged score that weighs recall `beta` times as much as precision.
    pub fn new(beta: f64) -> Self {
        FBetaScore {
            name: "fbeta_score".into(),
            beta,
            average: Average::default(),
            threshold: None,
            link: None,
            counts: Vec::new(),
        }
    }

    /// How the scores of the classes are averaged. Default: [`Average::Macro`].
    pub fn average(mut self, average: Average) -> Self {
        self.average = average;
        self
    }

    /// Outputs above the threshold are predicted positive, as they are, also if they are logits. Default: none, the largest
    /// of each row is; for one column of logits, 0.
    pub fn threshold(mut self, threshold: f64) -> Self {
        self.threshold = Some(threshold);
        self
    }

    /// The name under which the metric is reported. Default: `fbeta_score`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }
}

impl<F: Scalar> Metric<F> for FBetaScore {
    fn name(&self) -> &str {
        &self.name
    }

    saved!("keras.metrics", "FBetaScore");

    fn outputs(&mut self, link: Activation) {
        // A single probability has no threshold of its own, as in Keras.
        self.link = Some(link).filter(|link| *link != Activation::Linear);
    }

    fn prepare(&mut self, output: &[usize], _: &[usize]) -> Result<()> {
        if !(self.beta > 0.0 && self.beta.is_finite()) {
            return Err(Error::argument("beta", "a number above 0", self.beta));
        }
        if self.threshold.or(self.link.as_ref().map(Activation::threshold)).is_none()
            && output.last().is_none_or(|&width| width == 1)
        {
            let expected = "a number, such as 0.5, for an output of one column";
            return Err(Error::argument("threshold", expected, "none"));
        }
        check_threshold(self.threshold, &self.link.unwrap_or_default(), f64::MIN_POSITIVE)
    }

    fn goal(&self) -> Goal {
        Goal::High
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        let width = y_pred.width();
        let of_link = self.link.filter(|_| width == 1).map(|link| link.threshold());
        let threshold = self.threshold.or(of_link).map(F::of);
        self.counts.resize(width, ClassCounts::default());
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            let largest = p.iter().copied().fold(F::neg_infinity(), F::max);
            for (column, (counts, &p)) in self.counts.iter_mut().zip(p).enumerate() {
                let called = match threshold {
                    Some(threshold) => p > threshold,
                    None => p >= largest && p.abs() > F::of(1e-9),
                };
                let t = target_at(t, column, width).as_f64();
                if called {
                    counts.true_positives += weight * t;
                    counts.false_positives += weight * (1.0 - t);
                } else {
                    counts.false_negatives += weight * t;
                }
            }
        }
    }

    fn value(&self) -> f64 {
        let scores = self.counts.iter().map(|counts| (counts.score(self.beta), counts.support()));
        match self.average {
            Average::Micro => {
                let mut all = ClassCounts::default();
                self.counts.iter().for_each(|counts| all.add(counts));
                all.score(self.beta)
            }
            Average::Macro => scores.map(|(score, _)| score).sum::<f64>() / self.counts.len().max(1) as f64,
            Average::Weighted => {
                let support: f64 = self.counts.iter().map(ClassCounts::support).sum();
                scores.map(|(score, count)| score * count).sum::<f64>() / (support + EPSILON)
            }
        }
    }

    fn reset(&mut self) {
        self.counts.fill(ClassCounts::default());
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        // One entry per output column, once an output was seen.
        state.list("classes", &mut self.counts, ClassCounts::default, |counts, state| {
            state.numbers("counts", counts.numbers())
        })
    }
}

words!(Average, "micro, macro or weighted" {
    "micro" => Average::Micro,
    "macro" => Average::Macro,
    "weighted" => Average::Weighted,
});

settings!([] FBetaScore { "name": name, "beta": beta, "average" required: average, "threshold": threshold });
