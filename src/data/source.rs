//! Batch sources: data that is read when it is needed, such as files larger than memory.

use crate::error::{Error, Result};
use crate::scalar::Scalar;

/// A source of samples and targets, which are read batch by batch.
///
/// [`fit_source`](crate::Sequential::fit_source) and [`evaluate_source`](crate::Sequential::evaluate_source) take
/// one. Every batch is checked for NaN, infinities and labels out of range.
///
/// # Example
/// ```
/// use cornu::data::BatchSource;
/// use cornu::prelude::*;
///
/// /// The numbers 0, 0.01 ... 0.99, with twice the number as the target.
/// struct Doubles;
///
/// impl BatchSource<f32> for Doubles {
///     fn count(&self) -> usize { 100 }
///     fn input_shape(&self) -> Vec<usize> { vec![1] }
///     fn target_shape(&self) -> Vec<usize> { vec![1] }
///     fn fill(&self, indices: &[usize], x: &mut [f32], y: &mut [f32]) -> Result<()> {
///         for (i, &index) in indices.iter().enumerate() {
///             (x[i], y[i]) = (index as f32 / 100.0, index as f32 / 50.0);
///         }
///         Ok(())
///     }
/// }
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let history = model.fit_source(&Doubles, &Fit::new().epochs(100).verbose(Verbose::Silent))?;
/// assert!(history.last("loss") < Some(1e-4));
/// # Ok::<(), cornu::Error>(())
/// ```
pub trait BatchSource<F: Scalar = f32> {
    /// The number of samples.
    fn count(&self) -> usize;

    /// The shape of one sample.
    fn input_shape(&self) -> Vec<usize>;

    /// The shape of one target; `[1]` for a class index.
    fn target_shape(&self) -> Vec<usize>;

    /// The length of the first axis of sample `index`, for a source whose samples differ in it, as those of
    /// [`Buckets`](super::Buckets) do. Default: `None`; all have [`input_shape`](BatchSource::input_shape).
    ///
    /// A batch of a training or an evaluation then has samples of one length, which is at most the first axis of `input_shape`.
    /// `fill` pads them to the length for which `x` has room, which may be larger. If the first axis of `target_shape` is that of
    /// `input_shape`, and the model has outputs for each step, the same holds for `y`.
    fn length(&self, index: usize) -> Option<usize> {
        let _ = index;
        None
    }

    /// Writes the samples of these indices to `x` and their targets to `y`, one after another, in row-major order.
    ///
    /// # Errors
    /// Any error ends the training and is returned by `fit_source`; wrap errors of other crates in [`Error::outside`].
    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()>;

    /// Like [`fill`](BatchSource::fill), for a training batch in this epoch, counted from 0 over the life of the model.
    ///
    /// A source may change its samples from epoch to epoch, as [`Augment`](super::Augment) does. Default: calls
    /// [`fill`](BatchSource::fill).
    ///
    /// # Errors
    /// Those of [`fill`](BatchSource::fill).
    fn fill_epoch(&self, epoch: u64, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let _ = epoch;
        self.fill(indices, x, y)
    }
}

/// A source that is chosen at run time.
impl<F: Scalar, S: BatchSource<F> + ?Sized> BatchSource<F> for Box<S> {
    fn count(&self) -> usize {
        (**self).count()
    }

    fn input_shape(&self) -> Vec<usize> {
        (**self).input_shape()
    }

    fn target_shape(&self) -> Vec<usize> {
        (**self).target_shape()
    }

    fn length(&self, index: usize) -> Option<usize> {
        (**self).length(index)
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        (**self).fill(indices, x, y)
    }

    fn fill_epoch(&self, epoch: u64, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        (**self).fill_epoch(epoch, indices, x, y)
    }
}

/// A [`BatchSource`] that calls a closure for each sample; [`source_fn`] creates it.
///
/// # Example
/// ```
/// use cornu::data::{BatchSource, source_fn};
/// let squares = source_fn(10, [1], [1], |index, x: &mut [f64], y: &mut [f64]| {
///     (x[0], y[0]) = (index as f64, (index * index) as f64);
///     Ok(())
/// });
/// let (mut x, mut y) = ([0.0; 2], [0.0; 2]);
/// squares.fill(&[3, 1], &mut x, &mut y)?;
/// assert_eq!((x, y), ([3.0, 1.0], [9.0, 1.0]));
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Clone)]
pub struct SourceFn<C> {
    count: usize,
    input: Vec<usize>,
    target: Vec<usize>,
    read: C,
}

/// Creates a source of `count` samples of these shapes, each written by `read(index, x, y)`.
///
/// # Example
/// ```
/// use cornu::data::source_fn;
/// use cornu::prelude::*;
/// let doubles = source_fn(100, [1], [1], |index, x: &mut [f32], y: &mut [f32]| {
///     (x[0], y[0]) = (index as f32 / 100.0, index as f32 / 50.0);
///     Ok(())
/// });
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Sgd::new(0.1), MeanSquaredError::new(), ())?;
/// let history = model.fit_source(&doubles, &Fit::new().epochs(100).verbose(Verbose::Silent))?;
/// assert!(history.last("loss") < Some(1e-4));
/// # Ok::<(), cornu::Error>(())
/// ```
pub fn source_fn<F, C>(
    count: usize,
    input: impl Into<Vec<usize>>,
    target: impl Into<Vec<usize>>,
    read: C,
) -> SourceFn<C>
where
    F: Scalar,
    C: Fn(usize, &mut [F], &mut [F]) -> Result<()>,
{
    SourceFn { count, input: input.into(), target: target.into(), read }
}

impl<C> std::fmt::Debug for SourceFn<C> {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        write!(f, "SourceFn({} samples, {:?} → {:?})", self.count, self.input, self.target)
    }
}

impl<F: Scalar, C: Fn(usize, &mut [F], &mut [F]) -> Result<()>> BatchSource<F> for SourceFn<C> {
    fn count(&self) -> usize {
        self.count
    }

    fn input_shape(&self) -> Vec<usize> {
        self.input.clone()
    }

    fn target_shape(&self) -> Vec<usize> {
        self.target.clone()
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let (wide, narrow) = (x.len() / indices.len().max(1), y.len() / indices.len().max(1));
        for (i, &index) in indices.iter().enumerate() {
            (self.read)(index, &mut x[i * wide..][..wide], &mut y[i * narrow..][..narrow])?;
        }
        Ok(())
    }
}

/// Refuses a source without samples or values.
pub(crate) fn check_source<F: Scalar>(source: &dyn BatchSource<F>) -> Result<()> {
    let shape = [&[source.count()], &*source.input_shape(), &*source.target_shape()].concat();
    match shape.contains(&0) {
        true => Err(Error::Empty { argument: "source".into(), shape }),
        false => Ok(()),
    }
}
