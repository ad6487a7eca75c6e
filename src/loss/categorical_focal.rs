//! Categorical focal cross-entropy: ℓ = −Σ α·(1 − p)^γ·t·ln p, p = clip(y/Σy, ε, 1 − ε).
//! With g = α·t·(γ·(1 − p)^(γ−1)·ln p − (1 − p)^γ/p): ∂ℓ/∂y = (g − Σ g·p)/Σy, or p·(g − Σ g·p) from logits.

use super::focal::{check_gamma, focal_setters, power};
use super::{Loss, Target, check_classes, check_smoothing, clip_probability};
use crate::config::{Setting, Value, saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Categorical cross-entropy that gives most weight to rows that are still wrong.
///
/// ```text
/// ℓ = Σ α·(1 − p)^γ · (−t·ln p)    p = clip(y / Σ y, 1e-7, 1 − 1e-7)
/// ```
///
/// | setter | default |
/// |---|---|
/// | `alpha` α, one number or one per class | 0.25 |
/// | `gamma` γ | 2 |
/// | `from_logits` | false; true applies the softmax first |
/// | `label_smoothing` | 0: `t ← t·(1 − s) + s/classes` |
///
/// # Shapes
/// Output `(..., classes)`, targets of the same shape.
///
/// # Example
/// ```
/// use cornu::loss::{CategoricalFocalCrossentropy, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// let loss = CategoricalFocalCrossentropy::new();
/// loss.values(Batch::new(&[0.2, 0.8], 2), Batch::new(&[0.0, 1.0], 2), &mut value);
/// assert!((value[0] + 0.25 * 0.04 * 0.8f64.ln()).abs() < 1e-12);
///
/// let loss = loss.alpha_per_class([0.25, 0.5]).gamma(1.0);
/// loss.values(Batch::new(&[0.2, 0.8], 2), Batch::new(&[0.0, 1.0], 2), &mut value);
/// assert!((value[0] + 0.5 * 0.2 * 0.8f64.ln()).abs() < 1e-12);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] if an alpha or gamma is negative, or if the number of alphas is neither 1 nor
/// the number of classes.
///
/// # References
/// Lin et al. (2017), *Focal loss for dense object detection*;
/// <https://keras.io/api/losses/probabilistic_losses/#categoricalfocalcrossentropy-class>
#[derive(Debug, Clone, PartialEq)]
pub struct CategoricalFocalCrossentropy {
    alpha: PerClass,
    gamma: f64,
    from_logits: bool,
    label_smoothing: f64,
}

/// One number for all classes, or one per class.
#[derive(Debug, Clone, PartialEq)]
struct PerClass(Vec<f64>);

impl Setting for PerClass {
    const EXPECTED: &'static str = "a number, or one for each class";

    fn to_value(&self) -> Value {
        match *self.0 {
            [one] => one.into(),
            _ => self.0.to_value(),
        }
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::List(_) => Vec::from_value(value, path).map(PerClass),
            _ => Ok(PerClass(vec![f64::from_value(value, path)?])),
        }
    }
}

impl CategoricalFocalCrossentropy {
    /// Creates the loss for probabilities, with Keras's defaults.
    pub fn new() -> Self {
        CategoricalFocalCrossentropy {
            alpha: PerClass(vec![0.25]),
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
        }
    }

    /// The weight α of every class. Default: 0.25.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = PerClass(vec![alpha]);
        self
    }

    /// The weight α of each class, one number per class. Default: 0.25 each.
    pub fn alpha_per_class(mut self, alpha: impl Into<Vec<f64>>) -> Self {
        self.alpha = PerClass(alpha.into());
        self
    }

    focal_setters!();

    /// Returns α and the smoothed target of class `i`.
    fn class<F: Scalar>(&self, i: usize, t: &[F]) -> (F, F) {
        let alpha = if self.alpha.0.len() == 1 { self.alpha.0[0] } else { self.alpha.0[i] };
        let share = self.label_smoothing;
        (F::of(alpha), t[i] * F::of(1.0 - share) + F::of(share / t.len() as f64))
    }
}

impl Default for CategoricalFocalCrossentropy {
    fn default() -> Self {
        CategoricalFocalCrossentropy::new()
    }
}

/// Returns the probability of a class: `exp(y − max)/sum` for a logit, `y/sum` otherwise.
fn probability<F: Scalar>(y: F, logits: Option<F>, sum: F) -> F {
    logits.map_or(y, |max| (y - max).exponential()) / sum
}

/// Returns the largest logit, if the outputs are logits, and the divisor of the probabilities.
fn scale_of<F: Scalar>(y: &[F], from_logits: bool) -> (Option<F>, F) {
    let max = from_logits.then(|| y.iter().copied().fold(-F::infinity(), F::max));
    (max, y.iter().map(|&y| probability(y, max, F::one())).sum())
}

impl<F: Scalar> Loss<F> for CategoricalFocalCrossentropy {
    fn name(&self) -> &str {
        "categorical_focal_crossentropy"
    }

    saved!("keras.losses", "CategoricalFocalCrossentropy");

    fn target(&self) -> Target {
        Target::Distribution
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        let classes = output.last().copied().unwrap_or(1);
        if self.alpha.0.len() != 1 && self.alpha.0.len() != classes {
            return Err(Error::argument("alpha", format!("1 or {classes} numbers"), self.alpha.0.len()));
        }
        if let Some(alpha) = self.alpha.0.iter().find(|&&alpha| !(alpha >= 0.0 && alpha.is_finite())) {
            return Err(Error::argument("alpha", "finite numbers of at least 0", alpha));
        }
        check_gamma(self.gamma)?;
        check_smoothing(self.label_smoothing)?;
        check_classes(Loss::<F>::name(self), output)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let gamma = F::of(self.gamma);
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            let (max, sum) = scale_of(y, self.from_logits);
            let each = (0..y.len()).map(|i| {
                let (p, (alpha, t)) = (clip_probability(probability(y[i], max, sum)).0, self.class(i, t));
                -alpha * power(F::one() - p, gamma).0 * t * p.logarithm()
            });
            *value = each.sum();
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        let gamma = F::of(self.gamma);
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            let (max, sum) = scale_of(y, self.from_logits);
            // ∂ℓ/∂p, and the correction for the division by the sum.
            let mut dot = F::zero();
            for (i, dy) in dy.iter_mut().enumerate() {
                let raw = probability(y[i], max, sum);
                let ((p, slope), (alpha, t)) = (clip_probability(raw), self.class(i, t));
                let (weight, rise) = power(F::one() - p, gamma);
                *dy = slope * alpha * t * (rise * p.logarithm() - weight / p);
                dot += *dy * raw;
            }
            for (i, dy) in dy.iter_mut().enumerate() {
                let inner = if max.is_some() { probability(y[i], max, sum) } else { F::one() / sum };
                *dy = scale * (*dy - dot) * inner;
            }
        }
    }
}

settings!([] CategoricalFocalCrossentropy {
    "from_logits": from_logits, "label_smoothing": label_smoothing, "alpha": alpha, "gamma": gamma,
} only { "axis": -1 });
