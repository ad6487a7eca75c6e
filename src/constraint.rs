//! Constraints: projections of a parameter after every update.

use crate::config::{Config, Fields, Setting, Value, refuse};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// A constraint on a parameter, applied after every update.
///
/// With `ε = 1e-7` and `‖w‖` the norm along `axis`:
///
/// | variant | effect | Keras's defaults |
/// |---|---|---|
/// | `MaxNorm` | `w · min(‖w‖, max) / (ε + ‖w‖)` | max 2, axis 0 |
/// | `UnitNorm` | `w / (ε + ‖w‖)` | axis 0 |
/// | `MinMaxNorm` | `w · (rate · clip(‖w‖, min, max) + (1 − rate) · ‖w‖) / (ε + ‖w‖)` | 0, 1, rate 1, axis 0 |
/// | `NonNegative` | `max(w, 0)` | |
///
/// `axes` is the number of leading axes over which a norm is taken: 1 for the inputs of a Dense kernel (Keras's
/// `axis=0`), 2 for those of a Conv1D kernel (Keras's `axis=[0, 1]`). Each unit or filter is then constrained
/// separately.
///
/// # Example
/// ```
/// use cornu::ndarray::array;
/// use cornu::prelude::*;
/// let mut model =
/// Sequential::new().input([1]).add(Dense::new(1).kernel_constraint(Constraint::NonNegative).name("F1"));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// model.set_weight("F1/kernel", &array![[0.1f32]])?;
/// model.fit(&array![[1.0]], &array![-5.0], &Fit::new().verbose(Verbose::Silent))?;
/// assert_eq!(model.weight("F1/kernel")?[[0, 0]], 0.0);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/constraints/>
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// Every norm is at most `max`.
    MaxNorm {
        /// The largest norm.
        max: f64,
        /// The number of leading axes over which a norm is taken.
        axes: usize,
    },
    /// Every norm is 1.
    UnitNorm {
        /// The number of leading axes over which a norm is taken.
        axes: usize,
    },
    /// Every norm is between `min` and `max`.
    MinMaxNorm {
        /// The smallest norm.
        min: f64,
        /// The largest norm.
        max: f64,
        /// The share of the correction that an update applies, from 0 to 1.
        rate: f64,
        /// The number of leading axes over which a norm is taken.
        axes: usize,
    },
    /// Every number is at least 0.
    NonNegative,
}

const EPSILON: f64 = 1e-7;

impl Constraint {
    /// Refuses bounds that are out of range or that do not fit a parameter of this shape.
    pub(crate) fn check(&self, shape: &[usize]) -> Result<()> {
        let (min, max, rate, axes) = match *self {
            Constraint::MaxNorm { max, axes } => (0.0, max, 1.0, axes),
            Constraint::UnitNorm { axes } => (1.0, 1.0, 1.0, axes),
            Constraint::MinMaxNorm { min, max, rate, axes } => (min, max, rate, axes),
            Constraint::NonNegative => return Ok(()),
        };
        if !(0.0 <= min && min <= max && max.is_finite() && (0.0..=1.0).contains(&rate)) {
            let found = format!("{self:?}");
            return Err(Error::argument(
                "constraint",
                "0 <= min <= max, finite, and a rate from 0 to 1",
                found,
            ));
        }
        if axes == 0 || axes > shape.len() {
            return Err(Error::argument("axes", format!("1 to {}", shape.len()), axes));
        }
        Ok(())
    }

    /// Projects a parameter of this shape into the bound.
    pub(crate) fn apply<F: Scalar>(&self, shape: &[usize], values: &mut [F]) {
        match *self {
            Constraint::NonNegative => {
                values.iter_mut().for_each(|w| *w = if *w < F::zero() { F::zero() } else { *w });
            }
            Constraint::MaxNorm { max, axes } => scale_norms(shape, axes, values, |norm| norm.min(max)),
            Constraint::UnitNorm { axes } => scale_norms(shape, axes, values, |_| 1.0),
            Constraint::MinMaxNorm { min, max, rate, axes } => {
                scale_norms(shape, axes, values, |norm| rate * norm.clamp(min, max) + (1.0 - rate) * norm);
            }
        }
    }
}

/// Scales each vector along the leading `axes` to the norm `wanted(‖w‖)`, dividing by ε + ‖w‖ as Keras does.
fn scale_norms<F: Scalar>(shape: &[usize], axes: usize, values: &mut [F], wanted: impl Fn(f64) -> f64) {
    let stride: usize = shape[axes.min(shape.len())..].iter().product();
    for start in 0..stride {
        let square: f64 = values[start..].iter().step_by(stride).map(|w| w.as_f64() * w.as_f64()).sum();
        let norm = square.sqrt();
        let factor = F::of(wanted(norm) / (EPSILON + norm));
        values[start..].iter_mut().step_by(stride).for_each(|w| *w *= factor);
    }
}

/// Reads Keras's `axis`: one number, or a list of the first axes.
fn axes(fields: &mut Fields) -> Result<usize> {
    let path = fields.path_of("axis");
    let list = match fields.value("axis") {
        None => return Ok(1),
        Some(Value::List(axes)) => axes.clone(),
        Some(axis) => vec![axis.clone()],
    };
    let first = (0..list.len()).all(|place| list[place] == Value::Int(place as i64));
    if first && !list.is_empty() {
        return Ok(list.len());
    }
    Err(refuse(&path, "the first axes: 0, or [0, 1] and so on", Value::List(list)))
}

impl Setting for Constraint {
    const EXPECTED: &'static str = "a MaxNorm, UnitNorm, MinMaxNorm or NonNeg constraint of Keras";

    fn to_value(&self) -> Value {
        let axis = |axes: usize| match axes {
            1 => Value::Int(0),
            _ => Value::List((0..axes).map(Value::from).collect()),
        };
        let of = |kind| Config::of("keras.constraints", kind);
        let config = match *self {
            Constraint::MaxNorm { max, axes } => {
                of("MaxNorm").with("max_value", max).with("axis", axis(axes))
            }
            Constraint::UnitNorm { axes } => of("UnitNorm").with("axis", axis(axes)),
            Constraint::MinMaxNorm { min, max, rate, axes } => of("MinMaxNorm")
                .with("min_value", min)
                .with("max_value", max)
                .with("rate", rate)
                .with("axis", axis(axes)),
            Constraint::NonNegative => of("NonNeg"),
        };
        config.into()
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        let mut fields = Fields::of_keras(value, path, Self::EXPECTED)?;
        let constraint = match fields.kind() {
            "MaxNorm" => Constraint::MaxNorm { max: fields.get("max_value")?, axes: axes(&mut fields)? },
            "UnitNorm" => Constraint::UnitNorm { axes: axes(&mut fields)? },
            "MinMaxNorm" => Constraint::MinMaxNorm {
                min: fields.get("min_value")?,
                max: fields.get("max_value")?,
                rate: fields.get("rate")?,
                axes: axes(&mut fields)?,
            },
            "NonNeg" => Constraint::NonNegative,
            _ => return Err(refuse(path, Self::EXPECTED, value)),
        };
        fields.finish()?;
        Ok(constraint)
    }
}
