//! Layers that change the shape of a sample or rearrange its numbers.

mod bilinear;
mod cropping;
mod flatten;
mod padding;
mod permute;
mod repeat;
mod reshape;
mod up_sampling;

#[cfg(feature = "onnx")]
pub(crate) use bilinear::{Between, between};
pub use cropping::{Cropping1D, Cropping2D};
pub use flatten::Flatten;
pub use padding::{ZeroPadding1D, ZeroPadding2D};
pub use permute::Permute;
pub use repeat::RepeatVector;
pub use reshape::Reshape;
pub use up_sampling::{Interpolation, UpSampling1D, UpSampling2D};

use super::check::axes;
use super::strided_copy::{StridedCopy, check_size, strides};

/// Implements the layer by the copies that its `layout` returns with the shape of the output.
macro_rules! strided_copy {
    ($layer:ident) => {
        impl<F: crate::scalar::Scalar> crate::layer::Layer<F> for $layer {
            crate::layer::saved!(stringify!($layer));

            fn build(&mut self, input: &[usize], _: &mut crate::param::BuildContext) -> Result<Vec<usize>> {
                let (output, copy) = self.layout(input)?;
                self.copy = copy;
                Ok(output)
            }

            fn infer(
                &self,
                x: crate::tensor::Batch<F>,
                y: crate::tensor::BatchMut<F>,
                _: &mut crate::tensor::Scratch<F>,
            ) {
                self.copy.forward(x, y);
            }

            fn backward(&mut self, context: crate::layer::BackwardContext<F>) {
                self.copy.backward(context.dy.as_batch(), context.dx);
            }

            fn traits(&self) -> crate::layer::LayerTraits {
                crate::layer::LayerTraits { is_affine: true, ..Default::default() }
            }
        }
    };
}
use strided_copy;
