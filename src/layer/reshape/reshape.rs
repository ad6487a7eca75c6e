//! Reshape: the same numbers in another shape. dx = dy.

use crate::config::settings;
use crate::error::{Error, ExpectedShape, Result};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Reshapes each sample in row-major order, without copying: `y = x`.
///
/// # Shapes
/// Input `(...)`, output the target shape; one −1 in it is inferred from the rest.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([12]).add(Reshape::new([-1, 3]));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[4, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] if the target has a size below 1 other than a single −1; [`Error::InputShape`] if the
/// input has another number of values.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/reshape/>
#[derive(Debug, Clone)]
pub struct Reshape {
    target_shape: Vec<isize>,
}

impl Reshape {
    /// Creates a layer with this output shape; one size may be −1.
    pub fn new(target_shape: impl Into<Vec<isize>>) -> Self {
        Reshape { target_shape: target_shape.into() }
    }
}

impl<F: Scalar> Layer<F> for Reshape {
    saved!("Reshape");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        let refused = || {
            let expected = "sizes of at least 1, of which one may be -1, with fewer than 2^63 values";
            Error::argument("target_shape", expected, format!("{:?}", self.target_shape))
        };
        let inferred = self.target_shape.iter().filter(|&&size| size == -1).count();
        let stated = self.target_shape.iter().filter(|&&size| size != -1);
        let product = stated.copied().filter(|&size| size > 0).try_fold(1, isize::checked_mul);
        let is_valid = inferred <= 1 && self.target_shape.iter().all(|&size| size > 0 || size == -1);
        let product = product.filter(|_| is_valid).ok_or_else(refused)?.unsigned_abs();
        let count: usize = input.iter().product();
        if !count.is_multiple_of(product) || (inferred == 0 && product != count) {
            let expected = match inferred {
                0 => ExpectedShape::Count(product),
                _ => ExpectedShape::CountMultipleOf(product),
            };
            return Err(Error::InputShape { expected, found: input.to_vec() });
        }
        Ok(self.target_shape.iter().map(|&size| usize::try_from(size).unwrap_or(count / product)).collect())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let Some(mut dx) = context.dx {
            dx.data().copy_from_slice(context.dy.as_batch().data());
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_view: true, is_affine: true, ..LayerTraits::default() }
    }
}

settings!([] Reshape { "target_shape" required: target_shape });
