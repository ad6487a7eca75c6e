//! Text classification with an embedding: the language of a surname. Letters become vectors, a convolution reads three at a
//! time, and global max pooling passes the strongest response of each filter to the last layer. The data is 2137 surnames
//! of six languages from the package Faker; a random fifth is held out.
//!
//! Prints the held-out accuracy (guessing has 0.167), a report by language, and predictions for a few names.
//!
//! ```sh
//! cargo run --release --features csv --example surnames
//! cargo run --release --features csv,plot --example surnames      # also draws examples/pictures/surnames.svg
//! ```

use std::error::Error;

use cornu::data::Csv;
use cornu::ndarray::{Array1, Array2, Axis};
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
    let data = Csv::new("examples/data/surnames.csv").categorical("name").label("language").read()?;
    let known = data.categories("name").ok_or("no names")?;
    let names: Vec<String> = data.x().iter().map(|place| known[*place as usize].clone()).collect();
    let (x, y) = (letters(&names), Array1::from_iter(data.y()?.iter().map(|language| *language as usize)));
    let mut order: Vec<usize> = (0..names.len()).collect();
    Rng::new(1).shuffle(&mut order);
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
        .add(Dense::new(data.classes()?.len()))
        .add(Softmax::new());
    model.compile(Adam::new(0.003), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
    let history = model.fit(&x_train, &y_train, &Fit::new().epochs(40).verbose(Verbose::Silent))?;
    print!("{}", history.findings()); // empty if the training is healthy
    println!("{} held-out names: {}", y_test.len(), model.evaluate(&x_test, &y_test, &Evaluate::new())?);
    println!("classes: {:?}", data.classes()?);
    let matrix = model.confusion_matrix(&x_test, &y_test)?.names(data.classes()?.iter().cloned())?;
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
    let languages = model.predict_classes(&letters(&asked))?;
    for ((name, language), row) in asked.iter().zip(languages).zip(probabilities.rows()) {
        println!("{name:<12} {}, {:.2}", data.classes()?[language], row.iter().copied().fold(0.0, f32::max));
    }
    Ok(())
}
