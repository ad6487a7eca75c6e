//! Regularizers: penalties on large numbers. L1: l1·Σ|w|, slope l1·sign w. L2: l2·Σw², slope 2·l2·w.

use crate::config::{Config, Fields, Setting, Value, refuse};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// A penalty on a parameter or on the output of a layer, added to the loss.
///
/// | variant | penalty |
/// |---|---|
/// | `L1(a)` | `a · Σ abs w` |
/// | `L2(a)` | `a · Σ w²`, without a ½ |
/// | `L1L2 { l1, l2 }` | both |
///
/// Keras's default for `a` is 0.01. The penalty of a parameter is added once per batch, whatever the number of rows;
/// that of an output is divided by the number of rows. Both are part of the reported loss and of the validation loss.
/// They are independent of sample and class weights. A frozen layer has no penalty. The slope of `abs w` at 0 is +1,
/// as in Keras on JAX.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new()
///     .seed(1)
///     .input([2])
///     .add(Dense::new(1).kernel_regularizer(Regularizer::L2(0.5)).name("F1"));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// model.set_weight("F1/kernel", &ndarray::array![[1.0], [2.0]])?;
/// let scores = model.evaluate(&ndarray::array![[0.0, 0.0]], &ndarray::array![0.0], &Evaluate::new())?;
/// assert_eq!(scores.get("loss"), Some(2.5));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/regularizers/>
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Regularizer {
    /// The sum of magnitudes.
    L1(f64),
    /// The sum of squares.
    L2(f64),
    /// Both.
    L1L2 {
        /// The factor of the magnitudes.
        l1: f64,
        /// The factor of the squares.
        l2: f64,
    },
}

impl Regularizer {
    /// Returns the penalty with its factors multiplied by `factor`.
    pub(crate) fn times(self, factor: f64) -> Self {
        match self {
            Regularizer::L1(l1) => Regularizer::L1(l1 * factor),
            Regularizer::L2(l2) => Regularizer::L2(l2 * factor),
            Regularizer::L1L2 { l1, l2 } => Regularizer::L1L2 { l1: l1 * factor, l2: l2 * factor },
        }
    }

    fn factors(&self) -> (f64, f64) {
        match *self {
            Regularizer::L1(l1) => (l1, 0.0),
            Regularizer::L2(l2) => (0.0, l2),
            Regularizer::L1L2 { l1, l2 } => (l1, l2),
        }
    }

    /// Refuses factors that are negative or not finite.
    pub(crate) fn check(&self) -> Result<()> {
        let (l1, l2) = self.factors();
        match [l1, l2].into_iter().find(|factor| !factor.is_finite() || *factor < 0.0) {
            Some(found) => Err(Error::argument("regularizer", "finite factors of at least 0", found)),
            None => Ok(()),
        }
    }

    /// l1·Σ|w| + l2·Σw².
    pub(crate) fn penalty<F: Scalar>(&self, values: &[F]) -> f64 {
        let (l1, l2) = self.factors();
        let cost = |w: f64| l1 * w.abs() + l2 * w * w;
        values.iter().map(|w| cost(w.as_f64())).sum()
    }

    /// `grad += scale · (l1·sign w + 2·l2·w)`.
    pub(crate) fn add_slope<F: Scalar>(&self, values: &[F], scale: f64, grad: &mut [F]) {
        let (l1, l2) = self.factors();
        let (l1, l2) = (F::of(scale * l1), F::of(scale * 2.0 * l2));
        for (grad, &w) in grad.iter_mut().zip(values) {
            *grad += l2 * w + if w < F::zero() { -l1 } else { l1 };
        }
    }
}

impl Setting for Regularizer {
    const EXPECTED: &'static str = "an L1, L2 or L1L2 regularizer of Keras";

    fn to_value(&self) -> Value {
        let of = |kind| Config::of("keras.regularizers", kind);
        let config = match *self {
            Regularizer::L1(l1) => of("L1").with("l1", l1),
            Regularizer::L2(l2) => of("L2").with("l2", l2),
            Regularizer::L1L2 { l1, l2 } => of("L1L2").with("l1", l1).with("l2", l2),
        };
        config.into()
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        let mut fields = Fields::of_keras(value, path, Self::EXPECTED)?;
        let regularizer = match fields.kind() {
            "L1" => Regularizer::L1(fields.get("l1")?),
            "L2" => Regularizer::L2(fields.get("l2")?),
            "L1L2" => Regularizer::L1L2 { l1: fields.get("l1")?, l2: fields.get("l2")? },
            _ => return Err(refuse(path, Self::EXPECTED, value)),
        };
        fields.finish()?;
        Ok(regularizer)
    }
}
