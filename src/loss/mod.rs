//! Losses: the functions that training minimizes.

#[cfg(test)]
mod accuracy;
mod binary;
mod categorical;
mod categorical_focal;
mod circle;
mod closure;
mod cosine;
mod divergence;
mod focal;
mod generalized;
mod hinge;
mod mean;
mod overlap;
mod regression;
mod relative;
mod robust;
mod sparse;
mod summed;

pub use binary::BinaryCrossentropy;
pub use categorical::CategoricalCrossentropy;
pub use categorical_focal::CategoricalFocalCrossentropy;
pub use circle::Circle;
pub use closure::{LossFn, loss_fn};
pub use cosine::CosineSimilarity;
pub use divergence::{KlDivergence, Poisson};
pub use focal::BinaryFocalCrossentropy;
pub use generalized::CategoricalGeneralizedCrossEntropy;
pub use hinge::{CategoricalHinge, Hinge, SquaredHinge};
pub use overlap::{Dice, Tversky};
pub use regression::{MeanAbsoluteError, MeanSquaredError};
pub use relative::{MeanAbsolutePercentageError, MeanSquaredLogarithmicError};
pub use robust::{Huber, LogCosh};
pub use sparse::SparseCategoricalCrossentropy;
pub use summed::Summed;

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::activation::Activation;
use crate::config::{Config, Constructor, Fields, Registry, Value, built_in, refuse};
use crate::error::{Error, ExpectedOutput, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Keras's global epsilon, at which probabilities are clipped.
pub(crate) const EPSILON: f64 = 1e-7;

/// A loss: one value per row, and the gradient of their weighted sum.
///
/// A row is a sample. If the output has steps, as in `(steps, classes)`, a row is one step of a sample. `fit` reports
/// `Σ wᵢ·ℓᵢ / n` over the `n` rows of a batch. As in Keras's `sum_over_batch_size`, the weights `wᵢ` scale the sum but
/// not `n`. [`Summed`] does not divide by `n`. The loss of an epoch is the mean over its batches, each weighted by its
/// number of samples.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use cornu::loss::Loss;
/// use cornu::tensor::{Batch, BatchMut};
///
/// /// ℓ = (y_pred − y_true)⁴ of a single output.
/// #[derive(Debug, Clone)]
/// struct Fourth;
///
/// impl<F: Scalar> Loss<F> for Fourth {
///     fn name(&self) -> &str { "fourth" }
///     fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
///         let errors = y_pred.data().iter().zip(y_true.data()).map(|(&p, &t)| p - t);
///         values.iter_mut().zip(errors).for_each(|(value, e)| *value = e.powi(4));
///         values.len()
///     }
///     fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], mut dy: BatchMut<F>) {
///         for (i, dy) in dy.data().iter_mut().enumerate() {
///             *dy = scale[i] * F::of(4.0) * (y_pred.data()[i] - y_true.data()[i]).powi(3);
///         }
///     }
/// }
/// let mut model = Sequential::new().input([3]).add(Dense::new(1));
/// model.compile(Sgd::new(0.01), Fourth, ())?;
///
/// let mut values = [0.0];
/// Fourth.values(Batch::new(&[3.0], 1), Batch::new(&[1.0], 1), &mut values);
/// assert_eq!(values, [16.0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Loss<F: Scalar>: DynClone + Debug + Send + Sync {
    /// The name of the loss in reports and files; for built-in losses, Keras's name.
    fn name(&self) -> &str;

    /// The settings of the loss, for files. Default: none; a model compiled with such a loss cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// Whether the model's outputs are logits, to which the loss applies a softmax or sigmoid. Default: false.
    fn takes_logits(&self) -> bool {
        false
    }

    /// The activation that turns the outputs into probabilities: [`Activation::Linear`] if they are probabilities. Default:
    /// by [`target`](Loss::target) and [`takes_logits`](Loss::takes_logits), and `None` for a loss of
    /// [`Target::Numbers`].
    ///
    /// Predicted classes, metrics and reports follow it.
    fn link(&self) -> Option<Activation> {
        match (self.target(), self.takes_logits()) {
            (Target::Numbers | Target::Labels, _) => None,
            (_, false) => Some(Activation::Linear),
            (Target::Probabilities, true) => Some(Activation::Sigmoid),
            (Target::Distribution | Target::Classes { .. }, true) => Some(Activation::Softmax),
        }
    }

    /// The share of each target that the loss spreads evenly over all classes. Default: 0.
    fn smoothing(&self) -> f64 {
        0.0
    }

    /// What the loss reads as targets. Default: [`Target::Numbers`].
    fn target(&self) -> Target {
        Target::Numbers
    }

    /// What the loss measures. Default: [`LossFamily::Other`], of which the diagnosis assumes nothing: it then has no rule
    /// about the last activation, and no loss of the best constant prediction.
    fn family(&self) -> LossFamily {
        LossFamily::Other
    }

    /// Whether the rows of a batch are summed, not averaged, as by [`Summed`]. Default: false.
    fn is_sum(&self) -> bool {
        false
    }

    /// Whether the value of a row depends on the other rows of the batch, as of [`Dice`] and [`Circle`]. A training or an evaluation
    /// on several ranks, and [`MeanLoss`](crate::metric::MeanLoss), refuse such a loss. Default: false.
    fn couples_rows(&self) -> bool {
        false
    }

    /// Refuses an output shape that the loss cannot handle. Default: accepts every shape.
    ///
    /// # Errors
    /// [`Error::LossOutput`] for the shape, [`Error::Argument`] for settings of the loss out of range.
    fn check(&self, output: &[usize]) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// Writes ℓ of each row to `values` and returns how many rows count: all, unless the loss ignores some.
    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize;

    /// Writes the gradient, `dyᵢ = scaleᵢ · ∂ℓᵢ/∂y_predᵢ` for each row `i`, or `Σⱼ scaleⱼ · ∂ℓⱼ/∂y_predᵢ` if the loss
    /// [couples rows](Loss::couples_rows); must overwrite all of `dy`.
    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>);
}

dyn_clone::clone_trait_object!(<F: Scalar> Loss<F>);

/// A loss that is chosen at run time.
impl<F: Scalar> Loss<F> for Box<dyn Loss<F>> {
    fn name(&self) -> &str {
        (**self).name()
    }

    fn config(&self) -> Option<Config> {
        (**self).config()
    }

    fn takes_logits(&self) -> bool {
        (**self).takes_logits()
    }

    fn link(&self) -> Option<Activation> {
        (**self).link()
    }

    fn smoothing(&self) -> f64 {
        (**self).smoothing()
    }

    fn target(&self) -> Target {
        (**self).target()
    }

    fn family(&self) -> LossFamily {
        (**self).family()
    }

    fn is_sum(&self) -> bool {
        (**self).is_sum()
    }

    fn couples_rows(&self) -> bool {
        (**self).couples_rows()
    }

    fn check(&self, output: &[usize]) -> Result<()> {
        (**self).check(output)
    }

    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize {
        (**self).values(y_pred, y_true, values)
    }

    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>) {
        (**self).gradient(y_pred, y_true, scale, dy);
    }
}

/// Returns the registry of the built-in losses.
pub(crate) fn registry<F: Scalar>() -> Registry<dyn Loss<F>> {
    let rows: Vec<Constructor<dyn Loss<F>>> = built_in![
        "BinaryCrossentropy": BinaryCrossentropy::new(),
        "BinaryFocalCrossentropy": BinaryFocalCrossentropy::new(),
        "CategoricalCrossentropy": CategoricalCrossentropy::new(),
        "CategoricalFocalCrossentropy": CategoricalFocalCrossentropy::new(),
        "CategoricalGeneralizedCrossEntropy": CategoricalGeneralizedCrossEntropy::new(),
        "CategoricalHinge": CategoricalHinge,
        "Circle": Circle::new(),
        "CosineSimilarity": CosineSimilarity,
        "Dice": Dice::new(),
        "Hinge": Hinge,
        "Huber": Huber::new(),
        "KLDivergence": KlDivergence,
        "LogCosh": LogCosh,
        "MeanAbsoluteError": MeanAbsoluteError,
        "MeanAbsolutePercentageError": MeanAbsolutePercentageError,
        "MeanSquaredError": MeanSquaredError,
        "MeanSquaredLogarithmicError": MeanSquaredLogarithmicError,
        "Poisson": Poisson,
        "SparseCategoricalCrossentropy": SparseCategoricalCrossentropy::new(),
        "SquaredHinge": SquaredHinge,
        "Tversky": Tversky::new(),
    ];
    Registry::new("loss", rows)
}

/// Returns a new loss with the settings of this one, if it is one of the crate's own.
///
/// The diagnosis evaluates it on constant predictions. A loss of another crate is never called for that: it may count its
/// calls, or accept only the shapes of its model.
pub(crate) fn copy_of_built_in<F: Scalar>(loss: &dyn Loss<F>) -> Option<Box<dyn Loss<F>>> {
    let config = loss.config().filter(Config::is_built_in)?;
    from_value(&Value::Config(Box::new(config)), "loss", &registry()).ok()
}

/// Keras's other names for its losses.
pub(crate) const ALIASES: [(&str, &str); 9] = [
    ("bce", "BinaryCrossentropy"),
    ("huber", "Huber"),
    ("kld", "KLDivergence"),
    ("logcosh", "LogCosh"),
    ("log_cosh", "LogCosh"),
    ("mae", "MeanAbsoluteError"),
    ("mape", "MeanAbsolutePercentageError"),
    ("mse", "MeanSquaredError"),
    ("msle", "MeanSquaredLogarithmicError"),
];

/// Constructs a loss from its settings or from Keras's name.
pub(crate) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    registry: &Registry<dyn Loss<F>>,
) -> Result<Box<dyn Loss<F>>> {
    let config = registry.config(value, path, "a loss", "keras.losses", &ALIASES)?;
    let mut fields = Fields::new(&config, format!("{path}.config"));
    for ignored in ["name", "dtype"] {
        fields.value(ignored);
    }
    let is_sum = match fields.value("reduction") {
        // Keras cannot train without a reduction, and evaluates the mean.
        None | Some(Value::Null) => false,
        Some(Value::Text(reduction)) if ["sum_over_batch_size", "mean", "none"].contains(&&**reduction) => {
            false
        }
        Some(Value::Text(reduction)) if reduction == "sum" => true,
        Some(other) => {
            return Err(refuse(
                &fields.path_of("reduction"),
                "sum_over_batch_size, mean, sum or none",
                other,
            ));
        }
    };
    let loss = registry.construct(&mut fields)?;
    fields.finish()?;
    Ok(if is_sum { Box::new(Summed::new(loss)) } else { loss })
}

/// What a loss reads as targets.
///
/// # Example
/// ```
/// use cornu::loss::{Loss, SparseCategoricalCrossentropy, Target};
/// let loss = SparseCategoricalCrossentropy::new();
/// assert_eq!(Loss::<f32>::target(&loss), Target::Classes { ignored: None });
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum Target {
    /// One number per output.
    Numbers,
    /// One probability per output, from 0 to 1 inclusive, independent of the others.
    Probabilities,
    /// One probability per class; those of a row sum to 1.
    Distribution,
    /// One class index per row.
    Classes {
        /// A target that means *no class*; rows with it do not contribute to the loss.
        ignored: Option<i64>,
    },
    /// One label per row, a whole number from 0 below 2³¹, in `f32` below 2²⁴; it is no index of an output.
    Labels,
}

/// What a loss measures.
///
/// # Example
/// ```
/// use cornu::loss::{Huber, Loss, LossFamily, MeanAbsoluteError};
/// assert_eq!(Loss::<f32>::family(&MeanAbsoluteError), LossFamily::AbsoluteError);
/// assert_eq!(Loss::<f32>::family(&Huber::new()), LossFamily::Distance);
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum LossFamily {
    /// The cross-entropy of the targets and the outputs, without factors.
    CrossEntropy,
    /// The mean of the squared errors, without factors; its best constant output is the mean of the targets.
    SquaredError,
    /// The mean of the absolute errors, relative or not; its best constant output is a median.
    AbsoluteError,
    /// Another distance between an output and its target.
    Distance,
    /// Anything else.
    #[default]
    Other,
}

/// Refuses an output of fewer than two classes.
fn check_classes(loss: &str, output: &[usize]) -> Result<()> {
    if output.last().is_none_or(|&classes| classes < 2) {
        return Err(Error::LossOutput {
            loss: loss.into(),
            output: output.to_vec(),
            expected: ExpectedOutput::Classes(2),
        });
    }
    Ok(())
}

/// Refuses a label smoothing outside [0, 1].
fn check_smoothing(smoothing: f64) -> Result<()> {
    if (0.0..=1.0).contains(&smoothing) {
        return Ok(());
    }
    Err(Error::argument("label_smoothing", "a number from 0 to 1", smoothing))
}

/// Clips a probability to [1e-7, 1 − 1e-7] and returns the slope of the clip: 1 inside, ½ on a bound, 0 outside.
fn clip_probability<F: Scalar>(p: F) -> (F, F) {
    let (low, high) = (F::of(EPSILON), F::one() - F::of(EPSILON));
    if p < low {
        (low, F::zero())
    } else if p > high {
        (high, F::zero())
    } else if p == low || p == high {
        (p, F::of(0.5))
    } else {
        (p, F::one())
    }
}
