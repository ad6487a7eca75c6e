//! Rescaling: y = scale·x + offset. dx = scale·dy.

use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Rescales the input, `y = scale·x + offset`, for example by `1/255` for bytes.
///
/// # Shapes
/// Input and output `(...)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::array;
/// let mut model = Sequential::new().input([1]).add(Rescaling::new(2.0).offset(-1.0));
/// model.build()?;
/// assert_eq!(model.predict(&array![[3.0f32]])?, array![[5.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] if a number is not finite.
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/image_preprocessing/rescaling/>
#[derive(Debug, Clone)]
pub struct Rescaling {
    scale: f64,
    offset: f64,
}

impl Rescaling {
    /// Creates a layer that multiplies by `scale`.
    pub fn new(scale: f64) -> Self {
        Rescaling { scale, offset: 0.0 }
    }

    setters! {
        /// The offset added after the multiplication. Default: 0.
        offset: f64;
    }
}

impl<F: Scalar> Layer<F> for Rescaling {
    saved!("Rescaling");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        for (argument, value) in [("scale", self.scale), ("offset", self.offset)] {
            if !value.is_finite() {
                return Err(Error::argument(argument, "a finite number", value));
            }
        }
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let (scale, offset) = (F::of(self.scale), F::of(self.offset));
        y.data().iter_mut().zip(x.data()).for_each(|(y, &x)| *y = x * scale + offset);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(mut dx) = context.dx else { return };
        let scale = F::of(self.scale);
        dx.data().iter_mut().zip(context.dy.as_batch().data()).for_each(|(dx, &dy)| *dx = dy * scale);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_affine: true, ..LayerTraits::default() }
    }
}

settings!([] Rescaling { "scale" required: scale, "offset": offset });
