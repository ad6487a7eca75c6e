//! Whole numbers that are numbers: counts, pixels, ages, months, ratings, quantized signals, steps of time, ordinal codes.

use cornu::ndarray::{Array1, Array2, Array3, Axis};
use cornu::prelude::*;

use super::{Kind, sparse, train};
use crate::synthetic::*;

/// Inputs and targets.
pub enum Rows {
    Numbers(Array2<f32>, Array1<f32>),
    Classes(Array2<f32>, Array1<usize>, usize),
}

/// Generates rows from a seed.
pub type Source = fn(u64) -> Rows;

/// The number of events at this rate (Knuth).
fn poisson(rng: &mut Rng, rate: f64) -> f32 {
    let (mut product, mut count) = (rng.uniform(), 0);
    while product > (-rate).exp() {
        (product, count) = (product * rng.uniform(), count + 1);
    }
    count as f32
}

/// A whole number from `low` to `high`.
fn whole(rng: &mut Rng, low: f64, high: f64) -> f32 {
    (low + ((high - low + 1.0) * rng.uniform()).floor()) as f32
}

/// The targets of a table, with noise.
fn targets(seed: u64, x: &Array2<f32>, of_row: impl Fn(&[f32]) -> f32) -> Array1<f32> {
    let mut rng = Rng::stream(seed, 12);
    x.map_axis(Axis(1), |row| of_row(&row.to_vec()) + (0.2 * rng.normal()) as f32)
}

pub fn counts(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let x = Array2::from_shape_fn((500, 5), |_| {
        let rate = (1.5 + 0.8 * rng.normal()).exp();
        poisson(&mut rng, rate.min(60.0))
    });
    let y = targets(seed, &x, |x| x[0].ln_1p() - 0.5 * x[1].ln_1p() + 0.8 * x[4].ln_1p() - 2.0);
    Rows::Numbers(x, y)
}

/// Incomes and populations: counts of all sizes.
pub fn amounts(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let x = Array2::from_shape_fn((500, 4), |_| (2.0 + 1.2 * rng.normal()).exp().floor() as f32);
    let y = targets(seed, &x, |x| x[0].ln_1p() - x[2].ln_1p());
    Rows::Numbers(x, y)
}

pub fn pixels(seed: u64) -> Rows {
    let (x, y) = bars(seed, 400);
    let x = x.mapv(|x| (255.0 * x.min(1.0)).round());
    Rows::Classes(x.into_shape_with_order((400, 64)).expect("rows"), y, 4)
}

/// Dark and bright pictures.
pub fn brightness(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let level = Array1::from_shape_fn(400, |_| 60.0 + 130.0 * rng.uniform());
    let x =
        Array2::from_shape_fn((400, 36), |(i, _)| (level[i] + 20.0 * rng.normal()).round().clamp(0.0, 255.0));
    Rows::Numbers(x.mapv(|x| x as f32), level.mapv(|level| (level / 40.0 - 3.0) as f32))
}

pub fn ages(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let mut x = noise(seed, 500, 4);
    x.column_mut(2).mapv_inplace(|_| whole(&mut rng, 18.0, 90.0));
    let y = targets(seed, &x, |x| 1.5 * (x[2] / 15.0).sin() + 0.7 * x[0]);
    Rows::Numbers(x, y)
}

/// Ages with a step at 30 and at 65.
pub fn thresholds(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let mut x = noise(seed, 500, 3);
    x.column_mut(1).mapv_inplace(|_| whole(&mut rng, 1.0, 90.0));
    let y = targets(seed, &x, |x| if (30.0..65.0).contains(&x[1]) { 1.5 } else { 0.0 } + 0.5 * x[0]);
    Rows::Numbers(x, y)
}

pub fn months(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let mut x = noise(seed, 500, 3);
    x.column_mut(0).mapv_inplace(|_| whole(&mut rng, 1.0, 12.0));
    let y = targets(seed, &x, |x| 1.5 * (std::f32::consts::TAU * x[0] / 12.0).cos() + 0.5 * x[1]);
    Rows::Numbers(x, y)
}

pub fn hours(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let mut x = noise(seed, 600, 3);
    x.column_mut(0).mapv_inplace(|_| whole(&mut rng, 0.0, 23.0));
    let rush =
        |hour: f32| if (7.0..10.0).contains(&hour) || (16.0..19.0).contains(&hour) { 1.5 } else { 0.0 };
    let y = targets(seed, &x, |x| rush(x[0]) + 0.5 * x[1]);
    Rows::Numbers(x, y)
}

pub fn ratings(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let x = Array2::from_shape_fn((400, 8), |_| whole(&mut rng, 1.0, 5.0));
    let y = targets(seed, &x, |x| 0.5 * x[0] + 0.2 * x[1] - 0.4 * x[6] + 0.3 * x[3] - 2.0);
    Rows::Numbers(x, y)
}

/// Noisy waves of two wavelengths, as an analog-to-digital converter with this many bits samples them.
fn converted(seed: u64, bits: i32) -> Rows {
    let (waves, y) = waves(seed, 300, 24);
    let most = 2f32.powi(bits) - 1.0;
    let x = waves.mapv(|x| ((x + 1.6) / 3.2 * most).round().clamp(0.0, most));
    Rows::Classes(x.into_shape_with_order((300, 24)).expect("rows"), y, 2)
}

pub fn eight_bits(seed: u64) -> Rows {
    converted(seed, 8)
}

pub fn twelve_bits(seed: u64) -> Rows {
    converted(seed, 12)
}

/// Levels of a sensor of 8 bits.
pub fn levels(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let level = Array1::from_shape_fn(400, |_| 2.0 * rng.uniform() - 1.0);
    let x = Array2::from_shape_fn((400, 20), |(i, _)| {
        (128.0 + 50.0 * level[i] + 15.0 * rng.normal()).round().clamp(0.0, 255.0) as f32
    });
    Rows::Numbers(x, level.mapv(|level| (3.0 * level).sin() as f32))
}

/// The step within a cycle of 100 steps.
pub fn steps(seed: u64) -> Rows {
    let mut x = noise(seed, 600, 2);
    x.column_mut(0).iter_mut().enumerate().for_each(|(i, x)| *x = (i % 100) as f32);
    let y = targets(seed, &x, |x| 1.5 * (x[0] / 16.0).sin() + 0.5 * x[1]);
    Rows::Numbers(x, y)
}

/// How often each of 60 words occurs in a text.
pub fn bags(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let rates = Array2::from_shape_fn((3, 60), |_| 3.0 * rng.uniform().powi(3));
    let y = Array1::from_shape_fn(400, |_| (3.0 * rng.uniform()) as usize);
    let x = Array2::from_shape_fn((400, 60), |(i, word)| poisson(&mut rng, rates[[y[i], word]]));
    Rows::Classes(x, y, 3)
}

pub fn ordinal(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let x = Array2::from_shape_fn((500, 5), |_| whole(&mut rng, 0.0, 9.0));
    let y = targets(seed, &x, |x| x[0] * x[0] / 30.0 + 0.3 * x[1] - 2.0);
    Rows::Numbers(x, y)
}

pub fn one_hot(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let effects: Vec<f32> = (0..30).map(|_| rng.normal() as f32).collect();
    let mut x = Array2::zeros((600, 30));
    x.rows_mut().into_iter().for_each(|mut row| row[whole(&mut rng, 0.0, 29.0) as usize] = 1.0);
    let y = targets(seed, &x, |x| x.iter().zip(&effects).map(|(x, effect)| x * effect).sum());
    Rows::Numbers(x, y)
}

/// The number of the row, which says nothing.
pub fn row_numbers(seed: u64) -> Rows {
    let mut x = noise(seed, 500, 4);
    x.column_mut(0).iter_mut().enumerate().for_each(|(i, x)| *x = i as f32);
    let y = targets(seed, &x, |x| x[1] - x[2] + 0.5 * x[3]);
    Rows::Numbers(x, y)
}

/// The numbers of 60 customers, who do not differ.
pub fn customers(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let mut x = noise(seed, 600, 4);
    x.column_mut(0).mapv_inplace(|_| whole(&mut rng, 0.0, 59.0));
    let y = targets(seed, &x, |x| x[1] - x[2] + 0.5 * x[3]);
    Rows::Numbers(x, y)
}

/// Walks of whole steps, whose last place predicts the next.
pub fn walks(seed: u64) -> Rows {
    let mut rng = rng(seed);
    let mut x = Array2::zeros((500, 16));
    for mut row in x.rows_mut() {
        let mut at = whole(&mut rng, 20.0, 80.0);
        row.iter_mut().for_each(|x| {
            at += whole(&mut rng, -2.0, 2.0);
            *x = at;
        });
    }
    let y = targets(seed, &x, |x| x[15] / 20.0 - 2.5);
    Rows::Numbers(x, y)
}

/// All of them.
pub const ALL: [(&str, Source); 19] = [
    ("counts", counts),
    ("amounts", amounts),
    ("pixels", pixels),
    ("brightness", brightness),
    ("ages", ages),
    ("thresholds of age", thresholds),
    ("months", months),
    ("hours", hours),
    ("ratings", ratings),
    ("a signal of 8 bits", eight_bits),
    ("a signal of 12 bits", twelve_bits),
    ("levels of 8 bits", levels),
    ("steps of time", steps),
    ("bags of words", bags),
    ("ordinal codes", ordinal),
    ("one-hot", one_hot),
    ("row numbers", row_numbers),
    ("customers", customers),
    ("walks", walks),
];

/// A network that suits the rows.
fn learn(seed: u64, rows: Rows) -> cornu::diagnosis::Findings {
    let model = |x: &Array2<f32>| {
        let first = Normalization::new().adapt(x).expect("features");
        Sequential::new().seed(seed).add(first).add(Dense::new(32).activation(RELU))
    };
    match rows {
        Rows::Numbers(x, y) => {
            let model = model(&x).add(Dense::new(16).activation(RELU)).add(Dense::new(1));
            train!(compiled(model, Adam::new(0.005), MeanSquaredError::new()), x, y, fit(40))
        }
        Rows::Classes(x, y, classes) => {
            let model = model(&x).add(Dense::new(classes).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.003), sparse()), x, y, fit(30))
        }
    }
}

/// The same signals as sequences.
fn recur(seed: u64, rows: Rows, most: f64) -> cornu::diagnosis::Findings {
    let Rows::Classes(x, y, _) = rows else { panic!("classes") };
    let x: Array3<f32> = x.insert_axis(Axis(2));
    let model = Sequential::new().seed(seed).add(Rescaling::new(2.0 / most).offset(-1.0));
    let model = model.add(Gru::new(12)).add(Dense::new(1).activation(Sigmoid));
    train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(25))
}

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("counts of events", |s| learn(s, counts(s))),
        ("counts of all sizes", |s| learn(s, amounts(s))),
        ("pixels from 0 to 255", |s| learn(s, pixels(s))),
        ("the brightness of pixels", |s| learn(s, brightness(s))),
        ("ages in years", |s| learn(s, ages(s))),
        ("ages with thresholds", |s| learn(s, thresholds(s))),
        ("months of a season", |s| learn(s, months(s))),
        ("hours of a day", |s| learn(s, hours(s))),
        ("ratings from 1 to 5", |s| learn(s, ratings(s))),
        ("a signal of 8 bits, by Dense", |s| learn(s, eight_bits(s))),
        ("a signal of 8 bits, by GRU", |s| recur(s, eight_bits(s), 255.0)),
        ("a signal of 12 bits, by GRU", |s| recur(s, twelve_bits(s), 4095.0)),
        ("levels of 8 bits", |s| learn(s, levels(s))),
        ("steps of time", |s| learn(s, steps(s))),
        ("counts of words", |s| learn(s, bags(s))),
        ("ordinal codes", |s| learn(s, ordinal(s))),
        ("one-hot categories", |s| learn(s, one_hot(s))),
        ("the numbers of the rows", |s| learn(s, row_numbers(s))),
        ("the numbers of customers who do not differ", |s| learn(s, customers(s))),
        ("walks of whole steps", |s| learn(s, walks(s))),
    ]
}
