//! Texts as sequences of word indices.

use std::borrow::Cow;
use std::collections::HashMap;

use ndarray::Array2;

use super::lookup::{Counts, StringLookup};
use super::{PadSequences, Side};
use crate::config::{setters, settings, words};
use crate::error::{Error, Result};

/// Converts texts to sequences of word indices, as Keras's `TextVectorization`.
///
/// Index 0 is padding, index 1 (`[UNK]`) stands for all words outside of the vocabulary, and the words follow by frequency; of
/// equally frequent words, the last in the alphabet comes first.
///
/// | setter | default |
/// |---|---|
/// | `max_tokens`: the maximum number of indices, with those of padding and unknown words | none; all words |
/// | `standardize` | [`Standardize::LowerAndStripPunctuation`] |
/// | `split` | [`Split::Whitespace`] |
/// | `output_sequence_length`: the length of padded sequences | none; that of the longest text |
/// | `padding`, `truncating`: the side on which sequences are padded and cut | [`Side::Post`] |
///
/// As in Keras, only the letters A to Z become lower case, only the punctuation of ASCII is removed, and only the whitespace of
/// ASCII separates words. For other scripts, pass `text.to_lowercase()`.
///
/// A model [saves its tokenizer](crate::Sequential::set_preparation) in its file.
///
/// # Example
/// ```
/// use cornu::data::Tokenizer;
/// use cornu::ndarray::array;
/// let tokenizer = Tokenizer::new().max_tokens(5).fit(&["The cat sat.", "The dog sat down!"])?;
/// assert_eq!(tokenizer.vocabulary(), ["", "[UNK]", "the", "sat", "down"]);
/// assert_eq!(tokenizer.encode(&["Sat the bird down?"])?, [vec![3, 2, 1, 4]]);
/// assert_eq!(tokenizer.encode_padded(&["the cat", "sat"])?, array![[2, 1], [3, 0]]);
/// assert_eq!(tokenizer.decode(&[vec![2, 1, 3, 0]])?, ["the [UNK] sat"]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// Those of [`Lookup`](super::Lookup); from `encode_padded` those of [`PadSequences::pad`].
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/text/text_vectorization/>
#[derive(Debug, Clone, PartialEq)]
pub struct Tokenizer {
    standardize: Standardize,
    split: Split,
    output_sequence_length: Option<usize>,
    padding: Side,
    truncating: Side,
    pub(super) lookup: StringLookup,
}

/// How a text is changed before it is split.
///
/// # Example
/// ```
/// use cornu::data::{Standardize, Tokenizer};
/// let tokenizer = Tokenizer::new().standardize(Standardize::Lower).fit(&["Yes!"])?;
/// assert_eq!(tokenizer.vocabulary()[2..], ["yes!"]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standardize {
    /// The letters A to Z become lower case, and the punctuation of ASCII is removed.
    #[default]
    LowerAndStripPunctuation,
    /// The letters A to Z become lower case.
    Lower,
    /// The punctuation of ASCII is removed.
    StripPunctuation,
    /// Not at all.
    None,
}

/// How a text is split.
///
/// # Example
/// ```
/// use cornu::data::{Split, Tokenizer};
/// let tokenizer = Tokenizer::new().split(Split::Character).fit(&["aab"])?;
/// assert_eq!(tokenizer.encode(&["baz"])?, [vec![3, 2, 1]]);
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Split {
    /// At the whitespace of ASCII.
    #[default]
    Whitespace,
    /// Into characters.
    Character,
}

impl Tokenizer {
    /// Creates a tokenizer without a vocabulary.
    pub fn new() -> Self {
        Tokenizer {
            standardize: Standardize::default(),
            split: Split::default(),
            output_sequence_length: None,
            padding: Side::Post,
            truncating: Side::Post,
            lookup: StringLookup::new().mask_token(String::new()),
        }
    }

    setters! {
        /// How a text is changed before it is split. Default: [`Standardize::LowerAndStripPunctuation`].
        standardize: Standardize;
        /// How a text is split. Default: [`Split::Whitespace`].
        split: Split;
        /// The side on which short sequences are padded. Default: [`Side::Post`].
        padding: Side;
        /// The side on which long sequences are cut. Default: [`Side::Post`].
        truncating: Side;
    }

    /// The maximum number of indices, with those of padding and unknown words. Default: none; all words.
    pub fn max_tokens(mut self, max_tokens: usize) -> Self {
        self.lookup = self.lookup.max_tokens(max_tokens);
        self
    }

    /// The length of padded sequences. Default: that of the longest text.
    pub fn output_sequence_length(mut self, len: usize) -> Self {
        self.output_sequence_length = Some(len);
        self
    }

    /// Learns the vocabulary of these texts, replacing an earlier one.
    ///
    /// # Errors
    /// Those of [`Tokenizer`].
    pub fn fit<S: AsRef<str>>(mut self, texts: &[S]) -> Result<Self> {
        let mut counts = Counts(HashMap::new());
        texts.iter().for_each(|text| self.each_word(text.as_ref(), |word| counts.add(word)));
        self.lookup = self.lookup.fit_counts(counts, "texts")?;
        Ok(self)
    }

    /// Sets the vocabulary in the order of the indices, with or without `""` and `[UNK]` at its start.
    ///
    /// # Errors
    /// Those of [`Tokenizer`].
    ///
    /// # Example
    /// ```
    /// use cornu::data::Tokenizer;
    /// let tokenizer = Tokenizer::from_vocabulary(["earth", "wind", "and", "fire"])?;
    /// assert_eq!(tokenizer.encode(&["Wind and water"])?, [vec![3, 4, 1]]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn from_vocabulary(words: impl IntoIterator<Item = impl Into<String>>) -> Result<Self> {
        let mut tokenizer = Tokenizer::new();
        tokenizer.lookup = tokenizer.lookup.with_vocabulary(words)?;
        Ok(tokenizer)
    }

    /// The words by index, first `""` for padding and `[UNK]` for unknown words.
    pub fn vocabulary(&self) -> Vec<String> {
        self.lookup.vocabulary()
    }

    /// The number of indices: the `input_dim` of an [`Embedding`](crate::layer::Embedding).
    ///
    /// # Example
    /// ```
    /// let tokenizer = cornu::data::Tokenizer::from_vocabulary(["yes", "no"])?;
    /// assert_eq!(tokenizer.vocabulary_size(), 4);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn vocabulary_size(&self) -> usize {
        self.lookup.vocabulary_size()
    }

    /// Returns the word indices of each text, without padding.
    ///
    /// # Errors
    /// Those of [`Tokenizer`].
    pub fn encode<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<Vec<usize>>> {
        self.lookup.check()?;
        let encode = |text: &S| {
            let mut indices = Vec::new();
            self.each_word(text.as_ref(), |word| indices.extend(self.lookup.index(word)));
            indices
        };
        Ok(texts.iter().map(encode).collect())
    }

    /// Returns the word indices of the texts, padded with 0 and cut to one length: an array `texts × length`.
    ///
    /// # Errors
    /// Those of [`Tokenizer`].
    pub fn encode_padded<S: AsRef<str>>(&self, texts: &[S]) -> Result<Array2<usize>> {
        self.encode_to(texts, self.output_sequence_length)
    }

    /// Returns the padded word indices for a model that reads sequences of this length.
    pub(crate) fn encode_for<S: AsRef<str>>(&self, texts: &[S], steps: usize) -> Result<Array2<usize>> {
        match self.output_sequence_length {
            Some(len) if len != steps => {
                Err(Error::argument("output_sequence_length", format!("{steps}, as in the model"), len))
            }
            _ => self.encode_to(texts, Some(steps)),
        }
    }

    fn encode_to<S: AsRef<str>>(&self, texts: &[S], len: Option<usize>) -> Result<Array2<usize>> {
        let pad = PadSequences::new().padding(self.padding).truncating(self.truncating);
        let pad = len.map_or(pad.clone(), |len| pad.max_len(len));
        pad.pad(&self.encode(texts)?).map_err(|error| match error {
            Error::Empty { shape, .. } => Error::Empty { argument: "texts".into(), shape },
            error => error,
        })
    }

    /// Returns the text of each sequence: its words, separated by spaces, without padding.
    ///
    /// # Errors
    /// [`Error::Index`] for an index beyond the vocabulary.
    pub fn decode<S: AsRef<[usize]>>(&self, sequences: &[S]) -> Result<Vec<String>> {
        let between = if self.split == Split::Whitespace { " " } else { "" };
        let decode = |(place, sequence): (usize, &S)| {
            let indices = sequence.as_ref().iter().copied().filter(|&index| index != 0);
            let words = self.lookup.decode(indices).map_err(|error| match error {
                Error::Index { found, count, .. } => {
                    Error::Index { argument: "sequences".into(), row: place, found, count }
                }
                error => error,
            });
            Ok(words?.join(between))
        };
        sequences.iter().enumerate().map(decode).collect()
    }

    /// Calls `f` with each word of a text.
    fn each_word(&self, text: &str, f: impl FnMut(&str)) {
        let mut text = Cow::Borrowed(text);
        let (lower, strip) = match self.standardize {
            Standardize::LowerAndStripPunctuation => (true, true),
            Standardize::Lower => (true, false),
            Standardize::StripPunctuation => (false, true),
            Standardize::None => (false, false),
        };
        if lower {
            text.to_mut().make_ascii_lowercase();
        }
        if strip {
            text.to_mut().retain(|c| !c.is_ascii_punctuation());
        }
        match self.split {
            Split::Whitespace => text.split(is_space).filter(|word| !word.is_empty()).for_each(f),
            Split::Character => text.split("").filter(|character| !character.is_empty()).for_each(f),
        }
    }
}

/// Whether a character is whitespace in ASCII; `char::is_ascii_whitespace` lacks the vertical tab.
fn is_space(c: char) -> bool {
    c.is_ascii_whitespace() || c == '\u{b}'
}

impl Default for Tokenizer {
    fn default() -> Self {
        Tokenizer::new()
    }
}

words!(Standardize, "a way to standardize a text" {
    "lower_and_strip_punctuation" => Standardize::LowerAndStripPunctuation,
    "lower" => Standardize::Lower,
    "strip_punctuation" => Standardize::StripPunctuation,
    "none" => Standardize::None,
});

words!(Split, "whitespace or character" { "whitespace" => Split::Whitespace, "character" => Split::Character });

settings!([] Tokenizer {
    "standardize": standardize, "split": split, "output_sequence_length": output_sequence_length,
    "padding": padding, "truncating": truncating, "max_tokens": lookup.max_tokens,
    "vocabulary" required: lookup.terms,
});

#[cfg(test)]
mod tests {
    use super::*;
    use ndarray::array;

    #[test]
    fn sequences_are_padded_and_cut_on_the_chosen_side() {
        let tokenizer = Tokenizer::from_vocabulary(["a", "b", "c"]).unwrap().output_sequence_length(2);
        let texts = ["a b c", "c"];
        assert_eq!(tokenizer.encode_padded(&texts).unwrap(), array![[2, 3], [4, 0]]);
        let front = tokenizer.clone().padding(Side::Pre).truncating(Side::Pre);
        assert_eq!(front.encode_padded(&texts).unwrap(), array![[3, 4], [0, 4]]);
        assert_eq!(tokenizer.encode_padded(&["", "?!"]).unwrap(), array![[0, 0], [0, 0]]);
    }

    #[test]
    fn bad_texts_and_indices_are_refused() {
        let refused = |error: Error, words: &str| assert!(error.to_string().contains(words), "{error}");
        refused(Tokenizer::new().fit(&["", " . "]).unwrap_err(), "texts is empty");
        refused(Tokenizer::new().max_tokens(2).fit(&["a"]).unwrap_err(), "`max_tokens`: expected at least 3");
        refused(Tokenizer::new().encode(&["a"]).unwrap_err(), "`vocabulary`: expected terms");
        let tokenizer = Tokenizer::from_vocabulary(["a"]).unwrap();
        refused(tokenizer.encode_padded::<&str>(&[]).unwrap_err(), "texts is empty");
        refused(tokenizer.encode_padded(&["", "!"]).unwrap_err(), "texts is empty");
        refused(
            tokenizer.decode(&[vec![2], vec![3]]).unwrap_err(),
            "sequences, row 1: expected an index from 0 to 2",
        );
        let huge = tokenizer.output_sequence_length(1 << 58).encode_padded(&["a"]).unwrap_err();
        assert!(matches!(huge, Error::TooLarge { .. }), "{huge}");
    }
}
