//! Categorical cross-entropy: ℓ = −Σ t·ln p, with p = clip(y/Σy, ε, 1 − ε), or p = softmax(y) from logits.
//! Inside the clip, ∂ℓ/∂yⱼ = (Σ t)/Σy − tⱼ/yⱼ, or softmax(y)ⱼ·Σt − tⱼ from logits.

use super::{Loss, LossFamily, Target, check_classes, check_smoothing, clip_probability};
use crate::config::{saved, settings};
use crate::error::Result;
use crate::kernel;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Cross-entropy between softmax outputs and one-hot rows or rows of probabilities.
///
/// ```text
/// ℓ = −Σ t·ln p    p = clip(y / Σ y, 1e-7, 1 − 1e-7)
/// ```
/// Values and gradients equal those of Keras 3 on JAX. The clip has its own gradient: **it is 0 for every
/// probability outside the bounds**. If the softmax is saturated on a wrong class (`ℓ = −ln 1e-7 = 16.118`), the
/// network learns nothing from that row. With [`from_logits`](CategoricalCrossentropy::from_logits) nothing is
/// clipped; use it with a linear last layer, without a softmax.
///
/// | setter | default |
/// |---|---|
/// | `from_logits` | false: the outputs are probabilities |
/// | `label_smoothing` | 0: `t ← t·(1 − s) + s / classes` |
///
/// # Shapes
/// Output `(..., classes)`, targets of the same shape. For class indices use
/// [`SparseCategoricalCrossentropy`](super::SparseCategoricalCrossentropy).
///
/// # Example
/// ```
/// use cornu::loss::{CategoricalCrossentropy, Loss};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// CategoricalCrossentropy::new().values(Batch::new(&[0.1, 0.7, 0.2], 3), Batch::new(&[0.0, 1.0, 0.0], 3), &mut value);
/// assert!((value[0] + 0.7f64.ln()).abs() < 1e-15);
///
/// let smoothed = CategoricalCrossentropy::new().from_logits(true).label_smoothing(0.1);
/// smoothed.values(Batch::new(&[5.0, 5.0], 2), Batch::new(&[0.0, 1.0], 2), &mut value);
/// assert!((value[0] - 2f64.ln()).abs() < 1e-15);
/// ```
///
/// # References
/// <https://keras.io/api/losses/probabilistic_losses/#categoricalcrossentropy-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct CategoricalCrossentropy {
    from_logits: bool,
    label_smoothing: f64,
}

impl CategoricalCrossentropy {
    /// Creates the loss for probabilities, without label smoothing.
    pub fn new() -> Self {
        CategoricalCrossentropy::default()
    }

    /// Whether the outputs are logits; the loss then applies a numerically stable softmax. Default: false.
    pub fn from_logits(mut self, from_logits: bool) -> Self {
        self.from_logits = from_logits;
        self
    }

    /// The share `s` of each target that is spread evenly over all classes, from 0 to 1. Default: 0.
    pub fn label_smoothing(mut self, share: f64) -> Self {
        self.label_smoothing = share;
        self
    }

    /// Returns the smoothed targets of a row.
    fn smoothed<'a, F: Scalar>(&self, t: &'a [F]) -> impl Iterator<Item = F> + Clone + use<'a, F> {
        let share = F::of(self.label_smoothing);
        let (kept, each) = (F::one() - share, share / F::of(t.len() as f64));
        t.iter().map(move |&t| t * kept + each)
    }
}

impl<F: Scalar> Loss<F> for CategoricalCrossentropy {
    fn name(&self) -> &str {
        "categorical_crossentropy"
    }

    saved!("keras.losses", "CategoricalCrossentropy");

    fn target(&self) -> Target {
        Target::Distribution
    }

    fn family(&self) -> LossFamily {
        LossFamily::CrossEntropy
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        check_smoothing(self.label_smoothing)?;
        check_classes(Loss::<F>::name(self), output)
    }

    fn takes_logits(&self) -> bool {
        self.from_logits
    }

    fn smoothing(&self) -> f64 {
        self.label_smoothing
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let mut rows = y_pred.iter().zip(y_true.iter()).zip(&mut *values);
        if self.from_logits {
            // −Σ t·(y − ln Σ e^y)
            kernel::sums_of_exponentials(y_pred, |max, sum| {
                let (log_sum, Some(((y, t), value))) = (sum.logarithm(), rows.next()) else { return };
                *value = -y.iter().zip(self.smoothed(t)).map(|(&y, t)| t * (y - max - log_sum)).sum::<F>();
            });
        } else {
            rows.for_each(|((y, t), value)| *value = from_probabilities(y, self.smoothed(t)));
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
        if self.from_logits {
            // ∂ℓ/∂yⱼ = softmax(y)ⱼ·Σt − tⱼ
            dy.data().copy_from_slice(y_pred.data());
            kernel::softmax(dy.reborrow());
            for ((dy, t), &scale) in dy.iter_mut().zip(y_true.iter()).zip(scale) {
                let total: F = self.smoothed(t).sum();
                dy.iter_mut().zip(self.smoothed(t)).for_each(|(dy, t)| *dy = scale * (*dy * total - t));
            }
            return;
        }
        for (((y, t), &scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            probabilities_gradient(y, self.smoothed(t), scale, dy);
        }
    }
}

/// −Σ t·ln clip(y/Σy).
pub(super) fn from_probabilities<F: Scalar>(y: &[F], t: impl Iterator<Item = F>) -> F {
    let sum: F = y.iter().copied().sum();
    -y.iter().zip(t).map(|(&y, t)| t * clip_probability(y / sum).0.logarithm()).sum::<F>()
}

/// With c the slope of the clip and q = t·c/p: ∂ℓ/∂yⱼ = (Σₖ qₖ·pₖ − qⱼ) / Σy.
pub(super) fn probabilities_gradient<F: Scalar>(
    y: &[F],
    t: impl Iterator<Item = F> + Clone,
    scale: F,
    dy: &mut [F],
) {
    let sum: F = y.iter().copied().sum();
    let mut dot = F::zero();
    for ((dy, &y), t) in dy.iter_mut().zip(y).zip(t) {
        let p = y / sum;
        let (clipped, slope) = clip_probability(p);
        *dy = t * slope / clipped;
        dot += *dy * p;
    }
    dy.iter_mut().for_each(|dy| *dy = scale * (dot - *dy) / sum);
}

settings!([] CategoricalCrossentropy { "from_logits": from_logits, "label_smoothing": label_smoothing } only { "axis": -1 });
