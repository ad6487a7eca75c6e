//! Embedding: y = E[x], the row of each index. dE sums dy over the occurrences of each index; dx = 0.

use crate::config::{setters, settings};
use crate::error::{Error, Result};
use crate::initializer::Initializer;
use crate::kernel;
use crate::layer::check::check_positive;
use crate::layer::{BackwardContext, Layer, LayerTraits, MaskRule, Part, PartMut, saved};
use crate::param::{BuildContext, Param, Spec, spec, spec_setters};
use crate::scalar::Scalar;
use crate::tensor::{Batch, BatchMut, Scratch};

/// Maps each index from 0 to `input_dim − 1`, such as a word, to a trained vector: `y = E[x]`, row `x` of `embeddings`.
///
/// | setter | default |
/// |---|---|
/// | `mask_zero`: whether index 0 is padding | false |
/// | `embeddings_initializer` | `RandomUniform` within ±0.05 |
/// | `embeddings_regularizer`, `embeddings_constraint` | none |
///
/// # Shapes
/// Input `(...)` of integers, output `(..., output_dim)`; parameter `embeddings (input_dim, output_dim)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([3]).add(Embedding::new(10, 4));
/// model.build()?;
/// assert_eq!(model.predict(&ndarray::array![[1, 5, 9]])?.shape(), [1, 3, 4]);
/// let refused = model.predict(&ndarray::array![[1, 5, 10]]);
/// assert!(matches!(refused, Err(Error::Index { row: 0, count: 10, .. })));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// With `mask_zero`, index 0 is padding for texts of different lengths:
///
/// ```
/// use cornu::prelude::*;
/// // Two texts of 2 and 3 words, padded with a zero at the end.
/// let mut model = Sequential::new().input([3]).add(Embedding::new(10, 4).mask_zero(true)).add(Lstm::new(2));
/// model.build()?;
/// let y = model.predict(&ndarray::array![[7, 2, 0], [7, 2, 5]])?;
/// let mut unpadded = Sequential::new().input([2]).add(Embedding::new(10, 4)).add(Lstm::new(2));
/// unpadded.build()?;
/// for (path, weight) in model.weights()? {
///     unpadded.set_weight(&path, &weight)?;
/// }
/// let expected = unpadded.predict(&ndarray::array![[7, 2]])?;
/// assert_eq!((y[[0, 0]], y[[0, 1]]), (expected[[0, 0]], expected[[0, 1]]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] for a size of 0. If the layer comes first in a model, `fit`, `evaluate` and
/// `predict` refuse data that are not indices with [`Error::Index`]; elsewhere an index out of range yields NaN. In
/// an exported `.onnx` file a negative index counts from the end, a fraction is truncated, and an index beyond the
/// end is an error of the runtime.
///
/// # References
/// <https://keras.io/api/layers/core_layers/embedding/>
#[derive(Debug, Clone)]
pub struct Embedding<F = f32> {
    input_dim: usize,
    output_dim: usize,
    mask_zero: bool,
    embeddings: Spec,
    param: Option<Param<F>>,
}

impl<F> Embedding<F> {
    /// Creates `input_dim` vectors of `output_dim` numbers.
    pub fn new(input_dim: usize, output_dim: usize) -> Self {
        let embeddings = spec!("embeddings", Initializer::RandomUniform { low: -0.05, high: 0.05 });
        Embedding { input_dim, output_dim, mask_zero: false, embeddings, param: None }
    }

    setters! {
        /// Whether index 0 is padding: the output then has a mask, which layers such as [`Lstm`](crate::layer::Lstm) use.
        /// Default: false, an ordinary index.
        mask_zero: bool;
    }

    spec_setters!(embeddings: "the vectors", "`RandomUniform` within ±0.05", embeddings_initializer, embeddings_regularizer, embeddings_constraint);
}

impl<F: Scalar> Layer<F> for Embedding<F> {
    saved!("Embedding");

    fn build(&mut self, input: &[usize], context: &mut BuildContext) -> Result<Vec<usize>> {
        check_positive(&[("input_dim", self.input_dim), ("output_dim", self.output_dim)])?;
        // Indices are numbers of type F, which represents all integers up to 2/ε.
        let most = 2.0 / F::epsilon().as_f64();
        if self.input_dim as f64 > most {
            return Err(Error::argument(
                "input_dim",
                format!("at most {most}, for indices in {}", F::NAME),
                self.input_dim,
            ));
        }
        self.param =
            Some(self.embeddings.param("embeddings", &[self.input_dim, self.output_dim], context)?);
        Ok([input, &[self.output_dim]].concat())
    }

    fn infer(&self, x: Batch<F>, mut y: BatchMut<F>, _: &mut Scratch<F>) {
        let Some(vectors) = self.param.as_ref().map(Param::value) else { return };
        let (width, indices) = (self.output_dim, x.data());
        let block = (1_usize << 12).div_ceil(width);
        kernel::samples(indices.len(), block, [(y.data(), width)], &|range, [y]| {
            for (y, x) in y.chunks_exact_mut(width).zip(&indices[range]) {
                match x.to_usize().filter(|&index| index < self.input_dim) {
                    Some(index) => y.copy_from_slice(&vectors[index * width..][..width]),
                    None => y.fill(F::nan()),
                }
            }
        });
    }

    fn backward(&mut self, context: BackwardContext<F>) {
        let Some(param) = &mut self.param else { return };
        let (width, dy) = (self.output_dim, context.dy.as_batch());
        // Each thread reads all indices and adds to some of the vectors.
        let block = self.input_dim.div_ceil(kernel::threads()).max((1_usize << 13).div_ceil(width));
        kernel::samples(self.input_dim, block, [(param.grad_mut(), width)], &|range, [grad]| {
            grad.fill(F::zero());
            for (dy, x) in dy.data().chunks_exact(width).zip(context.x.data()) {
                if let Some(index) = x.to_usize().filter(|index| range.contains(index)) {
                    let sum = &mut grad[(index - range.start) * width..][..width];
                    sum.iter_mut().zip(dy).for_each(|(sum, dy)| *sum += *dy);
                }
            }
        });
        if let Some(mut dx) = context.dx {
            dx.data().fill(F::zero());
        }
    }

    fn visit<'a>(&'a self, f: &mut dyn FnMut(Part<'a, F>)) {
        self.param.iter().map(Part::Param).for_each(f);
    }

    fn visit_mut<'a>(&'a mut self, f: &mut dyn FnMut(PartMut<'a, F>)) {
        f(PartMut::MaskZero(&mut self.mask_zero));
        self.param.iter_mut().map(PartMut::Param).for_each(f);
    }

    fn traits(&self) -> LayerTraits {
        let mask = if self.mask_zero { MaskRule::Creates(0.0) } else { MaskRule::Ends };
        LayerTraits { indices: Some(self.input_dim), mask, ..LayerTraits::default() }
    }
}

settings!([F] Embedding<F> {
    "input_dim" required: input_dim, "output_dim" required: output_dim, "mask_zero": mask_zero,
    "embeddings": embeddings,
});
