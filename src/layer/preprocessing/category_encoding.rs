//! CategoryEncoding: y = Σ e[x], a vector per sample with 1, or the count, at each category x. dx = 0.

use super::OutputMode;
use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::layer::check::check_positive;
use crate::layer::{BackwardContext, Layer, LayerTraits, saved};
use crate::param::BuildContext;
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Encodes category indices from 0 to `num_tokens − 1` as vectors of `num_tokens` numbers.
///
/// | setter | default |
/// |---|---|
/// | `output_mode` | [`OutputMode::MultiHot`]; [`OutputMode::Int`] is refused |
///
/// # Shapes
/// Input `(values)` of integers, output `(num_tokens)`. With [`OutputMode::OneHot`], input `(...)` and output
/// `(..., num_tokens)`; a last axis of length 1 is replaced.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([3]).add(CategoryEncoding::new(4));
/// model.build()?;
/// let y = model.predict(&ndarray::array![[0, 1, 1], [3, 2, 3]])?;
/// assert_eq!(y, ndarray::array![[1.0, 1.0, 0.0, 0.0], [0.0, 0.0, 1.0, 1.0]].into_dyn());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a `num_tokens` of 0 or [`OutputMode::Int`], [`Error::TooLarge`] for an output that is
/// too large, [`Error::InputShape`] for several axes unless each value has its own vector. If the layer comes first in a model,
/// `fit`, `evaluate` and `predict` refuse data that are not indices with [`Error::Index`]; elsewhere such a value counts as no
/// category, as in Keras on JAX.
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/categorical/category_encoding/>
#[derive(Debug, Clone)]
pub struct CategoryEncoding {
    num_tokens: usize,
    output_mode: OutputMode,
}

impl CategoryEncoding {
    /// Creates a layer for this number of categories.
    pub fn new(num_tokens: usize) -> Self {
        CategoryEncoding { num_tokens, output_mode: OutputMode::MultiHot }
    }

    setters! {
        /// The form of the output. Default: [`OutputMode::MultiHot`].
        output_mode: OutputMode;
    }
}

impl<F: Scalar> Layer<F> for CategoryEncoding {
    saved!("CategoryEncoding");

    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        check_positive(&[("num_tokens", self.num_tokens)])?;
        if self.output_mode == OutputMode::Int {
            return Err(Error::argument("output_mode", "OneHot, MultiHot or Count", "Int"));
        }
        self.output_mode.shape(input, self.num_tokens)
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let index = |x: F| x.to_usize().filter(|&index| index < self.num_tokens && F::of(index as f64) == x);
        self.output_mode.encode(x.data(), y.data(), self.num_tokens, index);
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        if let Some(mut dx) = context.dx {
            dx.data().fill(F::zero());
        }
    }

    fn traits(&self) -> LayerTraits {
        LayerTraits { indices: Some(self.num_tokens), ..LayerTraits::default() }
    }
}

settings!([] CategoryEncoding { "num_tokens" required: num_tokens, "output_mode": output_mode });
