//! Grids and simple images.

use cornu::ndarray::{Array2, Array4};
use cornu::prelude::*;

use super::{Data, Target, below};

/// Random grids with periodic boundaries, and the next state of each in Conway's Game of Life.
pub fn life(rng: &mut Rng) -> Data {
    let (rows, size) = (2000, 8);
    let grids = Array2::from_shape_simple_fn((rows, size * size), || below(rng, 2));
    let cell = |row: usize, i: usize, j: usize| grids[[row, (i + 7) % size * size + (j + 7) % size]];
    let x = Array4::from_shape_fn((rows, 10, 10, 1), |(row, i, j, _)| cell(row, i, j) as f32);
    let y = Array4::from_shape_fn((rows, size, size, 1), |(row, i, j, _)| {
        let around: usize =
            (0..3).flat_map(|a| (0..3).map(move |b| (a, b))).map(|(a, b)| cell(row, i + a, j + b)).sum();
        let alive = cell(row, i + 1, j + 1);
        f32::from(u8::from(around == 3 || (alive == 1 && around == 4)))
    });
    Data { x: x.into_dyn(), y: Target::Numbers(y.into_dyn()) }
}

/// A filled square, a ring or a cross at a random position in 16 × 16 pixels, with a little noise.
pub fn shapes(rng: &mut Rng) -> Data {
    let (rows, size) = (400, 16);
    let mut x = Array2::zeros((rows, size * size));
    let y: Vec<usize> = (0..rows).map(|_| below(rng, 3)).collect();
    for (mut image, &class) in x.rows_mut().into_iter().zip(&y) {
        let (top, left) = ((4 + below(rng, 8)) as f64, (4 + below(rng, 8)) as f64);
        for (place, pixel) in image.iter_mut().enumerate() {
            let (a, b) = ((place / size) as f64 - top, (place % size) as f64 - left);
            let inside = match class {
                0 => a.abs() <= 3.0 && b.abs() <= 3.0,
                1 => (a.hypot(b) - 3.0).abs() <= 0.6,
                _ => (a.abs() <= 0.5 && b.abs() <= 4.0) || (b.abs() <= 0.5 && a.abs() <= 4.0),
            };
            *pixel = if inside { 1.0 - 0.2 * rng.uniform() } else { 0.2 * rng.uniform() };
        }
    }
    Data::classes(x, y).shaped(&[size, size, 1])
}
