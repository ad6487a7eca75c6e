//! Initial values of parameters: Keras's initializers, by name and by formula.

use crate::error::{Error, Result};
use crate::rng::Rng;
use crate::scalar::Scalar;
use crate::tensor::elements;

/// How a parameter gets its first values.
///
/// With `fan_in` and `fan_out` the numbers of inputs and outputs of the parameter (for a Dense kernel its rows
/// and its columns; for a convolution each times the kernel's size) the rules are
///
/// | initializer | values |
/// |---|---|
/// | `GlorotUniform` | uniform in `±√(6 / (fan_in + fan_out))` |
/// | `GlorotNormal` | normal, `σ² = 2 / (fan_in + fan_out)` |
/// | `HeUniform`, `HeNormal` | uniform in `±√(6 / fan_in)`; normal, `σ² = 2 / fan_in` |
/// | `LecunUniform`, `LecunNormal` | uniform in `±√(3 / fan_in)`; normal, `σ² = 1 / fan_in` |
///
/// where *normal* is cut at two deviations by drawing again, and widened so that `σ` is what is left.
///
/// # References
/// Glorot and Bengio (2010), *Understanding the difficulty of training deep feedforward neural networks*;
/// He et al. (2015), *Delving deep into rectifiers*; LeCun et al. (1998), *Efficient backprop*;
/// <https://keras.io/api/layers/initializers/>.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let layer: Dense = Dense::new(8).kernel_initializer(Initializer::HeNormal);
/// # let _ = layer;
/// ```
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Initializer {
    /// All 0.
    Zeros,
    /// All 1.
    Ones,
    /// All the same.
    Constant(f64),
    /// Normal; Keras's defaults are `mean: 0.0, stddev: 0.05`.
    RandomNormal {
        /// The mean.
        mean: f64,
        /// The standard deviation.
        stddev: f64,
    },
    /// Normal, drawn again where it falls further than two `stddev` from the mean, so that the
    /// deviation left is 0.88 `stddev`.
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
    /// Glorot's uniform rule, the default of kernels.
    GlorotUniform,
    /// Glorot's normal rule.
    GlorotNormal,
    /// He's uniform rule, for relu.
    HeUniform,
    /// He's normal rule, for relu.
    HeNormal,
    /// LeCun's uniform rule.
    LecunUniform,
    /// LeCun's normal rule, for selu.
    LecunNormal,
}

/// The standard deviation of a standard normal that is cut at ±2.
const CUT_DEVIATION: f64 = 0.879_625_661_034_239_8;

/// A distribution with its scale worked out for one shape.
enum Draw {
    Constant(f64),
    Normal(f64, f64),
    Truncated(f64, f64),
    Uniform(f64, f64),
}

impl Initializer {
    /// Draws the values of a parameter of this shape, row-major.
    pub(crate) fn draw<F: Scalar>(&self, shape: &[usize], rng: &mut Rng) -> Result<Vec<F>> {
        let count = elements::<F>(shape)?;
        let draw = self.scaled(shape);
        let finite = match draw {
            Draw::Constant(a) => a.is_finite(),
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
        let one = |rng: &mut Rng| match draw {
            Draw::Constant(value) => value,
            Draw::Normal(mean, stddev) => mean + stddev * rng.normal(),
            Draw::Truncated(mean, stddev) => loop {
                let z = rng.normal();
                if z.abs() <= 2.0 {
                    break mean + stddev * z;
                }
            },
            Draw::Uniform(low, high) => low + (high - low) * rng.uniform(),
        };
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| Error::TooLarge { shape: shape.to_vec() })?;
        values.extend((0..count).map(|_| F::of(one(rng))));
        Ok(values)
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
        }
    }
}

/// Inputs and outputs of a parameter, each at least 1.
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
mod tests {
    use super::*;

    /// Mean, standard deviation and largest magnitude of 60,000 draws.
    fn moments(initializer: Initializer) -> (f64, f64, f64) {
        let values: Vec<f64> = initializer.draw(&[200, 300], &mut Rng::stream(3, 0)).unwrap();
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / n;
        (mean, variance.sqrt(), values.iter().fold(0.0, |m, v| v.abs().max(m)))
    }

    #[track_caller]
    fn check(initializer: Initializer, stddev: f64, largest: f64) {
        let (mean, found, max) = moments(initializer);
        assert!(mean.abs() < 4.0 * stddev / 245.0 + 1e-12, "mean {mean}");
        assert!((found / stddev - 1.0).abs() < 0.01, "deviation {found}, expected {stddev}");
        assert!(max <= largest && max > 0.99 * largest, "largest {max}, expected {largest}");
    }

    #[test]
    fn each_rule_has_the_moments_of_keras() {
        let glorot = (6.0f64 / 500.0).sqrt();
        check(Initializer::GlorotUniform, glorot / 3f64.sqrt(), glorot);
        check(Initializer::HeUniform, 0.1, 0.03f64.sqrt());
        check(Initializer::LecunUniform, 0.005f64.sqrt(), 0.015f64.sqrt());
        check(Initializer::GlorotNormal, 0.004f64.sqrt(), 2.0 * 0.004f64.sqrt() / CUT_DEVIATION);
        check(Initializer::HeNormal, 0.1, 0.2 / CUT_DEVIATION);
        check(Initializer::LecunNormal, 0.005f64.sqrt(), 2.0 * 0.005f64.sqrt() / CUT_DEVIATION);
        check(Initializer::RandomUniform { low: -0.05, high: 0.05 }, 0.05 / 3f64.sqrt(), 0.05);
        check(Initializer::TruncatedNormal { mean: 0.0, stddev: 0.05 }, 0.05 * CUT_DEVIATION, 0.1);
        let (mean, stddev, _) = moments(Initializer::RandomNormal { mean: 1.0, stddev: 2.0 });
        assert!((mean - 1.0).abs() < 0.03 && (stddev - 2.0).abs() < 0.03);
    }

    #[test]
    fn f32_draws_are_the_rounded_f64_draws() {
        let wide: Vec<f64> = Initializer::HeNormal.draw(&[5, 7], &mut Rng::stream(1, 2)).unwrap();
        let narrow: Vec<f32> = Initializer::HeNormal.draw(&[5, 7], &mut Rng::stream(1, 2)).unwrap();
        assert!(wide.iter().zip(&narrow).all(|(w, n)| *w as f32 == *n));
    }

    #[test]
    fn a_shape_beyond_memory_is_refused() {
        let found = Initializer::Zeros.draw::<f32>(&[usize::MAX, 2], &mut Rng::stream(0, 0));
        assert!(matches!(found, Err(Error::TooLarge { .. })));
        let found = Initializer::Constant(f64::NAN).draw::<f32>(&[2], &mut Rng::stream(0, 0));
        assert!(matches!(found, Err(Error::Argument { .. })));
    }
}
