//! Initializers: the distributions of initial parameter values, with Keras's names and formulas.

mod config;
mod orthogonal;

use crate::error::{Error, ExpectedShape, Result};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::elements;

/// The distribution of the initial values of a parameter.
///
/// `fan_in` and `fan_out` are the numbers of inputs and outputs of the parameter: for a Dense kernel its rows and
/// columns, for a convolution each times the size of the kernel.
///
/// | initializer | values |
/// |---|---|
/// | `GlorotUniform` | uniform in `±√(6 / (fan_in + fan_out))` |
/// | `GlorotNormal` | normal, `σ² = 2 / (fan_in + fan_out)` |
/// | `HeUniform`, `HeNormal` | uniform in `±√(6 / fan_in)`; normal, `σ² = 2 / fan_in` |
/// | `LecunUniform`, `LecunNormal` | uniform in `±√(3 / fan_in)`; normal, `σ² = 1 / fan_in` |
/// | `VarianceScaling` | variance `scale / fan`, of any fan and distribution |
///
/// *Normal* means truncated at two standard deviations by redrawing, and widened so that `σ` is the deviation after
/// truncation.
///
/// # References
/// Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward neural networks*;
/// He et al. (2015), *Delving deep into rectifiers*; LeCun et al. (1998), *Efficient backprop*; Saxe et al. (2013),
/// *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks*;
/// <https://keras.io/api/layers/initializers/>.
///
/// # Example
/// ```
/// use cornu::ndarray::array;
/// use cornu::prelude::*;
/// let mut model =
/// Sequential::<f32>::new().input([2]).add(Dense::new(1).kernel_initializer(Initializer::Ones).name("F1"));
/// model.build()?;
/// assert_eq!(model.weight("F1/kernel")?, array![[1.0], [1.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Initializer {
    /// All values are 0.
    Zeros,
    /// All values are 1.
    Ones,
    /// All values are this number.
    Constant(f64),
    /// Normal; Keras's defaults are `mean: 0.0, stddev: 0.05`.
    RandomNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        stddev: f64,
    },
    /// Normal, redrawn if it falls more than two `stddev` from the mean, which leaves a standard deviation of 0.88
    /// `stddev`.
    TruncatedNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation before the cut.
        stddev: f64,
    },
    /// Uniform in `[low, high)`; Keras's defaults are ±0.05.
    RandomUniform {
        /// The lower end.
        low: f64,
        /// The upper end.
        high: f64,
    },
    /// Glorot's uniform rule, the default for kernels.
    GlorotUniform,
    /// Glorot's normal rule.
    GlorotNormal,
    /// He's uniform rule, for ReLU.
    HeUniform,
    /// He's normal rule, for ReLU.
    HeNormal,
    /// LeCun's uniform rule.
    LecunUniform,
    /// LeCun's normal rule, for SELU.
    LecunNormal,
    /// Variance `scale / fan`; Keras's defaults are `1.0`, [`Fan::In`], [`Distribution::TruncatedNormal`].
    VarianceScaling {
        /// The variance times the fan.
        scale: f64,
        /// The fan by which the scale is divided.
        fan: Fan,
        /// The distribution.
        distribution: Distribution,
    },
    /// A random matrix with orthogonal rows or columns of length `gain`; the default for recurrent kernels, with gain
    /// 1.
    ///
    /// The matrix has the last axis as its columns and all other axes as its rows.
    Orthogonal {
        /// The length of the rows or columns.
        gain: f64,
    },
    /// A matrix with `gain` on the diagonal and 0 elsewhere.
    Identity {
        /// The values on the diagonal.
        gain: f64,
    },
}

/// The fan by which the variance is divided.
///
/// # Example
/// ```
/// use cornu::initializer::{Distribution, Fan, Initializer};
/// let he = Initializer::VarianceScaling { scale: 2.0, fan: Fan::In, distribution: Distribution::TruncatedNormal };
/// assert!(matches!(he, Initializer::VarianceScaling { fan: Fan::In, .. }));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fan {
    /// The number of inputs.
    In,
    /// The number of outputs.
    Out,
    /// The mean of both.
    Average,
}

/// The distribution of [`Initializer::VarianceScaling`].
///
/// # Example
/// ```
/// use cornu::initializer::{Distribution, Fan};
/// use cornu::prelude::*;
/// let distribution = Distribution::Uniform;
/// let like_glorot = Initializer::VarianceScaling { scale: 1.0, fan: Fan::Average, distribution };
/// let mut model = Sequential::<f32>::new().input([3]).add(Dense::new(3).kernel_initializer(like_glorot).name("F1"));
/// model.build()?;
/// assert!(model.weight("F1/kernel")?.iter().all(|w| w.abs() <= 1.0));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Distribution {
    /// Normal, truncated at two standard deviations and widened to keep the variance.
    TruncatedNormal,
    /// Normal.
    UntruncatedNormal,
    /// Uniform about 0.
    Uniform,
}

/// The standard deviation of a standard normal truncated at ±2.
const CUT_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// A distribution whose scale is computed for one shape.
#[derive(Clone, Copy)]
enum Draw {
    Constant(f64),
    Normal(f64, f64),
    Truncated(f64, f64),
    Uniform(f64, f64),
    Orthogonal(f64),
    Identity(f64),
}

impl Draw {
    /// One number; of an orthogonal matrix, one of the normal matrix that it is computed from.
    fn one(self, rng: &mut Rng) -> f64 {
        match self {
            Draw::Constant(value) => value,
            Draw::Normal(mean, stddev) => mean + stddev * rng.normal(),
            Draw::Truncated(mean, stddev) => loop {
                let z = rng.normal();
                if z.abs() <= 2.0 {
                    break mean + stddev * z;
                }
            },
            Draw::Uniform(low, high) => low + (high - low) * rng.uniform(),
            Draw::Orthogonal(_) => rng.normal(),
            Draw::Identity(_) => 0.0,
        }
    }
}

impl Initializer {
    /// Draws the values of a parameter of this shape in row-major order.
    pub(crate) fn draw<F: Scalar>(&self, shape: &[usize], rng: &mut Rng) -> Result<Vec<F>> {
        let count = elements::<F>(shape)?;
        self.check(shape)?;
        let draw = self.scaled(shape);
        match (draw, shape) {
            (Draw::Orthogonal(gain), [.., _, cols]) => {
                let values = orthogonal::orthogonal(count / (*cols).max(1), *cols, gain, rng);
                return Ok(values.into_iter().map(F::of).collect());
            }
            (Draw::Identity(gain), &[_, cols]) => {
                let value = |place: usize| if place / cols == place % cols { F::of(gain) } else { F::zero() };
                return Ok((0..count).map(value).collect());
            }
            _ => {}
        }
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| Error::TooLarge { shape: shape.to_vec() })?;
        values.extend((0..count).map(|_| F::of(draw.one(rng))));
        Ok(values)
    }

    /// Takes the random numbers of [`Initializer::draw`] from the stream, without their memory.
    pub(crate) fn skip(&self, shape: &[usize], rng: &mut Rng) -> Result<()> {
        self.check(shape)?;
        match self.scaled(shape) {
            Draw::Constant(_) | Draw::Identity(_) => {}
            draw => (0..shape.iter().product()).for_each(|_| _ = draw.one(rng)),
        }
        Ok(())
    }

    /// Refuses values that are not finite, and a shape that the initializer does not fit.
    pub(crate) fn check(&self, shape: &[usize]) -> Result<()> {
        let draw = self.scaled(shape);
        let finite = match draw {
            Draw::Constant(a) | Draw::Orthogonal(a) | Draw::Identity(a) => a.is_finite(),
            Draw::Normal(a, b) | Draw::Truncated(a, b) => a.is_finite() && b.is_finite() && b >= 0.0,
            Draw::Uniform(a, b) => a.is_finite() && b.is_finite() && a <= b,
        };
        if !finite {
            return Err(Error::argument(
                "initializer",
                "finite values, a deviation of at least 0, low <= high",
                format!("{self:?}"),
            ));
        }
        let expected = match (draw, shape.len()) {
            (Draw::Orthogonal(_), 0 | 1) => ExpectedShape::Rank { least: 2, most: None },
            (Draw::Identity(_), rank) if rank != 2 => ExpectedShape::rank(2),
            _ => return Ok(()),
        };
        Err(Error::ArrayShape { argument: "initializer", expected, found: shape.to_vec() })
    }

    fn scaled(&self, shape: &[usize]) -> Draw {
        let (fan_in, fan_out) = fans(shape);
        let mean = (fan_in + fan_out) / 2.0;
        let uniform = |variance: f64| Draw::Uniform(-(3.0 * variance).sqrt(), (3.0 * variance).sqrt());
        let normal = |variance: f64| Draw::Truncated(0.0, variance.sqrt() / CUT_DEVIATION);
        match *self {
            Initializer::Zeros => Draw::Constant(0.0),
            Initializer::Ones => Draw::Constant(1.0),
            Initializer::Constant(value) => Draw::Constant(value),
            Initializer::RandomNormal { mean, stddev } => Draw::Normal(mean, stddev),
            Initializer::TruncatedNormal { mean, stddev } => Draw::Truncated(mean, stddev),
            Initializer::RandomUniform { low, high } => Draw::Uniform(low, high),
            Initializer::GlorotUniform => uniform(1.0 / mean),
            Initializer::GlorotNormal => normal(1.0 / mean),
            Initializer::HeUniform => uniform(2.0 / fan_in),
            Initializer::HeNormal => normal(2.0 / fan_in),
            Initializer::LecunUniform => uniform(1.0 / fan_in),
            Initializer::LecunNormal => normal(1.0 / fan_in),
            Initializer::VarianceScaling { scale, fan, distribution } => {
                let fan = match fan {
                    Fan::In => fan_in,
                    Fan::Out => fan_out,
                    Fan::Average => mean,
                };
                match distribution {
                    Distribution::TruncatedNormal => normal(scale / fan),
                    Distribution::UntruncatedNormal => Draw::Normal(0.0, (scale / fan).sqrt()),
                    Distribution::Uniform => uniform(scale / fan),
                }
            }
            Initializer::Orthogonal { gain } => Draw::Orthogonal(gain),
            Initializer::Identity { gain } => Draw::Identity(gain),
        }
    }
}

/// Returns the numbers of inputs and outputs of a parameter, each at least 1.
fn fans(shape: &[usize]) -> (f64, f64) {
    let (fan_in, fan_out) = match *shape {
        [] => (1, 1),
        [n] => (n, n),
        [ref receptive @ .., a, b] => {
            let size: usize = receptive.iter().product();
            (a * size, b * size)
        }
    };
    (fan_in.max(1) as f64, fan_out.max(1) as f64)
}

#[cfg(test)]
mod tests;
