//! Reshape: the same numbers in another shape. dx = dy.

use crate::config::settings;
use crate::error::{Error, Result};
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
/// At `build`: [`Error::Argument`] if the number of values differs, or if the target has two −1.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/reshape/>
#[derive(Debug, Clone)]
pub struct Reshape {
    target: Vec<isize>,
}

impl Reshape {
    /// Creates a layer with this output shape; one size may be −1.
    pub fn new(target: impl Into<Vec<isize>>) -> Self {
        Reshape { target: target.into() }
    }
}

impl<F: Scalar> Layer<F> for Reshape {
    saved!("Reshape");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        let count: usize = input.iter().product();
        let refused = || {
            let expected = format!("a shape of {count} numbers, with at most one -1");
            Error::argument("target", expected, format!("{:?}", self.target))
        };
        let known = self.target.iter().filter(|&&size| size != -1);
        let known = known.map(|&size| usize::try_from(size).map_err(|_| refused()));
        let rest = known.into_iter().try_fold(1usize, |n, size| n.checked_mul(size?).ok_or_else(refused))?;
        let free = self.target.iter().filter(|&&size| size == -1).count();
        if free > 1 || rest == 0 || !count.is_multiple_of(rest) || (free == 0 && rest != count) {
            return Err(refused());
        }
        Ok(self.target.iter().map(|&size| usize::try_from(size).unwrap_or(count / rest)).collect())
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

settings!([] Reshape { "target_shape" required: target });
