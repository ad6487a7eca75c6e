//! A collection of healthy trainings, with five seeds each, which must raise no error or warning. None of them is in
//! the corpus.

use crate::synthetic::*;
use cornu::diagnosis::{Diagnose, Findings};
use cornu::ndarray::{Array1, Array2, Array3, Axis, s};
use cornu::optimizer::{CosineDecay, ExponentialDecay};
use cornu::prelude::*;

type Kind = fn(u64) -> Findings;

/// Trains, and returns the findings of a check before the training, or else of the training.
macro_rules! train {
    ($model:expr, $x:expr, $y:expr, $fit:expr) => {{
        let mut model = $model;
        let before = model.check(&$x, &$y).expect("a check");
        let history = model.fit(&$x, &$y, &$fit).expect("a training");
        if alarms(&before).is_empty() { history.findings().clone() } else { before }
    }};
}

/// Texts of twelve words out of fifty; the class is whether most are in the first half of the vocabulary.
fn texts(seed: u64, rows: usize) -> (Array2<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let y = Array1::from_shape_fn(rows, |_| usize::from(rng.uniform() < 0.5));
    let x = Array2::from_shape_fn((rows, 12), |(i, _)| {
        let half = (rng.uniform() < 0.8) == (y[i] == 1);
        (25.0 * rng.uniform() + if half { 0.0 } else { 25.0 }).floor() as f32
    });
    (x, y)
}

/// Redraws a share of the labels.
fn mislabelled(seed: u64, y: &Array1<usize>, classes: usize, share: f64) -> Array1<usize> {
    let mut rng = Rng::stream(seed, 9);
    y.mapv(|label| if rng.uniform() < share { (rng.uniform() * classes as f64) as usize } else { label })
}

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

fn classification() -> Vec<(&'static str, Kind)> {
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

fn numbers() -> Vec<(&'static str, Kind)> {
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
        ("a loss of one's own", |s| {
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

fn networks() -> Vec<(&'static str, Kind)> {
    vec![
        ("images by convolution", |s| {
            let (x, y) = bars(s, 240);
            let model = Sequential::new()
                .seed(s)
                .add(Conv2D::new(8, [3, 3]).activation(RELU))
                .add(MaxPooling2D::new([2, 2]))
                .add(Flatten::new())
                .add(Dense::new(16).activation(RELU))
                .add(Dense::new(4).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(15))
        }),
        ("bytes of images, batch normalization first", |s| {
            let (x, y) = bars(s, 240);
            let x = x.mapv(|v| (255.0 * v).round());
            let model = Sequential::new()
                .seed(s)
                .add(BatchNormalization::new())
                .add(Conv2D::new(8, [3, 3]).activation(RELU))
                .add(GlobalMaxPooling2D::new())
                .add(Dense::new(4).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.02), sparse()), x, y, fit(40))
        }),
        ("bytes of images, rescaled first", |s| {
            let x = bars(s, 240).0.mapv(|v| (255.0 * v).round());
            let y = bars(s, 240).1;
            let model = Sequential::new()
                .seed(s)
                .add(Rescaling::new(1.0 / 255.0))
                .add(Flatten::new())
                .add(Dense::new(24).activation(RELU))
                .add(Dense::new(4).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("features of all sizes, normalised first", |s| {
            let (mut x, y) = blobs(s, (300, 6), 3, 1.5);
            x.columns_mut().into_iter().enumerate().for_each(|(j, mut column)| {
                let size = 10f32.powi(j as i32 - 2);
                column.mapv_inplace(|v| size * (v + 30.0));
            });
            let model = Sequential::new()
                .seed(s)
                .add(Normalization::new().adapt(&x).expect("numbers"))
                .add(Dense::new(16).activation(RELU))
                .add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.01), sparse()), x, y, fit(30))
        }),
        ("batch normalization within", |s| {
            let (x, y) = blobs(s, (320, 6), 3, 1.5);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(16))
                .add(BatchNormalization::new())
                .add(RELU)
                .add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Sgd::new(0.05), sparse()), x, y, fit(30))
        }),
        ("half of the units dropped, twice", |s| {
            let (x, y) = blobs(s, (400, 8), 3, 1.5);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(64).activation(RELU))
                .add(Dropout::new(0.5))
                .add(Dense::new(64).activation(RELU))
                .add(Dropout::new(0.5))
                .add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(30).validation_split(0.2))
        }),
        ("eight layers, He's weights", |s| {
            let (x, y) = rings(s, 400);
            let layer = || Dense::new(24).activation(RELU).kernel_initializer(Initializer::HeNormal);
            let model = (0..8).fold(Sequential::new().seed(s), |model, _| model.add(layer()));
            train!(
                compiled(
                    model.add(Dense::new(1).activation(Sigmoid)),
                    Adam::new(0.002),
                    BinaryCrossentropy::new()
                ),
                x,
                y,
                fit(40)
            )
        }),
        ("weights that decay", |s| {
            let (x, y) = blobs(s, (300, 6), 3, 1.5);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(24).activation(RELU).kernel_regularizer(Regularizer::L2(1e-3)))
                .add(Dense::new(3).activation(SOFTMAX).kernel_regularizer(Regularizer::L2(1e-3)));
            train!(compiled(model, AdamW::new(0.01), sparse()), x, y, fit(30))
        }),
        ("waves by LSTM", |s| {
            let (x, y) = waves(s, 200, 16);
            let model = Sequential::new().seed(s).add(Lstm::new(12)).add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(25))
        }),
        ("waves by GRU, both ways", |s| {
            let (x, y) = waves(s, 200, 16);
            let model = Sequential::new()
                .seed(s)
                .add(Bidirectional::new(Gru::new(8)))
                .add(Dense::new(2).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.02), sparse()), x, y, fit(25))
        }),
        ("waves by convolution", |s| {
            let (x, y) = waves(s, 200, 24);
            let model = Sequential::new()
                .seed(s)
                .add(Conv1D::new(12, 5).activation(RELU))
                .add(GlobalAveragePooling1D::new())
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(40))
        }),
        ("the next step of each step", |s| {
            let (all, _) = waves(s, 160, 21);
            let (x, y) = (all.slice(s![.., ..20, ..]).to_owned(), all.slice(s![.., 1.., ..]).to_owned());
            let model =
                Sequential::new().seed(s).add(SimpleRnn::new(12).return_sequences(true)).add(Dense::new(1));
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit(25))
        }),
        ("the class of each step", |s| {
            let (x, _) = waves(s, 160, 20);
            let y: Array3<usize> = x.mapv(|v| usize::from(v > 0.0));
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(8).activation(Tanh))
                .add(Dense::new(2).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.01), sparse()), x, y, fit(20))
        }),
        ("texts by an embedding", |s| {
            let (x, y) = texts(s, 400);
            let model = Sequential::new()
                .seed(s)
                .add(Embedding::new(50, 8))
                .add(GlobalAveragePooling1D::new())
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(30))
        }),
    ]
}

fn courses() -> Vec<(&'static str, Kind)> {
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

/// Copies the weights of a model with the same shapes.
trait BuildLike {
    fn build_like(&mut self, other: &Sequential, input: &[usize]);
}

impl BuildLike for Sequential {
    fn build_like(&mut self, other: &Sequential, input: &[usize]) {
        *self = self.clone().input(input);
        self.build().expect("shapes");
        let paths: Vec<String> = self.weights().expect("weights").into_iter().map(|(path, _)| path).collect();
        let values: Vec<_> =
            other.weights().expect("weights").into_iter().map(|(_, w)| w.to_owned()).collect();
        paths.iter().zip(values).for_each(|(path, value)| self.set_weight(path, &value).expect("a weight"));
    }
}

fn leaves_in_peace(kinds: Vec<(&str, Kind)>) {
    let mut false_alarms = Vec::new();
    for (name, run) in kinds {
        for seed in 1..=5 {
            let findings = run(seed);
            if !alarms(&findings).is_empty() {
                false_alarms.push(format!("{name}, seed {seed}: {:?}\n{findings}", alarms(&findings)));
            }
        }
    }
    assert!(false_alarms.is_empty(), "{} false alarms\n{}", false_alarms.len(), false_alarms.join("\n"));
}

#[test]
fn healthy_classifications_raise_no_findings() {
    leaves_in_peace(classification());
}

#[test]
fn healthy_regressions_raise_no_findings() {
    leaves_in_peace(numbers());
}

#[test]
fn healthy_networks_of_all_kinds_raise_no_findings() {
    leaves_in_peace(networks());
}

#[test]
fn healthy_training_settings_raise_no_findings() {
    leaves_in_peace(courses());
}

#[test]
fn rules_use_the_target_of_a_loss_and_not_its_name() {
    let (x, y) = blobs(1, (200, 4), 2, 2.0);
    let y = y.mapv(|class| 2.0 * class as f32 - 1.0);
    let hinge = cornu::loss::loss_fn(
        "binary_hinge",
        |y: &[f32], t: &[f32]| (1.0 - t[0] * y[0]).max(0.0),
        |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = if t[0] * y[0] < 1.0 { -t[0] } else { 0.0 },
    );
    let mut model = compiled(mlp(1, &[8, 1], RELU, Linear), Adam::new(0.01), hinge);
    assert!(model.check(&x, &y).expect("a check").is_empty());
    let history = model.fit(&x, &y, &fit(20)).expect("a training");
    assert_eq!(alarms(history.findings()), [""; 0]);
}
