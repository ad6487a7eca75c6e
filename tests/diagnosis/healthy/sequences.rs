//! Sequences that end in a constant, with and without a mask, long recurrences of relu, and windows of one step.

use cornu::ndarray::{Array1, Array2, Array3, Axis};
use cornu::prelude::*;

use super::{Kind, sparse, train};
use crate::synthetic::*;

/// Texts of up to 40 words out of forty, padded with index 0 to 60; most words of a text are in the half of its class.
fn padded(seed: u64, rows: usize, in_front: bool) -> (Array2<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let y = Array1::from_shape_fn(rows, |_| usize::from(rng.uniform() < 0.5));
    let mut x = Array2::zeros((rows, 60));
    for (mut row, class) in x.rows_mut().into_iter().zip(&y) {
        let length = 10 + (30.0 * rng.uniform()) as usize;
        let from = if in_front { 60 - length } else { 0 };
        for word in row.iter_mut().skip(from).take(length) {
            let half = if (rng.uniform() < 0.75) == (*class == 1) { 1.0 } else { 21.0 };
            *word = (half + (20.0 * rng.uniform()).floor()) as f32;
        }
    }
    (x, y)
}

fn binary(model: Sequential) -> Sequential {
    compiled(model.add(Dense::new(1).activation(Sigmoid)), Adam::new(0.01), BinaryCrossentropy::new())
}

fn embedded(seed: u64, masked: bool) -> Sequential {
    Sequential::new().seed(seed).add(Embedding::new(41, 8).mask_zero(masked))
}

/// A wave that starts and ends at random, before and after which the signal rests at exactly 0; the class is the wavelength.
fn resting(seed: u64, rows: usize) -> (Array3<f32>, Array1<usize>) {
    let (waves, y) = waves(seed, rows, 40);
    let mut rng = Rng::stream(seed, 10);
    let spans: Vec<(usize, usize)> = (0..rows)
        .map(|_| {
            let start = (6.0 * rng.uniform()) as usize;
            (start, start + 10 + (6.0 * rng.uniform()) as usize)
        })
        .collect();
    let at = |(i, t, k): (usize, usize, usize)| {
        let (start, end) = spans[i];
        if (start..end).contains(&t) { waves[[i, t, k]] } else { 0.0 }
    };
    (Array3::from_shape_fn((rows, 40, 1), at), y)
}

pub fn kinds() -> Vec<(&'static str, Kind)> {
    vec![
        ("padding behind, masked, by LSTM", |s| {
            let (x, y) = padded(s, 300, false);
            train!(binary(embedded(s, true).add(Lstm::new(8))), x, y, fit(10))
        }),
        ("padding in front, by LSTM", |s| {
            let (x, y) = padded(s, 300, true);
            train!(binary(embedded(s, false).add(Lstm::new(8))), x, y, fit(10))
        }),
        ("padding in front, masked, backwards by GRU", |s| {
            let (x, y) = padded(s, 300, true);
            train!(binary(embedded(s, true).add(Gru::new(8).go_backwards(true))), x, y, fit(10))
        }),
        ("padding behind, both ways by LSTM", |s| {
            let (x, y) = padded(s, 300, false);
            train!(binary(embedded(s, false).add(Bidirectional::new(Lstm::new(8)))), x, y, fit(15))
        }),
        ("padding behind, masked, averaged", |s| {
            let (x, y) = padded(s, 300, false);
            train!(binary(embedded(s, true).add(GlobalAveragePooling1D::new())), x, y, fit(20))
        }),
        ("padding behind, states averaged", |s| {
            let (x, y) = padded(s, 300, false);
            let model = embedded(s, false).add(Gru::new(8).return_sequences(true));
            train!(binary(model.add(GlobalAveragePooling1D::new())), x, y, fit(15))
        }),
        ("padding behind, maximum of a convolution", |s| {
            let (x, y) = padded(s, 300, false);
            let model = embedded(s, false).add(Conv1D::new(16, 3).activation(RELU));
            train!(binary(model.add(GlobalMaxPooling1D::new())), x, y, fit(20))
        }),
        ("padding behind, a mask that ends at a flatten", |s| {
            let (x, y) = padded(s, 600, false);
            train!(binary(embedded(s, true).add(Flatten::new())), x, y, fit(10))
        }),
        ("a little padding behind, by GRU", |s| {
            let (mut x, y) = super::texts(s, 400);
            x.mapv_inplace(|word| word + 1.0);
            for (i, mut row) in x.rows_mut().into_iter().enumerate() {
                row.iter_mut().skip(12 - i % 5).for_each(|word| *word = 0.0);
            }
            let model = Sequential::new().seed(s).add(Embedding::new(51, 8)).add(Gru::new(8));
            train!(binary(model), x, y, fit(15))
        }),
        ("vectors padded with -1, masked", |s| {
            let (x, y) = waves(s, 200, 40);
            let mut x = x;
            for (i, mut row) in x.axis_iter_mut(Axis(0)).enumerate() {
                row.iter_mut().skip(12 + i % 8).for_each(|value| *value = -1.0);
            }
            let model = Sequential::new().seed(s).add(Masking::new(-1.0)).add(Gru::new(12));
            train!(binary(model), x, y, fit(25))
        }),
        ("signals that rest before and after", |s| {
            let (x, y) = resting(s, 300);
            let model = Sequential::new().seed(s).add(Gru::new(16).return_sequences(true));
            train!(binary(model.add(GlobalMaxPooling1D::new())), x, y, fit(25))
        }),
        ("the class of each step, masked", |s| {
            let (x, y) = padded(s, 300, false);
            let y = Array3::from_shape_fn((300, 60, 1), |(i, t, _)| {
                f32::from(u8::from(x[[i, t]] > 20.0 && y[i] == 1))
            });
            let model = embedded(s, true).add(Lstm::new(8).return_sequences(true));
            train!(binary(model), x, y, fit(15))
        }),
        ("one step of twelve features, by LSTM", |s| {
            let (x, y) = blobs(s, (300, 12), 3, 1.5);
            let x = x.insert_axis(Axis(1));
            let model = Sequential::new().seed(s).add(Lstm::new(16)).add(Dense::new(3).activation(SOFTMAX));
            train!(compiled(model, Adam::new(0.01), sparse()), x, y, fit(20))
        }),
        ("relu over 28 steps, from the identity", |s| {
            let (x, y) = waves(s, 300, 28);
            let cell = SimpleRnn::new(24)
                .activation(RELU)
                .kernel_initializer(Initializer::RandomNormal { mean: 0.0, stddev: 0.1 })
                .recurrent_initializer(Initializer::Identity { gain: 1.0 });
            let model = Sequential::new().seed(s).add(cell).add(Dense::new(1).activation(Sigmoid));
            train!(compiled(model, Adam::new(0.002).clip_norm(1.0), BinaryCrossentropy::new()), x, y, fit(60))
        }),
    ]
}
