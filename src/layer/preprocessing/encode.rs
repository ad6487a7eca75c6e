//! The forms in which a layer returns categories.

use crate::config::words;
use crate::error::Result;
use crate::layer::check::{axes, check_not_empty};
use crate::layer::strided_copy::check_size;
use crate::scalar::Scalar;

/// The form in which a layer returns categories, such as bins.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let bins = |mode| {
///     let mut model = Sequential::new().input([3]).add(Discretization::new([0.0, 1.0]).output_mode(mode));
///     model.build()?;
///     model.predict(&ndarray::array![[-1.0, 2.0, 3.0]])
/// };
/// assert_eq!(bins(OutputMode::Int)?, ndarray::array![[0.0, 2.0, 2.0]].into_dyn());
/// assert_eq!(bins(OutputMode::MultiHot)?, ndarray::array![[1.0, 0.0, 1.0]].into_dyn());
/// assert_eq!(bins(OutputMode::Count)?, ndarray::array![[1.0, 0.0, 2.0]].into_dyn());
/// assert_eq!(bins(OutputMode::OneHot)?.shape(), [1, 3, 3]);
/// # Ok::<(), Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OutputMode {
    /// The index of the category.
    Int,
    /// One vector for each value, 1 at its category and 0 otherwise.
    OneHot,
    /// One vector for all values of a sample, 1 at each category that occurs.
    MultiHot,
    /// One vector for all values of a sample: how often each category occurs.
    Count,
}

impl OutputMode {
    /// Returns the shape of an output for samples of shape `input` and `depth` categories.
    pub(super) fn shape(self, input: &[usize], depth: usize) -> Result<Vec<usize>> {
        check_not_empty(input)?;
        let output = match (self, input) {
            (OutputMode::Int, _) => input.to_vec(),
            (OutputMode::OneHot, [before @ .., 1]) => [before, &[depth]].concat(),
            (OutputMode::OneHot, _) => [input, &[depth]].concat(),
            // For more axes, Keras reduces the first of them and declares the shape for the last.
            (OutputMode::MultiHot | OutputMode::Count, _) => axes(input, ["values"]).map(|_| vec![depth])?,
        };
        check_size(&output)?;
        Ok(output)
    }

    /// Writes the categories of `x` to `y`; values without a category count as none.
    pub(super) fn encode<F: Scalar>(
        self,
        x: &[F],
        y: &mut [F],
        depth: usize,
        category: impl Fn(F) -> Option<usize>,
    ) {
        if self == OutputMode::Int {
            let categories = x.iter().map(|&x| category(x).map_or(F::nan(), |index| F::of(index as f64)));
            return y.iter_mut().zip(categories).for_each(|(y, category)| *y = category);
        }
        y.fill(F::zero());
        let vectors = y.len() / depth.max(1);
        let values = x.len() / vectors.max(1);
        for (y, x) in y.chunks_exact_mut(depth.max(1)).zip(x.chunks_exact(values.max(1))) {
            for index in x.iter().filter_map(|&x| category(x)) {
                y[index] = if self == OutputMode::Count { y[index] + F::one() } else { F::one() };
            }
        }
    }
}

words!(OutputMode, "int, one_hot, multi_hot or count" {
    "int" => OutputMode::Int, "one_hot" => OutputMode::OneHot, "multi_hot" => OutputMode::MultiHot,
    "count" => OutputMode::Count,
});
