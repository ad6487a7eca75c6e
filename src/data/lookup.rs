//! Maps strings or integers to the indices of a vocabulary.

use std::borrow::Borrow;
use std::collections::HashMap;
use std::fmt::Display;
use std::hash::Hash;

use ndarray::Array1;

use crate::config::{Setting, setters, settings};
use crate::error::{Error, Result};

/// Maps values to the indices of a vocabulary, as Keras's `StringLookup` and `IntegerLookup`.
///
/// The vocabulary is sorted by frequency; of equally frequent terms, the largest comes first. The indices are, in this
/// order: that of the mask token, if there is one; that of all unknown values, if `num_oov_indices` is 1; and those of the
/// terms. [`LabelEncoder`](super::LabelEncoder) sorts labels by value and refuses unknown ones, which suits targets.
///
/// | setter | default |
/// |---|---|
/// | `max_tokens`: the maximum number of indices | none; all terms |
/// | `num_oov_indices`: 1, or 0 to refuse unknown values | 1 |
/// | `mask_token`: the value whose index is 0 | none |
///
/// Keras also spreads unknown values over several indices by their hash; this lookup does not.
///
/// # Example
/// ```
/// use cornu::data::{IntegerLookup, StringLookup};
/// use cornu::ndarray::array;
/// let countries = StringLookup::new().fit(["CH", "DE", "CH"])?;
/// assert_eq!(countries.vocabulary(), ["[UNK]", "CH", "DE"]);
/// assert_eq!(countries.encode(["DE", "FR", "CH"])?, array![2, 0, 1]);
/// assert_eq!(countries.decode([1, 0])?, ["CH", "[UNK]"]);
///
/// // Without an index for unknown values, they are refused.
/// let codes = IntegerLookup::new().num_oov_indices(0).mask_token(Some(0)).fit(&[20, 20, 10])?;
/// assert_eq!(codes.encode(&[10, 20, 0])?, array![2, 1, 0]);
/// assert!(codes.encode(&[30]).is_err());
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # Errors
/// [`Error::Empty`] for data without terms. [`Error::Argument`] for a setting out of its range, for a lookup without a
/// vocabulary, and for a vocabulary with the same term twice or above `max_tokens`. [`Error::UnseenLabel`] for an unknown
/// value without an index, [`Error::Index`] for an index beyond the vocabulary.
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/categorical/string_lookup/>
#[derive(Debug, Clone, PartialEq)]
pub struct Lookup<T> {
    pub(super) max_tokens: Option<usize>,
    num_oov_indices: usize,
    mask_token: Option<T>,
    /// The terms in the order of their indices; none before `fit`.
    pub(super) terms: Vec<T>,
    /// The places of the terms, sorted by term.
    sorted: Vec<usize>,
}

/// Maps strings to indices: see [`Lookup`].
///
/// # Example
/// ```
/// let lookup = cornu::data::StringLookup::new().with_vocabulary(["red", "blue"])?;
/// assert_eq!(lookup.encode(["blue", "green"])?, cornu::ndarray::array![2, 0]);
/// # Ok::<(), cornu::Error>(())
/// ```
pub type StringLookup = Lookup<String>;

/// Maps integers to indices: see [`Lookup`]. An unknown value decodes as −1.
///
/// # Example
/// ```
/// let lookup = cornu::data::IntegerLookup::new().fit(&[7, 7, 5])?;
/// assert_eq!(lookup.encode(&[5, 6, 7])?, cornu::ndarray::array![2, 0, 1]);
/// assert_eq!(lookup.decode([0, 1])?, [-1, 7]);
/// # Ok::<(), cornu::Error>(())
/// ```
///
/// # References
/// <https://keras.io/api/layers/preprocessing_layers/categorical/integer_lookup/>
pub type IntegerLookup = Lookup<i64>;

/// A value that a [`Lookup`] maps: a string or an integer.
///
/// # Example
/// ```
/// use cornu::data::Term;
/// assert_eq!((String::unknown(), i64::unknown()), ("[UNK]".into(), -1));
/// ```
pub trait Term: Ord + Hash + Clone + Display + Setting {
    /// The term of unknown values.
    fn unknown() -> Self;
}

impl Term for String {
    fn unknown() -> Self {
        "[UNK]".into()
    }
}

impl Term for i64 {
    fn unknown() -> Self {
        -1
    }
}

impl<T: Term> Lookup<T> {
    /// Creates a lookup without a vocabulary.
    pub fn new() -> Self {
        Lookup {
            max_tokens: None,
            num_oov_indices: 1,
            mask_token: None,
            terms: Vec::new(),
            sorted: Vec::new(),
        }
    }

    setters! {
        /// The number of indices of unknown values: 1, or 0 to refuse them. Default: 1.
        num_oov_indices: usize;
    }

    /// The maximum number of indices, with those of the mask token and of unknown values. Default: none; all terms.
    pub fn max_tokens(mut self, max_tokens: usize) -> Self {
        self.max_tokens = Some(max_tokens);
        self
    }

    /// The value whose index is 0, such as a missing one. Default: none.
    pub fn mask_token(mut self, token: impl Into<Option<T>>) -> Self {
        self.mask_token = token.into();
        self
    }

    /// Learns the vocabulary, replacing an earlier one.
    ///
    /// # Errors
    /// Those of [`Lookup`].
    pub fn fit<'v, Q>(self, values: impl IntoIterator<Item = &'v Q>) -> Result<Self>
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = T> + ?Sized + 'v,
    {
        let mut counts = Counts(HashMap::new());
        values.into_iter().for_each(|value| counts.add(value));
        self.fit_counts(counts, "values")
    }

    /// Takes the most frequent terms as the vocabulary.
    pub(super) fn fit_counts(mut self, Counts(counts): Counts<T>, argument: &str) -> Result<Self> {
        self.check_settings()?;
        let special = |term: &T| *term == T::unknown() || self.mask_token.as_ref() == Some(term);
        let mut counts: Vec<(T, u64)> = counts.into_iter().filter(|(term, _)| !special(term)).collect();
        if counts.is_empty() {
            return Err(Error::Empty { argument: argument.into(), shape: vec![0] });
        }
        counts.sort_unstable_by(|(a, a_count), (b, b_count)| (b_count, b).cmp(&(a_count, a)));
        counts.truncate(self.max_tokens.map_or(usize::MAX, |most| most - self.first_term()));
        self.set_terms(counts.into_iter().map(|(term, _)| term).collect());
        Ok(self)
    }

    /// Sets the vocabulary in the order of the indices, with or without the terms of the mask and of unknown values.
    ///
    /// Set `mask_token`, `num_oov_indices` and `max_tokens` before.
    ///
    /// # Errors
    /// Those of [`Lookup`].
    ///
    /// # Example
    /// ```
    /// use cornu::data::StringLookup;
    /// let lookup = StringLookup::new().mask_token(String::new());
    /// let lookup = lookup.with_vocabulary(["", "[UNK]", "yes", "no"])?; // from Keras's `get_vocabulary`
    /// assert_eq!(lookup.encode(["no", "perhaps", ""])?, cornu::ndarray::array![3, 1, 0]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn with_vocabulary(mut self, terms: impl IntoIterator<Item = impl Into<T>>) -> Result<Self> {
        self.check_settings()?;
        let mut terms: Vec<T> = terms.into_iter().map(Into::into).collect();
        let special = self.special();
        if terms.starts_with(&special) {
            terms.drain(..special.len());
        }
        if terms.is_empty() {
            return Err(Error::Empty { argument: "vocabulary".into(), shape: vec![0] });
        }
        if let Some(term) = terms.iter().find(|term| special.contains(term)) {
            let expected = "the terms of the mask and of unknown values at its start";
            return Err(Error::argument("vocabulary", expected, format!("`{term}` among the others")));
        }
        self.set_terms(terms);
        let mut pairs = self.sorted.windows(2);
        if let Some(pair) = pairs.find(|pair| self.terms[pair[0]] == self.terms[pair[1]]) {
            let found = format!("`{}` twice", self.terms[pair[0]]);
            return Err(Error::argument("vocabulary", "distinct terms", found));
        }
        self.check()?;
        Ok(self)
    }

    fn set_terms(&mut self, terms: Vec<T>) {
        self.sorted = (0..terms.len()).collect();
        self.sorted.sort_unstable_by(|&a, &b| terms[a].cmp(&terms[b]));
        self.terms = terms;
    }

    /// The terms by index, first those of the mask and of unknown values.
    pub fn vocabulary(&self) -> Vec<T> {
        let mut terms = self.special();
        terms.extend_from_slice(&self.terms);
        terms
    }

    /// The number of indices.
    ///
    /// # Example
    /// ```
    /// let lookup = cornu::data::StringLookup::new().with_vocabulary(["yes", "no"])?;
    /// assert_eq!(lookup.vocabulary_size(), 3);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn vocabulary_size(&self) -> usize {
        self.first_term() + self.terms.len()
    }

    /// Returns the index of each value.
    ///
    /// # Errors
    /// Those of [`Lookup`].
    pub fn encode<'v, Q>(&self, values: impl IntoIterator<Item = &'v Q>) -> Result<Array1<usize>>
    where
        T: Borrow<Q>,
        Q: Ord + Display + ?Sized + 'v,
    {
        self.check()?;
        let index = |(row, value): (usize, &Q)| {
            self.index(value).ok_or_else(|| Error::UnseenLabel { row, found: value.to_string() })
        };
        values.into_iter().enumerate().map(index).collect()
    }

    /// Returns the term of each index; that of unknown values is `[UNK]` or −1.
    ///
    /// # Errors
    /// Those of [`Lookup`].
    pub fn decode(&self, indices: impl IntoIterator<Item = usize>) -> Result<Vec<T>> {
        self.check()?;
        let special = self.special();
        let term = |(row, index): (usize, usize)| {
            let beyond = || {
                let (argument, count) = ("indices".into(), self.vocabulary_size());
                Error::Index { argument, row, found: index as f64, count }
            };
            let term = special.get(index).or_else(|| self.terms.get(index.checked_sub(special.len())?));
            term.cloned().ok_or_else(beyond)
        };
        indices.into_iter().enumerate().map(term).collect()
    }

    /// Returns the index of a value, if it has one.
    pub(super) fn index<Q: Ord + ?Sized>(&self, value: &Q) -> Option<usize>
    where
        T: Borrow<Q>,
    {
        if self.mask_token.as_ref().is_some_and(|mask| mask.borrow() == value) {
            return Some(0);
        }
        match self.sorted.binary_search_by(|&place| self.terms[place].borrow().cmp(value)) {
            Ok(place) => Some(self.first_term() + self.sorted[place]),
            Err(_) => (self.num_oov_indices == 1).then(|| self.first_term() - 1),
        }
    }

    /// The terms of the mask and of unknown values.
    fn special(&self) -> Vec<T> {
        let unknown = (self.num_oov_indices == 1).then(T::unknown);
        self.mask_token.iter().cloned().chain(unknown).collect()
    }

    /// The index of the first term.
    fn first_term(&self) -> usize {
        usize::from(self.mask_token.is_some()) + self.num_oov_indices
    }

    fn check_settings(&self) -> Result<()> {
        if self.num_oov_indices > 1 {
            return Err(Error::argument("num_oov_indices", "0 or 1", self.num_oov_indices));
        }
        match self.max_tokens {
            Some(most) if most <= self.first_term() => {
                let expected = format!("at least {}, for one term", self.first_term() + 1);
                Err(Error::argument("max_tokens", expected, most))
            }
            _ => Ok(()),
        }
    }

    /// Refuses settings out of range, a lookup without a vocabulary, and a vocabulary above `max_tokens`.
    pub(super) fn check(&self) -> Result<()> {
        self.check_settings()?;
        if self.terms.is_empty() {
            return Err(Error::argument("vocabulary", "terms, by `fit` or `with_vocabulary`", "none"));
        }
        match self.max_tokens {
            Some(most) if most < self.vocabulary_size() => {
                let expected = format!("at least {}, the size of the vocabulary", self.vocabulary_size());
                Err(Error::argument("max_tokens", expected, most))
            }
            _ => Ok(()),
        }
    }

    /// Checks the vocabulary that the settings in a file contain.
    pub(super) fn checked(mut self) -> Result<Self> {
        let terms = std::mem::take(&mut self.terms);
        self.with_vocabulary(terms)
    }
}

impl<T: Term> Default for Lookup<T> {
    fn default() -> Self {
        Lookup::new()
    }
}

/// How often each term occurs.
pub(super) struct Counts<T>(pub(super) HashMap<T, u64>);

impl<T: Hash + Eq> Counts<T> {
    pub(super) fn add<Q>(&mut self, value: &Q)
    where
        T: Borrow<Q>,
        Q: Hash + Eq + ToOwned<Owned = T> + ?Sized,
    {
        match self.0.get_mut(value) {
            Some(count) => *count += 1,
            None => {
                self.0.insert(value.to_owned(), 1);
            }
        }
    }
}

settings!([T: Term] Lookup<T> {
    "max_tokens": max_tokens, "num_oov_indices": num_oov_indices, "mask_token": mask_token,
    "vocabulary" required: terms,
});

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refused<T: std::fmt::Debug>(result: Result<T>, words: &str) {
        let error = result.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
    }

    #[test]
    fn bad_settings_and_vocabularies_are_refused() {
        let new = StringLookup::new;
        refused(new().fit(["[UNK]"; 2]), "values is empty");
        refused(new().num_oov_indices(2).fit(["a"]), "`num_oov_indices`: expected 0 or 1, found 2");
        refused(new().max_tokens(1).fit(["a"]), "`max_tokens`: expected at least 2, for one term, found 1");
        refused(
            new().encode(["a"]),
            "`vocabulary`: expected terms, by `fit` or `with_vocabulary`, found none",
        );
        refused(new().with_vocabulary(["a", "b", "a"]), "expected distinct terms, found `a` twice");
        refused(new().with_vocabulary(["a", "[UNK]"]), "`[UNK]` among the others");
        refused(new().with_vocabulary(["[UNK]"]), "vocabulary is empty");
        let above = "`max_tokens`: expected at least 3, the size of the vocabulary, found 2";
        refused(new().max_tokens(2).with_vocabulary(["a", "b"]), above);
        refused(new().fit(["a", "b"]).unwrap().max_tokens(2).encode(["a"]), above);
        let strict = new().num_oov_indices(0).fit(["a"]).unwrap();
        refused(
            strict.encode(["a", "b"]),
            "row 1: expected a label that the encoder was fitted to, found `b`",
        );
        refused(strict.decode([0, 1]), "indices, row 1: expected an index from 0 to 0, found 1");
        refused(strict.num_oov_indices(5).encode(["a"]), "`num_oov_indices`: expected 0 or 1, found 5");
    }
}
