//! Real signals, and what a network looks at in them: does the hand draw a gun, or does it only point? The two motions of GunPoint
//! (Ratanamahatana and Keogh 2005), 150 steps each, told apart by a small convolutional network from 50 signals; then integrated
//! gradients tell which steps make a signal the draw of a gun rather than the mean pointing.
//!
//! Prints the accuracy on 150 other signals, where most of the attribution lies, and a proof that it lies right: how many of the
//! draws are still called so with their 15 weightiest steps replaced by those of the mean pointing, and with any 15.
//!
//! ```sh
//! cargo run --release --example saliency
//! cargo run --release --features plot --example saliency      # and draws examples/pictures/saliency.svg
//! ```

use std::error::Error;

use cornu::inspect::IntegratedGradients;
use cornu::ndarray::{Array1, Array3, Axis, s};
use cornu::prelude::*;

/// Signals of one channel, and their motions: 0 draws a gun, 1 points.
fn motions(part: &str) -> Result<(Array3<f32>, Array1<usize>), Box<dyn Error>> {
    let (mut values, mut labels) = (Vec::new(), Vec::new());
    for record in csv::Reader::from_path(format!("examples/data/GunPoint_{part}.csv"))?.records() {
        let record = record?;
        labels.push(record[0].parse::<usize>()? - 1);
        values.extend(record.iter().skip(1).map(str::parse).collect::<Result<Vec<f32>, _>>()?);
    }
    Ok((Array3::from_shape_vec((labels.len(), 150, 1), values)?, labels.into()))
}

fn main() -> Result<(), Box<dyn Error>> {
    let seed = std::env::args().nth(1).map_or(Ok(1), |seed| seed.parse())?; // of the first weights
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
    print!("{}", history.findings()); // nothing, where all is well
    println!("{} other signals: {}", y_test.len(), model.evaluate(&x_test, &y_test, &Evaluate::new())?);

    let mean = x.select(Axis(0), &rows(&y, 1)).mean_axis(Axis(0)).ok_or("nobody points")?;
    let (pointing, draws) = (mean.insert_axis(Axis(0)), x_test.select(Axis(0), &rows(&y_test, 0)));
    let why =
        model.integrated_gradients(&draws, &IntegratedGradients::new().output(0).baseline(&pointing))?;
    let shares: Vec<f32> =
        (0..3).map(|i| why.values.slice(s![.., 50 * i..50 * (i + 1), 0]).sum() / why.values.sum()).collect();
    println!(
        "steps 0 to 49 add {:.2} of all, 50 to 99 {:.2}, 100 to 149 {:.2}",
        shares[0], shares[1], shares[2]
    );

    let mut rng = Rng::stream(1, 0);
    for (name, sorted) in [("their 15 weightiest steps", true), ("any 15 steps", false)] {
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
        println!("without {name} {left} of {} draws are still called so", draws.len_of(Axis(0)));
    }
    #[cfg(feature = "plot")]
    why.plot(0, "examples/pictures/saliency.svg")?;
    Ok(())
}
