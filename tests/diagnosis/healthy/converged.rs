//! Trainings at their optimum, weak signals, and rates that start or end at 0.

use cornu::ndarray::{Array1, Array2, Axis};
use cornu::optimizer::{CosineDecay, CosineDecayRestarts, PiecewiseConstantDecay};
use cornu::prelude::*;

use super::{BuildLike, Kind, mislabelled, sparse, train};
use crate::synthetic::*;

/// A linear function of some features, and noise, so that this share of the variance can be explained.
fn weak(seed: u64, (rows, width): (usize, usize), share: f64) -> (Array2<f32>, Array1<f32>) {
    let (x, errors) = (noise(seed, rows, width), noise(seed + 70, rows, 1));
    let (signal, rest) = (share.sqrt() as f32, (1.0 - share).sqrt() as f32);
    let y =
        Array1::from_shape_fn(rows, |i| signal * (0.8 * x[[i, 0]] - 0.6 * x[[i, 1]]) + rest * errors[[i, 0]]);
    (x, y)
}

/// Rare events, whose logarithmic odds are a linear function of three features.
fn clicks(seed: u64, rows: usize, base: f64, slope: f64) -> (Array2<f32>, Array1<usize>) {
    let (x, mut rng) = (noise(seed, rows, 6), rng(seed));
    let y = x.map_axis(Axis(1), |r| {
        let odds = base + slope * f64::from(0.7 * r[0] - 0.5 * r[1] + 0.5 * r[2]);
        usize::from(rng.uniform() < 1.0 / (1.0 + (-odds).exp()))
    });
    (x, y)
}

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("a noisy line, at its optimum after a tenth of the run", |s| {
            let (x, y) = weak(s, (400, 3), 0.6);
            let model = mlp(s, &[1], Linear, Linear);
            train!(compiled(model, Sgd::new(0.05), MeanSquaredError::new()), x, y, fit(80))
        }),
        ("an exact line, full batch, long after it is exact", |s| {
            let x = noise(s, 100, 2);
            let y = x.map_axis(Axis(1), |r| r[0] - 2.0 * r[1]);
            let model = mlp(s, &[1], Linear, Linear);
            train!(compiled(model, Sgd::new(0.2), MeanSquaredError::new()), x, y, fit(300).batch_size(100))
        }),
        ("a noisy line, full batch, constant to all digits", |s| {
            let (x, y) = weak(s, (100, 2), 0.4);
            let model = mlp(s, &[1], Linear, Linear);
            train!(compiled(model, Sgd::new(0.3), MeanSquaredError::new()), x, y, fit(300).batch_size(100))
        }),
        ("logistic regression of noisy labels, at its optimum", |s| {
            let (x, y) = blobs(s, (400, 3), 2, 1.0);
            let y = mislabelled(s, &y, 2, 0.3);
            let model = mlp(s, &[1], Linear, Sigmoid);
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(80))
        }),
        ("softmax regression from weights of 0", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.0);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(3).kernel_initializer(Initializer::Zeros).activation(SOFTMAX));
            train!(compiled(model, Sgd::new(0.1), sparse()), x, y, fit(40))
        }),
        ("continued at its optimum", |s| {
            let (x, y) = weak(s, (300, 3), 0.5);
            let mut model = compiled(mlp(s, &[1], Linear, Linear), Sgd::new(0.05), MeanSquaredError::new());
            model.fit(&x, &y, &fit(60)).expect("a training");
            train!(model, x, y, fit(30))
        }),
        ("fine-tuned from loaded weights at a small rate", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.0);
            let mut whole = compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse());
            whole.fit(&x, &y, &fit(30)).expect("a training");
            let mut model = mlp(s + 1, &[16, 3], RELU, SOFTMAX);
            model.build_like(&whole, &[6]);
            train!(compiled(model, Adam::new(1e-5), sparse()), x, y, fit(10))
        }),
        ("only the last layer, on loaded features", |s| {
            let (x, y) = rings(s, 400);
            let mut whole = compiled(mlp(s, &[32, 2], RELU, SOFTMAX), Adam::new(0.01), sparse());
            whole.fit(&x, &y, &fit(40)).expect("a training");
            let first = whole.weight("dense/kernel").expect("a weight").to_owned();
            let mut model = Sequential::new()
                .seed(s + 1)
                .input([2])
                .add(Dense::new(32).activation(RELU).trainable(false))
                .add(Dense::new(2).activation(SOFTMAX));
            model.build().expect("shapes");
            model.set_weight("dense/kernel", &first).expect("a weight");
            train!(compiled(model, Adam::new(0.01), sparse()), x, y, fit(40))
        }),
        ("two hundredths of the variance", |s| {
            let (x, y) = weak(s, (3000, 5), 0.02);
            let model = mlp(s, &[8, 1], Tanh, Linear);
            train!(compiled(model, Adam::new(0.003), MeanSquaredError::new()), x, y, fit(20))
        }),
        ("two hundredths of the variance, and held-out rows", |s| {
            let (x, y) = weak(s, (3000, 5), 0.02);
            let model = mlp(s, &[1], Linear, Linear);
            let fit = fit(12).validation_split(0.2);
            train!(compiled(model, Adam::new(0.003), MeanSquaredError::new()), x, y, fit)
        }),
        ("clicks at two in a hundred", |s| {
            let (x, y) = clicks(s, 6000, -4.1, 0.8);
            let model = mlp(s, &[8, 1], RELU, Sigmoid);
            train!(compiled(model, Adam::new(0.002), BinaryCrossentropy::new()), x, y, fit(12))
        }),
        ("clicks at two in a hundred by their area", |s| {
            let (x, y) = clicks(s, 6000, -4.1, 0.8);
            let mut model = mlp(s, &[1], Linear, Sigmoid);
            model.compile(Adam::new(0.005), BinaryCrossentropy::new(), [Auc::new()]).expect("a model");
            train!(model, x, y, fit(12).validation_split(0.25))
        }),
        ("rare clicks of balanced weight", |s| {
            let (x, y) = clicks(s, 4000, -3.5, 1.2);
            let fit = fit(15).class_weight(ClassWeight::Balanced);
            train!(
                compiled(mlp(s, &[8, 1], RELU, Sigmoid), Adam::new(0.003), BinaryCrossentropy::new()),
                x,
                y,
                fit
            )
        }),
        ("directions right in 56 of 100", |s| {
            let (x, y) = clicks(s, 5000, 0.0, 0.4);
            let model = mlp(s, &[8, 1], Tanh, Sigmoid);
            train!(compiled(model, Adam::new(0.001), BinaryCrossentropy::new()), x, y, fit(10))
        }),
        ("a weak signal among forty features, penalized", |s| {
            let (x, y) = weak(s, (2000, 40), 0.1);
            let model =
                Sequential::new().seed(s).add(Dense::new(1).kernel_regularizer(Regularizer::L2(0.01)));
            train!(compiled(model, Adam::new(0.005), MeanSquaredError::new()), x, y, fit(20))
        }),
        ("a warm-up from 0, then a cosine", |s| {
            let (x, y) = blobs(s, (320, 6), 3, 1.5);
            let rate = CosineDecay::new(0.0, 280).warm_up(0.01, 20);
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(rate), sparse()), x, y, fit(30))
        }),
        ("a warm-up from 0 by a closure", |s| {
            let (x, y) = smooth(s, 320, 0.1);
            let rate = |step: u64| 0.01 * (step as f64 / 40.0).min(1.0);
            let model = mlp(s, &[32, 1], Tanh, Linear);
            train!(compiled(model, Adam::new(rate), MeanSquaredError::new()), x, y, fit(50))
        }),
        ("one cycle from 0 to 0", |s| {
            let (x, y) = rings(s, 400);
            let steps = 13.0 * 50.0;
            let rate = move |step: u64| 0.02 * (1.0 - (2.0 * step as f64 / steps - 1.0).abs()).max(0.0);
            let model = mlp(s, &[24, 1], RELU, Sigmoid);
            train!(compiled(model, Adam::new(rate), BinaryCrossentropy::new()), x, y, fit(50))
        }),
        ("a warm-up by epochs", |s| {
            let (x, y) = blobs(s, (320, 6), 3, 1.5);
            let schedule =
                LearningRateScheduler::new(|epoch: usize, _: f64| 0.01 * (epoch.min(5) as f64) / 5.0);
            let model = compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse());
            train!(model, x, y, fit(30).callback(schedule))
        }),
        ("a cosine with restarts", |s| {
            let (x, y) = smooth(s, 320, 0.2);
            let rate = CosineDecayRestarts::new(0.01, 100);
            let model = mlp(s, &[32, 1], RELU, Linear);
            train!(compiled(model, Adam::new(rate), MeanSquaredError::new()), x, y, fit(60))
        }),
        ("steps of the rate, SGD with momentum", |s| {
            let (x, y) = blobs(s, (320, 6), 4, 1.0);
            let rate = PiecewiseConstantDecay::new([200, 300], [0.1, 0.01, 0.001]);
            let model = mlp(s, &[24, 4], RELU, SOFTMAX);
            train!(compiled(model, Sgd::new(rate).momentum(0.9), sparse()), x, y, fit(40))
        }),
        ("a rate of 2 for small inputs", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let model = mlp(s, &[3], Linear, SOFTMAX);
            train!(compiled(model, Sgd::new(2.0), sparse()), x.mapv(|x| 0.2 * x), y, fit(40))
        }),
        ("Adadelta at 1", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adadelta::new(1.0), sparse()), x, y, fit(40))
        }),
        ("Adagrad at 0.1", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adagrad::new(0.1), sparse()), x, y, fit(40))
        }),
        ("Lion at 0.001", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            train!(compiled(mlp(s, &[24, 3], RELU, SOFTMAX), Lion::new(0.001), sparse()), x, y, fit(40))
        }),
        ("one row a batch", |s| {
            let (x, y) = blobs(s, (150, 6), 3, 1.5);
            let model = mlp(s, &[16, 3], RELU, SOFTMAX);
            train!(compiled(model, Sgd::new(0.01), sparse()), x, y, fit(20).batch_size(1))
        }),
        ("full batch, RMSprop", |s| {
            let (x, y) = smooth(s, 256, 0.1);
            let model = mlp(s, &[32, 1], Tanh, Linear);
            let fit = fit(400).batch_size(256);
            train!(compiled(model, RmsProp::new(0.003), MeanSquaredError::new()), x, y, fit)
        }),
        ("clipped gradients, averaged over four batches", |s| {
            let (x, y) = smooth(s, 320, 0.1);
            let rule = OptimizerExt::<f32>::clip_norm(Adam::new(0.01), 1.0).accumulate_gradients(4);
            train!(compiled(mlp(s, &[32, 1], Tanh, Linear), rule, MeanSquaredError::new()), x, y, fit(80))
        }),
        ("resumed at epoch 20", |s| {
            let (x, y) = rings(s, 300);
            let model = mlp(s, &[24, 1], RELU, Sigmoid);
            let mut model = compiled(model, Adam::new(0.01), BinaryCrossentropy::new());
            model.fit(&x, &y, &fit(20)).expect("a training");
            let history = model.fit(&x, &y, &fit(40).initial_epoch(20)).expect("a training");
            history.findings().clone()
        }),
    ]
}
