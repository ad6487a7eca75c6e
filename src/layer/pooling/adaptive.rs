//! Adaptive pooling: m windows over n cells; window i covers the cells ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉ − 1. y = max x, and dx gets
//! dy at the first largest cell; or y = Σ x / k over the k cells of a window, and dx = Σ dy / k.

use std::ops::Range;

use super::{Windows, average, max};
use crate::config::settings;
use crate::error::{Error, Result};
use crate::layer::check::check_positive;
use crate::layer::strided_copy::check_size;
use crate::layer::window::{Stretch, channels};
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Windows over the rows and columns of an input; a sequence is one row.
#[derive(Debug, Clone, Default)]
struct AdaptiveWindows {
    channels: usize,
    input: [usize; 2],
    output: [usize; 2],
}

/// The cells under window `place` of `windows` over an axis of `len` cells.
#[inline(always)]
pub(crate) fn adaptive_cells(len: usize, windows: usize, place: usize) -> Range<usize> {
    place * len / windows..((place + 1) * len).div_ceil(windows)
}

impl AdaptiveWindows {
    /// Places this number of windows along each axis of the input, and returns the shape of the output.
    fn over<const D: usize>(&mut self, output_size: [usize; D], input: &[usize]) -> Result<Vec<usize>> {
        let channels = channels::<D>(input)?;
        check_positive(&output_size.map(|size| ("output_size", size)))?;
        let output = [&output_size[..], &[channels]].concat();
        check_size(&output)?;
        // The bounds of a window are products of both lengths.
        if output_size.iter().zip(input).any(|(&windows, &len)| windows.checked_mul(len).is_none()) {
            return Err(Error::TooLarge { shape: output });
        }
        let mut found = AdaptiveWindows { channels, input: [1; 2], output: [1; 2] };
        found.input[2 - D..].copy_from_slice(&input[..D]);
        found.output[2 - D..].copy_from_slice(&output_size);
        *self = found;
        Ok(output)
    }

    /// The rows and columns of each window.
    #[inline(always)]
    fn each(&self, mut f: impl FnMut(usize, [Range<usize>; 2])) {
        let [rows, columns] = self.output;
        for place in 0..rows * columns {
            let at = [place / columns, place % columns];
            f(place, [0, 1].map(|axis| adaptive_cells(self.input[axis], self.output[axis], at[axis])));
        }
    }
}

impl Windows for AdaptiveWindows {
    fn channels(&self) -> usize {
        self.channels
    }

    fn places(&self) -> usize {
        self.output[0] * self.output[1]
    }

    #[inline(always)]
    fn stretches(&self, mut f: impl FnMut(Stretch)) {
        self.each(|place, [rows, columns]| {
            for row in rows {
                f(Stretch { place, tap: 0, cell: row * self.input[1] + columns.start, len: columns.len() });
            }
        });
    }

    /// As Keras, which takes the maxima of columns before those of rows.
    #[inline(always)]
    fn in_order_of_ties(&self, mut f: impl FnMut(Stretch)) {
        self.each(|place, [rows, columns]| {
            for column in columns {
                for row in rows.clone() {
                    f(Stretch { place, tap: 0, cell: row * self.input[1] + column, len: 1 });
                }
            }
        });
    }
}

/// Defines both kinds with their docs.
macro_rules! adaptive_pool {
    ($pool:ident, $one:ident, $two:ident, $what:literal, $equation:literal, $more:literal, $example:literal, $page1:literal, $page2:literal) => {
        #[doc = concat!("The ", $what, " of each channel over windows whose sizes follow from the number of outputs.")]
        ///
        /// ```text
        #[doc = concat!($equation, "    over the cells t = ⌊i·n/m⌋ to ⌈(i + 1)·n/m⌉ − 1, for m outputs of n cells")]
        /// ```
        ///
        /// The windows cover all cells, and overlap if `m` does not divide `n`. They are those of PyTorch, and of Keras
        /// unless it rounds their bounds: for 7 outputs of 7 steps in f32, Keras 3.15.1 on JAX returns NaN.
        #[doc = $more]
        ///
        /// # Shapes
        /// Input `(steps, channels)` or `(height, width, channels)`, output `(output_size, channels)` or
        /// `(output_size[0], output_size[1], channels)`.
        ///
        /// # Errors
        /// At `build`: [`Error::Argument`] for an `output_size` of 0, [`Error::TooLarge`] for an output that is too large,
        /// and [`Error::InputShape`] for samples of another rank.
        ///
        /// # Example
        /// ```
        /// use cornu::prelude::*;
        /// use ndarray::{Array3, array};
        #[doc = concat!("let mut model = Sequential::new().input([5, 1]).add(", stringify!($one), "::new(2));")]
        /// model.build()?;
        /// let x = Array3::from_shape_vec((1, 5, 1), vec![1.0f32, 2.0, 3.0, 7.0, 8.0]).map_err(Error::outside)?;
        #[doc = concat!("assert_eq!(model.predict(&x)?, array![[", $example, "]].into_dyn());    // of 1, 2, 3 and of 3, 7, 8")]
        /// # Ok::<(), cornu::Error>(())
        /// ```
        #[derive(Debug, Clone)]
        pub struct $pool<const D: usize> {
            output_size: [usize; D],
            windows: AdaptiveWindows,
        }

        #[doc = concat!("The ", $what, " of each channel over a given number of windows along a sequence: see [`", stringify!($pool), "`].")]
        ///
        /// # Shapes
        /// Input `(steps, channels)`, output `(output_size, channels)`.
        ///
        /// # Example
        /// ```
        /// use cornu::prelude::*;
        #[doc = concat!("let mut model = Sequential::new().input([7, 3]).add(", stringify!($one), "::new(2));")]
        /// model.build()?;
        /// assert_eq!(model.output_shape(), Some(&[2, 3][..]));
        /// # Ok::<(), cornu::Error>(())
        /// ```
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/layers/pooling_layers/", $page1, "/>")]
        pub type $one = $pool<1>;

        #[doc = concat!("The ", $what, " of each channel over a given number of windows along both axes of an image: see [`", stringify!($pool), "`].")]
        ///
        /// # Shapes
        /// Input `(height, width, channels)`, output `(output_size[0], output_size[1], channels)`.
        ///
        /// # Example
        /// ```
        /// use cornu::prelude::*;
        #[doc = concat!("let mut model = Sequential::new().input([8, 5, 3]).add(", stringify!($two), "::new([2, 3]));")]
        /// model.build()?;
        /// assert_eq!(model.output_shape(), Some(&[2, 3, 3][..]));
        /// # Ok::<(), cornu::Error>(())
        /// ```
        ///
        /// # References
        #[doc = concat!("<https://keras.io/api/layers/pooling_layers/", $page2, "/>")]
        pub type $two = $pool<2>;

        impl $pool<1> {
            /// Creates a pool with this number of output steps.
            pub fn new(output_size: usize) -> Self {
                $pool { output_size: [output_size], windows: AdaptiveWindows::default() }
            }
        }

        impl $pool<2> {
            /// Creates a pool with this number of output rows and columns.
            pub fn new(output_size: [usize; 2]) -> Self {
                $pool { output_size, windows: AdaptiveWindows::default() }
            }
        }
    };
}

adaptive_pool!(
    AdaptiveMaxPooling,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    "largest value",
    "y[i, c] = maxₜ x[t, c]",
    "Of equal cells, the first of the first column gets the gradient.",
    "[3.0], [8.0]",
    "adaptive_max_pooling1d",
    "adaptive_max_pooling2d"
);
adaptive_pool!(
    AdaptiveAveragePooling,
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    "mean",
    "y[i, c] = Σₜ x[t, c] / k",
    "",
    "[2.0], [6.0]",
    "adaptive_average_pooling1d",
    "adaptive_average_pooling2d"
);

impl<F: Scalar, const D: usize> Layer<F> for AdaptiveMaxPooling<D> {
    saved!(if D == 1 { "AdaptiveMaxPooling1D" } else { "AdaptiveMaxPooling2D" });

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.windows.over(self.output_size, input)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, _: &mut Scratch<F>) {
        max::infer(&self.windows, x, y);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        max::backward(&self.windows, context);
    }
}

impl<F: Scalar, const D: usize> Layer<F> for AdaptiveAveragePooling<D> {
    saved!(if D == 1 { "AdaptiveAveragePooling1D" } else { "AdaptiveAveragePooling2D" });

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        self.windows.over(self.output_size, input)
    }

    fn infer(&self, x: Batch<F>, y: BatchMut<F>, scratch: &mut Scratch<F>) {
        average::infer(&self.windows, x, y, scratch);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        average::backward(&self.windows, context);
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { is_affine: true, ..LayerTraits::default() }
    }
}

settings!([const D: usize] AdaptiveMaxPooling<D> {
    "output_size" required: output_size,
} only { "data_format": "channels_last" });

settings!([const D: usize] AdaptiveAveragePooling<D> {
    "output_size" required: output_size,
} only { "data_format": "channels_last" });
