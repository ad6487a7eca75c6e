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
//! | `predict-1`, `predict-all` | one call of the `signal` network with softmax, for 1 row and for 5000 |

mod networks;

use std::hint::black_box;

use cornu::ndarray::{Array1, Array2, Axis, s};
use cornu::prelude::*;
use criterion::{Criterion, criterion_group, criterion_main};

use networks::{loss, network, noise, signals};

/// Measures one epoch, without the compilation and allocation of the first epoch.
fn epochs(
    c: &mut Criterion,
    id: &str,
    mut model: Sequential,
    (x, y): (Array2<f32>, Array1<usize>),
    batch: usize,
) {
    let fit = Fit::new().batch_size(batch).verbose(Verbose::Silent);
    c.benchmark_group("workloads").bench_function(id, |b| {
        b.iter(|| model.fit(&x, &y, &fit).expect("a training").last("loss"));
    });
}

fn signal(c: &mut Criterion) {
    let mut model = network(&[40, 10], 5);
    model.compile(Sgd::new(0.01), loss(), ()).expect("a model");
    epochs(c, "signal", model, signals(5000, 6000), 50);
}

fn mnist(c: &mut Criterion) {
    let mut model = network(&[512, 512], 10);
    model.compile(Adam::new(0.001), loss(), ()).expect("a model");
    epochs(c, "mnist", model, noise(12_800, 784, 10), 128);
}

fn tiny(c: &mut Criterion) {
    let mut model = network(&[16], 2);
    model.compile(Adam::new(0.001), loss(), ()).expect("a model");
    epochs(c, "tiny", model, noise(3200, 8, 2), 32);
}

fn conv(c: &mut Criterion) {
    let same = |filters, size| Conv1D::new(filters, size).padding(Padding::Same).activation(Activation::Relu);
    let mut model = Sequential::new()
        .seed(1)
        .add(same(16, 7))
        .add(MaxPooling1D::new(2))
        .add(same(32, 5))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(5));
    model.compile(Adam::new(0.001), loss(), ()).expect("a model");
    let (x, y) = signals(1000, 1000);
    let fit = Fit::new().batch_size(32).verbose(Verbose::Silent);
    let x = x.insert_axis(Axis(2));
    c.benchmark_group("workloads").bench_function("conv", |b| {
        b.iter(|| model.fit(&x, &y, &fit).expect("a training").last("loss"));
    });
}

/// Measures an epoch of a recurrent layer and a dense one, for sequences of noise.
fn sequences(
    c: &mut Criterion,
    id: &str,
    layer: impl Layer<f32> + 'static,
    [rows, steps, inputs]: [usize; 3],
) {
    let mut model = Sequential::new().seed(1).add(layer).add(Dense::new(5));
    model.compile(Adam::new(0.001), loss(), ()).expect("a model");
    let (x, y) = noise(rows, steps * inputs, 5);
    let x = x.into_shape_with_order([rows, steps, inputs]).expect("a shape");
    let fit = Fit::new().batch_size(32).verbose(Verbose::Silent);
    c.benchmark_group("workloads").bench_function(id, |b| {
        b.iter(|| model.fit(&x, &y, &fit).expect("a training").last("loss"));
    });
}

fn recurrent(c: &mut Criterion) {
    sequences(c, "lstm", Lstm::new(64), [1000, 100, 8]);
    sequences(c, "gru", Gru::new(64), [1000, 100, 8]);
    sequences(c, "bilstm", Bidirectional::new(Lstm::new(32)), [500, 60, 16]);
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

criterion_group!(benches, signal, mnist, tiny, conv, recurrent, predict);
criterion_main!(benches);
