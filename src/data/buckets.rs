//! Sequences of different lengths, batched with sequences of like length.

use ndarray::{ArrayBase, Data, Ix1, Ix2};

use super::{BatchSource, Samples, Side};
use crate::error::{Error, ExpectedShape, Result, Shape};
use crate::scalar::{Element, Scalar};
use crate::tensor::elements;

/// A sequence for [`Buckets`]: a `Vec` or an array of one number per step, or an array `steps × features`.
///
/// # Example
/// ```
/// use cornu::data::Sequence;
/// use cornu::ndarray::array;
/// assert_eq!(Sequence::<f32>::shape(&vec![3, 1, 2]), [3]);
/// assert_eq!(Sequence::<f32>::shape(&array![[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), [3, 2]);
/// ```
pub trait Sequence<F> {
    /// The number of steps, and then the shape of one step.
    fn shape(&self) -> Vec<usize>;

    /// Writes all numbers to `to`, step by step.
    fn read(&self, to: &mut [F]);
}

impl<F, T: Element<F>> Sequence<F> for Vec<T> {
    fn shape(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn read(&self, to: &mut [F]) {
        to.iter_mut().zip(self).for_each(|(to, from)| *to = from.cast());
    }
}

impl<F, T: Element<F>, D: Data<Elem = T>> Sequence<F> for ArrayBase<D, Ix1> {
    fn shape(&self) -> Vec<usize> {
        vec![self.len()]
    }

    fn read(&self, to: &mut [F]) {
        to.iter_mut().zip(self).for_each(|(to, from)| *to = from.cast());
    }
}

impl<F, T: Element<F>, D: Data<Elem = T>> Sequence<F> for ArrayBase<D, Ix2> {
    fn shape(&self) -> Vec<usize> {
        self.shape().to_vec()
    }

    fn read(&self, to: &mut [F]) {
        to.iter_mut().zip(self).for_each(|(to, from)| *to = from.cast());
    }
}

/// A source of sequences of different lengths, in batches of like length.
///
/// The sequences are divided by length into buckets of about the same size. Each is padded to the longest of its bucket, and a
/// batch contains sequences of one bucket, so little time is spent on padding. The model needs an input with open steps, such as
/// `[None, Some(3)]`; see [`Sequential::input`](crate::Sequential::input). In an epoch, a bucket yields a batch as soon as enough
/// of its sequences were drawn, and what is left of each bucket at the end.
///
/// | setting | default |
/// |---|---|
/// | [`count`](Buckets::count) of buckets | 8 |
/// | [`padding`](Buckets::padding): the side on which sequences are padded | [`Side::Pre`] |
/// | [`value`](Buckets::value) of the padding | 0 |
///
/// # Example
/// ```
/// use cornu::data::Buckets;
/// use cornu::prelude::*;
/// // Which word occurs more often, 1 or 2?
/// let texts: Vec<Vec<usize>> = (0..64).map(|i| vec![1 + i % 2; 3 + i / 2]).collect();
/// let labels: ndarray::Array1<usize> = (0..64).map(|i| i % 2).collect();
/// let source = Buckets::new(&texts, &labels)?;
/// let mut model = Sequential::new()
///     .seed(1)
///     .input([None])
///     .add(Embedding::new(3, 4).mask_zero(true))
///     .add(Gru::new(4))
///     .add(Dense::new(1).activation(Activation::Sigmoid));
/// model.compile(Adam::new(0.05), BinaryCrossentropy::new(), [Accuracy::new()])?;
/// let history = model.fit_source(&source, &Fit::new().epochs(10).batch_size(8).verbose(Verbose::Silent))?;
/// assert_eq!(history.last("accuracy"), Some(1.0));
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// Khomenko et al. (2016), *Accelerating recurrent neural network training using sequence bucketing and multi-GPU data
/// parallelization*.
#[derive(Debug, Clone)]
pub struct Buckets<F = f32> {
    x: Ragged<F>,
    targets: Targets<F>,
    /// For each sequence, the length to which it is padded.
    lengths: Vec<usize>,
    padding: Side,
    value: F,
}

#[derive(Debug, Clone)]
enum Targets<F> {
    /// One target of this shape per sequence.
    PerSequence { shape: Vec<usize>, values: Vec<F> },
    /// One target per step.
    PerStep(Ragged<F>),
}

/// Sequences one after another.
#[derive(Debug, Clone)]
struct Ragged<F> {
    values: Vec<F>,
    /// The shape of one step.
    step: Vec<usize>,
    /// The start of each sequence in `values`, and the end of the last one.
    starts: Vec<usize>,
}

impl<F: Scalar> Ragged<F> {
    fn new<S: Sequence<F>>(argument: &'static str, sequences: &[S]) -> Result<Self> {
        let first = sequences.first().map(Sequence::shape).unwrap_or_default();
        let step = first.get(1..).unwrap_or_default().to_vec();
        let (mut starts, mut total) = (vec![0], 0_usize);
        for sequence in sequences {
            let shape = sequence.shape();
            let [steps, own @ ..] = &*shape else {
                return Err(Error::argument(argument, "sequences with an axis of steps", Shape(&shape)));
            };
            if *own != step {
                let expected = ExpectedShape::exactly(&[&[*steps], &*step].concat());
                return Err(Error::SampleShape { argument: argument.into(), expected, found: shape });
            }
            total += elements::<F>(&shape)?;
            starts.push(total);
        }
        if total == 0 {
            return Err(Error::Empty { argument: argument.into(), shape: vec![sequences.len(), 0] });
        }
        let mut values = vec![F::zero(); total];
        for (sequence, ends) in sequences.iter().zip(starts.windows(2)) {
            sequence.read(&mut values[ends[0]..ends[1]]);
        }
        Ok(Ragged { values, step, starts })
    }

    fn width(&self) -> usize {
        self.step.iter().product()
    }

    /// The number of steps of a sequence.
    fn steps(&self, index: usize) -> usize {
        (self.starts[index + 1] - self.starts[index]) / self.width()
    }

    /// Writes a sequence to the side of `to`, a part of `argument`, that is not padded.
    fn read(
        &self,
        argument: &'static str,
        index: usize,
        padding: Side,
        value: F,
        to: &mut [F],
    ) -> Result<()> {
        let values = &self.values[self.starts[index]..self.starts[index + 1]];
        let Some(missing) = to.len().checked_sub(values.len()) else {
            let expected = format!("at least {} numbers for sequence {index}", values.len());
            return Err(Error::argument(argument, expected, to.len()));
        };
        let (before, behind) = if padding == Side::Pre { (missing, 0) } else { (0, missing) };
        to[..before].fill(value);
        to[before..before + values.len()].copy_from_slice(values);
        to[before + values.len()..][..behind].fill(value);
        Ok(())
    }
}

impl<F: Scalar> Buckets<F> {
    /// Creates a source of sequences with one target each.
    ///
    /// # Errors
    /// [`Error::Empty`] if there are no sequences or no steps, [`Error::Length`] if there is another number of targets,
    /// [`Error::SampleShape`] if sequences have different numbers of features, [`Error::Argument`] if one has a shape without
    /// axes, and [`Error::TooLarge`].
    pub fn new<S: Sequence<F>>(x: &[S], y: &impl Samples<F>) -> Result<Self> {
        let shape = y.sample_shape();
        let width = shape.iter().product::<usize>();
        if y.count() != x.len() {
            return Err(Error::Length { x: x.len(), argument: "y".into(), found: y.count() });
        }
        let x = Ragged::new("x", x)?;
        crate::samples::check_not_empty("y", y)?;
        let mut values = vec![F::zero(); y.count() * width];
        values.chunks_exact_mut(width).enumerate().for_each(|(index, row)| y.read(index, row));
        Ok(Buckets::of(x, Targets::PerSequence { shape, values }))
    }

    /// Creates a source of sequences with one target for each step. Targets are padded like their sequences, with 0.
    ///
    /// # Errors
    /// Those of [`Buckets::new`], and [`Error::Length`] if a sequence has another number of targets than steps.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{BatchSource, Buckets};
    /// let words = [vec![5, 6], vec![7, 8, 9]];
    /// let tags = [vec![1, 2], vec![3, 4, 5]];
    /// let source = Buckets::per_step(&words, &tags)?.count(1);
    /// let (mut x, mut y) = ([0.0; 6], [0.0; 6]);
    /// source.fill(&[0, 1], &mut x, &mut y)?;
    /// assert_eq!((x, y), ([0.0, 5.0, 6.0, 7.0, 8.0, 9.0], [0.0, 1.0, 2.0, 3.0, 4.0, 5.0]));
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn per_step<S: Sequence<F>, T: Sequence<F>>(x: &[S], y: &[T]) -> Result<Self> {
        if y.len() != x.len() {
            return Err(Error::Length { x: x.len(), argument: "y".into(), found: y.len() });
        }
        let (x, y) = (Ragged::new("x", x)?, Ragged::new("y", y)?);
        if let Some(index) = (0..x.starts.len() - 1).find(|&index| x.steps(index) != y.steps(index)) {
            let (argument, found) = (format!("y[{index}]"), y.steps(index));
            return Err(Error::Length { x: x.steps(index), argument, found });
        }
        Ok(Buckets::of(x, Targets::PerStep(y)))
    }

    fn of(x: Ragged<F>, targets: Targets<F>) -> Self {
        let source = Buckets { x, targets, lengths: Vec::new(), padding: Side::Pre, value: F::zero() };
        source.count(8)
    }

    /// The number of buckets, at least 1. Default: 8.
    ///
    /// Sequences of equal length are in one bucket, so there may be fewer.
    pub fn count(mut self, count: usize) -> Self {
        let own: Vec<usize> = (0..self.x.starts.len() - 1).map(|index| self.x.steps(index)).collect();
        let mut sorted = own.clone();
        sorted.sort_unstable();
        let count = count.clamp(1, sorted.len());
        // The longest sequence of each bucket, at equal distances in the sorted lengths.
        let longest: Vec<usize> =
            (1..=count).map(|i| sorted[(i * sorted.len()).div_ceil(count) - 1].max(1)).collect();
        let of = |length| longest[longest.partition_point(|end| *end < length)];
        self.lengths = own.into_iter().map(of).collect();
        self
    }

    /// The side on which sequences are padded. Default: [`Side::Pre`].
    pub fn padding(mut self, side: Side) -> Self {
        self.padding = side;
        self
    }

    /// The value of the padding of `x`. Default: 0.
    pub fn value(mut self, value: F) -> Self {
        self.value = value;
        self
    }

    /// The longest length.
    fn longest(&self) -> usize {
        self.lengths.iter().copied().max().unwrap_or(1)
    }
}

impl<F: Scalar> BatchSource<F> for Buckets<F> {
    fn count(&self) -> usize {
        self.lengths.len()
    }

    fn input_shape(&self) -> Vec<usize> {
        [&[self.longest()], &*self.x.step].concat()
    }

    fn target_shape(&self) -> Vec<usize> {
        match &self.targets {
            Targets::PerSequence { shape, .. } => shape.clone(),
            Targets::PerStep(y) => [&[self.longest()], &*y.step].concat(),
        }
    }

    fn length(&self, index: usize) -> Option<usize> {
        Some(self.lengths[index])
    }

    fn fill(&self, indices: &[usize], x: &mut [F], y: &mut [F]) -> Result<()> {
        let (wide, narrow) = (x.len() / indices.len().max(1), y.len() / indices.len().max(1));
        for (i, &index) in indices.iter().enumerate() {
            self.x.read("x", index, self.padding, self.value, &mut x[i * wide..][..wide])?;
            let y = &mut y[i * narrow..][..narrow];
            match &self.targets {
                Targets::PerSequence { shape, .. } if narrow != shape.iter().product::<usize>() => {
                    let expected = format!("rows of length {}", shape.iter().product::<usize>());
                    return Err(Error::argument("y", expected, narrow));
                }
                Targets::PerSequence { values, .. } => y.copy_from_slice(&values[index * narrow..][..narrow]),
                Targets::PerStep(all) => all.read("y", index, self.padding, F::zero(), y)?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::{Array1, array};

    #[test]
    fn buckets_are_of_like_size_and_padded_to_their_longest() {
        let x: Vec<Vec<u32>> = [3, 9, 1, 2, 8, 4, 7, 3].map(|len| vec![1; len]).into();
        let lengths = |count| Buckets::<f32>::new(&x, &Array1::<f32>::zeros(8)).unwrap().count(count).lengths;
        assert_eq!(lengths(1), [9; 8]);
        assert_eq!(lengths(2), [3, 9, 3, 3, 9, 9, 9, 3]);
        assert_eq!(lengths(4), [3, 9, 2, 2, 9, 7, 7, 3]);
        assert_eq!(lengths(usize::MAX), [3, 9, 1, 2, 8, 4, 7, 3]);
        assert_eq!(lengths(0), lengths(1));
    }

    #[test]
    fn sequences_and_targets_are_padded_on_the_same_side() {
        let x = [array![[1.0, 2.0]], array![[3.0, 4.0], [5.0, 6.0]]];
        let y = [vec![7], vec![8, 9]];
        let filled = |side| {
            let source = Buckets::per_step(&x, &y).unwrap().count(1).padding(side).value(-1.0);
            let (mut x, mut y) = ([0.0; 4], [9.0; 2]);
            source.fill(&[0], &mut x, &mut y).unwrap();
            (x, y)
        };
        assert_eq!(filled(Side::Pre), ([-1.0, -1.0, 1.0, 2.0], [0.0, 7.0]));
        assert_eq!(filled(Side::Post), ([1.0, 2.0, -1.0, -1.0], [7.0, 0.0]));
    }

    #[test]
    fn bad_sequences_are_refused() {
        let none: [Vec<f32>; 0] = [];
        assert!(matches!(Buckets::<f32>::new(&none, &Array1::<f32>::zeros(0)), Err(Error::Empty { .. })));
        let empty: [Vec<f32>; 2] = [vec![], vec![]];
        assert!(matches!(Buckets::<f32>::new(&empty, &array![1.0, 2.0]), Err(Error::Empty { .. })));
        let few = Buckets::<f32>::new(&[vec![1.0], vec![2.0]], &array![1.0]);
        assert!(matches!(few, Err(Error::Length { x: 2, found: 1, .. })), "{few:?}");
        let unlike = Buckets::<f32>::new(&[array![[1.0]], array![[1.0, 2.0]]], &array![1.0, 2.0]);
        assert!(matches!(unlike, Err(Error::SampleShape { .. })), "{unlike:?}");
        let short = Buckets::<f32>::per_step(&[vec![1.0], vec![1.0, 2.0]], &[vec![1.0], vec![1.0]]);
        assert!(matches!(short, Err(Error::Length { x: 2, found: 1, .. })), "{short:?}");
        let shapeless = Buckets::<f32>::new(&[Shapeless], &array![1.0]);
        assert!(matches!(shapeless, Err(Error::Argument { .. })), "{shapeless:?}");
    }

    struct Shapeless;

    impl Sequence<f32> for Shapeless {
        fn shape(&self) -> Vec<usize> {
            Vec::new()
        }

        fn read(&self, _: &mut [f32]) {}
    }

    #[test]
    fn buffers_that_are_too_short_are_refused() {
        let x = [vec![1.0], vec![1.0, 2.0]];
        let one = Buckets::<f32>::new(&x, &array![1.0, 2.0]).unwrap();
        let per_step = Buckets::<f32>::per_step(&x, &x).unwrap();
        let refused = |source: &Buckets, x: &mut [f32], y: &mut [f32], words: &str| {
            let error = source.fill(&[1], x, y).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&one, &mut [0.0], &mut [0.0], "`x`: expected at least 2 numbers for sequence 1, found 1");
        refused(&one, &mut [0.0; 2], &mut [], "`y`: expected rows of length 1, found 0");
        refused(&per_step, &mut [0.0; 2], &mut [0.0], "`y`: expected at least 2 numbers");
    }
}
