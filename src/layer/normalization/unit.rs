//! Unit normalization: y = x / ‖x‖ along one axis. dx = (dy − y·⟨dy, y⟩) / ‖x‖.

use crate::config::{setters, settings};
use crate::error::Result;
use crate::layer::axis::{JoinedAxes, MovedAxes};
use crate::layer::check::check_not_empty;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, saved};
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
    vectors: MovedAxes,
}

impl UnitNormalization {
    /// Creates the layer along the last axis.
    pub fn new() -> Self {
        UnitNormalization { axis: JoinedAxes(vec![-1]), vectors: MovedAxes::default() }
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

/// ‖x‖
fn norm<F: Scalar>(x: &[F]) -> F {
    x.iter().map(|&x| x * x).sum::<F>().sqrt()
}

impl<F: Scalar> Layer<F> for UnitNormalization {
    saved!("UnitNormalization");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        check_not_empty(input)?;
        self.vectors = MovedAxes::new(&self.axis, input)?;
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        self.vectors.forward(x, y, scratch, |x, mut y, _| {
            for (x, y) in x.iter().zip(y.iter_mut()) {
                let norm = norm(x).max(F::of(1e-12));
                y.iter_mut().zip(x).for_each(|(y, &x)| *y = x / norm);
            }
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        self.vectors.backward(context, |context| {
            let Some(mut dx) = context.dx else { return };
            let dy = context.dy.as_batch();
            for ((x, dy), dx) in context.x.iter().zip(dy.iter()).zip(dx.iter_mut()) {
                let norm = norm(x);
                let inverse = if norm > F::of(1e-12) { F::one() / norm } else { F::zero() };
                let dot: F = dy.iter().zip(x).map(|(&dy, &x)| dy * (x * inverse)).sum();
                let numbers = dx.iter_mut().zip(dy).zip(x);
                numbers.for_each(|((dx, &dy), &x)| *dx = (dy - x * inverse * dot) * inverse);
            }
        });
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits {
            mask: MaskRule::Passes,
            is_normalization: true,
            memory: self.vectors.memory(),
            ..LayerTraits::default()
        }
    }
}

settings!([] UnitNormalization { "axis": axis });
