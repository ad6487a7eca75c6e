//! Up-sampling: y[t] = x[⌊t / size⌋], and dx[t] sums the dy of the size copies of step t; or bilinear interpolation of
//! images.

use super::bilinear::Bilinear;
use super::{StridedCopy, check_size, strided_copy, strides};
use crate::config::{setters, settings, words};
use crate::error::{Error, Result};
use crate::layer::check::check_positive;
use crate::layer::window::channels;
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Repeats each step of a sequence `size` times: `y[t] = x[⌊t / size⌋]`.
///
/// # Shapes
/// Input `(steps, channels)`, output `(size·steps, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([5, 3]).add(UpSampling1D::new(2));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[10, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a size of 0, [`Error::InputShape`] for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/up_sampling1d/>
#[derive(Debug, Clone)]
pub struct UpSampling1D {
    size: usize,
    copy: StridedCopy,
}

/// Enlarges an image by a whole factor along each axis: each pixel is repeated, or pixels are interpolated.
///
/// ```text
/// nearest:   y[i, j] = x[⌊i / s⌋, ⌊j / r⌋]    s, r the sizes
/// bilinear:  y[i, j] = x at the row (i + ½)/s − ½ and the column (j + ½)/r − ½, linear between the centres of pixels
/// ```
///
/// Beyond the centres of the outer pixels, the bilinear interpolation is constant.
///
/// | setter | default |
/// |---|---|
/// | `interpolation` | [`Interpolation::Nearest`] |
///
/// # Shapes
/// Input `(height, width, channels)`, output `(size[0]·height, size[1]·width, channels)`.
///
/// # Example
/// ```
/// use cornu::layer::Interpolation;
/// use cornu::prelude::*;
/// use ndarray::{Array4, array};
/// let x = Array4::from_shape_vec((1, 1, 2, 1), vec![1.0f32, 5.0]).map_err(Error::outside)?;
/// let mut model = Sequential::new().input([1, 2, 1]).add(UpSampling2D::new([1, 2]));
/// model.build()?;
/// assert_eq!(model.predict(&x)?, array![[[[1.0], [1.0], [5.0], [5.0]]]].into_dyn());
///
/// let bilinear = UpSampling2D::new([1, 2]).interpolation(Interpolation::Bilinear);
/// let mut model = Sequential::new().input([1, 2, 1]).add(bilinear);
/// model.build()?;
/// assert_eq!(model.predict(&x)?, array![[[[1.0], [2.0], [4.0], [5.0]]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a size of 0, [`Error::TooLarge`] for an output that is too large, and
/// [`Error::InputShape`] for samples of another rank.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/up_sampling2d/>
#[derive(Debug, Clone)]
pub struct UpSampling2D {
    size: [usize; 2],
    interpolation: Interpolation,
    enlarge: Enlarge,
}

/// The interpolation of [`UpSampling2D`].
///
/// Files with Keras's `bicubic`, `lanczos3` or `lanczos5` are refused by an error with that name.
///
/// # Example
/// ```
/// use cornu::config::{Setting, Value};
/// use cornu::layer::Interpolation;
/// assert_eq!(Interpolation::default(), Interpolation::Nearest);
/// let error = Interpolation::from_value(&Value::from("bicubic"), "interpolation").unwrap_err();
/// assert_eq!(error.to_string(), "`interpolation`: expected nearest or bilinear, found \"bicubic\"");
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Interpolation {
    /// Each pixel is repeated.
    #[default]
    Nearest,
    /// Linear along both axes between the centres of the pixels.
    Bilinear,
}

/// How a built layer computes.
#[derive(Debug, Clone)]
enum Enlarge {
    Copy(StridedCopy),
    Bilinear(Bilinear),
}

impl UpSampling1D {
    /// Creates a layer that repeats each step `size` times; Keras's default is 2.
    pub fn new(size: usize) -> Self {
        UpSampling1D { size, copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        layout([self.size], input)
    }
}

impl UpSampling2D {
    /// Creates a layer that enlarges the height and the width by these factors; Keras's default is `[2, 2]`.
    pub fn new(size: [usize; 2]) -> Self {
        let enlarge = Enlarge::Copy(StridedCopy::default());
        UpSampling2D { size, interpolation: Interpolation::Nearest, enlarge }
    }

    setters! {
        /// Whether pixels are repeated or interpolated. Default: [`Interpolation::Nearest`].
        interpolation: Interpolation;
    }
}

/// Returns the shape with `size` copies of each cell along the first axes, and these copies.
fn layout<const D: usize>(size: [usize; D], input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
    let channels = channels::<D>(input)?;
    check_positive(&size.map(|size| ("size", size)))?;
    let there = strides(input);
    let (mut output, mut sizes, mut from) = (input.to_vec(), Vec::new(), Vec::new());
    for (axis, size) in size.into_iter().enumerate() {
        let len = input[axis].checked_mul(size);
        output[axis] = len.ok_or_else(|| Error::TooLarge { shape: input.to_vec() })?;
        sizes.extend([input[axis], size]);
        from.extend([there[axis], 0]);
    }
    check_size(&output)?;
    sizes.push(channels);
    from.push(1);
    let copy = StridedCopy::new(&sizes, &from, &strides(&sizes));
    Ok((output, copy))
}

strided_copy!(UpSampling1D);

impl<F: Scalar> Layer<F> for UpSampling2D {
    saved!("UpSampling2D");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        let (output, copy) = layout(self.size, input)?;
        self.enlarge = match self.interpolation {
            Interpolation::Nearest => Enlarge::Copy(copy),
            Interpolation::Bilinear => Enlarge::Bilinear(Bilinear::new(self.size, input)),
        };
        Ok(output)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
        match &self.enlarge {
            Enlarge::Copy(copy) => copy.forward(x, y),
            Enlarge::Bilinear(bilinear) => bilinear.forward(x, y),
        }
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(dx) = context.dx else { return };
        match &self.enlarge {
            Enlarge::Copy(copy) => copy.backward(context.dy.as_batch(), Some(dx)),
            Enlarge::Bilinear(bilinear) => bilinear.backward(context.dy.as_batch(), dx),
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_affine: true, ..Default::default() }
    }
}

words!(Interpolation, "nearest or bilinear" {
    "nearest" => Interpolation::Nearest,
    "bilinear" => Interpolation::Bilinear,
});

settings!([] UpSampling1D { "size": size });
settings!([] UpSampling2D {
    "size": size, "interpolation": interpolation,
} only { "data_format": "channels_last" });
