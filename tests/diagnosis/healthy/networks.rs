//! Networks of all kinds.

use cornu::ndarray::{Array3, s};
use cornu::prelude::*;

use super::{Kind, sparse, texts, train};
use crate::synthetic::*;

pub fn kinds() -> Vec<(&'static str, Kind)> {
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
