//! Binary cross-entropy: ℓ = mean −[t·ln p + (1 − t)·ln(1 − p)], p = clip(y, ε, 1 − ε), or p = σ(y) from logits.
//! ∂ℓ/∂y = (p − t) / (p·(1 − p)·n), or (σ(y) − t)/n from logits.

use super::{Loss, LossFamily, Target, check_smoothing, clip_probability};
use crate::activation::sigmoid;
use crate::config::{saved, settings};
use crate::error::Result;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Cross-entropy of independent yes-or-no outputs.
///
/// ```text
/// ℓ = mean over the outputs of −[t·ln p + (1 − t)·ln(1 − p)]    p = clip(y, 1e-7, 1 − 1e-7)
/// ```
/// The gradient is 0 outside the clip. With [`from_logits`](BinaryCrossentropy::from_logits) nothing is clipped.
///
/// | setter | default |
/// |---|---|
/// | `from_logits` | false: the outputs are probabilities |
/// | `label_smoothing` | 0: `t ← t·(1 − s) + s/2` |
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{BinaryCrossentropy, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// BinaryCrossentropy::new().values(Batch::new(&[0.8], 1), Batch::new(&[1.0], 1), &mut value);
/// assert!((value[0] + 0.8f64.ln()).abs() < 1e-15);
///
/// let smoothed = BinaryCrossentropy::new().from_logits(true).label_smoothing(0.2);    // a target of 0.9
/// smoothed.values(Batch::new(&[0.0], 1), Batch::new(&[1.0], 1), &mut value);
/// assert!((value[0] - 2f64.ln()).abs() < 1e-15);
/// ```
///
/// # References
/// <https://keras.io/api/losses/probabilistic_losses/#binarycrossentropy-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct BinaryCrossentropy {
    from_logits: bool,
    label_smoothing: f64,
}

impl BinaryCrossentropy {
    /// Creates the loss for probabilities, without label smoothing.
    pub fn new() -> Self {
        BinaryCrossentropy::default()
    }

    /// Whether the outputs are logits; the loss then applies a numerically stable sigmoid. Default: false.
    pub fn from_logits(mut self, from_logits: bool) -> Self {
        self.from_logits = from_logits;
        self
    }

    /// The share `s` of each target that is moved to ½, from 0 to 1. Default: 0.
    pub fn label_smoothing(mut self, share: f64) -> Self {
        self.label_smoothing = share;
        self
    }

    fn smoothed<F: Scalar>(&self, t: F) -> F {
        t * F::of(1.0 - self.label_smoothing) + F::of(self.label_smoothing / 2.0)
    }
}

impl<F: Scalar> Loss<F> for BinaryCrossentropy {
    fn name(&self) -> &str {
        "binary_crossentropy"
    }

    saved!("keras.losses", "BinaryCrossentropy");

    fn target(&self) -> Target {
        Target::Probabilities
    }

    fn family(&self) -> LossFamily {
        LossFamily::CrossEntropy
    }

    fn check(&self, _: &[usize]) -> Result<()> {
        check_smoothing(self.label_smoothing)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn smoothing(&self) -> f64 {
        self.label_smoothing
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let one = F::one();
        for ((y, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            let each = y.iter().zip(t).map(|(&y, &t)| {
                let t = self.smoothed(t);
                if self.from_logits {
                    t * (-y).softplus() + (one - t) * y.softplus()
                } else {
                    let p = clip_probability(y).0;
                    -(t * p.logarithm() + (one - t) * (-p).logarithm_1p())
                }
            });
            *value = each.sum::<F>() / F::of(y.len() as f64);
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        let (one, width) = (F::one(), F::of(y_pred.width() as f64));
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            for ((dy, &y), &t) in dy.iter_mut().zip(y).zip(t) {
                let t = self.smoothed(t);
                *dy = scale / width
                    * if self.from_logits {
                        sigmoid(y) - t
                    } else {
                        let (p, slope) = clip_probability(y);
                        slope * ((one - t) / (one - p) - t / p)
                    };
            }
        }
    }
}

settings!([] BinaryCrossentropy { "from_logits": from_logits, "label_smoothing": label_smoothing } only { "axis": -1 });
