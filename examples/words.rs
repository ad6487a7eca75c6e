//! From strings to a served model: whether a review of a film praises it, blames it, or neither. A `Tokenizer` turns words into
//! indices, an LSTM reads them, and a mask lets it skip the padding. "Not bad" is praise, so no count of words suffices. The
//! reviews are generated; a fifth is held out.
//!
//! Prints the held-out accuracy (guessing has 0.333), saves the model with its tokenizer and the names of its classes, loads it,
//! and classifies texts.
//!
//! ```sh
//! cargo run --release --features keras --example words
//! cargo run --release --features keras --example words -- "My brother came along, the ending was not bad."
//! ```

use std::error::Error;

use cornu::data::Tokenizer;
use cornu::ndarray::s;
use cornu::prelude::*;

const THINGS: [&str; 6] = ["film", "plot", "music", "ending", "camera", "leading actor"];
const GOOD: [&str; 8] = ["good", "great", "lovely", "superb", "charming", "funny", "moving", "brilliant"];
const BAD: [&str; 8] = ["bad", "dull", "awful", "poor", "boring", "weak", "tiring", "clumsy"];
const OTHER: [&str; 7] = [
    "we saw it on Friday",
    "my brother came along",
    "the hall was almost full",
    "it runs for two hours, with a break",
    "the tickets were not cheap",
    "not many people know the director",
    "it is based on a novel",
];

fn pick<'a>(rng: &mut Rng, words: &[&'a str]) -> &'a str {
    words[(rng.uniform() * words.len() as f64) as usize]
}

/// A review of up to five clauses, at most one of them an opinion, and its class.
fn review(rng: &mut Rng) -> (String, String) {
    let class = pick(rng, &["blame", "neither", "praise"]);
    let count = usize::from(class == "neither") + (rng.uniform() * 5.0) as usize;
    let mut clauses: Vec<String> = (0..count).map(|_| pick(rng, &OTHER).to_string()).collect();
    if class != "neither" {
        let negated = rng.uniform() < 0.3;
        let verb =
            pick(rng, if negated { &["was not", "is never", "is hardly"] } else { &["was", "is", "is so"] });
        let word = pick(rng, if (class == "praise") != negated { &GOOD } else { &BAD });
        let place = (rng.uniform() * (count + 1) as f64) as usize;
        clauses.insert(place, format!("the {} {verb} {word}", pick(rng, &THINGS)));
    }
    (clauses.join(", ") + ".", class.into())
}

fn main() -> Result<(), Box<dyn Error>> {
    let mut asked: Vec<String> = std::env::args().skip(1).collect();
    let seed = asked.first().and_then(|first| first.parse().ok()); // of the initial weights
    asked.drain(..usize::from(seed.is_some()));
    let mut rng = Rng::new(1);
    let (texts, labels): (Vec<String>, Vec<String>) = (0..3000).map(|_| review(&mut rng)).unzip();
    let classes = LabelEncoder::fit(labels.iter().cloned());
    let y = classes.encode(labels)?;
    let tokenizer = Tokenizer::new().max_tokens(1000).output_sequence_length(40).fit(&texts[..2400])?;
    let x = tokenizer.encode_padded(&texts)?;

    let mut model = Sequential::new()
        .seed(seed.unwrap_or(1))
        .add(Embedding::new(tokenizer.vocabulary_size(), 16).mask_zero(true))
        .add(Lstm::new(24))
        .add(Dense::new(classes.classes().len()).activation(Activation::Softmax));
    model.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
    let fit = Fit::new().epochs(15).verbose(Verbose::Silent);
    let history = model.fit(&x.slice(s![..2400, ..]), &y.slice(s![..2400]), &fit)?;
    print!("{}", history.findings()); // empty if the training is healthy
    let scores = model.evaluate(&x.slice(s![2400.., ..]), &y.slice(s![2400..]), &Evaluate::new())?;
    println!("600 held-out reviews, {} words: {scores}", tokenizer.vocabulary_size());

    model.set_preparation("words", tokenizer);
    model.set_preparation("classes", classes);
    let path = std::env::temp_dir().join(format!("cornu-words-{}.keras", std::process::id()));
    model.save(&path)?;
    let served = Sequential::load(&path)?; // the model, its tokenizer and the names of its classes
    std::fs::remove_file(&path)?;
    if asked.is_empty() {
        asked = [
            "The plot was NOT bad!",
            "We saw it on Friday; the music is hardly superb.",
            "It is based on a novel.",
        ]
        .map(String::from)
        .into();
    }
    for (text, class) in asked.iter().zip(served.predict_texts(&asked)?) {
        println!("{class:<8} {text}");
    }
    Ok(())
}
