//! The preparation of raw data that belongs to a model, and predictions from texts.

use super::Sequential;
use crate::data::{LabelEncoder, Preparation, Tokenizer};
use crate::error::{Error, Result};
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// Adds a preparation of raw data to the model, or replaces the one with this name.
    ///
    /// [`save`](Sequential::save) writes it to `.keras` and `.safetensors` files, and [`load`](Sequential::load) returns it with
    /// the model. Keras reads such a file and ignores the preparation; files of weights, settings or `.onnx` do not contain it.
    ///
    /// # Example
    /// ```
    /// use cornu::data::{Preparation, StringLookup};
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([1]).add(Embedding::new(3, 2));
    /// model.build()?;
    /// model.set_preparation("country", StringLookup::new().fit(["CH", "DE"])?);
    /// # #[cfg(feature = "keras")] {
    /// # let path = std::env::temp_dir().join(format!("cornu-example-preparation-{}.keras", std::process::id()));
    /// model.save(&path)?;
    /// let again = Sequential::load(&path)?;
    /// let Preparation::StringLookup(countries) = again.preparation("country")? else { panic!("another kind") };
    /// assert_eq!(countries.encode(["CH"])?, ndarray::array![2]);
    /// # std::fs::remove_file(&path).map_err(Error::outside)?;
    /// # }
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn set_preparation(&mut self, name: impl Into<String>, preparation: impl Into<Preparation>) {
        let (name, preparation) = (name.into(), preparation.into());
        match self.preparations.iter_mut().find(|(known, _)| *known == name) {
            Some((_, old)) => *old = preparation,
            None => self.preparations.push((name, preparation)),
        }
    }

    /// Returns the preparation with this name.
    ///
    /// # Errors
    /// [`Error::Unknown`] if there is none.
    ///
    /// # Example
    /// ```
    /// let error = cornu::Sequential::new().preparation("words").unwrap_err();
    /// assert!(error.to_string().starts_with("unknown preparation `words`"));
    /// ```
    pub fn preparation(&self, name: &str) -> Result<&Preparation> {
        let found = self.preparations.iter().find(|(known, _)| known == name);
        found.map(|(_, preparation)| preparation).ok_or_else(|| Error::Unknown {
            what: "preparation",
            name: name.into(),
            known: self.preparations.iter().map(|(known, _)| known.clone()).collect(),
        })
    }

    /// The preparations with their names, in the order in which they were added.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new();
    /// model.set_preparation("topics", LabelEncoder::fit(["art", "sport"].map(String::from)));
    /// let kinds: Vec<_> = model.preparations().map(|(name, preparation)| (name, preparation.kind())).collect();
    /// assert_eq!(kinds, [("topics", "LabelEncoder")]);
    /// ```
    pub fn preparations(&self) -> impl Iterator<Item = (&str, &Preparation)> {
        self.preparations.iter().map(|(name, preparation)| (&**name, preparation))
    }

    /// Returns the name of the class of each text, by the model's [`Tokenizer`] and [`LabelEncoder`].
    ///
    /// The texts are padded to the length of the model's samples or, if it is open, to that of the longest text. The classes are those of
    /// [`predict_classes`](Sequential::predict_classes).
    ///
    /// # Errors
    /// [`Error::Argument`] unless the model has exactly one [`Tokenizer`] and one [`LabelEncoder`], and if its samples are not
    /// sequences of the tokenizer's length; the errors of `predict_classes` and [`LabelEncoder::decode`].
    ///
    /// # Example
    /// ```
    /// use cornu::data::Tokenizer;
    /// use cornu::prelude::*;
    /// let texts = ["what a good film", "a bad film", "good actors", "bad, bad music"];
    /// let classes = LabelEncoder::fit(["praise", "blame"].map(String::from));
    /// let tokenizer = Tokenizer::new().fit(&texts)?;
    /// let (x, y) = (tokenizer.encode_padded(&texts)?, ndarray::array![1, 0, 1, 0]);
    /// let mut model = Sequential::new()
    ///     .seed(1)
    ///     .add(Embedding::new(tokenizer.vocabulary_size(), 4).mask_zero(true))
    ///     .add(GlobalAveragePooling1D::new())
    ///     .add(Dense::new(1).activation(Activation::Sigmoid));
    /// model.compile(Adam::new(0.1), BinaryCrossentropy::new(), ())?;
    /// model.fit(&x, &y, &Fit::new().epochs(50).verbose(Verbose::Silent))?;
    /// model.set_preparation("words", tokenizer);
    /// model.set_preparation("classes", classes);
    /// assert_eq!(model.predict_texts(&["Good film!", "bad actors"])?, ["praise", "blame"]);
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn predict_texts<S: AsRef<str>>(&self, texts: &[S]) -> Result<Vec<String>> {
        let tokenizer: &Tokenizer = self.only("one Tokenizer", |preparation| match preparation {
            Preparation::Tokenizer(tokenizer) => Some(tokenizer),
            _ => None,
        })?;
        let classes: &LabelEncoder = self.only("one LabelEncoder", |preparation| match preparation {
            Preparation::LabelEncoder(classes) => Some(classes),
            _ => None,
        })?;
        let input = self.input_axes().ok_or(Error::NotBuilt)?;
        let x = match *input.axes() {
            [Some(steps)] => tokenizer.encode_for(texts, steps)?,
            [None] => tokenizer.encode_padded(texts)?,
            _ => return Err(Error::argument("input", "samples of one axis, the words of a text", input)),
        };
        let x = x.mapv(|index| F::of(index as f64));
        classes.decode(self.predict_classes(&x)?)
    }

    /// Returns the only preparation of a kind.
    fn only<'a, T: 'a>(
        &'a self,
        expected: &str,
        kind: impl Fn(&'a Preparation) -> Option<&'a T>,
    ) -> Result<&'a T> {
        let mut found = self.preparations.iter().filter_map(|(_, preparation)| kind(preparation));
        match (found.next(), found.count()) {
            (Some(only), 0) => Ok(only),
            (first, more) => {
                Err(Error::argument("preparation", expected, usize::from(first.is_some()) + more))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layer::{Dense, Embedding};

    #[test]
    fn texts_are_refused_by_a_model_without_their_preparation() {
        let tokenizer = || Tokenizer::from_vocabulary(["a"]).unwrap();
        let mut model = Sequential::<f32>::new().add(Embedding::new(3, 2));
        let refused = |model: &Sequential, words: &str| {
            let error = model.predict_texts(&["a"]).unwrap_err().to_string();
            assert!(error.contains(words), "{error}");
        };
        refused(&model, "`preparation`: expected one Tokenizer, found 0");
        model.set_preparation("a", tokenizer());
        model.set_preparation("b", tokenizer());
        refused(&model, "`preparation`: expected one Tokenizer, found 2");
        model.set_preparation("b", LabelEncoder::fit(["x".to_string()]));
        refused(&model, "the model is not built");
        let mut model = Sequential { input: Some(vec![2, 2]), ..model }.add(Dense::new(1));
        model.build().unwrap();
        refused(&model, "expected samples of one axis, the words of a text, found (2, 2)");
        let mut model = Sequential::<f32>::new().input([2]).add(Embedding::new(3, 2));
        model.set_preparation("a", tokenizer().output_sequence_length(3));
        model.set_preparation("b", LabelEncoder::fit(["x".to_string()]));
        refused(&model, "`output_sequence_length`: expected 2, as in the model, found 3");
    }
}
