//! Networks that look wrong and are right: heavy dropout, narrow codes, deep residual ones, frozen features.

use cornu::ndarray::{Array1, Array2, Array3, Axis, s};
use cornu::prelude::*;

use super::{Kind, sparse, train};
use crate::synthetic::*;

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("eight in ten dropped of 512 units", |s| {
            let (x, y) = blobs(s, (500, 10), 4, 1.5);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(512).activation(RELU))
                .add(Dropout::new(0.8))
                .add(Dense::new(4).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.003), sparse()), x, y, fit(20).validation_split(0.2))
        }),
        ("half dropped of 256 units, three times", |s| {
            let (x, y) = blobs(s, (500, 10), 4, 1.5);
            let hidden =
                |model: Sequential| model.add(Dense::new(256).activation(RELU)).add(Dropout::new(0.5));
            let model = (0..3).fold(Sequential::new().seed(s), |model, _| hidden(model));
            let model = compiled(model.add(Dense::new(4).activation(SOFTMAX)), Adam::new(0.002), sparse());
            train!(model, x, y, fit(20))
        }),
        ("a tenth of the inputs dropped", |s| {
            let (x, y) = blobs(s, (400, 12), 3, 1.5);
            let model = Sequential::new()
                .seed(s)
                .add(Dropout::new(0.1))
                .add(Dense::new(24).activation(RELU))
                .add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("an autoencoder that removes noise", |s| {
            let x = bars(s, 300).0.into_shape_with_order((300, 64)).expect("rows");
            let model = Sequential::new()
                .seed(s)
                .add(GaussianNoise::new(0.2))
                .add(Dense::new(48).activation(RELU))
                .add(Dense::new(64).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.005), MeanSquaredError::new()), x, x, fit(60))
        }),
        ("a code of one unit for a curve", |s| {
            let t = noise(s, 400, 1);
            let x =
                Array2::from_shape_fn((400, 3), |(i, j)| [t[[i, 0]], 0.8 * t[[i, 0]], -0.5 * t[[i, 0]]][j]);
            let model = mlp(s, &[1, 3], Linear, Linear);
            train!(compiled(model, Adam::new(0.02), MeanSquaredError::new()), x, x, fit(60))
        }),
        ("two units for two numbers", |s| {
            let x = noise(s, 300, 2);
            let y = x.map_axis(Axis(1), |r| (0.8 * r[0]).tanh() - (0.6 * r[1]).tanh());
            let model = mlp(s, &[2, 1], Tanh, Linear);
            train!(compiled(model, Adam::new(0.02), MeanSquaredError::new()), x, y, fit(80))
        }),
        ("twelve residual blocks", |s| {
            let (x, y) = rings(s, 400);
            let block = || Residual::new().add(Dense::new(16).activation(RELU)).add(Dense::new(16));
            let model =
                (0..12).fold(Sequential::new().seed(s).add(Dense::new(16)), |model, _| model.add(block()));
            let model = model.add(LayerNormalization::new()).add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.002), BinaryCrossentropy::new()), x, y, fit(30))
        }),
        ("SELU with its dropout", |s| {
            let (x, y) = blobs(s, (400, 8), 3, 1.5);
            let layer =
                || Dense::new(32).activation(Activation::Selu).kernel_initializer(Initializer::LecunNormal);
            let model = Sequential::new()
                .seed(s)
                .add(layer())
                .add(AlphaDropout::new(0.1))
                .add(layer())
                .add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("a last layer that starts at 0", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(32).activation(Tanh))
                .add(Dense::new(1).kernel_initializer(Initializer::Zeros));
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit(60))
        }),
        ("random features, frozen", |s| {
            let (x, y) = rings(s, 400);
            let wide = || Initializer::RandomNormal { mean: 0.0, stddev: 1.0 };
            let features =
                Dense::new(128).activation(RELU).kernel_initializer(wide()).bias_initializer(wide());
            let model = Sequential::new()
                .seed(s)
                .add(features.trainable(false))
                .add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.01), BinaryCrossentropy::new()), x, y, fit(40))
        }),
        ("bytes, with batch normalization behind the first layer", |s| {
            let (x, y) = bars(s, 300);
            let x = x.mapv(|x| (255.0 * x).round()).into_shape_with_order((300, 64)).expect("rows");
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(32))
                .add(BatchNormalization::new().momentum(0.9))
                .add(RELU)
                .add(Dense::new(4).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(30))
        }),
        ("features of tens, layer normalization first", |s| {
            let (x, y) = blobs(s, (400, 10), 3, 1.5);
            let x = x.mapv(|x| 20.0 * x);
            let model = Sequential::new()
                .seed(s)
                .add(LayerNormalization::new())
                .add(Dense::new(24).activation(RELU))
                .add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(40))
        }),
        ("batch normalization, few large batches, many epochs", |s| {
            let (x, y) = blobs(s, (512, 6), 3, 1.5);
            let model = Sequential::new()
                .seed(s)
                .add(Dense::new(24))
                .add(BatchNormalization::new().momentum(0.9))
                .add(RELU)
                .add(Dense::new(3).activation(SOFTMAX));
            train!(
                compiled(model, Adam::new(0.01), sparse()),
                x,
                y,
                fit(80).batch_size(128).validation_split(0.25)
            )
        }),
        ("convolutions with dropout, pictures in 0 to 1", |s| {
            let (x, y) = bars(s, 300);
            let model = Sequential::new()
                .seed(s)
                .add(Conv2D::new(8, [3, 3]).activation(RELU))
                .add(Conv2D::new(8, [3, 3]).activation(RELU))
                .add(MaxPooling2D::new([2, 2]))
                .add(Dropout::new(0.25))
                .add(Flatten::new())
                .add(Dense::new(32).activation(RELU))
                .add(Dropout::new(0.5))
                .add(Dense::new(4).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.005), sparse()), x, y, fit(20).validation_split(0.2))
        }),
        ("outputs of tanh for numbers in -1 to 1", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let y = y.mapv(|y| (0.8 * y).tanh());
            train!(
                compiled(mlp(s, &[32, 1], RELU, Tanh), Adam::new(0.005), MeanSquaredError::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("shares by a sigmoid and squared error", |s| {
            let (x, y) = smooth(s, 400, 0.1);
            let y = y.mapv(|y| 1.0 / (1.0 + (-2.0 * y).exp()));
            train!(
                compiled(mlp(s, &[32, 1], RELU, Sigmoid), Adam::new(0.005), MeanSquaredError::new()),
                x,
                y,
                fit(60)
            )
        }),
        ("hinge of four classes", |s| {
            let (x, y) = blobs(s, (300, 6), 4, 1.5);
            let model = mlp(s, &[16, 4], RELU, Linear);
            train!(compiled(model, Adam::new(0.005), CategoricalHinge::new()), x, hot(&y, 4), fit(40))
        }),
        ("five steps ahead at once", |s| {
            let mut rng = rng(s);
            let series: Vec<f32> =
                (0..400).map(|t| ((0.3 * f64::from(t)).sin() + 0.1 * rng.normal()) as f32).collect();
            let x = Array3::from_shape_fn((370, 20, 1), |(i, t, _)| series[i + t]);
            let y = Array2::from_shape_fn((370, 5), |(i, j)| series[i + 20 + j]);
            let model = Sequential::new().seed(s).add(Gru::new(16)).add(Dense::new(5));
            let fit = fit(25).shuffle(false).validation_split(0.2);
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit)
        }),
        ("a sequence labelled step by step, both ways", |s| {
            let (x, _) = waves(s, 160, 16);
            let y: Array3<f32> = Array3::from_shape_fn((160, 16, 1), |(i, t, _)| {
                f32::from(u8::from(x[[i, t, 0]] > x[[i, (t + 15) % 16, 0]]))
            });
            let model = Sequential::new()
                .seed(s)
                .add(Bidirectional::new(Lstm::new(8).return_sequences(true)))
                .add(TimeDistributed::new(Dense::new(1).activation(Sigmoid)));
            train!(compiled(model, Adam::new(0.02), BinaryCrossentropy::new()), x, y, fit(25))
        }),
        ("stopped early with its best weights, noisy", |s| {
            let (x, y) = smooth(s, 300, 0.8);
            let stop = EarlyStopping::new().patience(8).restore_best_weights(true);
            let model = mlp(s, &[32, 1], RELU, Linear);
            let fit = fit(200).validation_split(0.3).callback(stop);
            train!(compiled(model, Adam::new(0.005), MeanSquaredError::new()), x, y, fit)
        }),
        ("a walk of which the next step is predicted by the last", |s| {
            let mut rng = rng(s);
            let mut at = 0.0;
            let mut walk = |_| {
                at = 0.95 * at + 0.3 * rng.normal();
                at as f32
            };
            let series: Vec<f32> = (0..600).map(&mut walk).collect();
            let x = Array2::from_shape_fn((590, 5), |(i, t)| series[i + t]);
            let y = Array1::from_shape_fn(590, |i| series[i + 5]);
            let model = mlp(s, &[1], Linear, Linear);
            train!(compiled(model, Adam::new(0.01), MeanSquaredError::new()), x, y, fit(50))
        }),
        ("a penalty that selects features", |s| {
            let x = noise(s, 400, 12);
            let y = x.slice(s![.., ..2]).sum_axis(Axis(1)) + noise(s + 8, 400, 1).column(0).mapv(|e| 0.3 * e);
            let model =
                Sequential::new().seed(s).add(Dense::new(1).kernel_regularizer(Regularizer::L1(0.01)));
            train!(compiled(model, Adam::new(0.02), MeanSquaredError::new()), x, y, fit(40))
        }),
    ]
}
