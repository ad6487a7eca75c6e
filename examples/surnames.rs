//! Text classification with an embedding: the language of a surname. Letters become vectors, a convolution reads three at a
//! time, and global max pooling passes the strongest response of each filter to the last layer. The data is 2137 surnames
//! of six languages from the package Faker; a random fifth is held out.
//!
//! Prints the held-out accuracy (guessing has 0.167), a report by language, and predictions for a few names.
//!
//! ```sh
//! cargo run --release --example surnames
//! cargo run --release --example surnames -- Rossi Virtanen
//! cargo run --release --features plot --example surnames      # also draws examples/pictures/surnames.svg
//! ```

use std::error::Error;

use cornu::ndarray::{Array2, Axis};
use cornu::prelude::*;

/// Encodes names as rows of 12 numbers: 0 for no letter, 1 to 26 for a to z.
fn letters(names: &[String]) -> Array2<u8> {
    let letter = |name: &String, place| name.as_bytes().get(place).copied().filter(u8::is_ascii_alphabetic);
    Array2::from_shape_fn((names.len(), 12), |(i, k)| {
        letter(&names[i], k).map_or(0, |c| c.to_ascii_lowercase() - b'a' + 1)
    })
}

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?; // of the initial weights
    let (mut names, mut languages) = (Vec::new(), Vec::new());
    for record in csv::Reader::from_path("examples/data/surnames.csv")?.records() {
        let record = record?;
        names.push(record[0].to_string());
        languages.push(record[1].to_string());
    }
    let encoder = LabelEncoder::fit(&languages);
    let (x, y) = (letters(&names), encoder.encode(&languages)?);
    let mut order: Vec<usize> = (0..names.len()).collect();
    Rng::stream(1, 0).shuffle(&mut order);
    let (test, train) = order.split_at(names.len() / 5);
    let part = |rows: &[usize]| (x.select(Axis(0), rows), y.select(Axis(0), rows));
    let ((x_train, y_train), (x_test, y_test)) = (part(train), part(test));

    let mut model = Sequential::new()
        .seed(seed)
        .input([12])
        .add(Embedding::new(27, 16))
        .add(Conv1D::new(96, 3).padding(Padding::Same).activation(Activation::Relu))
        .add(GlobalMaxPooling1D::new())
        .add(Dropout::new(0.5))
        .add(Dense::new(encoder.classes().len()))
        .add(Softmax::new());
    model.compile(Adam::new(0.003), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
    let history = model.fit(&x_train, &y_train, &Fit::new().epochs(40).verbose(Verbose::Silent))?;
    print!("{}", history.findings()); // empty if the training is healthy
    println!("{} held-out names: {}", y_test.len(), model.evaluate(&x_test, &y_test, &Evaluate::new())?);
    println!("classes: {:?}", encoder.classes());
    let matrix = model.confusion_matrix(&x_test, &y_test)?.names(encoder.classes().iter().copied())?;
    println!("{}", matrix.report());
    #[cfg(feature = "plot")]
    matrix.plot("examples/pictures/surnames.svg")?;

    let mut asked: Vec<String> = std::env::args().skip(1).collect();
    if asked.is_empty() {
        asked = ["Hakkinen", "Bianchi", "Lefebvre", "Hoekstra", "Schumacher", "Gutierrez"]
            .map(String::from)
            .into();
    }
    let probabilities = model.predict(&letters(&asked))?;
    let classes = encoder.decode(model.predict_classes(&letters(&asked))?)?;
    for ((name, class), row) in asked.iter().zip(classes).zip(probabilities.rows()) {
        println!("{name:<12} {class}, {:.2}", row.iter().copied().fold(0.0, f32::max));
    }
    Ok(())
}
