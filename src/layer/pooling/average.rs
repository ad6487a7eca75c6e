//! Average pooling: y = Σ x / n over the n cells of a window within the input. dx = Σ dy / n.

use super::{NEAR, Windows, sliding, window_pool};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel;
use crate::layer::window::{Padding, Window};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Average pooling over the steps of a sequence: see [`AveragePooling`].
///
/// # Shapes
/// Input `(steps, channels)`, output `(new steps, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([7, 3]).add(AveragePooling1D::new(2));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[3, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/pooling_layers/average_pooling1d/>
pub type AveragePooling1D = AveragePooling<1>;

/// Average pooling over the rows and columns of an image: see [`AveragePooling`].
///
/// # Shapes
/// Input `(height, width, channels)`, output `(new height, new width, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([8, 8, 3]).add(AveragePooling2D::new([2, 2]));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[4, 4, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/pooling_layers/average_pooling2d/>
pub type AveragePooling2D = AveragePooling<2>;

/// Average pooling over `D` axes: each output is the mean of a window.
///
/// ```text
/// y[t, c] = Σᵢ x[t·s + i, c] / n    over the n cells i of the pool within the input, s the stride
/// ```
///
/// | setter | default |
/// |---|---|
/// | `strides` | the size of the pool |
/// | `padding` | [`Padding::Valid`] |
///
/// # Shapes
/// Input `(steps, channels)` or `(height, width, channels)`, output `(new steps, channels)` or
/// `(new height, new width, channels)`; [`Padding`] has the formulas of the new lengths.
///
/// # Errors
/// At `build`: as for [`MaxPooling`](crate::layer::MaxPooling).
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::{Array3, array};
/// let mut model = Sequential::new().input([4, 1]).add(AveragePooling1D::new(2));
/// model.build()?;
/// let x = Array3::from_shape_vec((1, 4, 1), vec![1.0f32, 3.0, 5.0, 9.0]).map_err(Error::outside)?;
/// assert_eq!(model.predict(&x)?, array![[[2.0], [7.0]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct AveragePooling<const D: usize> {
    size: [usize; D],
    strides: Option<[usize; D]>,
    padding: Padding,
    window: Option<Window>,
}

window_pool!(AveragePooling);

/// Writes `1/n` of each position to the first numbers of `shares`.
fn write_shares<F: Scalar>(windows: &impl Windows, shares: &mut [F]) {
    shares.fill(F::zero());
    windows.stretches(|s| shares[s.place] += F::of(s.len as f64));
    shares.iter_mut().for_each(|share| *share = F::one() / *share);
}

/// y: the means of the cells.
pub(super) fn infer<F: Scalar>(
    windows: &impl Windows,
    x: Batch<F>,
    mut y: BatchMut<F>,
    scratch: &mut Scratch<F>,
) {
    let (channels, width) = (windows.channels(), y.width());
    let (shares, _) = scratch.take(windows.places());
    write_shares(windows, shares);
    let shares = &*shares;
    kernel::samples(x.rows(), NEAR.div_ceil(x.width()), [(y.data(), width)], &|range, [y]| {
        y.fill(F::zero());
        for (x, y) in range.map(|sample| x.row(sample)).zip(y.chunks_exact_mut(width)) {
            windows.stretches(|s| {
                let y = &mut y[s.place * channels..][..channels];
                for x in x[s.cell * channels..][..s.len * channels].chunks_exact(channels) {
                    y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
                }
            });
            for (y, &share) in y.chunks_exact_mut(channels).zip(shares) {
                y.iter_mut().for_each(|y| *y *= share);
            }
        }
    });
}

/// dx: dy, shared by the cells of each window.
pub(super) fn backward<F: Scalar>(windows: &impl Windows, context: BackwardContext<F>) {
    let Some(mut dx) = context.dx else { return };
    let (channels, width, rows) = (windows.channels(), dx.width(), dx.rows());
    let (shares, _) = context.scratch.take(windows.places());
    write_shares(windows, shares);
    let (shares, dy) = (&*shares, context.dy.as_batch());
    kernel::samples(rows, NEAR.div_ceil(width), [(dx.data(), width)], &|range, [dx]| {
        dx.fill(F::zero());
        for (dy, dx) in range.map(|sample| dy.row(sample)).zip(dx.chunks_exact_mut(width)) {
            windows.stretches(|s| {
                let (dy, share) = (&dy[s.place * channels..][..channels], shares[s.place]);
                for dx in dx[s.cell * channels..][..s.len * channels].chunks_exact_mut(channels) {
                    dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx += dy * share);
                }
            });
        }
    });
}

impl<F: Scalar, const D: usize> Layer<F> for AveragePooling<D> {
    saved!(if D == 1 { "AveragePooling1D" } else { "AveragePooling2D" });

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.place(input)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        let Some(window) = &self.window else { return };
        infer(window, x, y, scratch);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(window) = &self.window else { return };
        backward(window, context);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_affine: true, ..LayerTraits::default() }
    }
}

settings!([const D: usize] AveragePooling<D> {
    "pool_size" required: size, "strides": strides, "padding": padding,
} only { "data_format": "channels_last" });
