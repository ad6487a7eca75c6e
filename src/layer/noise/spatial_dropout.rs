//! Spatial dropout: y = x ⊙ m, with one m per channel of a sample: 0 with probability r, else 1/(1 − r). dx = dy ⊙ m.
//! In a prediction y = x.

use super::Noise;
use crate::config::{Settings, settings};
use crate::error::Result;
use crate::kernel;
use crate::layer::check::check_rate;
use crate::layer::window::channels;
use crate::layer::{BackwardContext, Layer, LayerTraits, PartMut, Step, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Spatial dropout of sequences: see [`SpatialDropout`].
///
/// # Shapes
/// Input and output `(steps, channels)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([10, 4]).add(SpatialDropout1D::new(0.2));
/// model.build()?;
/// let x = ndarray::Array3::<f32>::ones((1, 10, 4));
/// assert_eq!(model.predict(&x)?, x.into_dyn());    // a prediction drops nothing
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/regularization_layers/spatial_dropout1d/>
pub type SpatialDropout1D<F = f32> = SpatialDropout<1, F>;

/// Spatial dropout of images: see [`SpatialDropout`].
///
/// # Shapes
/// Input and output `(height, width, channels)`, of the same shape.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([5, 4, 3]).add(SpatialDropout2D::new(0.2));
/// model.build()?;
/// let x = ndarray::Array4::<f32>::ones((1, 5, 4, 3));
/// assert_eq!(model.predict(&x)?, x.into_dyn());    // a prediction drops nothing
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/regularization_layers/spatial_dropout2d/>
pub type SpatialDropout2D<F = f32> = SpatialDropout<2, F>;

/// Sets whole channels of a sample to 0 with probability `rate` in training, and scales the others to keep the mean.
///
/// A channel is dropped over all `D` axes, for inputs whose neighbouring steps or pixels are correlated.
///
/// ```text
/// training:    y[t, c] = x[t, c]·m[c]    m = 0 with probability r, else 1/(1 − r), for each channel
/// prediction:  y = x
/// ```
///
/// # Shapes
/// Input and output `(steps, channels)` or `(height, width, channels)`, of the same shape.
///
/// # Errors
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a rate outside [0, 1), [`Error::InputShape`](crate::Error::InputShape) for samples of another rank.
///
/// # Example
/// ```
/// use cornu::layer::{Layer, SpatialDropout};
/// use cornu::prelude::*;
/// let dropout: SpatialDropout<2> = SpatialDropout2D::new(0.2);
/// assert_eq!((dropout.kind(), dropout.traits().drop_rate), ("SpatialDropout2D", 0.2));
/// ```
///
/// # References
/// Tompson et al. (2014), *Efficient object localization using convolutional networks*
#[derive(Debug, Clone)]
pub struct SpatialDropout<const D: usize, F = f32> {
    rate: f64,
    channels: usize,
    mask: Noise<F>,
}

impl<const D: usize, F> SpatialDropout<D, F> {
    /// Creates a layer that drops this share of the channels; 0 drops nothing.
    pub fn new(rate: f64) -> Self {
        SpatialDropout { rate, channels: 1, mask: Noise::new() }
    }
}

impl<const D: usize, F: Scalar> SpatialDropout<D, F> {
    /// `to = from ⊙ m`, with the mask of each sample at all its positions.
    fn apply(&self, from: Batch<F>, mut to: BatchMut<F>) {
        let (width, channels, masks) = (from.width(), self.channels, &self.mask.values);
        let block = (1_usize << 14).div_ceil(width);
        kernel::samples(from.rows(), block, [(to.data(), width)], &|range, [to]| {
            kernel::simd!(|| {
                for (place, sample) in range.enumerate() {
                    let mask = &masks[sample * channels..][..channels];
                    let to = to[place * width..][..width].chunks_exact_mut(channels.max(1));
                    for (to, from) in to.zip(kernel::rows_of(from.row(sample), channels)) {
                        to.iter_mut().zip(from).zip(mask).for_each(|((to, from), m)| *to = *from * *m);
                    }
                }
            });
        });
    }
}

impl<const D: usize, F: Scalar> Layer<F> for SpatialDropout<D, F>
where
    SpatialDropout<D, F>: Settings,
{
    saved!(if D == 1 { "SpatialDropout1D" } else { "SpatialDropout2D" });

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_rate("rate", self.rate)?;
        self.channels = channels::<D>(input)?;
        self.mask.build(self.channels, context);
        Ok(input.to_vec())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        y.data().copy_from_slice(x.data());
    }

    fn forward(&mut self, x: Batch<F>, y: BatchMut<F>, step: &mut Step<F>) {
        self.mask.draw_mask(x.rows(), step, self.rate, 1.0 / (1.0 - self.rate));
        self.apply(x, y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let Some(dx) = context.dx {
            self.apply(context.dy.as_batch(), dx);
        }
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::DropRate(&mut self.rate));
    }

    fn traits(&self) -> LayerTraits {
        self.mask.traits(self.rate)
    }
}

settings!([F] SpatialDropout<1, F> { "rate" required: rate } ignore { "seed" });

settings!([F] SpatialDropout<2, F> {
    "rate" required: rate,
} only { "data_format": "channels_last" } ignore { "seed" });
