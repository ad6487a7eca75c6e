//! Numbers.

use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

use super::{Kind, train};
use crate::synthetic::*;

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("a smooth function", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            train!(
                compiled(mlp(s, &[32, 32, 1], Tanh, Linear), Adam::new(0.005), MeanSquaredError::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("Huber's loss, and outliers", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let mut rng = rng(s);
            let y = y.mapv(|y| if rng.uniform() < 0.05 { y + 8.0 } else { y });
            train!(compiled(mlp(s, &[32, 1], RELU, Linear), Adam::new(0.005), Huber::new()), x, y, fit(60))
        }),
        ("absolute error", |s| {
            let (x, y) = smooth(s, 400, 0.3);
            train!(
                compiled(mlp(s, &[32, 1], RELU, Linear), Adam::new(0.005), MeanAbsoluteError::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("as much noise as signal", |s| {
            let (x, y) = smooth(s, 600, 1.0);
            train!(
                compiled(mlp(s, &[16, 1], RELU, Linear), Adam::new(0.003), MeanSquaredError::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("counts by Poisson", |s| {
            let (x, mut rng) = (noise(s, 500, 3), rng(s));
            let y = x.map_axis(Axis(1), |r| {
                let (rate, mut product, mut count) =
                    (f64::from(0.6 * r[0] - 0.3 * r[1] + 0.8).exp(), 1.0, -1.0f32);
                while product > (-rate).exp() {
                    product *= rng.uniform();
                    count += 1.0;
                }
                count
            });
            train!(
                compiled(mlp(s, &[8, 1], Tanh, Activation::Exponential), Adam::new(0.01), Poisson::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("a line by SGD", |s| {
            let x = noise(s, 200, 3);
            let y = x.map_axis(Axis(1), |r| 2.0 * r[0] - r[1] + 0.5);
            train!(
                compiled(mlp(s, &[1], Linear, Linear), Sgd::new(0.05), MeanSquaredError::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("positive targets, softplus", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let y = y.mapv(|y| y.exp().min(8.0));
            train!(
                compiled(
                    mlp(s, &[32, 1], RELU, Activation::Softplus),
                    Adam::new(0.01),
                    MeanSquaredError::new()
                ),
                x,
                y,
                fit(60)
            )
        }),
        ("an autoencoder of images, sigmoid and squared error", |s| {
            let x = bars(s, 300).0.into_shape_with_order((300, 64)).expect("rows");
            train!(
                compiled(mlp(s, &[32, 8, 32, 64], RELU, Sigmoid), Adam::new(0.005), MeanSquaredError::new()),
                x,
                x,
                fit(60)
            )
        }),
        ("an autoencoder of images, cross-entropy", |s| {
            let x = bars(s, 300).0.into_shape_with_order((300, 64)).expect("rows");
            train!(
                compiled(mlp(s, &[32, 64], RELU, Sigmoid), Adam::new(0.005), BinaryCrossentropy::new()),
                x,
                x,
                fit(60)
            )
        }),
        ("a linear autoencoder", |s| {
            let x = noise(s, 300, 3).dot(&noise(s + 50, 3, 12));
            train!(
                compiled(mlp(s, &[3, 12], Linear, Linear), Adam::new(0.01), MeanSquaredError::new()),
                x,
                x,
                fit(60)
            )
        }),
        ("directions by cosine", |s| {
            let x = noise(s, 300, 4);
            let y = x.dot(&noise(99, 4, 3));
            train!(
                compiled(mlp(s, &[16, 3], RELU, Linear), Adam::new(0.01), CosineSimilarity::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("a custom loss", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            #[derive(Debug, Clone)]
            struct Fourth;
            impl cornu::loss::Loss<f32> for Fourth {
                fn name(&self) -> &str {
                    "fourth"
                }
                fn values(
                    &self,
                    p: cornu::tensor::Batch<f32>,
                    t: cornu::tensor::Batch<f32>,
                    values: &mut [f32],
                ) -> usize {
                    let errors = p.data().iter().zip(t.data()).map(|(p, t)| p - t);
                    values.iter_mut().zip(errors).for_each(|(value, e)| *value = e.powi(4));
                    values.len()
                }
                fn gradient(
                    &self,
                    p: cornu::tensor::Batch<f32>,
                    t: cornu::tensor::Batch<f32>,
                    scale: &[f32],
                    mut dy: cornu::tensor::BatchMut<f32>,
                ) {
                    for (i, dy) in dy.data().iter_mut().enumerate() {
                        *dy = scale[i] * 4.0 * (p.data()[i] - t.data()[i]).powi(3);
                    }
                }
            }
            train!(compiled(mlp(s, &[32, 1], Tanh, Linear), Adam::new(0.005), Fourth), x, y, fit(60))
        }),
        ("a series that rises, its end to validate", |s| {
            let mut rng = rng(s);
            let series: Vec<f32> = (0..400)
                .map(|t| (0.004 * f64::from(t) + (0.3 * f64::from(t)).sin() + 0.05 * rng.normal()) as f32)
                .collect();
            let x = Array2::from_shape_fn((380, 16), |(i, j)| series[i + j] - 0.8);
            let y = Array1::from_shape_fn(380, |i| series[i + 16] - 0.8);
            train!(
                compiled(mlp(s, &[16, 1], Tanh, Linear), Adam::new(0.003), MeanSquaredError::new()),
                x,
                y,
                fit(40).validation_split(0.2)
            )
        }),
        ("a small rate, and many epochs", |s| {
            let (x, y) = smooth(s, 200, 0.1);
            train!(
                compiled(mlp(s, &[32, 1], RELU, Linear), Adam::new(2e-4), MeanSquaredError::new()),
                x,
                y,
                fit(500)
            )
        }),
        ("prices in thousands, standardised", |s| {
            let (x, y) = smooth(s, 300, 0.2);
            let prices = y.mapv(|y| 250_000.0 + 40_000.0 * y);
            let (mean, deviation) = (prices.mean().expect("rows"), prices.std(0.0));
            let y = prices.mapv(|y| (y - mean) / deviation);
            train!(
                compiled(mlp(s, &[32, 1], RELU, Linear), RmsProp::new(0.003), MeanSquaredError::new()),
                x,
                y,
                fit(60)
            )
        }),
    ]
}
