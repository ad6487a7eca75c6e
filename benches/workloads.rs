//! Training epochs and predictions as in a user program: `cargo bench --bench workloads`.
//!
//! | id | one iteration |
//! |---|---|
//! | `signal` | an epoch of 6000-40-10-5, 5000 rows in batches of 50, SGD |
//! | `mnist` | an epoch of 784-512-512-10, 12,800 rows in batches of 128, Adam |
//! | `tiny` | an epoch of 8-16-2, 3200 rows in batches of 32, Adam |
//! | `conv` | an epoch of 1000 × 1 → Conv1D 16/7 → MaxPooling1D 2 → Conv1D 32/5 → mean over time → 5, 1000 rows in batches of 32, Adam |
//! | `lstm`, `gru` | an epoch of 100 × 8 → LSTM or GRU 64 → 5, 1000 rows in batches of 32, Adam |
//! | `bilstm` | an epoch of 60 × 16 → Bidirectional LSTM 32 → 5, 500 rows in batches of 32, Adam |
//! | `norm` | an epoch of 128 → 3 × (Dense 128, LayerNormalization, GELU, Dropout 0.2) → 4, 6400 rows in batches of 64, Adam |
//! | `fcn` | an epoch of 150 × 1 → 3 × (Conv1D 128/8, 256/5, 128/3, BatchNormalization, ReLU) → mean over time → 2, 200 rows in batches of 16, Adam |
//! | `conv2d` | an epoch of 28 × 28 × 1 → Conv2D 32/3 → MaxPooling2D 2 → Conv2D 64/3 → MaxPooling2D 2 → 10, 2000 rows in batches of 64, Adam |
//! | `embed` | an epoch of 50 indices → Embedding 5000 × 64 → mean → 32 → 4, 4000 rows in batches of 64, Adam |
//! | `wide` | an epoch of 1024-2048-2048-10, 2560 rows in batches of 256, Adam |
//! | `deep` | an epoch of 64, 20 × 64, 3, 3200 rows in batches of 32, Adam |
//! | `single` | an epoch of 32-32-2, 500 rows in batches of 1, Adam |
//! | `predict-1`, `predict-all` | one call of the `signal` network with softmax, for 1 row and for 5000 |

mod networks;

use std::hint::black_box;

use cornu::ndarray::{Array1, ArrayD, Axis, s};
use cornu::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};

use networks::{loss, network, noise, signals};

/// Measures one epoch, without the compilation and allocation of the first epoch.
fn epochs(
    c: &mut Criterion,
    id: &str,
    mut model: Sequential,
    optimizer: impl Optimizer<f32> + 'static,
    (x, y): (ArrayD<f32>, Array1<usize>),
    batch: usize,
) {
    model.compile(optimizer, loss(), ()).expect("a model");
    let fit = Fit::new().batch_size(batch).verbose(Verbose::Silent);
    c.benchmark_group("workloads").bench_function(id, |b| {
        b.iter(|| model.fit(&x, &y, &fit).expect("a training").last("loss"));
    });
}

/// Uniform numbers in samples of this shape, with random classes.
fn uniform(rows: usize, shape: &[usize], classes: u64) -> (ArrayD<f32>, Array1<usize>) {
    let (x, y) = noise(rows, shape.iter().product(), classes);
    (x.into_shape_with_order([&[rows], shape].concat()).expect("a shape"), y)
}

fn new() -> Sequential {
    Sequential::new().seed(1)
}

fn adam() -> Adam {
    Adam::new(0.001)
}

fn dense(c: &mut Criterion) {
    let (x, y) = signals(5000, 6000);
    epochs(c, "signal", network(&[40, 10], 5), Sgd::new(0.01), (x.into_dyn(), y), 50);
    epochs(c, "mnist", network(&[512, 512], 10), adam(), uniform(12_800, &[784], 10), 128);
    epochs(c, "tiny", network(&[16], 2), adam(), uniform(3200, &[8], 2), 32);
    epochs(c, "wide", network(&[2048, 2048], 10), adam(), uniform(2560, &[1024], 10), 256);
    epochs(c, "deep", network(&[64; 20], 3), adam(), uniform(3200, &[64], 3), 32);
    epochs(c, "single", network(&[32], 2), adam(), uniform(500, &[32], 2), 1);
    let normalized = (0..3).fold(new(), |model, _| {
        model
            .add(Dense::new(128))
            .add(LayerNormalization::new())
            .add(Activation::Gelu { approximate: false })
            .add(Dropout::new(0.2))
    });
    epochs(c, "norm", normalized.add(Dense::new(4)), adam(), uniform(6400, &[128], 4), 64);
}

fn convolutions(c: &mut Criterion) {
    let same = |filters, size| Conv1D::new(filters, size).padding(Padding::Same);
    let model = new()
        .add(same(16, 7).activation(Activation::Relu))
        .add(MaxPooling1D::new(2))
        .add(same(32, 5).activation(Activation::Relu))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(5));
    let (x, y) = signals(1000, 1000);
    epochs(c, "conv", model, adam(), (x.insert_axis(Axis(2)).into_dyn(), y), 32);

    let blocks = [(128, 8), (256, 5), (128, 3)].into_iter();
    let model = blocks.fold(new(), |model, (filters, size)| {
        model.add(same(filters, size)).add(BatchNormalization::new()).add(Activation::Relu)
    });
    let model = model.add(GlobalAveragePooling1D::new()).add(Dense::new(2));
    epochs(c, "fcn", model, adam(), uniform(200, &[150, 1], 2), 16);

    let filters = |count| Conv2D::new(count, [3, 3]).activation(Activation::Relu);
    let model = new()
        .add(filters(32))
        .add(MaxPooling2D::new([2, 2]))
        .add(filters(64))
        .add(MaxPooling2D::new([2, 2]))
        .add(Flatten::new())
        .add(Dense::new(10));
    epochs(c, "conv2d", model, adam(), uniform(2000, &[28, 28, 1], 10), 64);
}

fn sequences(c: &mut Criterion) {
    let recurrent = [
        ("lstm", new().add(Lstm::new(64)), [1000, 100, 8]),
        ("gru", new().add(Gru::new(64)), [1000, 100, 8]),
        ("bilstm", new().add(Bidirectional::new(Lstm::new(32))), [500, 60, 16]),
    ];
    for (id, model, [rows, steps, inputs]) in recurrent {
        epochs(c, id, model.add(Dense::new(5)), adam(), uniform(rows, &[steps, inputs], 5), 32);
    }

    let model = new()
        .add(Embedding::new(5000, 64))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(32).activation(Activation::Relu))
        .add(Dense::new(4));
    let (x, y) = uniform(4000, &[50], 4);
    epochs(c, "embed", model, adam(), (x.mapv(|x| (x * 5000.0).floor()), y), 64);
}

fn predict(c: &mut Criterion) {
    let (x, _) = signals(5000, 6000);
    let mut model = network(&[40, 10], 5).add(Softmax::new()).input([6000]);
    model.build().expect("a model");
    let mut group = c.benchmark_group("workloads");
    let mut predictor = model.predictor().expect("a model");
    let mut one = [0.0; 5];
    let row = x.slice(s![..1, ..]);
    group.bench_function("predict-1", |b| b.iter(|| predictor.predict_into(black_box(&row), &mut one)));
    let mut all = vec![0.0; 5 * 5000];
    group.bench_function("predict-all", |b| b.iter(|| predictor.predict_into(black_box(&x), &mut all)));
}

criterion_group!(benches, dense, convolutions, sequences, predict);
criterion_main!(benches);
