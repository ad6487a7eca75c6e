//! Permute: y[i₁, ..., iₙ] = x[j₁, ..., jₙ] with j[dims[k]] = i[k]. dx[j₁, ..., jₙ] = dy[i₁, ..., iₙ].

use super::{StridedCopy, check_size, strided_copy, strides};
use crate::config::settings;
use crate::error::{Error, ExpectedShape, Result};

/// Permutes the axes of each sample: axis `k` of the output is axis `dims[k]` of the input, so
/// `y[i₁, ..., iₙ] = x[j₁, ..., jₙ]` with `j[dims[k]] = i[k]`.
///
/// # Shapes
/// Input `(a, b, ...)`; for `dims` `[2, 1]`, output `(b, a)`.
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// let mut model = Sequential::new().input([4, 3]).add(Permute::new([2, 1]));
/// model.build()?;
/// assert_eq!(model.output_shape(), Some(&[3, 4][..]));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// At `build`: [`Error::Argument`] if `dims` is not a permutation of 1, 2 ...; [`Error::InputShape`] if the input has
/// another number of axes.
///
/// # References
/// <https://keras.io/api/layers/reshaping_layers/permute/>
#[derive(Debug, Clone)]
pub struct Permute {
    dims: Vec<usize>,
    copy: StridedCopy,
}

impl Permute {
    /// Creates a layer with the axes in their new order, counted from 1, as in Keras.
    pub fn new(dims: impl Into<Vec<usize>>) -> Self {
        Permute { dims: dims.into(), copy: StridedCopy::default() }
    }

    fn layout(&self, input: &[usize]) -> Result<(Vec<usize>, StridedCopy)> {
        let mut sorted = self.dims.clone();
        sorted.sort();
        let rank = self.dims.len();
        if !sorted.iter().copied().eq(1..=rank) {
            let expected = format!("each axis from 1 to {rank} once");
            return Err(Error::argument("dims", expected, format!("{:?}", self.dims)));
        }
        if input.len() != rank {
            return Err(Error::InputShape { expected: ExpectedShape::rank(rank), found: input.to_vec() });
        }
        let output: Vec<usize> = self.dims.iter().map(|&axis| input[axis - 1]).collect();
        check_size(&output)?;
        let (there, here) = (strides(input), strides(&output));
        let there: Vec<usize> = self.dims.iter().map(|&axis| there[axis - 1]).collect();
        let copy = StridedCopy::new(&output, &there, &here);
        Ok((output, copy))
    }
}

strided_copy!(Permute);

settings!([] Permute { "dims" required: dims });
