//! Losses of overlap: ℓ = 1 − N/D, with N and D linear in Σ t·y, Σ t and Σ y. ∂ℓ/∂y = (N·∂D/∂y − D·∂N/∂y) / D².

use super::{EPSILON, Loss};
use crate::config::{Setting, Value, axes_from_value, axes_to_value, saved, settings};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// The axes of the sums: none for the whole batch.
#[derive(Debug, Clone, Default, PartialEq)]
struct Axes(Option<Vec<isize>>);

impl Axes {
    /// Accepts the whole batch, or the last axis of `(batch, output)`.
    fn check(&self, output: &[usize]) -> Result<()> {
        let last = output.len() as isize;
        match &self.0 {
            Some(axes) if !matches!(**axes, [axis] if axis == -1 || axis == last) => {
                let expected = format!("none, for the whole batch, or -1 or {last}, the last axis");
                Err(Error::argument("axis", expected, format!("{axes:?}")))
            }
            _ => Ok(()),
        }
    }
}

impl Setting for Axes {
    const EXPECTED: &'static str = "an axis, a list of axes, or none";

    fn to_value(&self) -> Value {
        self.0.as_ref().map_or(Value::Null, |axes| axes_to_value(axes))
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        match value {
            Value::Null => Ok(Axes(None)),
            value => axes_from_value(value, path).map(|axes| Axes(Some(axes))),
        }
    }
}

/// N = `factor`·Σ t·y, and D = ε + the sums times these factors.
#[derive(Debug, Clone, Copy)]
struct Overlap {
    factor: f64,
    both: f64,
    target: f64,
    output: f64,
}

/// N and D of a group of outputs.
struct Fraction {
    numerator: f64,
    divisor: f64,
}

impl Overlap {
    fn of<F: Scalar>(&self, y: &[F], t: &[F]) -> Fraction {
        let sums = y.iter().zip(t).fold([0.0; 3], |[both, target, output], (y, t)| {
            let (y, t) = (y.as_f64(), t.as_f64());
            [both + t * y, target + t, output + y]
        });
        let [both, target, output] = sums;
        let divisor = self.both * both + self.target * target + self.output * output + EPSILON;
        Fraction { numerator: self.factor * both, divisor }
    }

    fn values<F: Scalar>(&self, axes: &Axes, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        let value = |y: &[F], t: &[F]| {
            let Fraction { numerator, divisor } = self.of(y, t);
            F::of(1.0 - numerator / divisor)
        };
        if axes.0.is_none() {
            values.fill(value(y_pred.data(), y_true.data()));
        } else {
            let rows = y_pred.iter().zip(y_true.iter()).zip(&mut *values);
            rows.for_each(|((y, t), to)| *to = value(y, t));
        }
        values.len()
    }

    fn gradient<F: Scalar>(
        &self,
        axes: &Axes,
        y_pred: Batch<F>,
        y_true: Batch<F>,
        scale: &[F],
        mut dy: BatchMut<F>,
    ) {
        let slopes = |y: &[F], t: &[F], scale: f64, dy: &mut [F]| {
            let Fraction { numerator, divisor } = self.of(y, t);
            let share = numerator / divisor;
            let of_target = F::of(scale * (share * self.both - self.factor) / divisor);
            let of_all = F::of(scale * share * self.output / divisor);
            dy.iter_mut().zip(t).for_each(|(dy, &t)| *dy = of_target * t + of_all);
        };
        if axes.0.is_none() {
            // Each row has the value of the batch, so its scale adds to the gradient of all.
            let scale = scale.iter().map(|scale| scale.as_f64()).sum();
            slopes(y_pred.data(), y_true.data(), scale, dy.data());
        } else {
            let rows = y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut());
            rows.for_each(|(((y, t), scale), dy)| slopes(y, t, scale.as_f64(), dy));
        }
    }
}

/// The methods of [`Loss`] that follow from the fields `axis` and the method `overlap`.
macro_rules! of_overlap {
    () => {
        fn couples_rows(&self) -> bool {
            self.axis.0.is_none()
        }

        fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
            self.overlap().values(&self.axis, y_pred, y_true, values)
        }

        fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
            self.overlap().gradient(&self.axis, y_pred, y_true, scale, dy);
        }
    };
}

/// The Dice loss, one minus twice the overlap of outputs and targets over their sum, for segmentation.
///
/// ```text
/// ℓ = 1 − 2·Σ t·y / (Σ t + Σ y + 1e-7)
/// ```
/// The sums are over the whole batch, all rows and outputs; with `axis([-1])` over each row. Without it, each row
/// has the loss of the batch. A training on several ranks refuses a loss of whole batches.
///
/// | setter | default |
/// |---|---|
/// | `axis` | none: the whole batch |
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Dice, Loss};
/// use cornu::tensor::Batch;
/// let (y_pred, y_true) = (Batch::new(&[0.5f64, 0.5, 1.0, 0.0], 2), Batch::new(&[1.0, 0.0, 1.0, 0.0], 2));
/// let mut values = [0.0; 2];
/// Dice::new().values(y_pred, y_true, &mut values);
/// assert!(values.iter().all(|value| (value - 0.25).abs() < 1e-7));
/// Dice::new().axis([-1]).values(y_pred, y_true, &mut values);
/// assert!((values[0] - 0.5).abs() < 1e-7 && values[1].abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] for an axis other than the last.
///
/// # References
/// Milletari et al. (2016), *V-Net: fully convolutional neural networks for volumetric medical image segmentation*;
/// <https://keras.io/api/losses/regression_losses/#dice-class>
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Dice {
    axis: Axes,
}

impl Dice {
    /// Creates the loss of whole batches.
    pub fn new() -> Self {
        Dice::default()
    }

    /// The axes of the sums, in which 0 is the batch; supported is the last, `[-1]`. Default: all.
    pub fn axis(mut self, axis: impl Into<Vec<isize>>) -> Self {
        self.axis = Axes(Some(axis.into()));
        self
    }

    fn overlap(&self) -> Overlap {
        Overlap { factor: 2.0, both: 0.0, target: 1.0, output: 1.0 }
    }
}

impl<F: Scalar> Loss<F> for Dice {
    fn name(&self) -> &str {
        "dice"
    }

    saved!("keras.losses", "Dice");

    fn check(&self, output: &[usize]) -> Result<()> {
        self.axis.check(output)
    }

    of_overlap!();
}

/// The Tversky loss: [`Dice`] with weights of false negatives and false positives.
///
/// ```text
/// ℓ = 1 − Σ t·y / (Σ t·y + α·Σ t·(1 − y) + β·Σ (1 − t)·y + 1e-7)
/// ```
/// As in Keras, `alpha` weights what the outputs miss and `beta` what they add. With both at ½ the loss is that of Dice. The sums
/// are over the whole batch, as those of [`Dice`].
///
/// | setter | default |
/// |---|---|
/// | `alpha` α, `beta` β | 0.5 |
/// | `axis` | none: the whole batch |
///
/// # Shapes
/// Output `(..., outputs)`, targets of the same shape; for one output also `(...)`.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, Tversky};
/// use cornu::tensor::Batch;
/// let mut value = [0.0f64];
/// let (y_pred, y_true) = (Batch::new(&[1.0, 0.0, 1.0], 3), Batch::new(&[1.0, 1.0, 0.0], 3));
/// Tversky::new().alpha(2.0).beta(1.0).values(y_pred, y_true, &mut value);
/// assert!((value[0] - 0.75).abs() < 1e-7);
/// ```
///
/// # Errors
/// At `compile`: [`Error::Argument`] for a weight that is negative or not finite, and for an axis other than the last.
///
/// # References
/// Salehi et al. (2017), *Tversky loss function for image segmentation using 3D fully convolutional deep networks*;
/// <https://keras.io/api/losses/regression_losses/#tversky-class>
#[derive(Debug, Clone, PartialEq)]
pub struct Tversky {
    alpha: f64,
    beta: f64,
    axis: Axes,
}

impl Tversky {
    /// Creates the loss of whole batches with both weights at ½.
    pub fn new() -> Self {
        Tversky { alpha: 0.5, beta: 0.5, axis: Axes(None) }
    }

    /// The weight α of `Σ t·(1 − y)`. Default: 0.5.
    pub fn alpha(mut self, alpha: f64) -> Self {
        self.alpha = alpha;
        self
    }

    /// The weight β of `Σ (1 − t)·y`. Default: 0.5.
    pub fn beta(mut self, beta: f64) -> Self {
        self.beta = beta;
        self
    }

    /// The axes of the sums, in which 0 is the batch; supported is the last, `[-1]`. Default: all.
    pub fn axis(mut self, axis: impl Into<Vec<isize>>) -> Self {
        self.axis = Axes(Some(axis.into()));
        self
    }

    fn overlap(&self) -> Overlap {
        let (target, output) = (self.alpha, self.beta);
        Overlap { factor: 1.0, both: 1.0 - target - output, target, output }
    }
}

impl Default for Tversky {
    fn default() -> Self {
        Tversky::new()
    }
}

impl<F: Scalar> Loss<F> for Tversky {
    fn name(&self) -> &str {
        "tversky"
    }

    saved!("keras.losses", "Tversky");

    fn check(&self, output: &[usize]) -> Result<()> {
        for (argument, weight) in [("alpha", self.alpha), ("beta", self.beta)] {
            if !(0.0..=f64::MAX).contains(&weight) {
                return Err(Error::argument(argument, "a finite number of at least 0", weight));
            }
        }
        self.axis.check(output)
    }

    of_overlap!();
}

settings!([] Dice { "axis": axis });
settings!([] Tversky { "alpha": alpha, "beta": beta, "axis": axis });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn invalid_settings_are_refused() {
        let losses: [(&dyn Loss<f32>, &str); 4] = [
            (&Dice::new().axis([1, 2]), "axis"),
            (&Dice::new().axis([0]), "axis"),
            (&Tversky::new().alpha(-1.0), "alpha"),
            (&Tversky::new().beta(f64::NAN), "beta"),
        ];
        for (loss, argument) in losses {
            let found = loss.check(&[4, 3]);
            let named = matches!(found, Err(Error::Argument { argument: a, .. }) if a == argument);
            assert!(named, "{argument}: {found:?}");
        }
        assert!(Loss::<f32>::check(&Dice::new().axis([2]), &[4, 3]).is_ok());
    }
}
