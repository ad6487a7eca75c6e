//! Global pooling: y = max x, dx = dy shared by the largest cells; or y = Σ x / n, dx = dy / n.

use super::{NEAR, larger};
use crate::config::{setters, settings};
use crate::error::Result;
use crate::kernel;
use crate::layer::window::channels;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Defines both kinds with their docs; `$D` axes are pooled.
macro_rules! global_pool {
    ($pool:ident, $one:ident, $two:ident, $what:literal, $equation:literal, $more:literal, $page1:literal, $page2:literal) => {
        #[doc = concat!("The ", $what, " of each channel over all `D` axes of a sample: `", $equation, "`. ", $more)]
        ///
        /// | setter | default |
        /// |---|---|
        /// | `keepdims` | false: the pooled axes are removed |
        ///
        /// # Shapes
        /// Input `(steps, channels)` or `(height, width, channels)`, output `(channels)`, or with `keepdims`
        /// `(1, channels)` or `(1, 1, channels)`.
        ///
        /// # Errors
        /// At `build`: [`Error::InputShape`](crate::Error::InputShape) for samples of another rank.
        ///
        /// # Example
        /// ```
        #[doc = concat!("use cornu::layer::{", stringify!($pool), ", ", stringify!($one), "};")]
        /// use cornu::prelude::*;
        #[doc = concat!("let pool: ", stringify!($pool), "<1> = ", stringify!($one), "::new().keepdims(true);")]
        /// let mut model = Sequential::<f32>::new().input([7, 3]).add(pool);
        /// model.build()?;
        /// assert_eq!(model.output_shape(), Some(&[1, 3][..]));
        /// # Ok::<(), cornu::Error>(())
        /// ```
        #[derive(Debug, Clone, Default)]
        pub struct $pool<const D: usize> {
            keepdims: bool,
            channels: usize,
        }

        #[doc = concat!("The ", $what, " of each channel over all steps: `", $equation, "`.")]
        ///
        /// # Shapes
        /// Input `(steps, channels)`, output `(channels)`, or `(1, channels)` with `keepdims`.
        ///
        /// # Example
        /// ```
        /// use cornu::prelude::*;
        #[doc = concat!("let mut model = Sequential::new().input([7, 3]).add(", stringify!($one), "::new());")]
        /// model.build()?;
        /// assert_eq!(model.output_shape(), Some(&[3][..]));
        /// # Ok::<(), cornu::Error>(())
        /// ```
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/layers/pooling_layers/", $page1, "/>")]
        pub type $one = $pool<1>;

        #[doc = concat!("The ", $what, " of each channel over all rows and columns: `", $equation, "`.")]
        ///
        /// # Shapes
        /// Input `(height, width, channels)`, output `(channels)`, or `(1, 1, channels)` with `keepdims`.
        ///
        /// # Example
        /// ```
        /// use cornu::prelude::*;
        #[doc = concat!("let mut model = Sequential::new().input([8, 8, 3]).add(", stringify!($two), "::new());")]
        /// model.build()?;
        /// assert_eq!(model.output_shape(), Some(&[3][..]));
        /// # Ok::<(), cornu::Error>(())
        /// ```
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/layers/pooling_layers/", $page2, "/>")]
        pub type $two = $pool<2>;

        impl<const D: usize> $pool<D> {
            /// Creates a pool that removes the pooled axes.
            pub fn new() -> Self {
                $pool::default()
            }

            setters! {
                /// Whether the pooled axes are kept, with length 1. Default: false.
                keepdims: bool;
            }

            /// Returns the shape of the output.
            fn shape(&mut self, input: &[usize]) -> Result<Vec<usize>> {
                self.channels = channels::<D>(input)?;
                let ones = if self.keepdims { D } else { 0 };
                Ok([&[1; D][..ones], &[self.channels]].concat())
            }
        }
    };
}

global_pool!(
    GlobalMaxPooling,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    "largest value",
    "y = max x",
    "Equal ones share the gradient.",
    "global_max_pooling1d",
    "global_max_pooling2d"
);
global_pool!(
    GlobalAveragePooling,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    "mean",
    "y = Σ x / n",
    "In one dimension, steps that the mask of the input excludes do not count; if it excludes all, the mean is 0, not NaN as in Keras.",
    "global_average_pooling1d",
    "global_average_pooling2d"
);

impl<F: Scalar, const D: usize> Layer<F> for GlobalMaxPooling<D> {
    saved!(if D == 1 { "GlobalMaxPooling1D" } else { "GlobalMaxPooling2D" });

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.shape(input)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let arrays = [(y.data(), self.channels)];
        kernel::samples(x.rows(), NEAR.div_ceil(x.width()), arrays, &|range, [y]| {
            y.fill(-F::infinity());
            let channels = self.channels;
            kernel::simd!(|| {
                for (place, sample) in range.enumerate() {
                    let y = &mut y[place * channels..][..channels];
                    for x in kernel::rows_of(x.row(sample), channels) {
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y = larger(*y, x));
                    }
                }
            });
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(mut dx) = context.dx else { return };
        let (x, y, dy) = (context.x, context.y, context.dy.as_batch());
        let (rows, width, channels) = (dx.rows(), dx.width(), self.channels);
        let share = |row: usize, counts: &mut [F], dx: &mut [F]| {
            let (x, y, dy) = (x.row(row), y.row(row), dy.row(row));
            counts.fill(F::zero());
            kernel::simd!(|| {
                for x in kernel::rows_of(x, channels) {
                    for ((count, x), y) in counts.iter_mut().zip(x).zip(y) {
                        *count += if x == y { F::one() } else { F::zero() };
                    }
                }
                for (step, x) in kernel::rows_of(x, channels).enumerate() {
                    let dx = &mut dx[step * channels..][..channels];
                    for ((((dx, x), y), dy), count) in dx.iter_mut().zip(x).zip(y).zip(dy).zip(&*counts) {
                        *dx = if x == y { *dy / *count } else { F::zero() };
                    }
                }
            });
        };
        kernel::samples(rows, NEAR.div_ceil(width), [(dx.data(), width)], &|range, [dx]| {
            kernel::with_memory(channels, |counts| {
                for (row, dx) in range.zip(dx.chunks_exact_mut(width)) {
                    share(row, counts, dx);
                }
            });
        });
    }
}

impl<F: Scalar, const D: usize> Layer<F> for GlobalAveragePooling<D> {
    saved!(if D == 1 { "GlobalAveragePooling1D" } else { "GlobalAveragePooling2D" });

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.shape(input)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        if let Some(mask) = self.steps(x) {
            return self.infer_masked(x, mask, y);
        }
        let share = F::one() / F::of((x.width() / self.channels) as f64);
        let arrays = [(y.data(), self.channels)];
        kernel::samples(x.rows(), NEAR.div_ceil(x.width()), arrays, &|range, [y]| {
            y.fill(F::zero());
            let channels = self.channels;
            kernel::simd!(|| {
                for (place, sample) in range.enumerate() {
                    let y = &mut y[place * channels..][..channels];
                    for x in kernel::rows_of(x.row(sample), channels) {
                        y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
                    }
                    y.iter_mut().for_each(|y| *y *= share);
                }
            });
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(mut dx) = context.dx else { return };
        if let Some(mask) = self.steps(context.x) {
            return self.backward_masked(context.dy.as_batch(), mask, dx);
        }
        let (width, rows) = (dx.width(), dx.rows());
        let share = F::one() / F::of((width / self.channels) as f64);
        let dy = context.dy.as_batch();
        kernel::samples(rows, NEAR.div_ceil(width), [(dx.data(), width)], &|range, [dx]| {
            for (dy, dx) in range.map(|sample| dy.row(sample)).zip(dx.chunks_exact_mut(width)) {
                for dx in dx.chunks_exact_mut(self.channels) {
                    dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx = dy * share);
                }
            }
        });
    }

    fn traits(&self) -> LayerTraits {
        let mask = if D == 1 { MaskRule::Uses { passes: false } } else { MaskRule::Ends };
        LayerTraits { is_affine: true, mask, ..LayerTraits::default() }
    }
}

impl<const D: usize> GlobalAveragePooling<D> {
    /// The mask of the steps of a batch, if it has one.
    fn steps<'a, F>(&self, x: Batch<'a, F>) -> Option<&'a [bool]> {
        x.mask().filter(|mask| D == 1 && mask.len() * self.channels == x.data().len())
    }

    /// The mean of the steps that the mask includes; 0 if it includes none.
    fn infer_masked<F: Scalar>(&self, x: Batch<F>, mask: &[bool], mut y: BatchMut<F>) {
        let steps = x.width() / self.channels;
        for ((y, x), mask) in y.iter_mut().zip(x.iter()).zip(mask.chunks_exact(steps)) {
            y.fill(F::zero());
            for (x, _) in x.chunks_exact(self.channels).zip(mask).filter(|(_, counts)| **counts) {
                y.iter_mut().zip(x).for_each(|(y, &x)| *y += x);
            }
            let count = F::of(included(mask) as f64);
            y.iter_mut().for_each(|y| *y /= count);
        }
    }

    fn backward_masked<F: Scalar>(&self, dy: Batch<F>, mask: &[bool], mut dx: BatchMut<F>) {
        let steps = dx.width() / self.channels;
        for ((dx, dy), mask) in dx.iter_mut().zip(dy.iter()).zip(mask.chunks_exact(steps)) {
            let count = F::of(included(mask) as f64);
            for (dx, counts) in dx.chunks_exact_mut(self.channels).zip(mask) {
                match counts {
                    true => dx.iter_mut().zip(dy).for_each(|(dx, &dy)| *dx = dy / count),
                    false => dx.fill(F::zero()),
                }
            }
        }
    }
}

/// The number of steps that a mask includes, at least 1.
fn included(mask: &[bool]) -> usize {
    mask.iter().filter(|counts| **counts).count().max(1)
}

settings!([const D: usize] GlobalMaxPooling<D> { "keepdims": keepdims } only { "data_format": "channels_last" });

settings!([const D: usize] GlobalAveragePooling<D> { "keepdims": keepdims } only { "data_format": "channels_last" });
