//! Binary focal cross-entropy: cross-entropy times (1 − q)^γ, so that outputs that are already right weigh little.

use super::{Loss, Target, check_smoothing, clip_probability};
use crate::activation::sigmoid;
use crate::config::{saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Binary cross-entropy that gives most weight to outputs that are still wrong.
///
/// ```text
/// ℓ = mean a·(1 − q)^γ · BCE(t, p)    q = t·p + (1 − t)·(1 − p)    a = t·α + (1 − t)·(1 − α) if balanced, else 1
/// ```
///
/// | setter | default |
/// |---|---|
/// | `apply_class_balancing` | false |
/// | `alpha` α | 0.25 |
/// | `gamma` γ | 2 |
/// | `from_logits` | false; true applies the sigmoid first |
/// | `label_smoothing` | 0: `t ← t·(1 − s) + s/2` |
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{BinaryFocalCrossentropy, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// BinaryFocalCrossentropy::new().values(Batch::new(&[0.8], 1), Batch::new(&[1.0], 1), &mut value);
/// assert!((value[0] + 0.04 * 0.8f64.ln()).abs() < 1e-12);
///
/// let balanced = BinaryFocalCrossentropy::new().gamma(1.0).apply_class_balancing(true).alpha(0.75);
/// balanced.values(Batch::new(&[0.8], 1), Batch::new(&[1.0], 1), &mut value);
/// assert!((value[0] + 0.75 * 0.2 * 0.8f64.ln()).abs() < 1e-12);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] if alpha is outside [0, 1] or gamma is negative.
///
/// # References
/// Lin et al. (2017), *Focal loss for dense object detection*;
/// <https://keras.io/api/losses/probabilistic_losses/#binaryfocalcrossentropy-class>
#[derive(Debug, Clone, PartialEq)]
pub struct BinaryFocalCrossentropy {
    apply_class_balancing: bool,
    alpha: f64,
    gamma: f64,
    from_logits: bool,
    label_smoothing: f64,
}

/// The setters that both focal losses share.
macro_rules! focal_setters {
    () => {
        crate::config::setters! {
            /// The exponent γ: the larger, the less an output that is nearly right weighs. Default: 2.
            gamma: f64;
            /// Whether the outputs are logits. Default: false.
            from_logits: bool;
            /// The share `s` of each target that is spread evenly over the classes, from 0 to 1. Default: 0.
            label_smoothing: f64;
        }
    };
}

impl BinaryFocalCrossentropy {
    /// Creates the loss for probabilities, with Keras's defaults.
    pub fn new() -> Self {
        BinaryFocalCrossentropy {
            apply_class_balancing: false,
            alpha: 0.25,
            gamma: 2.0,
            from_logits: false,
            label_smoothing: 0.0,
        }
    }

    /// Whether targets of 1 are weighted by `α` and targets of 0 by `1 − α`. Default: false.
    pub fn apply_class_balancing(mut self, balance: bool) -> Self {
        self.apply_class_balancing = balance;
        self
    }

    /// The weight α of targets of 1 if classes are balanced. Default: 0.25.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    focal_setters!();

    /// Returns ℓ of one output, and its slope.
    fn at<F: Scalar>(&self, y: F, t: F) -> (F, F) {
        let (one, gamma) = (F::one(), F::of(self.gamma));
        let t = t * F::of(1.0 - self.label_smoothing) + F::of(self.label_smoothing / 2.0);
        let (p, inner) = match self.from_logits {
            true => (sigmoid(y), sigmoid(y) * (one - sigmoid(y))),
            false => (y, one),
        };
        let (clipped, slope) = clip_probability(p);
        let entropy = -(t * clipped.logarithm() + (one - t) * (-clipped).logarithm_1p());
        let entropy_slope = slope * ((one - t) / (one - clipped) - t / clipped);
        let wrong = t * (one - p) + (one - t) * p;
        let (weight, weight_slope) = power(wrong, gamma);
        let balance = match self.apply_class_balancing {
            true => t * F::of(self.alpha) + (one - t) * F::of(1.0 - self.alpha),
            false => one,
        };
        let value = balance * weight * entropy;
        let rise = weight_slope * (one - t - t) * entropy + weight * entropy_slope;
        (value, balance * rise * inner)
    }
}

impl Default for BinaryFocalCrossentropy {
    fn default() -> Self {
        BinaryFocalCrossentropy::new()
    }
}

pub(super) use focal_setters;

/// Returns x^γ and its slope; the slope is 0 for γ = 0.
pub(super) fn power<F: Scalar>(x: F, gamma: F) -> (F, F) {
    let slope = if gamma == F::zero() { F::zero() } else { gamma * x.power(gamma - F::one()) };
    (x.power(gamma), slope)
}

/// Refuses a negative exponent.
pub(super) fn check_gamma(gamma: f64) -> Result<()> {
    if gamma >= 0.0 && gamma.is_finite() {
        return Ok(());
    }
    Err(Error::argument("gamma", "a finite number of at least 0", gamma))
}

impl<F: Scalar> Loss<F> for BinaryFocalCrossentropy {
    fn name(&self) -> &str {
        "binary_focal_crossentropy"
    }

    saved!("keras.losses", "BinaryFocalCrossentropy");

    fn target(&self) -> Target {
        Target::Probabilities
    }

    fn check(&self, _: &[usize]) -> Result<()> {
        if !(0.0..=1.0).contains(&self.alpha) {
            return Err(Error::argument("alpha", "a number from 0 to 1", self.alpha));
        }
        check_gamma(self.gamma)?;
        check_smoothing(self.label_smoothing)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        super::mean::mean_rows(y_pred, y_true, values, |y, t| self.at(y, t).0)
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        super::mean::mean_slopes(y_pred, y_true, scale, dy, |y, t| self.at(y, t).1);
    }
}

settings!([] BinaryFocalCrossentropy {
    "from_logits": from_logits, "label_smoothing": label_smoothing,
    "apply_class_balancing": apply_class_balancing, "alpha": alpha, "gamma": gamma,
} only { "axis": -1 });
