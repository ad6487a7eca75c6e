//! Settings of trainings.

use cornu::diagnosis::{Diagnose, Findings};
use cornu::ndarray::Array1;
use cornu::optimizer::{CosineDecay, ExponentialDecay};
use cornu::prelude::*;

use super::{BuildLike, Kind, mislabelled, sparse, train};
use crate::synthetic::*;

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("one epoch of twenty batches", |s| {
            let (x, y) = blobs(s, (640, 6), 4, 1.5);
            train!(compiled(mlp(s, &[16, 4], RELU, SOFTMAX), Adam::new(0.001), sparse()), x, y, fit(1))
        }),
        ("one epoch of two batches", |s| {
            let (x, y) = smooth(s, 64, 0.1);
            train!(
                compiled(mlp(s, &[16, 1], RELU, Linear), Adam::new(0.001), MeanSquaredError::new()),
                x,
                y,
                fit(1)
            )
        }),
        ("an epoch at a time", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let mut model = compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.005), sparse());
            let mut all = Vec::new();
            for _ in 0..20 {
                let history = model.fit(&x, &y, &fit(1)).expect("a training");
                all.extend(alarms(history.findings()));
            }
            assert!(all.is_empty(), "{all:?}");
            Findings::default()
        }),
        ("tuned further, with its first layers frozen", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let mut model = Sequential::new()
                .seed(s)
                .add(Dense::new(16).activation(RELU).trainable(false))
                .add(Dense::new(16).activation(RELU).trainable(false))
                .add(Dense::new(3).activation(SOFTMAX));
            let trained = {
                let mut whole = compiled(mlp(s, &[16, 16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse());
                whole.fit(&x, &y, &fit(15)).expect("a training");
                whole
            };
            model.build_like(&trained, &[6]);
            train!(compiled(model, Adam::new(1e-4), sparse()), x, y, fit(5))
        }),
        ("stopped early", |s| {
            let (x, y) = rings(s, 300);
            let stop = EarlyStopping::new().patience(3).restore_best_weights(true);
            let fit = fit(200).validation_split(0.3).callback(stop);
            train!(
                compiled(mlp(s, &[32, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit
            )
        }),
        ("stopped soon, and noisy", |s| {
            let (x, y) = rings(s, 400);
            let y = mislabelled(s, &y, 2, 0.4);
            let fit = fit(100).validation_split(0.3).callback(EarlyStopping::new().patience(1));
            train!(
                compiled(mlp(s, &[16, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit
            )
        }),
        ("a cosine that ends at 0, and noisy", |s| {
            let (x, y) = rings(s, 400);
            let y = mislabelled(s, &y, 2, 0.4);
            let rate = CosineDecay::new(0.01, 13 * 50);
            train!(
                compiled(mlp(s, &[16, 1], RELU, Sigmoid), Adam::new(rate), BinaryCrossentropy::new()),
                x,
                y,
                fit(50)
            )
        }),
        ("a rate that decays", |s| {
            let (x, y) = smooth(s, 300, 0.1);
            let rate = ExponentialDecay::new(0.02, 100, 0.7);
            train!(
                compiled(mlp(s, &[32, 1], Tanh, Linear), Adam::new(rate), MeanSquaredError::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("a rate that falls on a plateau", |s| {
            let (x, y) = smooth(s, 300, 0.5);
            let fit = fit(60).validation_split(0.2).callback(ReduceLearningRateOnPlateau::new().patience(3));
            train!(
                compiled(mlp(s, &[16, 1], RELU, Linear), Adam::new(0.01), MeanSquaredError::new()),
                x,
                y,
                fit
            )
        }),
        ("watched so that it would stop", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            train!(
                compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse()),
                x,
                y,
                fit(20).diagnose(Diagnose::Stop)
            )
        }),
        ("samples that weigh", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let weights = Array1::from_shape_fn(300, |i| 0.2 + (i % 7) as f32);
            let mut model = compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse());
            model.fit(&x, &y, &fit(30).sample_weight(&weights)).expect("a training").findings().clone()
        }),
    ]
}
