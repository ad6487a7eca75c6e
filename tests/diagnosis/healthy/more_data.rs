//! Data that look wrong and are right: padding, rare classes, plenty of rows, targets far from 0.

use cornu::data::source_fn;
use cornu::ndarray::{Array1, Array2, Array3, Array4, Axis, s};
use cornu::prelude::*;

use super::{Kind, sparse, texts, train};
use crate::synthetic::*;

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("pictures with a border of 0", |s| {
            let (inner, y) = bars(s, 300);
            let mut x = Array4::<f32>::zeros((300, 14, 14, 1));
            x.slice_mut(s![.., 3..11, 3..11, ..]).assign(&inner);
            let x = x.into_shape_with_order((300, 196)).expect("rows");
            train!(compiled(mlp(s, &[32, 4], RELU, SOFTMAX), Adam::new(0.003), sparse()), x, y, fit(30))
        }),
        ("sequences padded in front", |s| {
            let (waves, y) = waves(s, 240, 16);
            let mut x = Array3::<f32>::zeros((240, 24, 1));
            x.slice_mut(s![.., 8.., ..]).assign(&waves);
            let model = Sequential::new().seed(s).add(Lstm::new(12)).add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(30))
        }),
        ("sequences of different lengths, padded behind", |s| {
            let (mut x, y) = waves(s, 300, 20);
            let mut rng = rng(s + 3);
            for mut row in x.outer_iter_mut() {
                let length = 12 + (9.0 * rng.uniform()) as usize;
                row.slice_mut(s![length.., ..]).fill(0.0);
            }
            let model = Sequential::new()
                .seed(s)
                .add(Conv1D::new(12, 5).activation(RELU))
                .add(GlobalMaxPooling1D::new())
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(40))
        }),
        ("texts of a large vocabulary", |s| {
            let (words, y) = texts(s, 500);
            let mut rng = rng(s + 4);
            let x = words.mapv(|word| 100.0 * word + (4.0 * rng.uniform()).floor() as f32);
            let model = Sequential::new()
                .seed(s)
                .add(Embedding::new(5000, 8))
                .add(GlobalAveragePooling1D::new())
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(30))
        }),
        ("texts padded by the index 0, GRU", |s| {
            let (words, y) = texts(s, 400);
            let mut x = Array2::<f32>::zeros((400, 16));
            x.slice_mut(s![.., 4..]).assign(&words.mapv(|word| word + 1.0));
            let model = Sequential::new()
                .seed(s)
                .add(Embedding::new(51, 8))
                .add(Gru::new(12))
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.01), BinaryCrossentropy::new()), x, y, fit(15))
        }),
        ("categories as one-hot columns, some of them rare", |s| {
            let mut rng = rng(s);
            let mut x = Array2::<f32>::zeros((600, 20));
            let y = Array1::from_shape_fn(600, |i| {
                let (a, b) =
                    ((10.0 * rng.uniform().powi(2)) as usize, (10.0 * rng.uniform().powi(3)) as usize);
                x[[i, a]] = 1.0;
                x[[i, 10 + b]] = 1.0;
                (a as f32 - 3.0) / 3.0 + if b > 2 { 1.0 } else { -0.3 } + (0.2 * rng.normal()) as f32
            });
            let model = mlp(s, &[16, 1], RELU, Linear);
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit(30))
        }),
        ("one row in forty of a class that is far away", |s| {
            let mut rng = rng(s);
            let y = Array1::from_shape_fn(1200, |_| usize::from(rng.uniform() < 0.025));
            let mut x = noise(s, 1200, 6);
            for (mut row, class) in x.rows_mut().into_iter().zip(&y) {
                row += 3.0 * *class as f32;
            }
            let model = mlp(s, &[16, 1], RELU, Sigmoid);
            train!(compiled(model, Adam::new(0.005), BinaryCrossentropy::new()), x, y, fit(30))
        }),
        ("five classes, each half as frequent as the one before", |s| {
            let (x, y) = blobs(s, (1600, 8), 5, 2.0);
            let mut rng = rng(s + 5);
            let kept: Vec<usize> = (0..1600).filter(|&i| rng.uniform() < 0.5f64.powi(y[i] as i32)).collect();
            let (x, y) = (x.select(Axis(0), &kept), y.select(Axis(0), &kept));
            train!(compiled(mlp(s, &[24, 5], RELU, SOFTMAX), Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("weights for three classes by hand", |s| {
            let (x, y) = blobs(s, (400, 6), 3, 1.0);
            let fit = fit(30).class_weight(ClassWeight::PerClass(vec![1.0, 5.0, 0.5]));
            train!(compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.005), sparse()), x, y, fit)
        }),
        ("half of the rows without weight", |s| {
            let (x, y) = blobs(s, (400, 6), 3, 1.5);
            let weights = Array1::from_shape_fn(400, |i| (i % 2) as f32);
            let mut model = compiled(mlp(s, &[16, 3], RELU, SOFTMAX), Adam::new(0.01), sparse());
            model.fit(&x, &y, &fit(30).sample_weight(&weights)).expect("a training").findings().clone()
        }),
        ("one epoch over plenty of rows", |s| {
            let (x, y) = blobs(s, (8000, 8), 5, 1.5);
            train!(compiled(mlp(s, &[32, 5], RELU, SOFTMAX), Adam::new(0.003), sparse()), x, y, fit(1))
        }),
        ("one epoch over plenty of numbers, and held-out rows", |s| {
            let (x, y) = smooth(s, 8000, 0.3);
            let model = mlp(s, &[32, 32, 1], RELU, Linear);
            let fit = fit(1).validation_split(0.1);
            train!(compiled(model, Adam::new(0.003), MeanSquaredError::new()), x, y, fit)
        }),
        ("rows drawn anew for one epoch", |s| {
            let source = source_fn(6000, [2], [1], move |index, x: &mut [f32], y: &mut [f32]| {
                let mut rng = Rng::stream(s, 100 + index as u64);
                (x[0], x[1]) = (rng.normal() as f32, rng.normal() as f32);
                y[0] = x[0] - 0.5 * x[1] + 0.1 * rng.normal() as f32;
                Ok(())
            });
            let model = mlp(s, &[16, 1], Tanh, Linear);
            let mut model = compiled(model, Adam::new(0.01), MeanSquaredError::new());
            model.fit_source(&source, &fit(1)).expect("a training").findings().clone()
        }),
        ("outputs of three sizes", |s| {
            let x = noise(s, 400, 4);
            let y = Array2::from_shape_fn((400, 3), |(i, j)| {
                [0.3f32, 1.0, 4.0][j] * (1.2 * x[[i, j]] + 0.4 * x[[i, 3]]).sin()
            });
            let model = mlp(s, &[32, 3], Tanh, Linear);
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit(60))
        }),
        ("targets around 50, from a bias of 50", |s| {
            let (x, y) = smooth(s, 400, 0.2);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(32).activation(Tanh))
                .add(Dense::new(1).bias_initializer(Initializer::Constant(50.0)));
            let y = y.mapv(|y| 50.0 + 3.0 * y);
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit(80))
        }),
        ("targets of hundreds, rescaled by the last layer", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let model = mlp(s, &[32, 1], Tanh, Linear).add(Rescaling::new(300.0).offset(1000.0));
            let y = y.mapv(|y| 1000.0 + 300.0 * y);
            train!(compiled(model, Adam::new(0.005), MeanAbsoluteError::new()), x, y, fit(80))
        }),
        ("pixels of 0 to 255 rebuilt by a sigmoid and a rescaling", |s| {
            let x = bars(s, 300).0.into_shape_with_order((300, 64)).expect("rows").mapv(|x| 255.0 * x);
            let model = Sequential::new()
                .seed(s)
                .add(Rescaling::new(1.0 / 255.0))
                .add(Dense::new(32).activation(RELU))
                .add(Dense::new(64).activation(Sigmoid))
                .add(Rescaling::new(255.0));
            train!(compiled(model, Adam::new(0.005), MeanAbsoluteError::new()), x, x, fit(60))
        }),
        ("skewed features of moderate size", |s| {
            let x = noise(s, 500, 5).mapv(|x| (0.8 * x).exp());
            let y = x.map_axis(Axis(1), |r| (r[0] * r[1]).ln() + 0.5 * r[2].sqrt());
            let model = mlp(s, &[32, 1], RELU, Linear);
            train!(compiled(model, Adam::new(0.005), MeanSquaredError::new()), x, y, fit(60))
        }),
        ("ages and counts of tens among standard features", |s| {
            let mut x = noise(s, 500, 5);
            x.column_mut(0).mapv_inplace(|x| (35.0 + 8.0 * x).round());
            x.column_mut(1).mapv_inplace(|x| (3.0 * x.abs()).floor());
            let y = x.map_axis(Axis(1), |r| usize::from((r[0] - 35.0) / 8.0 + r[2] > 0.0));
            let model = Sequential::new()
                .seed(s)
                .add(Normalization::new().adapt(&x).expect("numbers"))
                .add(Dense::new(16).activation(RELU))
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.01), BinaryCrossentropy::new()), x, y, fit(30))
        }),
        ("sixty classes, few rows of each", |s| {
            let (x, y) = blobs(s, (900, 24), 60, 1.5);
            train!(compiled(mlp(s, &[64, 60], RELU, SOFTMAX), Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("bits, and whether most are 1", |s| {
            let mut rng = rng(s);
            let x = Array2::from_shape_fn((400, 15), |_| f32::from(u8::from(rng.uniform() < 0.5)));
            let y = x.map_axis(Axis(1), |r| usize::from(r.sum() > 7.5));
            let model = mlp(s, &[8, 1], RELU, Sigmoid);
            train!(compiled(model, Adam::new(0.01), BinaryCrossentropy::new()), x, y, fit(40))
        }),
        ("twenty rows of a line", |s| {
            let x = noise(s, 20, 1);
            let y =
                x.map_axis(Axis(1), |r| 2.0 * r[0] + 1.0) + noise(s + 6, 20, 1).column(0).mapv(|e| 0.1 * e);
            let model = mlp(s, &[1], Linear, Linear);
            train!(compiled(model, Sgd::new(0.1), MeanSquaredError::new()), x, y, fit(100).batch_size(20))
        }),
    ]
}
