//! The area under the ROC or the precision-recall curve, from counts at evenly spaced thresholds.

use super::{Goal, MAX_THRESHOLDS, Metric, probabilities, share, target_at, weight};
use crate::activation::Activation;
use crate::config::{saved, setters, settings, words};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::state::State;
use crate::tensor::Batch;

/// The curve of which [`Auc`] computes the area.
///
/// # Example
/// ```
/// use cornu::metric::{Auc, Curve, Metric};
/// use cornu::tensor::Batch;
/// let mut auc = Auc::new().curve(Curve::Pr);
/// auc.update(Batch::new(&[0.1f32, 0.9], 1), Batch::new(&[0.0, 1.0], 1), None);
/// assert!((Metric::<f32>::value(&auc) - 1.0).abs() < 1e-6);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum Curve {
    /// True positive rate over false positive rate.
    #[default]
    Roc,
    /// Precision over recall.
    Pr,
}

/// The height of the curve between two thresholds.
///
/// # Example
/// ```
/// use cornu::metric::{Auc, Metric, Summation};
/// use cornu::tensor::Batch;
/// let area = |summation| {
///     let mut auc = Auc::new().num_thresholds(3).summation(summation);
///     auc.update(Batch::new(&[0.0f32, 0.5, 0.3, 0.9], 1), Batch::new(&[0.0, 0.0, 1.0, 1.0], 1), None);
///     Metric::<f32>::value(&auc)
/// };
/// assert!(area(Summation::Minoring) < area(Summation::Majoring));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Summation {
    /// The mean of both ends; for [`Curve::Pr`], the counts are interpolated, not the precision.
    #[default]
    Interpolation,
    /// The lower end: a lower bound.
    Minoring,
    /// The higher end: an upper bound.
    Majoring,
}

/// The area under a curve, from decisions at `n` thresholds: `−1e-7, 1/(n−1) … (n−2)/(n−1), 1 + 1e-7`.
///
/// An output above the threshold is predicted positive; a target other than 0 is positive. The area under the ROC
/// curve is `Σ (xᵢ − xᵢ₊₁)·(yᵢ + yᵢ₊₁)/2` with `x = FP/(FP + TN)` and `y = TP/(TP + FN)`. A segment of the
/// precision-recall curve has area `s·(ΔTP + c·ln(Pᵢ/Pᵢ₊₁))/(TP + FN)` with `P = TP + FP`, `s = ΔTP/ΔP`, `c = TPᵢ₊₁ −
/// s·Pᵢ₊₁`.
///
/// | setter | default |
/// |---|---|
/// | `num_thresholds` | 200 |
/// | `thresholds`: those between 0 and 1 | evenly spaced |
/// | `curve` | [`Curve::Roc`] |
/// | `summation` | [`Summation::Interpolation`] |
/// | `from_logits` | false: outputs are probabilities, clipped to [0, 1], unless the loss takes logits |
/// | `multi_label` | false: all columns share one curve |
/// | `name` | `auc` |
///
/// # Shapes
/// Outputs `(…, classes)`; targets of the same shape, or one class index per row.
///
/// # Example
/// ```
/// use cornu::metric::{Auc, Metric};
/// use cornu::tensor::Batch;
/// let mut auc = Auc::new().num_thresholds(3);
/// auc.update(Batch::new(&[0.0f32, 0.5, 0.3, 0.9], 1), Batch::new(&[0.0, 0.0, 1.0, 1.0], 1), None);
/// assert_eq!(Metric::<f32>::value(&auc), 0.75);
///
/// let mut auc = Auc::new().from_logits(true).multi_label(true).name("auc_per_class");
/// auc.update(Batch::new(&[-2.0f32, 3.0, 1.0, -1.0], 2), Batch::new(&[0.0, 1.0, 1.0, 0.0], 2), None);
/// assert!((Metric::<f32>::value(&auc) - 1.0).abs() < 1e-6);
/// ```
///
/// # Errors
/// When training or evaluating: [`Error::Argument`] for fewer than 2 thresholds, and for one outside [0, 1].
///
/// # References
/// <https://keras.io/api/metrics/classification_metrics/#auc-class>;
/// Davis and Goadrich (2006), *The relationship between precision-recall and ROC curves*.
#[derive(Debug, Clone)]
pub struct Auc {
    name: String,
    num_thresholds: usize,
    /// The thresholds between the ends, if they are set.
    thresholds: Option<Vec<f64>>,
    curve: Curve,
    summation: Summation,
    from_logits: bool,
    multi_label: bool,
    /// The activation that turns the outputs into probabilities.
    link: Activation,
    /// The probabilities of a row.
    probabilities: Vec<f64>,
    /// For each curve, the positives and negatives between each threshold and the next.
    buckets: Vec<BinCounts>,
}

/// Positives and negatives: in a bucket, or among all predicted positive at a threshold.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct BinCounts {
    pub(super) positives: f64,
    pub(super) negatives: f64,
}

impl Auc {
    /// Creates the area under the ROC curve at 200 thresholds.
    pub fn new() -> Self {
        Auc {
            name: "auc".into(),
            num_thresholds: 200,
            thresholds: None,
            curve: Curve::Roc,
            summation: Summation::Interpolation,
            from_logits: false,
            multi_label: false,
            link: Activation::Linear,
            probabilities: Vec::new(),
            buckets: Vec::new(),
        }
    }

    setters! {
        /// The number of thresholds. Default: 200.
        num_thresholds: usize;
        /// The curve. Default: [`Curve::Roc`].
        curve: Curve;
        /// The height of the curve between thresholds. Default: [`Summation::Interpolation`].
        summation: Summation;
        /// Whether outputs are logits; a sigmoid is then applied first. Default: as the loss takes them, with its sigmoid
        /// or softmax.
        from_logits: bool;
        /// Whether each column has its own curve and the areas are averaged. Default: false.
        multi_label: bool;
    }

    /// The thresholds between 0 and 1. Default: evenly spaced.
    ///
    /// # Example
    /// ```
    /// use cornu::metric::{Auc, Metric};
    /// use cornu::tensor::Batch;
    /// let mut auc = Auc::new().thresholds([0.25, 0.5]);
    /// auc.update(Batch::new(&[0.3f32, 0.5, 0.4, 0.9], 1), Batch::new(&[0.0, 0.0, 1.0, 1.0], 1), None);
    /// assert_eq!(Metric::<f32>::value(&auc), 0.75);
    /// ```
    pub fn thresholds(mut self, thresholds: impl Into<Vec<f64>>) -> Self {
        let thresholds = thresholds.into();
        (self.num_thresholds, self.thresholds) = (thresholds.len() + 2, Some(thresholds));
        self
    }

    /// The number of intervals between thresholds.
    fn steps(&self) -> usize {
        self.thresholds.as_ref().map_or(self.num_thresholds.max(2) - 1, |thresholds| thresholds.len() + 1)
    }

    /// The name under which the metric is reported. Default: `auc`.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = name.into();
        self
    }

    /// The area under the curve of these buckets.
    fn area(&self, buckets: &[BinCounts]) -> f64 {
        let total = buckets.iter().fold(BinCounts::default(), |sum, bucket| sum.plus(bucket));
        let mut above = BinCounts::default();
        // From the highest threshold down, with each step's lower end as `from`.
        let area_between = |bucket: &BinCounts| {
            let to = above;
            above = above.plus(bucket);
            self.stretch(above, to, total)
        };
        buckets.iter().rev().map(area_between).sum()
    }

    /// The area between a threshold and the next higher one.
    fn stretch(&self, from: BinCounts, to: BinCounts, total: BinCounts) -> f64 {
        if (self.curve, self.summation) == (Curve::Pr, Summation::Interpolation) {
            let (rise, run) = (from.positives - to.positives, from.called() - to.called());
            let slope = share(rise, run);
            let intercept = to.positives - slope * to.called();
            let ratio =
                if from.called() > 0.0 && to.called() > 0.0 { from.called() / to.called() } else { 1.0 };
            return share(slope * (rise + intercept * ratio.logarithm()), total.positives);
        }
        let point = |at: BinCounts| {
            let recall = share(at.positives, total.positives);
            match self.curve {
                Curve::Roc => (share(at.negatives, total.negatives), recall),
                Curve::Pr => (recall, share(at.positives, at.called())),
            }
        };
        let ((x, y), (next_x, next_y)) = (point(from), point(to));
        let height = match self.summation {
            Summation::Interpolation => (y + next_y) / 2.0,
            Summation::Minoring => y.min(next_y),
            Summation::Majoring => y.max(next_y),
        };
        (x - next_x) * height
    }
}

impl BinCounts {
    pub(super) fn numbers(&mut self) -> [&mut f64; 2] {
        [&mut self.positives, &mut self.negatives]
    }

    pub(super) fn plus(self, other: &BinCounts) -> BinCounts {
        BinCounts { positives: self.positives + other.positives, negatives: self.negatives + other.negatives }
    }

    /// The number predicted positive, right or wrong.
    pub(super) fn called(self) -> f64 {
        self.positives + self.negatives
    }
}

impl Default for Auc {
    fn default() -> Self {
        Auc::new()
    }
}

impl<F: Scalar> Metric<F> for Auc {
    fn name(&self) -> &str {
        &self.name
    }

    saved!("keras.metrics", "AUC");

    fn outputs(&mut self, link: Activation) {
        self.link = link;
    }

    fn prepare(&mut self, _: &[usize], _: &[usize]) -> Result<()> {
        if !(2..=MAX_THRESHOLDS).contains(&self.num_thresholds) {
            let expected = format!("2 to {MAX_THRESHOLDS}");
            return Err(Error::argument("num_thresholds", expected, self.num_thresholds));
        }
        let mut thresholds = self.thresholds.iter().flatten();
        if let Some(&found) = thresholds.find(|threshold| !(0.0..=1.0).contains(*threshold)) {
            return Err(Error::argument("thresholds", "numbers from 0 to 1", found));
        }
        Ok(())
    }

    fn goal(&self) -> Goal {
        Goal::High
    }

    fn update(&mut self, y_pred: Batch<F>, y_true: Batch<F>, weights: Option<&[F]>) {
        let (width, steps) = (y_pred.width(), self.steps());
        let curves = if self.multi_label { width } else { 1 };
        self.buckets.resize(curves * steps, BinCounts::default());
        for (row, (p, t)) in y_pred.iter().zip(y_true.iter()).enumerate() {
            let weight = weight(weights, row);
            let of_logits = !self.from_logits && self.link != Activation::Linear;
            if of_logits {
                probabilities(&self.link, p, &mut self.probabilities);
            }
            for (column, &p) in p.iter().enumerate() {
                let p = match (self.from_logits, of_logits) {
                    (true, _) => F::one() / (F::one() + (-p).exponential()),
                    (_, true) => F::of(self.probabilities[column]),
                    _ => p,
                };
                let place = match &self.thresholds {
                    Some(thresholds) => thresholds.iter().filter(|&&threshold| p > F::of(threshold)).count(),
                    None => {
                        let place = p.max(F::zero()).min(F::one()) * F::of(steps as f64);
                        (place.ceil().as_f64() as usize).saturating_sub(1)
                    }
                };
                let bucket = &mut self.buckets[column % curves * steps + place];
                match target_at(t, column, width) != F::zero() {
                    true => bucket.positives += weight,
                    false => bucket.negatives += weight,
                }
            }
        }
    }

    fn value(&self) -> f64 {
        let steps = self.steps();
        let curves = self.buckets.len() / steps;
        self.buckets.chunks_exact(steps).map(|curve| self.area(curve)).sum::<f64>() / curves.max(1) as f64
    }

    fn reset(&mut self) {
        self.buckets.fill(BinCounts::default());
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.list("buckets", &mut self.buckets, BinCounts::default, |counts, state| {
            state.numbers("counts", counts.numbers())
        })
    }
}

words!(Curve, "ROC or PR" { "ROC" => Curve::Roc, "PR" => Curve::Pr });
words!(Summation, "interpolation, minoring or majoring" {
    "interpolation" => Summation::Interpolation,
    "minoring" => Summation::Minoring,
    "majoring" => Summation::Majoring,
});

settings!([] Auc {
    "name": name, "num_thresholds": num_thresholds, "thresholds": thresholds, "curve": curve, "summation_method": summation,
    "from_logits": from_logits, "multi_label": multi_label,
} ignore { "num_labels" });
