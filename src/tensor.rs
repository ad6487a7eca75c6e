//! Batches: contiguous `rows × width` matrices with one row per sample.

use ndarray::{ArrayView2, ArrayViewMut2};

use crate::error::{Error, Result};

/// A read-only batch: `rows × width` numbers in row-major order.
///
/// Each row contains the values of one sample, whose shape, such as `(steps, channels)`, is also in row-major order.
///
/// # Example
/// ```
/// use cornu::tensor::Batch;
/// let x = Batch::new(&[1.0, 2.0, 3.0, 4.0, 5.0, 6.0], 3);
/// assert_eq!((x.rows(), x.width()), (2, 3));
/// assert_eq!(x.row(1), [4.0, 5.0, 6.0]);
/// assert_eq!(x.array()[[1, 0]], 4.0);
/// assert_eq!(x.reshape(2).row(2), [5.0, 6.0]);
/// assert_eq!(x.rows_from(1, 1).data(), [4.0, 5.0, 6.0]);
/// assert_eq!(x.iter().map(|row| row[0]).sum::<f64>(), 5.0);
///
/// // A mask: the last of two steps of the second sample is padding.
/// let x = Batch::new(&[1.0, 2.0, 3.0, 0.0], 2).with_mask(Some(&[true, true, true, false]));
/// assert_eq!(x.rows_from(1, 1).mask(), Some(&[true, false][..]));
/// assert!(x.reshape(1).includes(2) && !x.reshape(1).includes(3));
/// assert_eq!(x.reshape(1).rows_from(3, 1).mask(), Some(&[false][..]));
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Batch<'a, F> {
    data: &'a [F],
    width: usize,
    mask: Option<&'a [bool]>,
}

/// A mutable batch; see [`Batch`].
///
/// # Example
/// ```
/// use cornu::tensor::BatchMut;
/// let mut data = [1.0, 2.0, 3.0, 4.0];
/// let mut y = BatchMut::new(&mut data, 2);
/// y.row_mut(0).fill(0.0);
/// y.reborrow().reshape(1).iter_mut().for_each(|row| row[0] += 1.0);
/// assert_eq!(y.as_batch().row(1), [4.0, 5.0]);
/// assert_eq!(data, [1.0, 1.0, 4.0, 5.0]);
/// ```
#[derive(Debug)]
pub struct BatchMut<'a, F> {
    data: &'a mut [F],
    width: usize,
}

impl<'a, F> Batch<'a, F> {
    /// Creates a batch over `data`, whose length should be a multiple of `width`; an incomplete last row is ignored.
    #[inline]
    pub fn new(data: &'a [F], width: usize) -> Self {
        let rows = data.len() / width.max(1);
        Batch { data: &data[..rows * width], width, mask: None }
    }

    /// The same batch with this mask, of a multiple or a divisor of the number of rows; see [`Batch::mask`].
    #[inline]
    pub fn with_mask(self, mask: Option<&'a [bool]>) -> Self {
        Batch { mask, ..self }
    }

    /// Which steps count, or `None` if all do: `rows × steps` values in row-major order, false for a step that is padding.
    ///
    /// A model sets the mask of the input of each layer; see [`MaskRule`](crate::layer::MaskRule).
    #[inline]
    pub fn mask(&self) -> Option<&'a [bool]> {
        self.mask
    }

    /// The number of samples.
    #[inline]
    pub fn rows(&self) -> usize {
        self.data.len() / self.width.max(1)
    }

    /// The numbers per sample.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// Whether a row counts: false if the mask excludes its step.
    #[inline]
    pub fn includes(&self, row: usize) -> bool {
        self.mask.is_none_or(|mask| mask[row * mask.len() / self.rows().max(1)])
    }

    /// All values in row-major order.
    #[inline]
    pub fn data(&self) -> &'a [F] {
        self.data
    }

    /// The values of one sample.
    #[inline]
    pub fn row(&self, row: usize) -> &'a [F] {
        &self.data[row * self.width..][..self.width]
    }

    /// The samples, one slice each.
    #[inline]
    pub fn iter(&self) -> std::slice::ChunksExact<'a, F> {
        self.data.chunks_exact(self.width.max(1))
    }

    /// The same values and mask with another width, such as `rows·steps × channels`.
    #[inline]
    pub fn reshape(self, width: usize) -> Self {
        Batch::new(self.data, width).with_mask(self.mask)
    }

    /// The `count` samples from `start`.
    #[inline]
    pub fn rows_from(self, start: usize, count: usize) -> Self {
        // A row may have several values of the mask, or several rows one.
        let (rows, all) = (self.rows().max(1), self.mask.map_or(0, <[bool]>::len));
        let mask = self.mask.map(|mask| &mask[start * all / rows..((start + count) * all).div_ceil(rows)]);
        Batch { data: &self.data[start * self.width..][..count * self.width], width: self.width, mask }
    }

    /// The batch as an ndarray view.
    pub fn array(&self) -> ArrayView2<'a, F> {
        match ArrayView2::from_shape((self.rows(), self.width), self.data) {
            Ok(view) => view,
            Err(_) => unreachable!("a batch has rows × width values"),
        }
    }
}

impl<'a, F> BatchMut<'a, F> {
    /// Creates a batch over `data`, whose length should be a multiple of `width`; an incomplete last row is ignored.
    #[inline]
    pub fn new(data: &'a mut [F], width: usize) -> Self {
        let rows = data.len() / width.max(1);
        BatchMut { data: &mut data[..rows * width], width }
    }

    /// The number of samples.
    #[inline]
    pub fn rows(&self) -> usize {
        self.data.len() / self.width.max(1)
    }

    /// The numbers per sample.
    #[inline]
    pub fn width(&self) -> usize {
        self.width
    }

    /// All values in row-major order.
    #[inline]
    pub fn data(&mut self) -> &mut [F] {
        self.data
    }

    /// The values of one sample.
    #[inline]
    pub fn row_mut(&mut self, row: usize) -> &mut [F] {
        &mut self.data[row * self.width..][..self.width]
    }

    /// The samples, one slice each.
    #[inline]
    pub fn iter_mut(&mut self) -> std::slice::ChunksExactMut<'_, F> {
        self.data.chunks_exact_mut(self.width.max(1))
    }

    /// The same batch, read-only.
    #[inline]
    pub fn as_batch(&self) -> Batch<'_, F> {
        Batch { data: self.data, width: self.width, mask: None }
    }

    /// Reborrows the batch.
    #[inline]
    pub fn reborrow(&mut self) -> BatchMut<'_, F> {
        BatchMut { data: self.data, width: self.width }
    }

    /// The same values with another width, such as `rows·steps × channels`.
    #[inline]
    pub fn reshape(self, width: usize) -> BatchMut<'a, F> {
        BatchMut::new(self.data, width)
    }

    /// The batch as an ndarray view.
    pub fn array(&mut self) -> ArrayViewMut2<'_, F> {
        match ArrayViewMut2::from_shape((self.data.len() / self.width.max(1), self.width), &mut *self.data) {
            Ok(view) => view,
            Err(_) => unreachable!("a batch has rows × width values"),
        }
    }
}

/// A temporary buffer for the duration of a call of a layer. It grows at the first call and is then reused, so that later
/// calls allocate nothing.
///
/// The buffer contains values of earlier uses.
///
/// # Example
/// ```
/// use cornu::tensor::Scratch;
/// let mut scratch = Scratch::<f32>::default();
/// let (sums, rest) = scratch.take(3);     // `rest` is for inner layers
/// sums.fill(0.0);
/// assert_eq!(rest.take(5).0.len(), 5);
/// ```
#[derive(Debug, Default, Clone)]
pub struct Scratch<F> {
    own: Vec<F>,
    next: Option<Box<Scratch<F>>>,
    finite: Finite,
    /// The states of stateful layers after the last prediction, each with a number that the layer drew.
    states: Vec<(u64, Vec<F>)>,
}

/// Whether the caller of a prediction asks if the whole input is finite, and the answer.
#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Finite {
    #[default]
    NotAsked,
    Asked,
    Answer(bool),
}

impl<F> Scratch<F> {
    /// Asks the next layer whether its input is finite.
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

    /// Returns whether the layer has answered that its input is finite, and clears the question.
    pub(crate) fn take_proof(&mut self) -> bool {
        std::mem::take(&mut self.finite) == Finite::Answer(true)
    }

    /// The states that a layer left under this key; `initial` if it left none.
    pub(crate) fn carried(&mut self, key: u64, initial: impl FnOnce() -> Vec<F>) -> &mut Vec<F> {
        let place = self.states.iter().position(|(own, _)| *own == key).unwrap_or_else(|| {
            self.states.push((key, initial()));
            self.states.len() - 1
        });
        &mut self.states[place].1
    }

    /// Makes the next prediction start with the states of the layers.
    pub(crate) fn forget_states(&mut self) {
        self.states.clear();
        if let Some(next) = &mut self.next {
            next.forget_states();
        }
    }
}

impl<F: Copy + Default> Scratch<F> {
    /// Returns a slice of `len` numbers and the remaining buffer.
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
