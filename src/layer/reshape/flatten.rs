//! Flatten: y = x, as one axis. dx = dy.

use crate::config::settings;
use crate::error::Result;
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Flattens the axes of a sample to one, in row-major order, without copying: `y = x`.
///
/// # Shapes
/// Input `(a, b, ...)`, output `(a·b·...)`; a single number becomes `(1)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([6000, 1]).add(Flatten::new().name("S2"));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[6000][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/flatten/>
#[derive(Debug, Clone, Default)]
pub struct Flatten;

impl Flatten {
    /// Creates the layer; it has no settings.
    pub fn new() -> Self {
        Flatten
    }
}

impl<F: Scalar> Layer<F> for Flatten {
    saved!("Flatten");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        Ok(vec![input.iter().product()])
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let (Some(mut dx), dy) = (context.dx, context.dy) {
            dx.data().copy_from_slice(dy.as_batch().data());
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_view: true, is_affine: true, ..LayerTraits::default() }
    }
}

settings!([] Flatten {} only { "data_format": "channels_last" });
