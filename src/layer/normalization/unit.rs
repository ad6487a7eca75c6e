//! Unit normalization: y = x / ‖x‖ along one axis. dx = (dy − y·⟨dy, y⟩) / ‖x‖.

use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel;
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

/// 1 / ‖x‖
#[inline(always)]
fn inverse_norm<F: Scalar>(x: &[F]) -> F {
    F::one() / kernel::sum(x, x, |x, _| x * x).sqrt()
}

/// The most by which Keras multiplies.
const LARGEST: f64 = 1e12;

/// The vectors of this width that a thread processes at a time.
fn block(width: usize) -> usize {
    (1_usize << 13).div_ceil(width.max(1))
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
            let (width, most) = (x.width(), F::of(LARGEST));
            kernel::samples(x.rows(), block(width), [(y.data(), width)], &|range, [y]| {
                kernel::simd!(|| {
                    for (place, row) in range.enumerate() {
                        let (x, y) = (x.row(row), &mut y[place * width..][..width]);
                        let inverse = inverse_norm(x);
                        let inverse = if inverse > most { most } else { inverse };
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = x * inverse);
                    }
                });
            });
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        self.vectors.backward(context, |context| {
            let Some(mut dx) = context.dx else { return };
            let (x, dy, width, most) = (context.x, context.dy.as_batch(), context.x.width(), F::of(LARGEST));
            kernel::samples(x.rows(), block(width), [(dx.data(), width)], &|range, [dx]| {
                kernel::simd!(|| {
                    for (place, row) in range.enumerate() {
                        let (x, dy, dx) = (x.row(row), dy.row(row), &mut dx[place * width..][..width]);
                        let inverse = inverse_norm(x);
                        let inverse = if inverse > most { F::zero() } else { inverse };
                        let dot = kernel::sum(dy, x, |dy, x| dy * (x * inverse));
                        let numbers = dx.iter_mut().zip(dy).zip(x);
                        numbers.for_each(|((dx, &dy), &x)| *dx = (dy - x * inverse * dot) * inverse);
                    }
                });
            });
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
