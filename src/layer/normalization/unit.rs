//! Unit normalization: y = x / ‖x‖ along one axis. dx = (dy − y·⟨dy, y⟩) / ‖x‖.

use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Scales each vector along one axis to length 1. A vector of zeros stays unchanged and has gradient 0.
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
/// At `build`: [`Error::Argument`] if the samples have no such axis.
///
/// # References
/// <https://keras.io/api/layers/normalization_layers/unit_normalization/>
#[derive(Debug, Clone)]
pub struct UnitNormalization {
    axis: isize,
    /// The length of the axis, and the product of all later axes.
    lengths: (usize, usize),
}

impl UnitNormalization {
    /// Creates the layer along the last axis.
    pub fn new() -> Self {
        UnitNormalization { axis: -1, lengths: (1, 1) }
    }

    /// The axis: from 1 for the first axis of a sample, or from −1 for the last. Default: −1.
    pub fn axis(mut self, axis: isize) -> Self {
        self.axis = axis;
        self
    }

    /// The positions of every vector in a batch: its start, then every `stride`-th number.
    fn vectors(&self, count: usize) -> impl Iterator<Item = usize> + use<> {
        let (len, stride) = self.lengths;
        (0..count / (len * stride))
            .flat_map(move |block| (0..stride).map(move |start| block * len * stride + start))
    }
}

impl Default for UnitNormalization {
    fn default() -> Self {
        UnitNormalization::new()
    }
}

/// Every `stride`-th number, `len` of them.
fn every<F: Scalar>(values: &[F], start: usize, (len, stride): (usize, usize)) -> impl Iterator<Item = F> {
    values[start..].iter().step_by(stride).take(len).copied()
}

impl<F: Scalar> Layer<F> for UnitNormalization {
    fn kind(&self) -> &str {
        "UnitNormalization"
    }

    saved!();

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        let rank = input.len() as isize;
        let place = if self.axis < 0 { rank + self.axis } else { self.axis - 1 };
        if !(0..rank).contains(&place) || input.contains(&0) {
            return Err(Error::argument("axis", format!("1 to {rank}, or -{rank} to -1"), self.axis));
        }
        let place = place as usize;
        self.lengths = (input[place], input[place + 1..].iter().product());
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let (x, y, lengths) = (x.data(), y.data(), self.lengths);
        for start in self.vectors(x.len()) {
            let norm = every(x, start, lengths).map(|x| x * x).sum::<F>().sqrt().max(F::of(1e-12));
            let out = y[start..].iter_mut().step_by(lengths.1);
            out.zip(every(x, start, lengths)).for_each(|(y, x)| *y = x / norm);
        }
    }

    fn backward(&mut self, pass: BackwardContext<F>) {
        let Some(mut dx) = pass.dx else { return };
        let (x, y, dy, dx) = (pass.x.data(), pass.y.data(), pass.dy.as_batch(), dx.data());
        let (dy, lengths) = (dy.data(), self.lengths);
        for start in self.vectors(x.len()) {
            let norm = every(x, start, lengths).map(|x| x * x).sum::<F>().sqrt();
            let inverse = if norm > F::of(1e-12) { F::one() / norm } else { F::zero() };
            let both = || every(dy, start, lengths).zip(every(y, start, lengths));
            let dot: F = both().map(|(dy, y)| dy * y).sum();
            let out = dx[start..].iter_mut().step_by(lengths.1);
            out.zip(both()).for_each(|(dx, (dy, y))| *dx = (dy - y * dot) * inverse);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_normalization: true, ..LayerTraits::default() }
    }
}

settings!([] UnitNormalization { "axis": axis });
