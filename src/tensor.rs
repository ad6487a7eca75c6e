//! What travels between layers: a contiguous matrix of `rows × width`, one row a sample.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::error::{Error, Result};

/// A batch to read: `rows × width` numbers, row after row.
///
/// A layer whose samples have a shape, such as `(steps, channels)`, finds a sample's values in its row,
/// in row-major order.
///
/// # Example
/// ```
/// use cornu::tensor::Batch;
/// let x = Batch::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
/// assert_eq!((x.rows(), x.width()), (2, 3));
/// assert_eq!(x.row(1), [4.0, 5.0, 6.0]);
/// assert_eq!(x.array()[[1, 0]], 4.0);
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, F> {
    data: &'a [F],
    width: usize,
}

/// A batch to write; see [`Batch`].
///
/// # Example
/// ```
/// use cornu::tensor::BatchMut;
/// let mut data = [1.0, 2.0, 3.0, 4.0];
/// let mut y = BatchMut::new(&mut data, 2);
/// y.row_mut(0).fill(0.0);
/// assert_eq!(data, [0.0, 0.0, 3.0, 4.0]);
/// ```
#[derive(Debug)]
pub struct BatchMut<'a, F> {
    data: &'a mut [F],
    width: usize,
}

impl<'a, F> Batch<'a, F> {
    /// A batch over `data`, whose length is a multiple of `width`; what is left over is not part of it.
    pub fn new(data: &'a [F], width: usize) -> Self {
        let rows = data.len() / width.max(1);
        Batch { data: &data[..rows * width], width }
    }

    /// How many samples.
    pub fn rows(&self) -> usize {
        self.data.len() / self.width.max(1)
    }

    /// How many numbers in a sample.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All values, row after row.
    pub fn data(&self) -> &'a [F] {
        self.data
    }

    /// The values of one sample.
    pub fn row(&self, row: usize) -> &'a [F] {
        &self.data[row * self.width..][..self.width]
    }

    /// The samples, one slice each.
    pub fn iter(&self) -> std::slice::ChunksExact<'a, F> {
        self.data.chunks_exact(self.width.max(1))
    }

    /// The same values with another width, such as `rows·steps × channels`.
    pub fn reshape(self, width: usize) -> Self {
        Batch::new(self.data, width)
    }

    /// The samples from `start`, `count` of them.
    pub fn rows_from(self, start: usize, count: usize) -> Self {
        Batch { data: &self.data[start * self.width..][..count * self.width], width: self.width }
    }

    /// The batch as an ndarray view.
    pub fn array(&self) -> ArrayView2<'a, F> {
        match ArrayView2::from_shape((self.rows(), self.width), self.data) {
            Ok(view) => view,
            Err(_) => unreachable!("a batch holds rows × width values"),
        }
    }
}

impl<'a, F> BatchMut<'a, F> {
    /// A batch over `data`, whose length is a multiple of `width`; what is left over is not part of it.
    pub fn new(data: &'a mut [F], width: usize) -> Self {
        let rows = data.len() / width.max(1);
        BatchMut { data: &mut data[..rows * width], width }
    }

    /// How many samples.
    pub fn rows(&self) -> usize {
        self.data.len() / self.width.max(1)
    }

    /// How many numbers in a sample.
    pub fn width(&self) -> usize {
        self.width
    }

    /// All values, row after row.
    pub fn data(&mut self) -> &mut [F] {
        self.data
    }

    /// The values of one sample.
    pub fn row_mut(&mut self, row: usize) -> &mut [F] {
        &mut self.data[row * self.width..][..self.width]
    }

    /// The samples, one slice each.
    pub fn iter_mut(&mut self) -> std::slice::ChunksExactMut<'_, F> {
        self.data.chunks_exact_mut(self.width.max(1))
    }

    /// The same batch, to read.
    pub fn as_batch(&self) -> Batch<'_, F> {
        Batch { data: self.data, width: self.width }
    }

    /// The same batch for a shorter time, to hand it on and keep it.
    pub fn reborrow(&mut self) -> BatchMut<'_, F> {
        BatchMut { data: self.data, width: self.width }
    }

    /// The same values with another width, such as `rows·steps × channels`.
    pub fn reshape(self, width: usize) -> BatchMut<'a, F> {
        BatchMut::new(self.data, width)
    }

    /// The batch as an ndarray view.
    pub fn array(&mut self) -> ArrayViewMut2<'_, F> {
        match ArrayViewMut2::from_shape((self.data.len() / self.width.max(1), self.width), &mut *self.data) {
            Ok(view) => view,
            Err(_) => unreachable!("a batch holds rows × width values"),
        }
    }
}

/// Memory that a layer needs during a call and not after it. It grows at the first call, and is then
/// handed out again and again, so that no later call allocates.
///
/// What it hands out holds the values of some earlier use.
///
/// # Example
/// ```
/// use cornu::tensor::Scratch;
/// let mut scratch = Scratch::<f32>::default();
/// let (sums, rest) = scratch.take(3);     // `rest` is for the layers that a layer holds
/// sums.fill(0.0);
/// assert_eq!(rest.take(5).0.len(), 5);
/// ```
#[derive(Debug, Default, Clone)]
pub struct Scratch<F> {
    own: Vec<F>,
    next: Option<Box<Scratch<F>>>,
    finite: Finite,
}

/// Whether the caller of a prediction asks if all of the input is finite, and the answer.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Finite {
    #[default]
    NotAsked,
    Asked,
    Answer(bool),
}

impl<F> Scratch<F> {
    /// Asks the layer that is called next whether its input is finite.
    pub(crate) fn ask_if_finite(&mut self) {
        self.finite = Finite::Asked;
    }

    /// Whether the caller asks if the input is finite.
    pub(crate) fn asks_if_finite(&self) -> bool {
        self.finite == Finite::Asked
    }

    /// Answers whether the input is finite.
    pub(crate) fn answer_if_finite(&mut self, finite: bool) {
        self.finite = Finite::Answer(finite);
    }

    /// Whether the layer has proven that its input is finite; asks no more.
    pub(crate) fn take_proof(&mut self) -> bool {
        std::mem::take(&mut self.finite) == Finite::Answer(true)
    }
}

impl<F: Copy + Default> Scratch<F> {
    /// A slice of `len` numbers, and the scratch memory that is left.
    pub fn take(&mut self, len: usize) -> (&mut [F], &mut Scratch<F>) {
        if self.own.len() < len {
            self.own.resize(len, F::default());
        }
        (&mut self.own[..len], self.next.get_or_insert_default())
    }
}

/// The number of elements of a shape, if an array of them can be addressed.
pub(crate) fn elements<F>(shape: &[usize]) -> Result<usize> {
    shape
        .iter()
        .try_fold(1usize, |n, &size| n.checked_mul(size))
        .filter(|n| n.checked_mul(size_of::<F>()).is_some_and(|bytes| bytes <= isize::MAX as usize))
        .ok_or_else(|| Error::TooLarge { shape: shape.to_vec() })
}
