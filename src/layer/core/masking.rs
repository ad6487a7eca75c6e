//! Masking: y = x, or 0 for a step whose numbers all equal the padding value. dx = dy, or 0.

use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::check::last_axis;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Marks the steps of a sequence whose numbers all equal a value as padding.
///
/// ```text
/// y[t] = x[t], and the mask is true    if any number of x[t] differs from the value
/// y[t] = 0, and the mask is false      otherwise
/// ```
///
/// Recurrent layers skip padding, [`GlobalAveragePooling1D`](crate::layer::GlobalAveragePooling1D) leaves it out of the mean,
/// and losses and metrics of outputs with steps do not count it. The guide [`from_keras`](crate::guide::from_keras) lists what
/// each layer does with a mask.
///
/// # Shapes
/// Input and output `(..., channels)`, of the same shape; the mask has the shape `(...)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([3, 1]).add(Masking::new(-1.0)).add(GlobalAveragePooling1D::new());
/// model.build()?;
/// let y = model.predict(&ndarray::array![[[1.0], [3.0], [-1.0]]])?;
/// assert_eq!(y, ndarray::array![[2.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a value that is not finite in the numbers of the model; [`Error::InputShape`] for samples without an axis.
///
/// # References
/// <https://keras.io/api/layers/core_layers/masking/>
#[derive(Debug, Clone)]
pub struct Masking {
    value: f64,
}

impl Masking {
    /// Creates a layer for padding with this value; Keras's default is 0.
    pub fn new(value: f64) -> Self {
        Masking { value }
    }
}

impl Masking {
    /// Copies each vector that is not padding, and writes zeros for the others.
    fn copy<F: Scalar>(&self, x: Batch<F>, from: Batch<F>, mut to: BatchMut<F>) {
        let value = F::of(self.value);
        for ((to, from), x) in to.iter_mut().zip(from.iter()).zip(x.iter()) {
            match x.iter().any(|x| *x != value) {
                true => to.copy_from_slice(from),
                false => to.fill(F::zero()),
            }
        }
    }
}

impl<F: Scalar> Layer<F> for Masking {
    saved!("Masking");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        if !F::of(self.value).is_finite() {
            return Err(Error::argument("mask_value", "a finite number", self.value));
        }
        last_axis(input, "channels")?;
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
        self.copy(x, x, y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let Some(dx) = context.dx {
            self.copy(context.x, context.dy.as_batch(), dx);
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { by_last_axis: true, mask: MaskRule::Creates(self.value), ..LayerTraits::default() }
    }
}

settings!([] Masking { "mask_value": value });
