//! Losses and metrics of users, some with the names of others, and losses below 0.

use cornu::loss::{Loss, Target};
use cornu::metric::{Goal, metric_fn};
use cornu::ndarray::{Array2, Axis};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut};

use super::{Kind, train};
use crate::synthetic::*;

/// −ln of the probability of the class, from logits; the targets are class indices.
#[derive(Debug, Clone)]
struct OwnSparse(&'static str);

impl OwnSparse {
    fn share(row: &[f32], class: usize) -> f32 {
        let most = row.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        (row[class] - most).exp() / row.iter().map(|z| (z - most).exp()).sum::<f32>()
    }
}

impl Loss<f32> for OwnSparse {
    fn name(&self) -> &str {
        self.0
    }

    fn target(&self) -> Target {
        Target::Classes { ignored: None }
    }

    fn takes_logits(&self) -> bool {
        true
    }

    fn values(&self, y_pred: Batch<f32>, y_true: Batch<f32>, values: &mut [f32]) -> usize {
        for ((row, t), value) in y_pred.iter().zip(y_true.iter()).zip(&mut *values) {
            *value = -OwnSparse::share(row, t[0] as usize).max(1e-12).ln();
        }
        values.len()
    }

    fn gradient(&self, y_pred: Batch<f32>, y_true: Batch<f32>, scale: &[f32], mut dy: BatchMut<f32>) {
        for (((row, t), scale), dy) in y_pred.iter().zip(y_true.iter()).zip(scale).zip(dy.iter_mut()) {
            for (class, dy) in dy.iter_mut().enumerate() {
                let share = OwnSparse::share(row, class);
                *dy = scale * (share - if class == t[0] as usize { 1.0 } else { 0.0 });
            }
        }
    }
}

fn sign(y: usize) -> f32 {
    2.0 * y as f32 - 1.0
}

fn logistic(z: f32) -> f32 {
    1.0 / (1.0 + (-z).exp())
}

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("a hinge of signs, named binary_hinge", |s| {
            let (x, y) = blobs(s, (300, 4), 2, 1.5);
            let hinge = loss_fn(
                "binary_hinge",
                |y: &[f32], t: &[f32]| (1.0 - t[0] * y[0]).max(0.0),
                |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = if t[0] * y[0] < 1.0 { -t[0] } else { 0.0 },
            );
            train!(compiled(mlp(s, &[8, 1], RELU, Linear), Adam::new(0.01), hinge), x, y.mapv(sign), fit(40))
        }),
        ("cross-entropy of logits, named binary_crossentropy_with_logits", |s| {
            let (x, y) = rings(s, 400);
            let own = loss_fn(
                "binary_crossentropy_with_logits",
                |y: &[f32], t: &[f32]| y[0].max(0.0) - y[0] * t[0] + (-y[0].abs()).exp().ln_1p(),
                |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = logistic(y[0]) - t[0],
            );
            let model = mlp(s, &[24, 1], RELU, Linear);
            train!(compiled(model, Adam::new(0.01), own), x, y.mapv(|y| y as f32), fit(60))
        }),
        ("nll of a log-softmax, named categorical_crossentropy_nll", |s| {
            let (x, y) = blobs(s, (300, 6), 4, 1.5);
            let own = loss_fn(
                "categorical_crossentropy_nll",
                |y: &[f32], t: &[f32]| -y.iter().zip(t).map(|(y, t)| y * t).sum::<f32>(),
                |_: &[f32], t: &[f32], dy: &mut [f32]| dy.iter_mut().zip(t).for_each(|(dy, t)| *dy = -t),
            );
            let model = mlp(s, &[16, 4], RELU, Activation::LogSoftmax);
            train!(compiled(model, Adam::new(0.01), own), x, hot(&y, 4), fit(40))
        }),
        ("class indices read by a custom loss", |s| {
            let (x, y) = blobs(s, (300, 6), 4, 1.5);
            let own = OwnSparse("nll");
            train!(compiled(mlp(s, &[16, 4], RELU, Linear), Adam::new(0.01), own), x, y, fit(40))
        }),
        ("the same, named mean_squared_error", |s| {
            let (x, y) = blobs(s, (300, 6), 4, 1.5);
            let own = OwnSparse("mean_squared_error");
            train!(compiled(mlp(s, &[16, 4], RELU, Linear), Adam::new(0.01), own), x, y, fit(40))
        }),
        ("a quantile", |s| {
            let (x, y) = smooth(s, 500, 0.4);
            let own = loss_fn(
                "quantile",
                |y: &[f32], t: &[f32]| (0.9 * (t[0] - y[0])).max(-0.1 * (t[0] - y[0])),
                |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = if t[0] > y[0] { -0.9 } else { 0.1 },
            );
            train!(compiled(mlp(s, &[32, 1], RELU, Linear), Adam::new(0.005), own), x, y, fit(60))
        }),
        ("likelihood of a narrow normal, below 0", |s| {
            let (x, y) = smooth(s, 400, 0.02);
            let own = loss_fn(
                "negative_log_likelihood",
                |y: &[f32], t: &[f32]| 0.5 * ((y[0] - t[0]) / 0.2).powi(2) + 0.2f32.ln() - 2.0,
                |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = (y[0] - t[0]) / 0.04,
            );
            train!(compiled(mlp(s, &[32, 32, 1], Tanh, Linear), Adam::new(0.003), own), x, y, fit(60))
        }),
        ("a loss that passes 0", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let own = loss_fn(
                "shifted",
                |y: &[f32], t: &[f32]| (y[0] - t[0]).powi(2) - 0.3,
                |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = 2.0 * (y[0] - t[0]),
            );
            train!(compiled(mlp(s, &[32, 1], Tanh, Linear), Adam::new(0.005), own), x, y, fit(60))
        }),
        ("expected reward, below 0 and converged", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 2.0);
            let own = loss_fn(
                "reward",
                |y: &[f32], t: &[f32]| -y.iter().zip(t).map(|(y, t)| y * t).sum::<f32>(),
                |_: &[f32], t: &[f32], dy: &mut [f32]| dy.iter_mut().zip(t).for_each(|(dy, t)| *dy = -t),
            );
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), own), x, hot(&y, 3), fit(80))
        }),
        ("overlap of labels (dice)", |s| {
            let x = noise(s, 400, 6);
            let y = Array2::from_shape_fn((400, 5), |(i, j)| {
                f32::from(u8::from(x[[i, j]] + x[[i, j + 1]] > -0.4))
            });
            let parts = |y: &[f32], t: &[f32]| {
                let both: f32 = y.iter().zip(t).map(|(y, t)| y * t).sum();
                (both, y.iter().sum::<f32>() + t.iter().sum::<f32>() + 1.0)
            };
            let own = loss_fn(
                "dice",
                move |y: &[f32], t: &[f32]| {
                    let (both, all) = parts(y, t);
                    1.0 - (2.0 * both + 1.0) / all
                },
                move |y: &[f32], t: &[f32], dy: &mut [f32]| {
                    let (both, all) = parts(y, t);
                    dy.iter_mut()
                        .zip(t)
                        .for_each(|(dy, t)| *dy = (2.0 * both + 1.0) / (all * all) - 2.0 * t / all);
                },
            );
            train!(compiled(mlp(s, &[24, 5], RELU, Sigmoid), Adam::new(0.01), own), x, y, fit(60))
        }),
        ("directions by cosine, long after convergence", |s| {
            let x = noise(s, 300, 4);
            let y = x.dot(&noise(99, 4, 3));
            let loss = CosineSimilarity::new();
            train!(compiled(mlp(s, &[3], Linear, Linear), Adam::new(0.02), loss), x, y, fit(120))
        }),
        ("numbers with a metric named accuracy_within_a_tenth", |s| {
            let (x, y) = smooth(s, 400, 0.05);
            let near = |p: &[f32], t: &[f32]| f64::from(u8::from((p[0] - t[0]).abs() < 0.1));
            let mut model = mlp(s, &[32, 1], Tanh, Linear);
            let metric = metric_fn("accuracy_within_a_tenth", Goal::High, near);
            model.compile(Adam::new(0.005), MeanSquaredError::new(), [metric]).expect("a model");
            train!(model, x, y, fit(60))
        }),
        ("numbers with a metric named accuracy", |s| {
            let (x, y) = smooth(s, 400, 0.05);
            let near = |p: &[f32], t: &[f32]| f64::from(u8::from((p[0] - t[0]).abs() < 0.1));
            let mut model = mlp(s, &[32, 1], Tanh, Linear);
            let metric = metric_fn("accuracy", Goal::High, near);
            model.compile(Adam::new(0.005), MeanSquaredError::new(), [metric]).expect("a model");
            train!(model, x, y, fit(60))
        }),
        ("a metric that is NaN for some rows", |s| {
            let (x, y) = smooth(s, 400, 0.05);
            let ratio = |p: &[f32], t: &[f32]| f64::from((p[0] / t[0]).ln());
            let mut model = mlp(s, &[32, 1], Tanh, Linear);
            let metric = metric_fn("log_ratio", Goal::Low, ratio);
            model.compile(Adam::new(0.005), MeanSquaredError::new(), [metric]).expect("a model");
            train!(model, x, y, fit(60))
        }),
        ("ten times the squared error", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let own = loss_fn(
                "weighted_mse",
                |y: &[f32], t: &[f32]| 10.0 * (y[0] - t[0]).powi(2),
                |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = 20.0 * (y[0] - t[0]),
            );
            train!(compiled(mlp(s, &[32, 1], Tanh, Linear), Adam::new(0.005), own), x, y, fit(60))
        }),
        ("two heads in one row, each with its loss", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let both =
                Array2::from_shape_fn(
                    (400, 2),
                    |(i, j)| {
                        if j == 0 { y[i] } else { f32::from(u8::from(y[i] > 0.0)) }
                    },
                );
            let own = loss_fn(
                "value_and_crossentropy",
                |y: &[f32], t: &[f32]| {
                    (y[0] - t[0]).powi(2) + y[1].max(0.0) - y[1] * t[1] + (-y[1].abs()).exp().ln_1p()
                },
                |y: &[f32], t: &[f32], dy: &mut [f32]| {
                    dy[0] = 2.0 * (y[0] - t[0]);
                    dy[1] = logistic(y[1]) - t[1];
                },
            );
            train!(compiled(mlp(s, &[32, 2], Tanh, Linear), Adam::new(0.005), own), x, both, fit(60))
        }),
        ("a median, long after convergence", |s| {
            let x = noise(s, 300, 2);
            let y = x.map_axis(Axis(1), |r| 0.8 * r[0] - 0.3 * r[1]) + noise(s + 9, 300, 1).column(0);
            let model = mlp(s, &[1], Linear, Linear);
            train!(compiled(model, Sgd::new(0.02), MeanAbsoluteError::new()), x, y, fit(100))
        }),
    ]
}
