//! The data of several tests on ranks.

use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

/// Three clusters in four dimensions: 43 rows, so the last batch of 8 has 3 rows, and some of 8 ranks have none.
pub fn clouds<F: Scalar>() -> (Array2<F>, Array1<F>) {
    let mut rng = Rng::new(9);
    let y = Array1::from_iter((0..43).map(|i| i * i % 3));
    let x = Array2::from_shape_fn((43, 4), |(i, j)| {
        F::of(if j == y[i] { 2.0 } else { 0.0 } + 0.7 * rng.normal())
    });
    (x, y.mapv(|class| F::of(class as f64)))
}
