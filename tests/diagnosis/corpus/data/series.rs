//! Signals and sequences.

use std::f64::consts::TAU;

use cornu::ndarray::{Array2, Axis};
use cornu::prelude::*;

use super::{Data, below, between};

/// One realization of 1/f noise below 40 Hz per class, 24 s at 250 Hz, scaled to a standard deviation of 100, and 200
/// copies of each with 5 % noise.
pub fn eeg(rng: &mut Rng) -> Data {
    let (classes, copies, samples, seconds) = (5, 200, 6000, 24.0);
    let mut waves = Array2::<f64>::zeros((classes, samples));
    for mut wave in waves.rows_mut() {
        for k in 1..(40.0 * seconds) as usize {
            let (amplitude, phase) = ((k as f64).sqrt().recip(), TAU * rng.uniform());
            let turn = TAU * k as f64 / samples as f64;
            wave.iter_mut().enumerate().for_each(|(t, y)| *y += amplitude * (turn * t as f64 + phase).cos());
        }
        let scale = 100.0 / wave.std(0.0);
        wave.mapv_inplace(|y| y * scale);
    }
    let rows = classes * copies;
    let x = Array2::from_shape_fn((rows, samples), |(i, t)| waves[[i / copies, t]] + 5.0 * rng.normal());
    Data::classes(x, (0..rows).map(|i| i / copies).collect()).shaped(&[samples, 1])
}

/// Noise of 600 steps; in class 1 with a bump in the middle third.
pub fn bump(rng: &mut Rng) -> Data {
    let mut x = Array2::from_shape_simple_fn((400, 600), || 0.5 * rng.normal());
    let y: Vec<usize> = (0..400).map(|_| below(rng, 2)).collect();
    for (mut row, _) in x.rows_mut().into_iter().zip(&y).filter(|(_, class)| **class == 1) {
        let centre = between(rng, 200.0, 400.0);
        row.iter_mut()
            .enumerate()
            .for_each(|(t, x)| *x += 2.0 * (-((t as f64 - centre) / 20.0).powi(2)).exp());
    }
    Data::classes(x, y).shaped(&[600, 1])
}

/// 24 sequences; the class is the sign of the mean.
pub fn mean_of_thirty(rng: &mut Rng) -> Data {
    let mut x = Array2::from_shape_simple_fn((24, 30), || rng.normal());
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        row += if i % 2 == 0 { -0.3 } else { 0.3 };
    }
    let y = x.mean_axis(Axis(1)).expect("steps").iter().map(|&mean| usize::from(mean > 0.0)).collect();
    Data::classes(x, y).shaped(&[30, 1])
}

/// Windows of 30 steps of two slow noisy waves, in the ranges 50 to 150 and 100 to 500; the target is the next value of
/// the second.
pub fn forecast(rng: &mut Rng) -> Data {
    let steps = 630;
    let wave = |t: usize, period: f64| (TAU * t as f64 / period).sin();
    let mut first: Vec<f64> = Vec::with_capacity(steps);
    let mut second: Vec<f64> = Vec::with_capacity(steps);
    for t in 0..steps {
        first.push((100.0 + 45.0 * wave(t, 37.0) + 3.0 * rng.normal()).clamp(50.0, 150.0));
        second.push((300.0 + 180.0 * wave(t, 53.0) + 10.0 * rng.normal()).clamp(100.0, 500.0));
    }
    let x = Array2::from_shape_fn(
        (600, 60),
        |(i, j)| if j % 2 == 0 { first[i + j / 2] } else { second[i + j / 2] },
    );
    Data::numbers(x, second[30..].to_vec()).shaped(&[30, 2])
}

/// Windows of 30 steps of returns with standard deviation 1, each carrying over half of the last; the target is the
/// next return.
pub fn returns(rng: &mut Rng) -> Data {
    let mut last = 0.0;
    let mut step = || {
        last = 0.5 * last + 0.75f64.sqrt() * rng.normal();
        last
    };
    let series: Vec<f64> = (0..630).map(|_| step()).collect();
    let x = Array2::from_shape_fn((600, 30), |(i, j)| series[i + j]);
    Data::numbers(x, series[30..].to_vec()).shaped(&[30, 1])
}

/// Texts of 10 to 40 of 1000 words, then index 0 up to 100. One word in four is one of 40, of which each class prefers a half.
pub fn padded_texts(rng: &mut Rng) -> Data {
    let y: Vec<usize> = (0..3000).map(|_| below(rng, 2)).collect();
    let mut x = Array2::zeros((3000, 100));
    for (mut row, &class) in x.rows_mut().into_iter().zip(&y) {
        let length = 10 + below(rng, 31);
        for word in row.iter_mut().take(length) {
            let half = if (rng.uniform() < 0.9) == (class == 1) { 21.0 } else { 1.0 };
            *word = match below(rng, 4) {
                0 => half + below(rng, 20) as f64,
                _ => 41.0 + (959.0 * rng.uniform().powi(3)).floor(),
            };
        }
    }
    Data::classes(x, y)
}

/// Texts of 20 words out of 400, half of which are of the topic, one of five. The topics of the words are in no order.
pub fn topic_texts(rng: &mut Rng) -> Data {
    let topics: Vec<usize> = (0..400).map(|_| below(rng, 5)).collect();
    let y: Vec<usize> = (0..1200).map(|_| below(rng, 5)).collect();
    let mut x = Array2::zeros((1200, 20));
    for (mut row, &topic) in x.rows_mut().into_iter().zip(&y) {
        for (place, word) in row.iter_mut().enumerate() {
            let mut own = below(rng, 400);
            while place % 2 == 0 && topics[own] != topic {
                own = below(rng, 400);
            }
            *word = own as f64;
        }
    }
    Data::classes(x, y)
}

/// 15 bits; the target is the share of ones.
pub fn counting(rng: &mut Rng) -> Data {
    let x = Array2::from_shape_simple_fn((800, 15), || below(rng, 2) as f64);
    let y = x.mean_axis(Axis(1)).expect("bits").to_vec();
    Data::numbers(x, y).shaped(&[15, 1])
}
