//! Tables: rows of features with various types and scales, and a class each.

use cornu::ndarray::Array2;
use cornu::prelude::*;

use super::{Data, below, between};

/// Rows of ones, and an equal number of rows of zeros.
pub fn const_rows() -> Data {
    let x = Array2::from_shape_fn((2000, 128), |(i, _)| f64::from(u8::from(i < 1000)));
    Data::classes(x, (0..2000).map(|i| usize::from(i < 1000)).collect())
}

/// scikit-learn's `make_multilabel_classification` with one label: about 50 words of 4 kinds, distributed uniformly or
/// by label.
pub fn multilabel(rng: &mut Rng) -> Data {
    let weights: Vec<f64> = (0..4).map(|_| rng.uniform()).collect();
    let total: f64 = weights.iter().sum();
    let mut x = Array2::zeros((1000, 4));
    let mut y = Vec::with_capacity(1000);
    for mut row in x.rows_mut() {
        let labels = loop {
            let labels = poisson(rng, 2.0);
            if labels <= 1 {
                break labels;
            }
        };
        for _ in 0..poisson(rng, 50.0) {
            let mut left = rng.uniform() * total;
            let liked = weights.iter().position(|weight| {
                left -= weight;
                left < 0.0
            });
            row[if labels == 1 { liked.unwrap_or(3) } else { below(rng, 4) }] += 1.0;
        }
        y.push(labels);
    }
    Data::classes(x, y)
}

fn poisson(rng: &mut Rng, mean: f64) -> usize {
    let (mut product, mut count) = (rng.uniform(), 0);
    while product > (-mean).exp() {
        product *= rng.uniform();
        count += 1;
    }
    count
}

pub fn threshold(rng: &mut Rng) -> Data {
    let x = Array2::from_shape_simple_fn((1000, 1), || between(rng, 15_000.0, 25_001.0).floor());
    let y = x.iter().map(|&x| usize::from(x < 20_000.0)).collect();
    Data::classes(x, y)
}

/// Headers of 21 packets: class 1 for requests to port 502, class 0 for the responses.
pub fn packets(rng: &mut Rng) -> Data {
    let y: Vec<usize> = (0..21).map(|i| usize::from(5 * i % 8 < 5)).collect();
    let rows: Vec<[f64; 11]> = y
        .iter()
        .map(|&y| {
            let other = between(rng, 1000.0, 56_783.0).floor();
            let (from, to) = if y == 1 { (other, 502.0) } else { (502.0, other) };
            let source = 3.2322357e9 + (2.8 * rng.normal()).round();
            let flags = between(rng, 8192.0, 525_568.0).floor();
            let (a, b) = (below(rng, 13) as f64, below(rng, 13) as f64);
            let (window, size) = (below(rng, 65_281) as f64, below(rng, 208) as f64);
            [source, 3.2322357e9, 6.0, 128.0, flags, from, to, a, b, window, size]
        })
        .collect();
    Data::classes(table(&rows), y)
}

/// Nine districts; the class is 0 for the two in which the first share is high.
pub fn election(rng: &mut Rng) -> Data {
    let y = vec![0, 0, 1, 0, 0, 0, 1, 0, 0];
    let rows: Vec<[f64; 16]> = y
        .iter()
        .map(|&y: &usize| {
            std::array::from_fn(|j| match j {
                0 | 1 => between(rng, 9e3, 7e5).floor(),
                2 if y == 1 => between(rng, 40.0, 60.0),
                2 => between(rng, 2.0, 30.0),
                3..10 => between(rng, 2.0, 60.0),
                10 | 11 => between(rng, 6e4, 1.1e5).floor(),
                _ => between(rng, -1.0, 1.0),
            })
        })
        .collect();
    Data::classes(table(&rows), y)
}

/// Passengers with numeric columns: class, name, sex, age, siblings, parents, ticket, fare, cabin, port.
pub fn titanic(rng: &mut Rng) -> Data {
    let mut y = Vec::with_capacity(891);
    let rows: Vec<[f64; 10]> = (0..891)
        .map(|_| {
            let u = rng.uniform();
            let class = if u < 0.24 { 0 } else { 1 + usize::from(u >= 0.45) };
            let man = rng.uniform() >= [0.44, 0.41, 0.29][class];
            let survival = if man { [0.37, 0.16, 0.14][class] } else { [0.97, 0.92, 0.5][class] };
            y.push(usize::from(rng.uniform() < survival));
            let age = (30.0 + 14.0 * rng.normal()).clamp(0.0, 80.0).round();
            let few = |u: f64| (-1.2 * (1.0 - u).ln()).floor().min(8.0);
            let (siblings, parents) = (few(rng.uniform()), few(rng.uniform()));
            let fare = ([60.0, 15.0, 9.0][class] * (0.6 * rng.normal()).exp()).min(512.0);
            let ids = [1301, 901, 181, 4].map(|count| below(rng, count) as f64);
            let man = f64::from(u8::from(man));
            [1.0 + class as f64, ids[0], man, age, siblings, parents, ids[1], fare, ids[2], ids[3]]
        })
        .collect();
    Data::classes(table(&rows), y)
}

/// A census: age, weight, years of education, capital gain and loss, hours, and eight boolean columns. About a quarter
/// have a high income, depending on education, age and gain.
pub fn adult(rng: &mut Rng) -> Data {
    let mut y = Vec::with_capacity(3000);
    let rows: Vec<[f64; 14]> = (0..3000)
        .map(|_| {
            let age = (38.0 + 13.0 * rng.normal()).clamp(17.0, 90.0).round();
            let weight = (1.8e5 * (0.5 * rng.normal()).exp()).clamp(1e4, 1.5e6).round();
            let education = (10.0 + 2.6 * rng.normal()).clamp(1.0, 16.0).round();
            let rich = rng.uniform() < 0.08;
            let gain = if rich { (6000.0 * rng.normal().exp()).min(99_999.0).round() } else { 0.0 };
            let loss = if rng.uniform() < 0.05 { between(rng, 200.0, 4356.0).round() } else { 0.0 };
            let hours = (40.0 + 12.0 * rng.normal()).clamp(1.0, 99.0).round();
            let score =
                -2.1 + 0.45 * (education - 10.0) + 0.04 * (age - 38.0) + 2.5 * f64::from(u8::from(rich));
            y.push(usize::from(rng.uniform() < 1.0 / (1.0 + (-score).exp())));
            std::array::from_fn(|j| match j {
                0..6 => [age, weight, education, gain, loss, hours][j],
                _ => below(rng, 2) as f64,
            })
        })
        .collect();
    Data::classes(table(&rows), y)
}

/// The presence of 2000 words in a review: 3 % of them, and 30 indicative ones more or less often.
pub fn words(rng: &mut Rng) -> Data {
    let y: Vec<usize> = (0..1500).map(|_| below(rng, 2)).collect();
    let x = Array2::from_shape_fn((1500, 2000), |(i, j)| {
        let share = match j {
            0..15 if y[i] == 1 => 0.2,
            15..30 if y[i] == 0 => 0.2,
            _ => 0.03,
        };
        f64::from(u8::from(rng.uniform() < share))
    });
    Data::classes(x, y)
}

/// 11.6 % ones, which only the first feature predicts, and only weakly.
pub fn imbalanced(rng: &mut Rng) -> Data {
    let x = Array2::from_shape_simple_fn((3000, 20), || rng.normal());
    let score = |x: f64| -2.08 + 0.36 * x;
    let y =
        x.column(0).iter().map(|&x| usize::from(rng.uniform() < 1.0 / (1.0 + (-score(x)).exp()))).collect();
    Data::classes(x, y)
}

fn table<const N: usize>(rows: &[[f64; N]]) -> Array2<f64> {
    Array2::from_shape_fn((rows.len(), N), |(i, j)| rows[i][j])
}
