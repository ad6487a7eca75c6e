//! Constraints: projections of a parameter after every update.

use crate::config::{Config, Fields, Setting, Value, axes_from_value, axes_to_value, refuse};
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
/// `axis` lists the axes over which a norm is taken, counted from the last one if negative: `[0]` for the inputs of a Dense
/// kernel, `[0, 1]` for those of a Conv1D kernel. Each unit or filter is then constrained separately.
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
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Constraint {
    /// Every norm is at most `max`.
    MaxNorm {
        /// The largest norm.
        max: f64,
        /// The axes over which a norm is taken.
        axis: Vec<isize>,
    },
    /// Every norm is 1.
    UnitNorm {
        /// The axes over which a norm is taken.
        axis: Vec<isize>,
    },
    /// Every norm is between `min` and `max`.
    MinMaxNorm {
        /// The smallest norm.
        min: f64,
        /// The largest norm.
        max: f64,
        /// The share of the correction that an update applies, from 0 to 1.
        rate: f64,
        /// The axes over which a norm is taken.
        axis: Vec<isize>,
    },
    /// Every number is at least 0.
    NonNegative,
}

const EPSILON: f64 = 1e-7;

impl Constraint {
    /// Refuses bounds that are out of range or that do not fit a parameter of this shape.
    pub(crate) fn check(&self, shape: &[usize]) -> Result<()> {
        let (min, max, rate, axis) = match self {
            Constraint::MaxNorm { max, axis } => (0.0, *max, 1.0, axis),
            Constraint::UnitNorm { axis } => (1.0, 1.0, 1.0, axis),
            Constraint::MinMaxNorm { min, max, rate, axis } => (*min, *max, *rate, axis),
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
        let count =
            |place: usize| axis.iter().filter(|axis| resolve(**axis, shape.len()) == Some(place)).count();
        let found = (0..shape.len()).filter(|place| count(*place) == 1).count();
        if axis.is_empty() || found < axis.len() {
            let expected = format!("different axes of the {} of the weight", shape.len());
            return Err(Error::argument("constraint", expected, format!("axis {axis:?}")));
        }
        Ok(())
    }

    /// Projects a parameter of this shape into the bound.
    pub(crate) fn apply<F: Scalar>(&self, shape: &[usize], values: &mut [F]) {
        match self {
            Constraint::NonNegative => {
                values.iter_mut().for_each(|w| *w = if *w < F::zero() { F::zero() } else { *w });
            }
            Constraint::MaxNorm { max, axis } => scale_norms(shape, axis, values, &|norm| norm.min(*max)),
            Constraint::UnitNorm { axis } => scale_norms(shape, axis, values, &|_| 1.0),
            Constraint::MinMaxNorm { min, max, rate, axis } => {
                scale_norms(shape, axis, values, &|norm| rate * norm.clamp(*min, *max) + (1.0 - rate) * norm);
            }
        }
    }
}

/// The place of an axis, which is counted from the last one if it is negative.
fn resolve(axis: isize, rank: usize) -> Option<usize> {
    usize::try_from(if axis < 0 { axis.checked_add_unsigned(rank)? } else { axis }).ok()
}

/// Scales each vector along these axes to the norm `wanted(‖w‖)`, dividing by ε + ‖w‖ as Keras does.
fn scale_norms<F: Scalar>(shape: &[usize], axis: &[isize], values: &mut [F], wanted: &dyn Fn(f64) -> f64) {
    let is_along = |place: usize| axis.iter().any(|axis| resolve(*axis, shape.len()) == Some(place));
    let size = |along: bool| -> usize {
        shape
            .iter()
            .enumerate()
            .filter(|(place, _)| is_along(*place) == along)
            .map(|(_, size)| size)
            .product()
    };
    let (vectors, length) = (size(false), size(true));
    // The axes are almost always adjacent. The values of a vector then have a constant stride.
    let first = (0..shape.len()).find(|place| is_along(*place)).unwrap_or(0);
    let end = (first..shape.len()).find(|place| !is_along(*place)).unwrap_or(shape.len());
    let has_one_distance = (end..shape.len()).all(|place| !is_along(place));
    let distance: usize = shape[end..].iter().product();
    for vector in 0..vectors {
        let start = offset(shape, vector, &|place| !is_along(place));
        let place = |index: usize| match has_one_distance {
            true => start + index * distance,
            false => start + offset(shape, index, &is_along),
        };
        let square: f64 = (0..length).map(|index| values[place(index)].as_f64().powi(2)).sum();
        let norm = square.sqrt();
        let factor = F::of(wanted(norm) / (EPSILON + norm));
        (0..length).for_each(|index| values[place(index)] *= factor);
    }
}

/// Returns the offset of an element of an array: the element `index` along the chosen axes, and 0 along the others.
fn offset(shape: &[usize], mut index: usize, is_chosen: &dyn Fn(usize) -> bool) -> usize {
    let (mut offset, mut stride) = (0, 1);
    for (place, &size) in shape.iter().enumerate().rev() {
        if is_chosen(place) {
            offset += index % size * stride;
            index /= size;
        }
        stride *= size;
    }
    offset
}

/// Reads Keras's `axis`: one number or a list of them.
fn axis(fields: &mut Fields) -> Result<Vec<isize>> {
    let path = fields.path_of("axis");
    fields.value("axis").map_or_else(|| Ok(vec![0]), |axis| axes_from_value(axis, &path))
}

impl Setting for Constraint {
    const EXPECTED: &'static str = "a MaxNorm, UnitNorm, MinMaxNorm or NonNeg constraint of Keras";

    fn to_value(&self) -> Value {
        let of = |kind| Config::of("keras.constraints", kind);
        let config = match self {
            Constraint::MaxNorm { max, axis } => {
                of("MaxNorm").with("max_value", *max).with("axis", axes_to_value(axis))
            }
            Constraint::UnitNorm { axis } => of("UnitNorm").with("axis", axes_to_value(axis)),
            Constraint::MinMaxNorm { min, max, rate, axis } => of("MinMaxNorm")
                .with("min_value", *min)
                .with("max_value", *max)
                .with("rate", *rate)
                .with("axis", axes_to_value(axis)),
            Constraint::NonNegative => of("NonNeg"),
        };
        config.into()
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        let mut fields = Fields::of_keras(value, path, Self::EXPECTED)?;
        let constraint = match fields.kind() {
            "MaxNorm" => Constraint::MaxNorm { max: fields.get("max_value")?, axis: axis(&mut fields)? },
            "UnitNorm" => Constraint::UnitNorm { axis: axis(&mut fields)? },
            "MinMaxNorm" => Constraint::MinMaxNorm {
                min: fields.get("min_value")?,
                max: fields.get("max_value")?,
                rate: fields.get("rate")?,
                axis: axis(&mut fields)?,
            },
            "NonNeg" => Constraint::NonNegative,
            _ => return Err(refuse(path, Self::EXPECTED, value)),
        };
        fields.finish()?;
        Ok(constraint)
    }
}
