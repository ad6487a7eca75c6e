//! Classes and labels.

use cornu::ndarray::{Array1, Array2, Axis, s};
use cornu::prelude::*;

use super::{Kind, mislabelled, sparse, texts, train};
use crate::synthetic::*;

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("blobs, softmax, Adam", |s| {
            let (x, y) = blobs(s, (300, 6), 4, 1.5);
            train!(compiled(mlp(s, &[16, 4], RELU, SOFTMAX), Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("one-hot targets, SGD with momentum", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let model = mlp(s, &[12, 3], Tanh, SOFTMAX);
            train!(
                compiled(model, Sgd::new(0.02).momentum(0.9), CategoricalCrossentropy::new()),
                x,
                hot(&y, 3),
                fit(30)
            )
        }),
        ("rings from logits, Nadam", |s| {
            let (x, y) = rings(s, 400);
            let loss = BinaryCrossentropy::new().from_logits(true);
            train!(compiled(mlp(s, &[24, 24, 1], RELU, Linear), Nadam::new(0.005), loss), x, y, fit(40))
        }),
        ("logistic regression, full batch, twenty rows", |s| {
            let (x, y) = blobs(s, (20, 2), 2, 2.0);
            let model = mlp(s, &[1], Linear, Sigmoid);
            train!(compiled(model, Sgd::new(0.3), BinaryCrossentropy::new()), x, y, fit(300).batch_size(20))
        }),
        ("exclusive or of four rows, full batch", |s| {
            let x = Array2::from_shape_fn((4, 2), |(i, j)| ((i >> j) % 2) as f32);
            let y = Array1::from(vec![0, 1, 1, 0]);
            train!(
                compiled(mlp(s, &[16, 1], Tanh, Sigmoid), Adam::new(0.05), BinaryCrossentropy::new()),
                x,
                y,
                fit(300)
            )
        }),
        ("a fifth of the labels wrong, four classes", |s| {
            let (x, y) = blobs(s, (500, 6), 4, 1.5);
            let y = mislabelled(s, &y, 4, 0.27);
            train!(compiled(mlp(s, &[16, 4], RELU, SOFTMAX), Adam::new(0.003), sparse()), x, y, fit(30))
        }),
        ("a fifth of the labels wrong, yes or no", |s| {
            let (x, y) = rings(s, 500);
            let y = mislabelled(s, &y, 2, 0.4);
            train!(
                compiled(mlp(s, &[16, 1], RELU, Sigmoid), Adam::new(0.005), BinaryCrossentropy::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("one in twenty, determined by the inputs", |s| {
            let x = noise(s, 600, 4);
            let y = x.map_axis(Axis(1), |r| usize::from(r[0] + r[1] > 2.3));
            train!(
                compiled(mlp(s, &[12, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("one in ten, partly determined by the inputs", |s| {
            let (x, mut rng) = (noise(s, 800, 3), rng(s));
            let y = x.map_axis(Axis(1), |r| {
                let p = 1.0 / (1.0 + (3.2 - 1.8 * f64::from(r[0])).exp());
                usize::from(rng.uniform() < p)
            });
            train!(
                compiled(mlp(s, &[8, 1], RELU, Sigmoid), Adam::new(0.005), BinaryCrossentropy::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("balanced weights for a rare class", |s| {
            let x = noise(s, 600, 4);
            let y = x.map_axis(Axis(1), |r| usize::from(r[0] + r[1] > 1.9));
            let fit = fit(40).class_weight(ClassWeight::Balanced);
            train!(
                compiled(mlp(s, &[12, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit
            )
        }),
        ("focal loss for a rare class", |s| {
            let x = noise(s, 600, 4);
            let y = x.map_axis(Axis(1), |r| usize::from(r[0] + r[1] > 1.9));
            train!(
                compiled(mlp(s, &[12, 1], RELU, Sigmoid), Adam::new(0.01), BinaryFocalCrossentropy::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("several labels at once", |s| {
            let x = noise(s, 400, 6);
            let y = Array2::from_shape_fn((400, 5), |(i, j)| {
                f32::from(u8::from(x[[i, j]] + x[[i, j + 1]] > -0.4))
            });
            train!(
                compiled(mlp(s, &[24, 5], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("soft labels, yes or no", |s| {
            let x = noise(s, 400, 3);
            let y = x.map_axis(Axis(1), |r| 1.0 / (1.0 + (-1.2 * r[0] - 0.5 * r[1]).exp()));
            train!(
                compiled(mlp(s, &[8, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("rates below a third", |s| {
            let x = noise(s, 400, 3);
            let y = x.map_axis(Axis(1), |r| (0.3 / (1.0 + (-1.5 * r[0]).exp()) * 20.0).round() / 20.0);
            train!(
                compiled(mlp(s, &[8, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("a teacher's soft classes", |s| {
            let x = noise(s, 400, 4);
            let mut y = x.slice(s![.., ..3]).mapv(|v| (0.8 * v).exp());
            y.outer_iter_mut().for_each(|mut row| row /= row.sum());
            train!(
                compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), CategoricalCrossentropy::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("a teacher's soft classes by Kullback and Leibler", |s| {
            let x = noise(s, 400, 4);
            let mut y = x.slice(s![.., ..3]).mapv(|v| (0.8 * v).exp());
            y.outer_iter_mut().for_each(|mut row| row /= row.sum());
            train!(
                compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), KlDivergence::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("label smoothing", |s| {
            let (x, y) = blobs(s, (300, 6), 4, 2.0);
            let loss = CategoricalCrossentropy::new().label_smoothing(0.2);
            train!(compiled(mlp(s, &[16, 4], RELU, SOFTMAX), Adam::new(0.01), loss), x, hot(&y, 4), fit(60))
        }),
        ("squared error of one sigmoid", |s| {
            let (x, y) = blobs(s, (300, 4), 2, 1.5);
            train!(
                compiled(mlp(s, &[8, 1], RELU, Sigmoid), Adam::new(0.01), MeanSquaredError::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("the textbook's sigmoids, squared error, rate 3", |s| {
            let (x, y) = bars(s, 400);
            let model = mlp(s, &[30, 4], Sigmoid, Sigmoid);
            let x = x.into_shape_with_order((400, 64)).expect("rows");
            train!(
                compiled(model, Sgd::new(3.0), MeanSquaredError::new()),
                x,
                hot(&y, 4),
                fit(40).batch_size(10)
            )
        }),
        ("squared error of a softmax", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            train!(
                compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), MeanSquaredError::new()),
                x,
                hot(&y, 3),
                fit(40)
            )
        }),
        ("least squares of classes, and noisy ones", |s| {
            let (x, y) = blobs(s, (400, 6), 3, 1.5);
            let y = hot(&mislabelled(s, &y, 3, 0.3), 3);
            train!(
                compiled(mlp(s, &[16, 3], RELU, Linear), Adam::new(0.005), MeanSquaredError::new()),
                x,
                y,
                fit(40)
            )
        }),
        ("hinge of signs", |s| {
            let (x, y) = blobs(s, (300, 4), 2, 1.5);
            let y = y.mapv(|y| if y == 1 { 1.0f32 } else { -1.0 });
            train!(compiled(mlp(s, &[8, 1], RELU, Tanh), Adam::new(0.01), Hinge::new()), x, y, fit(40))
        }),
        ("twenty classes, a few rows of each to validate", |s| {
            let (x, y) = blobs(s, (400, 12), 20, 2.0);
            let fit = fit(40).validation_split(0.1);
            train!(compiled(mlp(s, &[48, 20], RELU, SOFTMAX), Adam::new(0.005), sparse()), x, y, fit)
        }),
        ("sorted by class, and shuffled", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let mut order: Vec<usize> = (0..300).collect();
            order.sort_by_key(|&i| y[i]);
            let (x, y) = (x.select(Axis(0), &order), y.select(Axis(0), &order));
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse()), x, y, fit(30))
        }),
        ("in turn by class, so that a ruler sees one", |s| {
            let (x, y) = blobs(s, (600, 6), 4, 1.5);
            let y = Array1::from_shape_fn(600, |i| if i % 4 == 0 { 0 } else { y[i] });
            let x = Array2::from_shape_fn((600, 6), |(i, j)| x[[i, j]] + if i % 4 == 0 { 4.0 } else { 0.0 });
            train!(compiled(mlp(s, &[24, 4], RELU, SOFTMAX), Adam::new(0.01), sparse()), x, y, fit(30))
        }),
        ("choices of three, equal by chance and not all alike", |s| {
            let mut rng = rng(s);
            let x = Array2::from_shape_fn((400, 4), |_| (3.0 * rng.uniform()).floor() as f32 - 1.0);
            let y = x.map_axis(Axis(1), |r| usize::from(f64::from(r[0] + r[1]) + 0.6 * rng.normal() > 0.0));
            let fit = fit(40).validation_split(0.25);
            train!(
                compiled(mlp(s, &[12, 1], RELU, Sigmoid), Adam::new(0.005), BinaryCrossentropy::new()),
                x,
                y,
                fit
            )
        }),
        ("counted words, SGD", |s| {
            let (words, y) = texts(s, 400);
            let mut x = Array2::<f32>::zeros((400, 50));
            words.indexed_iter().for_each(|((i, _), word)| x[[i, *word as usize]] += 1.0);
            train!(
                compiled(
                    mlp(s, &[16, 1], RELU, Sigmoid),
                    Sgd::new(0.1).momentum(0.9),
                    BinaryCrossentropy::new()
                ),
                x,
                y,
                fit(30)
            )
        }),
        ("half of the features constant", |s| {
            let (mut x, y) = blobs(s, (300, 8), 3, 2.0);
            x.slice_mut(s![.., 4..]).fill(1.0);
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse()), x, y, fit(30))
        }),
    ]
}
