//! Data and networks shared by several benches.

use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

/// Five sine waves with a little noise.
pub fn signals(rows: usize, width: usize) -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(0);
    let y = Array1::from_iter((0..rows).map(|i| i / (rows / 5)));
    let x = Array2::from_shape_fn((rows, width), |(i, j)| {
        let (class, t) = (y[i] as f64, j as f64 / width as f64);
        let wave = (std::f64::consts::TAU * (3.0 + 2.0 * class) * t + class).sin();
        (wave + 0.1 * (rng.uniform() - 0.5)) as f32
    });
    (x, y)
}

/// Uniform numbers with random classes.
pub fn noise(rows: usize, width: usize, classes: u64) -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(1);
    let x = Array2::from_shape_fn((rows, width), |_| rng.uniform() as f32);
    (x, Array1::from_iter((0..rows).map(|_| (rng.bits() % classes) as usize)))
}

/// Dense layers of these widths, ending in one score per class.
pub fn network(widths: &[usize], classes: usize) -> Sequential {
    let hidden = widths.iter().map(|&units| Dense::new(units).activation(Activation::Relu));
    hidden.fold(Sequential::new().seed(1), Sequential::add).add(Dense::new(classes))
}

/// The loss of the scores.
pub fn loss() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new().from_logits(true)
}
