//! Anomaly detection with an autoencoder. It learns to reconstruct winter days of Italy's power demand from 4 numbers, using the
//! 34 winter days of the training file and no summer day. A large reconstruction error marks an anomaly.
//!
//! Prints the area under the ROC curve with which the error separates the 516 summer days from the 513 winter days of the test
//! file (1 is perfect, 0.5 is guessing), as mean and range over five seeds; the same for the distance to the mean winter day;
//! and the most anomalous day.
//!
//! ```sh
//! cargo run --release --example autoencoder
//! cargo run --release --features plot --example autoencoder      # also draws examples/pictures/autoencoder.svg
//! ```

use std::error::Error;

use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

/// Reads days of 24 hours, and whether each is a summer day.
fn days(path: &str) -> Result<(Array2<f32>, Vec<bool>), Box<dyn Error>> {
    let (mut hours, mut summer) = (Vec::new(), Vec::new());
    for record in csv::Reader::from_path(path)?.records() {
        let record = record?;
        summer.push(&record[0] == "2");
        hours.extend(record.iter().skip(1).map(str::parse).collect::<Result<Vec<f32>, _>>()?);
    }
    Ok((Array2::from_shape_vec((summer.len(), 24), hours)?, summer))
}

/// The area under the ROC curve: the share of pairs of a positive and a negative in which the positive has the larger score.
fn auc(scores: &Array1<f32>, odd: &[bool]) -> f64 {
    let part = |wanted: bool| {
        scores.iter().zip(odd).filter(move |(_, odd)| **odd == wanted).map(|(score, _)| *score)
    };
    let pairs = part(true).flat_map(|odd| part(false).map(move |usual| f64::from(u8::from(odd > usual))));
    pairs.sum::<f64>() / (part(true).count() * part(false).count()) as f64
}

fn main() -> Result<(), Box<dyn Error>> {
    let (train, summer) = days("examples/data/ItalyPowerDemand_TRAIN.csv")?;
    let winter: Vec<usize> = (0..summer.len()).filter(|&i| !summer[i]).collect();
    let train = train.select(Axis(0), &winter);
    let (test, summer) = days("examples/data/ItalyPowerDemand_TEST.csv")?;

    let (mut areas, mut given_back) = (Vec::new(), Array2::zeros((0, 0)));
    let scores = |back: &Array2<f32>| (&test - back).mapv(|e| e * e).sum_axis(Axis(1));
    for seed in 1..=5 {
        let mut model = Sequential::new()
            .seed(seed)
            .add(Dense::new(16).activation(Activation::Tanh))
            .add(Dense::new(4))
            .add(Dense::new(16).activation(Activation::Tanh))
            .add(Dense::new(24));
        model.compile(Adam::new(0.005), MeanSquaredError::new(), ())?;
        let fit = Fit::new().epochs(300).batch_size(8).verbose(Verbose::Silent);
        print!("{}", model.fit(&train, &train, &fit)?.findings()); // empty if the training is healthy
        given_back = model.predict(&test)?.into_dimensionality::<cornu::ndarray::Ix2>()?;
        areas.push(auc(&scores(&given_back), &summer));
    }
    let scores = scores(&given_back);
    let mean = train.mean_axis(Axis(0)).ok_or("no winter day")?;
    let distances = (&test - &mean).mapv(|e| e * e).sum_axis(Axis(1));
    let (low, high) = areas.iter().fold((1.0, 0.0), |(low, high), &a| (a.min(low), a.max(high)));
    println!("area under the ROC curve, summer days among {} test days", test.nrows());
    println!("autoencoder {:.3}, {low:.3} to {high:.3}", areas.iter().sum::<f64>() / areas.len() as f64);
    println!("distance to the mean winter day {:.3}", auc(&distances, &summer));
    let oddest = (0..test.nrows()).max_by(|&a, &b| scores[a].total_cmp(&scores[b])).ok_or("no test day")?;
    println!("most anomalous: row {oddest}, a {} day", if summer[oddest] { "summer" } else { "winter" });
    #[cfg(feature = "plot")]
    cornu::plot::Chart::new("hour of the day", "power (standardized)")
        .line("anomalous day", test.row(oddest).iter().copied().enumerate())
        .line("reconstruction", given_back.row(oddest).iter().copied().enumerate())
        .line("mean winter day", mean.iter().copied().enumerate())
        .plot("examples/pictures/autoencoder.svg")?;
    Ok(())
}
