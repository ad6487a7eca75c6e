//! Data as samples: ndarray arrays and views of any rank, layout and number type.

use ndarray::{ArrayBase, Axis, Data, Dimension, RemoveAxis};

use crate::error::{Error, Result};
use crate::scalar::{Element, Scalar};

/// Samples: the first axis counts them, and the other axes are the shape of a sample.
///
/// Implemented for every ndarray array or view of rank 1 and above, contiguous or not, of floating-point numbers, integers
/// or booleans. A rank-1 array contains samples of shape `(1)`. Numbers are converted one batch at a time, so the array is
/// never copied as a whole.
///
/// # Example
/// ```
/// use cornu::data::Samples;
/// let x = ndarray::array![[1, 2], [3, 4], [5, 6]];
/// let samples: &dyn Samples<f32> = &x;
/// assert_eq!((samples.count(), samples.sample_shape()), (3, vec![2]));
/// let mut row = [0.0; 2];
/// samples.read(1, &mut row);
/// assert_eq!(row, [3.0, 4.0]);
/// ```
pub trait Samples<F: Scalar> {
    /// The number of samples.
    fn count(&self) -> usize;

    /// The shape of one sample.
    fn sample_shape(&self) -> Vec<usize>;

    /// Whether each sample has this shape.
    fn has_shape(&self, shape: &[usize]) -> bool {
        self.sample_shape() == shape
    }

    /// Copies sample `index` to `row`, row-major.
    fn read(&self, index: usize, row: &mut [F]);

    /// All samples as one slice, if they are stored in the order and type in which they are read.
    fn as_slice(&self) -> Option<&[F]> {
        None
    }
}

/// Whether each sample has the shape of an input. One number fits an input of shape `()`, too.
pub(crate) fn fits_input<F: Scalar>(samples: &dyn Samples<F>, input: &[usize]) -> bool {
    samples.has_shape(input) || (input.is_empty() && samples.has_shape(&[1]))
}

/// Samples of one number each, such as class indices, converted once.
pub(crate) struct Converted<F> {
    numbers: Vec<F>,
    shape: Vec<usize>,
}

impl<F: Scalar> Converted<F> {
    /// Converts samples that are read often and stored in another type; returns `None` for others.
    pub(crate) fn new(samples: &dyn Samples<F>) -> Option<Self> {
        let shape = samples.sample_shape();
        if samples.as_slice().is_some() || shape.iter().product::<usize>() != 1 {
            return None;
        }
        let mut numbers = vec![F::zero(); samples.count()];
        numbers.chunks_exact_mut(1).enumerate().for_each(|(index, number)| samples.read(index, number));
        Some(Converted { numbers, shape })
    }
}

impl<F: Scalar> Samples<F> for Converted<F> {
    fn count(&self) -> usize {
        self.numbers.len()
    }

    fn sample_shape(&self) -> Vec<usize> {
        self.shape.clone()
    }

    fn read(&self, index: usize, row: &mut [F]) {
        row[0] = self.numbers[index];
    }

    fn as_slice(&self) -> Option<&[F]> {
        Some(&self.numbers)
    }
}

impl<F, T, S, D> Samples<F> for ArrayBase<S, D>
where
    F: Scalar,
    T: Element<F>,
    S: Data<Elem = T>,
    D: Dimension + RemoveAxis,
{
    fn count(&self) -> usize {
        self.len_of(Axis(0))
    }

    fn sample_shape(&self) -> Vec<usize> {
        match &self.shape()[1..] {
            [] => vec![1],
            shape => shape.to_vec(),
        }
    }

    fn has_shape(&self, shape: &[usize]) -> bool {
        match &self.shape()[1..] {
            [] => shape == [1],
            own => own == shape,
        }
    }

    fn read(&self, index: usize, row: &mut [F]) {
        let sample = self.index_axis(Axis(0), index);
        match sample.to_slice() {
            Some(values) => row.iter_mut().zip(values).for_each(|(to, from)| *to = from.cast()),
            None => row.iter_mut().zip(sample.iter()).for_each(|(to, from)| *to = from.cast()),
        }
    }

    fn as_slice(&self) -> Option<&[F]> {
        T::same(self.view().to_slice()?)
    }
}

impl<F: Scalar> Samples<F> for &dyn Samples<F> {
    fn count(&self) -> usize {
        (**self).count()
    }

    fn sample_shape(&self) -> Vec<usize> {
        (**self).sample_shape()
    }

    fn has_shape(&self, shape: &[usize]) -> bool {
        (**self).has_shape(shape)
    }

    fn read(&self, index: usize, row: &mut [F]) {
        (**self).read(index, row);
    }

    fn as_slice(&self) -> Option<&[F]> {
        (**self).as_slice()
    }
}

/// Returns an error for data without samples or values.
pub(crate) fn check_not_empty<F: Scalar>(argument: &str, samples: &dyn Samples<F>) -> Result<()> {
    let shape = samples.sample_shape();
    if samples.count() == 0 || shape.contains(&0) {
        let shape = [&[samples.count()], &*shape].concat();
        return Err(Error::Empty { argument: argument.into(), shape });
    }
    Ok(())
}

/// Returns an error for NaN and infinities, in the scalar type of the network. Returns the largest absolute value.
pub(crate) fn check_finite<F: Scalar>(argument: &str, samples: &dyn Samples<F>) -> Result<F> {
    let width = samples.sample_shape().iter().product();
    if let Some(all) = samples.as_slice() {
        return check_all_finite(argument, all, width, 0);
    }
    let (mut row, mut largest) = (vec![F::zero(); width], F::zero());
    for index in 0..samples.count() {
        samples.read(index, &mut row);
        largest = largest.max(check_all_finite(argument, &row, width, index)?);
    }
    Ok(largest)
}

/// The same for samples in memory, starting with sample `first`.
pub(crate) fn check_all_finite<F: Scalar>(
    argument: &str,
    values: &[F],
    width: usize,
    first: usize,
) -> Result<F> {
    let largest = crate::kernel::largest(values);
    if largest.is_finite() {
        return Ok(largest);
    }
    let place = values.iter().position(|x| !x.is_finite()).unwrap_or(0);
    let (row, column) = (first + place / width, place % width);
    Err(Error::NonFinite { argument: argument.into(), row, column, value: values[place].as_f64() })
}

/// Returns an error for numbers that are not indices below `count`; the first sample is sample `first`.
pub(crate) fn check_indices<F: Scalar>(
    argument: &str,
    values: &[F],
    width: usize,
    first: usize,
    count: usize,
) -> Result<()> {
    let bound = F::of(count as f64);
    let wrong = |x: &F| !(*x >= F::zero() && *x < bound && x.fract() == F::zero());
    match values.iter().position(wrong) {
        None => Ok(()),
        Some(place) => {
            let (row, found) = (first + place / width, values[place].as_f64());
            Err(Error::Index { argument: argument.into(), row, found, count })
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array, Array3, s};

    #[test]
    fn any_layout_reads_in_logical_order() {
        let x = Array::from_iter(0..24).into_shape_with_order((2, 3, 4)).unwrap();
        let swapped = x.view().permuted_axes([1, 0, 2]);
        let strided = x.slice(s![.., ..;-1, 1..;2]);
        for (index, sample) in swapped.outer_iter().enumerate() {
            let mut row = [0.0f64; 8];
            Samples::<f64>::read(&swapped, index, &mut row);
            assert!(row.iter().zip(&sample).all(|(a, &b)| *a == f64::from(b)));
        }
        let mut row = [0.0f32; 6];
        Samples::<f32>::read(&strided, 1, &mut row);
        assert_eq!(row, [21.0, 23.0, 17.0, 19.0, 13.0, 15.0]);
        assert!(Samples::<f32>::as_slice(&strided).is_none());
    }

    #[test]
    fn only_contiguous_data_of_the_same_type_is_read_in_place() {
        let x = Array3::<f32>::zeros((2, 3, 1));
        assert_eq!(Samples::<f32>::as_slice(&x).map(<[f32]>::len), Some(6));
        assert!(Samples::<f64>::as_slice(&x).is_none());
        assert!(Samples::<f32>::as_slice(&x.view().permuted_axes([1, 0, 2])).is_none());
    }

    #[test]
    fn values_that_overflow_the_scalar_type_are_refused() {
        let x = ndarray::array![[1.0, 2.0], [3.0, 1e300]];
        assert!(check_finite::<f64>("x", &x).is_ok());
        let found = check_finite::<f32>("x", &x);
        assert!(matches!(found, Err(Error::NonFinite { row: 1, column: 1, .. })), "{found:?}");
    }
}
