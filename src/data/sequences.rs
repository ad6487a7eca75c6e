//! Sequences of different lengths as samples of one length.

use ndarray::{Array2, Array3, ArrayBase, Data, Ix2};
use num_traits::Zero;

use crate::config::words;
use crate::error::{Error, ExpectedShape, Result};
use crate::tensor::elements;

/// Pads and cuts sequences to one length, like Keras's `pad_sequences`.
///
/// | setting | default |
/// |---|---|
/// | [`max_len`](PadSequences::max_len) | the length of the longest sequence |
/// | [`padding`](PadSequences::padding): the side on which short sequences are padded | [`Side::Pre`] |
/// | [`truncating`](PadSequences::truncating): the side on which long sequences are cut | [`Side::Pre`] |
/// | [`value`](PadSequences::value) of the padding | 0 |
///
/// [`Masking`](crate::layer::Masking) and [`Embedding::mask_zero`](crate::layer::Embedding::mask_zero) mark the padding for a
/// network.
///
/// # Example
/// ```
/// use cornu::data::{PadSequences, Side};
/// use cornu::ndarray::array;
/// let sequences = [vec![1], vec![2, 3], vec![4, 5, 6]];
/// assert_eq!(PadSequences::new().pad(&sequences)?, array![[0, 0, 1], [0, 2, 3], [4, 5, 6]]);
/// let pad = PadSequences::new().max_len(2).padding(Side::Post).truncating(Side::Post).value(-1);
/// assert_eq!(pad.pad(&sequences)?, array![[1, -1], [2, 3], [4, 5]]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/data_loading/timeseries/#padsequences-function>
#[derive(Debug, Clone, PartialEq)]
pub struct PadSequences<T> {
    max_len: Option<usize>,
    padding: Side,
    truncating: Side,
    value: T,
}

/// An end of a sequence.
///
/// # Example
/// ```
/// use cornu::data::{PadSequences, Side};
/// let pad = PadSequences::new().padding(Side::Post);
/// assert_eq!(pad.pad(&[vec![7], vec![8, 9]])?, cornu::ndarray::array![[7, 0], [8, 9]]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Side {
    /// Before the first step.
    #[default]
    Pre,
    /// After the last step.
    Post,
}

impl<T: Copy + Zero> PadSequences<T> {
    /// Creates the settings with Keras's defaults.
    pub fn new() -> Self {
        PadSequences { max_len: None, padding: Side::Pre, truncating: Side::Pre, value: T::zero() }
    }

    /// The length of all samples. Default: that of the longest sequence.
    pub fn max_len(mut self, max_len: usize) -> Self {
        self.max_len = Some(max_len);
        self
    }

    /// The side on which short sequences are padded. Default: [`Side::Pre`].
    pub fn padding(mut self, side: Side) -> Self {
        self.padding = side;
        self
    }

    /// The side on which long sequences are cut. Default: [`Side::Pre`].
    pub fn truncating(mut self, side: Side) -> Self {
        self.truncating = side;
        self
    }

    /// The value of the padding. Default: 0.
    pub fn value(mut self, value: T) -> Self {
        self.value = value;
        self
    }

    /// Returns an array `sequences × max_len`.
    ///
    /// # Errors
    /// [`Error::Empty`] if there are no sequences or no steps; [`Error::TooLarge`] if the array is too large to exist.
    pub fn pad<S: AsRef<[T]>>(&self, sequences: &[S]) -> Result<Array2<T>> {
        let sequences: Vec<&[T]> = sequences.iter().map(AsRef::as_ref).collect();
        let (values, len) = self.fill(&sequences, 1)?;
        Array2::from_shape_vec((sequences.len(), len), values).map_err(Error::outside)
    }

    /// Returns an array `sequences × max_len × features` for sequences `steps × features`.
    ///
    /// # Errors
    /// As [`PadSequences::pad`], and [`Error::InputShape`] for a sequence with another number of features than the first.
    ///
    /// # Example
    /// ```
    /// use cornu::data::PadSequences;
    /// use cornu::ndarray::array;
    /// let x = PadSequences::new().pad_vectors(&[array![[1.0, 2.0]], array![[3.0, 4.0], [5.0, 6.0]]])?;
    /// assert_eq!(x, array![[[0.0, 0.0], [1.0, 2.0]], [[3.0, 4.0], [5.0, 6.0]]]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn pad_vectors<D: Data<Elem = T>>(&self, sequences: &[ArrayBase<D, Ix2>]) -> Result<Array3<T>> {
        let features = sequences.first().map_or(0, ArrayBase::ncols);
        if let Some(other) = sequences.iter().find(|sequence| sequence.ncols() != features) {
            let expected = ExpectedShape::exactly(&[other.nrows(), features]);
            return Err(Error::InputShape { expected, found: other.shape().to_vec() });
        }
        let sequences: Vec<Vec<T>> =
            sequences.iter().map(|sequence| sequence.iter().copied().collect()).collect();
        let sequences: Vec<&[T]> = sequences.iter().map(Vec::as_slice).collect();
        let (values, len) = self.fill(&sequences, features)?;
        Array3::from_shape_vec((sequences.len(), len, features), values).map_err(Error::outside)
    }

    /// The samples one after another, and their length.
    fn fill(&self, sequences: &[&[T]], features: usize) -> Result<(Vec<T>, usize)> {
        let longest = || sequences.iter().map(|sequence| sequence.len() / features.max(1)).max().unwrap_or(0);
        let len = self.max_len.unwrap_or_else(longest);
        let shape = [sequences.len(), len, features];
        let count = elements::<T>(&shape)?;
        if count == 0 {
            return Err(Error::Empty { argument: "sequences".into(), shape: shape.to_vec() });
        }
        let mut values = Vec::new();
        values.try_reserve_exact(count).map_err(|_| Error::TooLarge { shape: shape.to_vec() })?;
        values.resize(count, self.value);
        for (sample, sequence) in values.chunks_exact_mut(len * features).zip(sequences) {
            let kept = sequence.len().min(sample.len());
            let kept = match self.truncating {
                Side::Pre => &sequence[sequence.len() - kept..],
                Side::Post => &sequence[..kept],
            };
            let missing = sample.len() - kept.len();
            let start = if self.padding == Side::Pre { missing } else { 0 };
            sample[start..start + kept.len()].copy_from_slice(kept);
        }
        Ok((values, len))
    }
}

words!(Side, "pre or post" { "pre" => Side::Pre, "post" => Side::Post });

impl<T: Copy + Zero> Default for PadSequences<T> {
    fn default() -> Self {
        PadSequences::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn sequences_are_padded_and_cut_as_keras_does() {
        let sequences = [vec![1, 2, 3, 4], vec![], vec![5]];
        let pad = |padding, truncating| {
            PadSequences::new()
                .max_len(2)
                .padding(padding)
                .truncating(truncating)
                .value(9)
                .pad(&sequences)
                .unwrap()
        };
        assert_eq!(pad(Side::Pre, Side::Pre), array![[3, 4], [9, 9], [9, 5]]);
        assert_eq!(pad(Side::Post, Side::Pre), array![[3, 4], [9, 9], [5, 9]]);
        assert_eq!(pad(Side::Pre, Side::Post), array![[1, 2], [9, 9], [9, 5]]);
        assert_eq!(pad(Side::Post, Side::Post), array![[1, 2], [9, 9], [5, 9]]);
    }

    #[test]
    fn bad_sequences_are_refused() {
        let none: [Vec<f32>; 0] = [];
        assert!(matches!(PadSequences::new().pad(&none), Err(Error::Empty { .. })));
        assert!(matches!(PadSequences::<f32>::new().pad(&[vec![], vec![]]), Err(Error::Empty { .. })));
        assert!(matches!(PadSequences::new().max_len(0).pad(&[vec![1]]), Err(Error::Empty { .. })));
        let huge = PadSequences::new().max_len(usize::MAX).pad(&[vec![1.0f64]]);
        assert!(matches!(huge, Err(Error::TooLarge { .. })), "{huge:?}");
        let large = PadSequences::new().max_len(1 << 58).pad(&[vec![1u8]]);
        assert!(matches!(large, Err(Error::TooLarge { .. })), "{large:?}");
        let other = PadSequences::new().pad_vectors(&[array![[1, 2]], array![[3]]]);
        assert!(matches!(other, Err(Error::InputShape { .. })), "{other:?}");
    }
}
