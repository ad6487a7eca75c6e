//! Attribution on real signals: does a hand draw a gun or only point? A small convolutional network learns the two motions of
//! GunPoint (Ratanamahatana and Keogh 2005) from 50 signals of 150 steps. Integrated gradients then show which steps make a
//! signal a draw, with the mean pointing signal as the baseline.
//!
//! Prints the accuracy on 150 test signals, the distribution of the attribution over time, and a check: how many draws are still
//! classified as draws if their 15 most important steps, or 15 random steps, are replaced by those of the baseline.
//!
//! ```sh
//! cargo run --release --features csv --example saliency
//! cargo run --release --features csv,plot --example saliency      # also draws examples/pictures/saliency.svg
//! ```

use std::error::Error;

use cornu::data::Csv;
use cornu::inspect::IntegratedGradients;
use cornu::ndarray::{Array1, Array3, Axis, s};
use cornu::prelude::*;

/// Reads signals with one channel, and their classes: 0 for a draw, 1 for pointing.
fn motions(part: &str) -> Result<(Array3<f32>, Array1<usize>), Box<dyn Error>> {
    let data = Csv::new(format!("examples/data/GunPoint_{part}.csv")).label("label").read()?;
    let signals = data.x().mapv(|value| value as f32).insert_axis(Axis(2)).into_dimensionality()?;
    Ok((signals, data.y()?.iter().map(|motion| *motion as usize).collect()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?; // of the initial weights
    let ((x, y), (x_test, y_test)) = (motions("TRAIN")?, motions("TEST")?);
    let rows = |y: &Array1<usize>, class| -> Vec<usize> { (0..y.len()).filter(|&i| y[i] == class).collect() };

    let mut model = Sequential::new()
        .seed(seed)
        .add(Conv1D::new(32, 8).padding(Padding::Same).activation(Activation::Relu))
        .add(MaxPooling1D::new(2))
        .add(Conv1D::new(32, 5).padding(Padding::Same).activation(Activation::Relu))
        .add(Flatten::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(2))
        .add(Softmax::new());
    model.compile(Adam::new(0.001), SparseCategoricalCrossentropy::new(), [Accuracy::new()])?;
    let history = model.fit(&x, &y, &Fit::new().epochs(150).batch_size(10).verbose(Verbose::Silent))?;
    print!("{}", history.findings()); // empty if the training is healthy
    println!("{} test signals: {}", y_test.len(), model.evaluate(&x_test, &y_test, &Evaluate::new())?);

    let mean = x.select(Axis(0), &rows(&y, 1)).mean_axis(Axis(0)).ok_or("no pointing signal")?;
    let (pointing, draws) = (mean.insert_axis(Axis(0)), x_test.select(Axis(0), &rows(&y_test, 0)));
    let why =
        model.integrated_gradients(&draws, &IntegratedGradients::new().output(0).baseline(&pointing))?;
    let shares: Vec<f32> =
        (0..3).map(|i| why.values.slice(s![.., 50 * i..50 * (i + 1), 0]).sum() / why.values.sum()).collect();
    println!(
        "share of the attribution: steps 0 to 49 {:.2}, 50 to 99 {:.2}, 100 to 149 {:.2}",
        shares[0], shares[1], shares[2]
    );

    let mut rng = Rng::new(1);
    for (name, sorted) in [("the 15 most important steps", true), ("15 random steps", false)] {
        let mut changed = draws.clone();
        for (i, mut draw) in changed.outer_iter_mut().enumerate() {
            let mut steps: Vec<usize> = (0..150).collect();
            rng.shuffle(&mut steps);
            if sorted {
                steps.sort_by(|&a, &b| why.values[[i, b, 0]].total_cmp(&why.values[[i, a, 0]]));
            }
            steps[..15].iter().for_each(|&step| draw[[step, 0]] = pointing[[0, step, 0]]);
        }
        let left = model.predict_classes(&changed)?.iter().filter(|&&class| class == 0).count();
        println!("without {name}, {left} of {} draws are still classified as draws", draws.len_of(Axis(0)));
    }
    #[cfg(feature = "plot")]
    why.plot(0, "examples/pictures/saliency.svg")?;
    Ok(())
}
