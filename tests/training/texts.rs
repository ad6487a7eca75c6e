//! A text classifier ported from Keras learns with padding on either side; `texts.py` trains it in Keras on the same texts.

use cornu::data::{PadSequences, Side, Tokenizer};
use cornu::ndarray::Array1;
use cornu::prelude::*;

/// A generator that Python has too.
struct Congruential(u64);

impl Congruential {
    fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        (self.0 >> 33) as usize % n
    }

    /// A text of 4 to 31 words, one of which is good or bad, or not good or not bad; and whether it praises.
    fn text(&mut self) -> (String, usize) {
        let count = 4 + self.below(27);
        let mut words: Vec<String> = (0..count).map(|_| format!("w{}", self.below(200))).collect();
        let (place, good, negated) = (self.below(count), self.below(2), self.below(2));
        words[place] = ["", "not "][negated].to_string() + ["bad", "good"][good];
        (words.join(" "), good ^ negated)
    }
}

#[test]
fn a_classifier_of_padded_texts_reaches_the_accuracy_of_keras() {
    let mut random = Congruential(1);
    let (texts, y): (Vec<String>, Vec<usize>) = (0..3000).map(|_| random.text()).unzip();
    let (tokenizer, y) = (Tokenizer::new().fit(&texts).unwrap(), Array1::from(y));
    let sequences = tokenizer.encode(&texts).unwrap();
    for side in [Side::Post, Side::Pre] {
        let x = PadSequences::new().padding(side).pad(&sequences).unwrap();
        let mut model = Sequential::new()
            .seed(1)
            .add(Embedding::new(tokenizer.vocabulary_size(), 16).mask_zero(true))
            .add(Lstm::new(16))
            .add(Dense::new(1).activation(Activation::Sigmoid));
        model.compile(Adam::new(0.01), BinaryCrossentropy::new(), [Accuracy::new()]).unwrap();
        let fit = Fit::new().epochs(6).validation_split(0.2).verbose(Verbose::Silent);
        let history = model.fit(&x, &y, &fit).unwrap();
        let accuracies = history.get("val_accuracy").unwrap_or_default();
        println!("{side:?}: {accuracies:?}");
        assert!(history.last("val_accuracy") >= Some(0.97), "{side:?}: {accuracies:?}");
    }
}
