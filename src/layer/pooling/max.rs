//! Max pooling: y = max x over a window. dx gets dy at the first largest cell.

use super::{NEAR, Windows, larger, sliding, window_pool};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel;
use crate::layer::window::{Padding, Window};
use crate::layer::{BackwardContext, Layer, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Max pooling over the steps of a sequence: see [`MaxPooling`].
///
/// # Shapes
/// Input `(steps, channels)`, output `(new steps, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([7, 3]).add(MaxPooling1D::new(2));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[3, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/pooling_layers/max_pooling1d/>
pub type MaxPooling1D = MaxPooling<1>;

/// Max pooling over the rows and columns of an image: see [`MaxPooling`].
///
/// # Shapes
/// Input `(height, width, channels)`, output `(new height, new width, channels)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([8, 8, 3]).add(MaxPooling2D::new([2, 2]));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[4, 4, 3][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/pooling_layers/max_pooling2d/>
pub type MaxPooling2D = MaxPooling<2>;

/// Max pooling over `D` axes: each output is the largest cell of a window.
///
/// ```text
/// y[t, c] = maxᵢ x[t·s + i, c]    over the cells i of the pool, s the stride
/// ```
///
/// Of equal cells, the first gets the gradient.
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
/// At `build`: [`Error::Argument`](crate::Error::Argument) for a size of 0;
/// [`Error::InputShape`](crate::Error::InputShape) for samples of another rank, or smaller than the pool (for which Keras
/// returns an empty output).
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// use ndarray::{Array3, array};
/// let mut model = Sequential::new().input([4, 1]).add(MaxPooling1D::new(2));
/// model.build()?;
/// let x = Array3::from_shape_vec((1, 4, 1), vec![1.0f32, 3.0, 9.0, 5.0]).map_err(Error::outside)?;
/// assert_eq!(model.predict(&x)?, array![[[3.0], [9.0]]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone)]
pub struct MaxPooling<const D: usize> {
    size: [usize; D],
    strides: Option<[usize; D]>,
    padding: Padding,
    window: Option<Window>,
}

window_pool!(MaxPooling);

/// y: the largest cells.
pub(super) fn infer<F: Scalar>(windows: &impl Windows, x: Batch<F>, mut y: BatchMut<F>) {
    let (channels, width) = (windows.channels(), y.width());
    kernel::samples(x.rows(), NEAR.div_ceil(x.width()), [(y.data(), width)], &|range, [y]| {
        y.fill(-F::infinity());
        kernel::simd!(|| {
            for (place, sample) in range.enumerate() {
                let (x, y) = (x.row(sample), &mut y[place * width..][..width]);
                windows.stretches(|s| {
                    let y = &mut y[s.place * channels..][..channels];
                    for x in kernel::rows_of(&x[s.cell * channels..][..s.len * channels], channels) {
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = larger(*y, x));
                    }
                });
            }
        });
    });
}

/// dx: dy at the first largest cell of each window.
pub(super) fn backward<F: Scalar>(windows: &impl Windows, mut context: BackwardContext<F>) {
    let Some(mut dx) = context.dx else { return };
    let (channels, from, to, rows) =
        (windows.channels(), context.x.width(), context.y.width(), context.x.rows());
    let arrays = [(dx.data(), from), (context.dy.data(), to)];
    kernel::samples(rows, NEAR.div_ceil(from), arrays, &|range, [dx, dy]| {
        dx.fill(F::zero());
        kernel::simd!(|| {
            for (place, sample) in range.enumerate() {
                let (x, y) = (context.x.row(sample), context.y.row(sample));
                let (dx, dy) = (&mut dx[place * from..][..from], &mut dy[place * to..][..to]);
                windows.in_order_of_ties(|s| {
                    let (y, dy) =
                        (&y[s.place * channels..][..channels], &mut dy[s.place * channels..][..channels]);
                    for cell in s.cell..s.cell + s.len {
                        let cells = cell * channels..(cell + 1) * channels;
                        let (x, dx) = (&x[cells.clone()], &mut dx[cells]);
                        for (((dx, dy), &x), &y) in dx.iter_mut().zip(&mut *dy).zip(x).zip(y) {
                            // What the first largest cell took is not available to the next.
                            let taken = if x == y { *dy } else { F::zero() };
                            *dx += taken;
                            *dy -= taken;
                        }
                    }
                });
            }
        });
    });
}

impl<F: Scalar, const D: usize> Layer<F> for MaxPooling<D> {
    saved!(if D == 1 { "MaxPooling1D" } else { "MaxPooling2D" });

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.place(input)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(window) = &self.window else { return };
        infer(window, x, y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(window) = &self.window else { return };
        backward(window, context);
    }
}

settings!([const D: usize] MaxPooling<D> {
    "pool_size" required: size, "strides": strides, "padding": padding,
} only { "data_format": "channels_last" });
