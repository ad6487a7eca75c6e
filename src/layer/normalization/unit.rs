//! Unit normalization: y = x / ‖x‖ along one axis. dx = (dy − y·⟨dy, y⟩) / ‖x‖.

use crate::config::{setters, settings};
use crate::error::Result;
use crate::layer::axis::{AlongAxis, JoinedAxes};
use crate::layer::check::check_not_empty;
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Scales each vector along one axis to length 1: `y = x / max(‖x‖, 1e-12)`.
///
/// A vector of zeros stays unchanged and has gradient 0.
///
/// | setter | default |
/// |---|---|
/// | `axis` | −1, the last |
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([2]).add(UnitNormalization::new());
/// model.build()?;
/// assert_eq!(model.predict(&array![[3.0f32, 4.0]])?, array![[0.6, 0.8]].into_dyn());
///
/// let mut model = Sequential::new().input([2, 1]).add(UnitNormalization::new().axis(1));
/// model.build()?;
/// assert_eq!(model.predict(&array![[[3.0f32], [4.0]]])?, array![[[0.6], [0.8]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) if the samples have no such axis;
/// [`Error::InputShape`](crate::Error::InputShape) if an axis has length 0.
///
/// # References
/// <https://keras.io/api/layers/normalization_layers/unit_normalization/>
#[derive(Debug, Clone)]
pub struct UnitNormalization {
    axis: JoinedAxes,
    vectors: AlongAxis,
}

impl UnitNormalization {
    /// Creates the layer along the last axis.
    pub fn new() -> Self {
        UnitNormalization { axis: JoinedAxes(vec![-1]), vectors: AlongAxis { len: 1, stride: 1 } }
    }

    setters! {
        /// The axis: from 1 for the first axis of a sample, or from −1 for the last. Default: −1.
        axis: isize => axis.0[0];
    }
}

impl Default for UnitNormalization {
    fn default() -> Self {
        UnitNormalization::new()
    }
}

impl<F: Scalar> Layer<F> for UnitNormalization {
    saved!("UnitNormalization");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        check_not_empty(input)?;
        self.vectors = self.axis.along(input)?;
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let (x, y, vectors) = (x.data(), y.data(), self.vectors);
        for start in vectors.starts(x.len()) {
            let norm = vectors.vector(x, start).map(|x| x * x).sum::<F>().sqrt().max(F::of(1e-12));
            let out = y[start..].iter_mut().step_by(vectors.stride);
            out.zip(vectors.vector(x, start)).for_each(|(y, x)| *y = x / norm);
        }
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(mut dx) = context.dx else { return };
        let (x, y, dy, dx) = (context.x.data(), context.y.data(), context.dy.as_batch(), dx.data());
        let (dy, vectors) = (dy.data(), self.vectors);
        for start in vectors.starts(x.len()) {
            let norm = vectors.vector(x, start).map(|x| x * x).sum::<F>().sqrt();
            let inverse = if norm > F::of(1e-12) { F::one() / norm } else { F::zero() };
            let both = || vectors.vector(dy, start).zip(vectors.vector(y, start));
            let dot: F = both().map(|(dy, y)| dy * y).sum();
            let out = dx[start..].iter_mut().step_by(vectors.stride);
            out.zip(both()).for_each(|(dx, (dy, y))| *dx = (dy - y * dot) * inverse);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_normalization: true, ..LayerTraits::default() }
    }
}

settings!([] UnitNormalization { "axis": axis });
