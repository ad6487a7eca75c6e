//! Points in the plane, bits, and functions of one variable.

use cornu::ndarray::{Array2, arr2};
use cornu::prelude::*;

use super::{Data, below, between};

pub fn xor4() -> Data {
    Data::classes(arr2(&[[1.0, 1.0], [1.0, 0.0], [0.0, 0.0], [0.0, 1.0]]), vec![0, 1, 0, 1])
}

pub fn xor_random(rng: &mut Rng) -> Data {
    let x = Array2::from_shape_simple_fn((1000, 2), || below(rng, 2) as f64);
    let y = x.rows().into_iter().map(|row| usize::from(row[0] != row[1])).collect();
    Data::classes(x, y)
}

/// Two squares along the diagonal.
pub fn two_blobs(rng: &mut Rng) -> Data {
    let x = Array2::from_shape_fn((200, 2), |(i, _)| match i {
        0..100 => between(rng, 0.2, 0.4),
        _ => between(rng, 0.5, 0.7),
    });
    Data::classes(x, (0..200).map(|i| i / 100).collect())
}

/// Two interleaved half circles.
pub fn moons(rng: &mut Rng) -> Data {
    let mut x = Array2::zeros((600, 2));
    for (i, mut row) in x.rows_mut().into_iter().enumerate() {
        let t = std::f64::consts::PI * (i % 300) as f64 / 299.0;
        let (a, b) = if i < 300 { (t.cos(), t.sin()) } else { (1.0 - t.cos(), 0.5 - t.sin()) };
        (row[0], row[1]) = (a + 0.2 * rng.normal(), b + 0.2 * rng.normal());
    }
    Data::classes(x, (0..600).map(|i| i / 300).collect())
}

/// `y = f(x)` at `x = at(0), at(1) ...`
pub fn curve(rows: usize, at: impl Fn(f64) -> f64, f: impl Fn(f64) -> f64) -> Data {
    let x: Vec<f64> = (0..rows).map(|i| at(i as f64)).collect();
    let y = x.iter().map(|&x| f(x)).collect();
    Data::numbers(column(x), y)
}

pub fn quad50(rng: &mut Rng) -> Data {
    let x: Vec<f64> = (0..50).map(|i| f64::from(i) / 10.0).collect();
    let y = x.iter().map(|x| 5.0 * x * x + rng.normal().powi(3)).collect();
    Data::numbers(column(x), y)
}

/// 15 points on a line, with a quarter of the targets below 0.
pub fn reg15(rng: &mut Rng) -> Data {
    let x = Array2::from_shape_simple_fn((15, 2), || between(rng, -1.1, 2.1));
    let slope = |sum: f64, noise: f64| (0.6 * sum + 0.3 * noise).clamp(-1.05, 2.7);
    let y = x.rows().into_iter().map(|row| slope(row.sum(), rng.normal())).collect();
    Data::numbers(x, y)
}

pub fn life_expectancy(rng: &mut Rng) -> Data {
    let x: Vec<f64> = (0..40).map(|_| between(rng, 500.0, 40_000.0)).collect();
    let y = x.iter().map(|x| 80.0 - 0.001 * x + 3.0 * rng.normal()).collect();
    Data::numbers(column(x), y)
}

pub fn parabola4() -> Data {
    let x = Array2::from_shape_fn((4, 2), |(i, j)| (i as f64).powi(2 - j as i32));
    Data::numbers(x, vec![0.0, 1.0, 4.0, 9.0])
}

/// A sine and its previous value; the label of every row is 1.
pub fn sin_all_ones() -> Data {
    let x = Array2::from_shape_fn((299, 2), |(i, j)| (0.1 * (i as f64 + 1.0 - j as f64)).sin());
    Data::classes(x, vec![1; 299])
}

fn column(x: Vec<f64>) -> Array2<f64> {
    Array2::from_shape_vec((x.len(), 1), x).expect("a column")
}
