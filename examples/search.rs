//! Hyper-parameter search: depth, width, activation, dropout and learning rate of a network for the digits of scikit-learn.
//! 27 random trials with successive halving; 360 random images are held out to evaluate the best model.
//!
//! Prints the table of trials, the learning-rate range test of the best network, its accuracy on the held-out images, and the
//! duration of the search. Writes the table to `search.csv` in the folder for temporary files.
//!
//! ```sh
//! cargo run --release --features csv --example search
//! cargo run --release --features csv --example search -- 1                  # one trial at a time, on all threads
//! cargo run --release --features csv,plot --example search       # also draws examples/pictures/search.svg
//! ```

use std::error::Error;
use std::time::Instant;

use cornu::data::{Column, Csv};
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;
use cornu::selection::{HyperParameters, LearningRateFinder, Search};

fn digits() -> Result<(Array2<f32>, Array1<usize>), Box<dyn Error>> {
    let data = Csv::new("examples/data/digits.csv.gz").header(false).label(Column::Last).read()?;
    let pixels = data.x().mapv(|pixel| pixel as f32 / 16.0).into_dimensionality()?;
    Ok((pixels, data.y()?.iter().map(|digit| *digit as usize).collect()))
}

fn build<'a>(hp: &mut HyperParameters) -> cornu::Result<(Sequential, Fit<'a>)> {
    let activation = hp.choice("activation", [Activation::Relu, Activation::Tanh])?;
    let mut model = Sequential::new();
    for layer in 0..hp.integer("layers", 1..=3)? {
        model =
            model.add(Dense::new(hp.log_integer(&format!("units_{layer}"), 8..=128)?).activation(activation));
    }
    let mut model =
        model.add(Dropout::new(hp.uniform("dropout", 0.0..=0.5)?)).add(Dense::new(10)).add(Softmax::new());
    let adam = Adam::new(hp.log_uniform("learning_rate", 1e-4..=0.1)?);
    model.compile(adam, SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
    Ok((model, Fit::new().epochs(27).validation_split(0.2)))
}

fn main() -> Result<(), Box<dyn Error>> {
    let (x, y) = digits()?;
    let mut order: Vec<usize> = (0..y.len()).collect();
    Rng::new(1).shuffle(&mut order);
    let part = |rows: &[usize]| (x.select(Axis(0), rows), y.select(Axis(0), rows));
    let ((x_test, y_test), (x, y)) = (part(&order[..360]), part(&order[360..]));

    let mut search = Search::random(27).seed(1).halving(3);
    if let Some(at_once) = std::env::args().nth(1) {
        search = search.trials_at_once(at_once.parse()?);
    }
    let started = Instant::now();
    let results = search.run(&x, &y, build)?;
    println!("{results}\nthe search took {:.2} s", started.elapsed().as_secs_f64());
    results.save_csv(std::env::temp_dir().join("search.csv"))?;
    #[cfg(feature = "plot")]
    results.plot("learning_rate", "examples/pictures/search.svg")?;

    let best = results.best().ok_or("no trial was trained")?;
    let (fresh, fit) = best.build(build)?;
    let test = LearningRateFinder::new().run(&fresh, &x, &y, &fit)?;
    println!(
        "range test of the best network, whose learning rate is {}:\n{test}",
        best.get("learning_rate").ok_or("no rate")?
    );
    let model = results.best_model().ok_or("no trial was trained")?;
    println!(
        "the best on {} held-out images: {}",
        y_test.len(),
        model.evaluate(&x_test, &y_test, &Evaluate::new())?
    );
    Ok(())
}
