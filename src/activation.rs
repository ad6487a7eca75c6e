//! Activation functions, their values and slopes: all of Keras 3's.

#[cfg(test)]
mod accuracy;
mod config;
mod elementwise;
mod functions;
mod rowwise;

use std::fmt;
use std::str::FromStr;

use crate::error::{Error, ExpectedShape, Result};

pub(crate) use functions::sigmoid;
pub(crate) use rowwise::glu_backward;

/// An activation function, for a layer's `.activation(...)` or as a layer.
///
/// `σ(x) = 1 / (1 + e^(−x))`, and `Φ` is the normal distribution function.
///
/// | variant | value |
/// |---|---|
/// | `Linear`, `Exponential` | `x`; `eˣ` |
/// | `Relu`, `Relu6` | `max(x, 0)`; `min(max(x, 0), 6)` |
/// | `ReluWith` | `x > threshold: x`, clipped to `0..=max_value` if `max_value` is set, else `negative_slope · (x − threshold)` |
/// | `LeakyRelu` | `x ≥ 0: x`, else `negative_slope · x` (Keras's default: 0.2) |
/// | `Elu`, `Celu` | `x > 0: x`, else `alpha · (eˣ − 1)`; else `alpha · (e^(x/alpha) − 1)` (1.0) |
/// | `Selu` | `1.0507 · (x > 0: x`, else `1.6733 · (eˣ − 1))` |
/// | `Sigmoid`, `LogSigmoid` | `σ(x)`; `ln σ(x)` |
/// | `HardSigmoid` | `relu6(x + 3) / 6` |
/// | `Silu` (swish), `HardSilu` | `x · σ(x)`; `x · relu6(x + 3) / 6` |
/// | `Tanh`, `TanhShrink`, `HardTanh` | `tanh x`; `x − tanh x`; `min(max(x, −1), 1)` |
/// | `Softplus`, `Softsign` | `ln(1 + eˣ)`; `x / (1 + abs x)` |
/// | `Squareplus` | `(x + √(x² + b)) / 2` (4.0) |
/// | `SparsePlus`, `SparseSigmoid` | `(x + 1)² / 4` within ±1, else `relu(x)`; `min(max((x + 1) / 2, 0), 1)` |
/// | `Gelu` | `x · Φ(x)`; `approximate`: `x/2 · (1 + tanh(√(2/π) · (x + 0.044715 x³)))` (false) |
/// | `Mish` | `x · tanh(ln(1 + eˣ))` |
/// | `SoftShrink`, `HardShrink` | `x` moved towards 0 by `threshold`; `x` if `abs x > threshold`, else 0 (0.5) |
/// | `Threshold` | `x > threshold: x`, else `default_value` |
/// | `Softmax`, `LogSoftmax` | `e^xᵢ / Σ e^xⱼ` over the last axis, and its logarithm |
/// | `Sparsemax` | the nearest point of the probability simplex |
/// | `Glu` | `a · σ(b)`; `a` and `b` are the halves of the last axis, whose size it halves |
///
/// The slope at a kink is Keras's, such as 0 for `Relu` at 0. `Sparsemax` follows its definition, from which Keras
/// 3.15 on JAX departs.
///
/// # Shapes
/// As a layer: input and output `(..., channels)`, of the same shape; for `Glu`, output `(..., channels / 2)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let model: Sequential = Sequential::new()
///     .add(Dense::new(8).activation(Activation::Relu))
///     .add(Activation::LeakyRelu { negative_slope: 0.2 }.name("leaky"));
/// let parsed: Activation = "hard_sigmoid".parse()?;
/// assert_eq!(parsed, Activation::HardSigmoid);
/// # let _ = model;
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/activations/>
#[derive(Debug, Clone, Copy, PartialEq, Default)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
#[allow(missing_docs)] // the table above says what each is
pub enum Activation {
    #[default]
    Linear,
    Relu,
    Relu6,
    ReluWith {
        negative_slope: f64,
        max_value: Option<f64>,
        threshold: f64,
    },
    LeakyRelu {
        negative_slope: f64,
    },
    Elu {
        alpha: f64,
    },
    Celu {
        alpha: f64,
    },
    Selu,
    Sigmoid,
    LogSigmoid,
    HardSigmoid,
    Silu,
    HardSilu,
    Tanh,
    TanhShrink,
    HardTanh,
    Softplus,
    Softsign,
    Squareplus {
        b: f64,
    },
    SparsePlus,
    SparseSigmoid,
    Gelu {
        approximate: bool,
    },
    Mish,
    SoftShrink {
        threshold: f64,
    },
    HardShrink {
        threshold: f64,
    },
    Threshold {
        threshold: f64,
        default_value: f64,
    },
    Exponential,
    Softmax,
    LogSoftmax,
    Sparsemax,
    Glu,
}

use Activation::*;

/// Keras's names, with Keras's default parameters. `threshold` has none and is missing here.
const NAMED: [(&str, Activation); 31] = [
    ("linear", Linear),
    ("relu", Relu),
    ("relu6", Relu6),
    ("leaky_relu", LeakyRelu { negative_slope: 0.2 }),
    ("elu", Elu { alpha: 1.0 }),
    ("celu", Celu { alpha: 1.0 }),
    ("selu", Selu),
    ("sigmoid", Sigmoid),
    ("log_sigmoid", LogSigmoid),
    ("hard_sigmoid", HardSigmoid),
    ("silu", Silu),
    ("swish", Silu),
    ("hard_silu", HardSilu),
    ("hard_swish", HardSilu),
    ("tanh", Tanh),
    ("tanh_shrink", TanhShrink),
    ("hard_tanh", HardTanh),
    ("softplus", Softplus),
    ("softsign", Softsign),
    ("squareplus", Squareplus { b: 4.0 }),
    ("sparse_plus", SparsePlus),
    ("sparse_sigmoid", SparseSigmoid),
    ("gelu", Gelu { approximate: false }),
    ("mish", Mish),
    ("soft_shrink", SoftShrink { threshold: 0.5 }),
    ("hard_shrink", HardShrink { threshold: 0.5 }),
    ("exponential", Exponential),
    ("softmax", Softmax),
    ("log_softmax", LogSoftmax),
    ("sparsemax", Sparsemax),
    ("glu", Glu),
];

impl FromStr for Activation {
    type Err = Error;

    /// Reads Keras's name, such as `"relu"`.
    fn from_str(name: &str) -> Result<Self> {
        NAMED.iter().find(|(known, _)| *known == name).map(|(_, activation)| *activation).ok_or_else(|| {
            Error::Parse {
                what: "activation",
                found: name.into(),
                known: NAMED.iter().map(|(known, _)| (*known).into()).collect(),
            }
        })
    }
}

impl fmt::Display for Activation {
    /// Writes Keras's name, and the parameters if they are not Keras's defaults.
    fn fmt(&self, f: &mut fmt::Formatter) -> fmt::Result {
        match NAMED.iter().find(|(_, activation)| activation == self) {
            Some((name, _)) => f.write_str(name),
            None => write!(f, "{self:?}"),
        }
    }
}

impl Activation {
    /// Returns the number of output columns for `width` input columns.
    pub(crate) fn output_width(&self, width: usize) -> Result<usize> {
        match self {
            Glu if width % 2 == 1 => {
                Err(Error::InputShape { expected: ExpectedShape::EvenLastAxis, found: vec![width] })
            }
            Glu => Ok(width / 2),
            _ => Ok(width),
        }
    }

    /// The number above which a single output means class 1, if this activation makes a probability of it.
    pub(crate) fn threshold(&self) -> f64 {
        if *self == Linear { 0.5 } else { 0.0 }
    }

    /// Refuses parameters out of range.
    pub(crate) fn check(&self) -> Result<()> {
        let (argument, value, fits) = match *self {
            ReluWith { negative_slope, .. } if !negative_slope.is_finite() => {
                ("negative_slope", negative_slope, false)
            }
            ReluWith { max_value: Some(max), .. } => ("max_value", max, max >= 0.0),
            ReluWith { threshold, .. } => ("threshold", threshold, threshold.is_finite()),
            LeakyRelu { negative_slope } => ("negative_slope", negative_slope, negative_slope.is_finite()),
            Elu { alpha } => ("alpha", alpha, alpha.is_finite()),
            Celu { alpha } => ("alpha", alpha, alpha.is_finite() && alpha != 0.0),
            Squareplus { b } => ("b", b, b.is_finite() && b >= 0.0),
            SoftShrink { threshold } | HardShrink { threshold } => ("threshold", threshold, threshold >= 0.0),
            Threshold { threshold, default_value } => {
                ("threshold", threshold + default_value, (threshold + default_value).is_finite())
            }
            _ => return Ok(()),
        };
        if fits {
            Ok(())
        } else {
            Err(Error::argument(argument, "a number for which the activation is defined", value))
        }
    }

    /// Returns whether the function is one of a row, not of a number.
    fn is_rowwise(&self) -> bool {
        matches!(self, Softmax | LogSoftmax | Sparsemax | Glu)
    }

    /// Returns whether the slope can be computed from the output alone.
    pub(crate) fn slope_from_output(&self) -> bool {
        matches!(
            self,
            Linear | Relu | Relu6 | Sigmoid | Tanh | Exponential | Softmax | LogSoftmax | Sparsemax
        )
    }
}
