//! Losses: what a network is trained to make small.

mod binary;
mod categorical;
mod categorical_focal;
mod closure;
mod cosine;
mod divergence;
mod focal;
mod hinge;
mod mean;
mod regression;
mod relative;
mod robust;
mod sparse;

pub use binary::BinaryCrossentropy;
pub use categorical::CategoricalCrossentropy;
pub use categorical_focal::CategoricalFocalCrossentropy;
pub use closure::{LossFn, loss_fn};
pub use cosine::CosineSimilarity;
pub use divergence::{KlDivergence, Poisson};
pub use focal::BinaryFocalCrossentropy;
pub use hinge::{CategoricalHinge, Hinge, SquaredHinge};
pub use regression::{MeanAbsoluteError, MeanSquaredError};
pub use relative::{MeanAbsolutePercentageError, MeanSquaredLogarithmicError};
pub use robust::{Huber, LogCosh};
pub use sparse::SparseCategoricalCrossentropy;

use std::fmt::Debug;

use dyn_clone::DynClone;

use crate::config::{Config, Constructor, Fields, Registry, Value, built_in, refuse};
use crate::error::{Error, Result};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut};

/// Keras's global epsilon, the bound at which probabilities are clipped.
pub(crate) const EPSILON: f64 = 1e-7;

/// One value for each row, and the gradient of their weighted mean.
///
/// A row is a sample; where the output has steps, as in `(steps, classes)`, a row is a step of a sample.
/// `fit` reports `Σ wᵢ·ℓᵢ / n` over the `n` rows of a batch (Keras's `sum_over_batch_size`: the weights `wᵢ`
/// scale the sum and not `n`), and over an epoch the mean of these, each batch counting as its samples.
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
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait Loss<F: Scalar>: DynClone + Debug + Send + Sync {
    /// The loss's name, as Keras has it.
    fn name(&self) -> &str;

    /// The loss's settings, for files. Default: none to tell, and a model that is compiled with it cannot be saved.
    fn config(&self) -> Option<Config> {
        None
    }

    /// Whether the model's outputs are logits, which the loss takes through a softmax or a sigmoid itself.
    /// Default: no.
    fn takes_logits(&self) -> bool {
        false
    }

    /// The share of each target that the loss moves to all classes alike before it compares. Default: 0.
    fn smoothing(&self) -> f64 {
        0.0
    }

    /// What the loss reads as targets. Default: any numbers, one for each output.
    fn target(&self) -> Target {
        Target::Numbers
    }

    /// What the loss measures, for the diagnosis. Default: something else.
    fn family(&self) -> LossFamily {
        LossFamily::Other
    }

    /// Refuses an output of this shape that the loss cannot judge. Default: takes any.
    ///
    /// # Errors
    /// [`Error::LossOutput`].
    fn check(&self, output: &[usize]) -> Result<()> {
        let _ = output;
        Ok(())
    }

    /// Writes ℓ of each row, and tells how many rows count: all of them, unless the loss ignores some.
    fn values(&self, y_pred: Batch<F>, y_true: Batch<F>, values: &mut [F]) -> usize;

    /// `dyᵢ = scaleᵢ · ∂ℓᵢ/∂y_predᵢ`, row by row; all of `dy` is written.
    fn gradient(&self, y_pred: Batch<F>, y_true: Batch<F>, scale: &[F], dy: BatchMut<F>);
}

dyn_clone::clone_trait_object!(<F: Scalar> Loss<F>);

/// The registry of the built-in losses.
pub(crate) fn registry<F: Scalar>() -> Registry<dyn Loss<F>> {
    let rows: Vec<Constructor<dyn Loss<F>>> = built_in![
        "BinaryCrossentropy": BinaryCrossentropy::new(),
        "BinaryFocalCrossentropy": BinaryFocalCrossentropy::new(),
        "CategoricalCrossentropy": CategoricalCrossentropy::new(),
        "CategoricalFocalCrossentropy": CategoricalFocalCrossentropy::new(),
        "CategoricalHinge": CategoricalHinge,
        "CosineSimilarity": CosineSimilarity,
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
    ];
    Registry::new("loss", rows)
}

/// Keras's other names for its losses.
const ALIASES: [(&str, &str); 9] = [
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

/// Constructs it from its settings or from Keras's name for it.
pub(crate) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    registry: &Registry<dyn Loss<F>>,
) -> Result<Box<dyn Loss<F>>> {
    let named;
    let config = match value {
        Value::Config(config) => &**config,
        Value::Text(name) => {
            let kind = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
            let kind = kind.map(|(_, kind)| *kind).or_else(|| registry.named(name));
            let kind = kind.ok_or_else(|| refuse(path, "a loss of Keras", value))?;
            named = Config::of("keras.losses", kind);
            &named
        }
        _ => return Err(refuse(path, "a loss", value)),
    };
    let mut fields = Fields::new(config, format!("{path}.config"));
    for ignored in ["name", "dtype"] {
        fields.value(ignored);
    }
    fields.only("reduction", "sum_over_batch_size")?;
    let loss = registry.construct(&mut fields, &config.module)?;
    fields.finish()?;
    Ok(loss)
}

/// The settings of a loss that lists them.
macro_rules! saved {
    ($kind:expr) => {
        fn config(&self) -> Option<crate::config::Config> {
            Some(crate::config::Config::from_settings("keras.losses", $kind, self))
        }
    };
}
use saved;

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
    /// A number for each output.
    Numbers,
    /// A probability for each output, independent of the others: several may be 1.
    Probabilities,
    /// A probability for each class; those of a row add up to 1.
    Distribution,
    /// The index of a class for each row.
    Classes {
        /// An index that stands for *no class*: such rows cost nothing.
        ignored: Option<i64>,
    },
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
    /// The cross-entropy of the targets and the outputs.
    CrossEntropy,
    /// The mean of the squared errors; its best constant output is the mean of the targets.
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
            reason:
                "it needs at least 2 classes along the last axis; for one probability use BinaryCrossentropy"
                    .into(),
        });
    }
    Ok(())
}

/// Refuses a share of label smoothing outside [0, 1].
fn check_smoothing(smoothing: f64) -> Result<()> {
    if (0.0..=1.0).contains(&smoothing) {
        return Ok(());
    }
    Err(Error::argument("label_smoothing", "a number from 0 to 1", smoothing))
}

/// A probability within [1e-7, 1 − 1e-7], and the slope of that clip: 1 within, ½ on a bound, 0 outside.
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
