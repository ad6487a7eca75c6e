//! Element-wise and normalizing layers on tensors beyond the caches: `cargo bench --bench elementwise`.
//!
//! Each line shows the bytes per second that a pass reads and writes at least: a forward pass x and y, a backward pass x, dy
//! and dx. `copy` reads and writes as much as a forward pass, in the same process, for comparison. `adam` is a training step
//! of an embedding of 16 million numbers, of which it reads four arrays and writes four.

use std::hint::black_box;

use cornu::layer::{BackwardContext, BuildContext, NamedLayer, Step};
use cornu::ndarray::Array2;
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use rayon::iter::{IndexedParallelIterator, ParallelIterator};
use rayon::slice::{ParallelSlice, ParallelSliceMut};

/// The numbers of a tensor, 64 MiB.
const LEN: usize = 1 << 24;

fn layers() -> Vec<(&'static str, NamedLayer, usize)> {
    vec![
        ("relu", Activation::Relu.into_named(), 256),
        ("tanh", Activation::Tanh.into_named(), 256),
        ("silu", Activation::Silu.into_named(), 256),
        ("softplus", Activation::Softplus.into_named(), 256),
        ("gelu", Activation::Gelu { approximate: false }.into_named(), 256),
        ("gelu-tanh", Activation::Gelu { approximate: true }.into_named(), 256),
        ("layer-normalization", LayerNormalization::new().into_named(), 256),
        ("batch-normalization-8", BatchNormalization::new().into_named(), 8),
        ("batch-normalization-256", BatchNormalization::new().into_named(), 256),
        ("dropout", Dropout::new(0.2).into_named(), 256),
    ]
}

fn elementwise(c: &mut Criterion) {
    let mut group = c.benchmark_group("elementwise");
    group.sample_size(10);
    let mut rng = Rng::new(1);
    let x: Vec<f32> = (0..LEN / 64).map(|_| rng.normal() as f32).collect::<Vec<_>>().repeat(64);
    let (mut y, mut dx) = (vec![0.0; LEN], vec![0.0; LEN]);
    group.throughput(Throughput::Bytes(8 * LEN as u64));
    group.bench_function("copy", |b| {
        b.iter(|| {
            let parts = y.par_chunks_mut(1 << 12).zip(x.par_chunks(1 << 12));
            parts.for_each(|(y, x)| y.copy_from_slice(x));
        });
    });
    for (name, mut layer, width) in layers() {
        layer.build(&[width], &mut BuildContext::new(Rng::new(2))).expect("a layer");
        let mut scratch = Scratch::default();
        group.throughput(Throughput::Bytes(8 * LEN as u64));
        group.bench_function(format!("{name}/forward"), |b| {
            b.iter(|| {
                let mut step = Step::new(1, 0, &mut scratch);
                layer.forward(Batch::new(&x, width), BatchMut::new(&mut y, width), &mut step);
            });
        });
        let mut dy = x.clone();
        group.throughput(Throughput::Bytes(12 * LEN as u64));
        group.bench_function(format!("{name}/backward"), |b| {
            b.iter(|| {
                let (x, y) = (Batch::new(&x, width), Batch::new(&y, width));
                let (dy, dx) = (BatchMut::new(&mut dy, width), BatchMut::new(&mut dx, width));
                layer.backward(BackwardContext::new(x, y, dy, Some(dx), &mut scratch));
            });
        });
    }
    let width = 256;
    let mut model = Sequential::new().seed(1).add(Embedding::new(LEN / width, width)).add(Flatten::new());
    model.compile(Adam::new(0.001), MeanSquaredError::new(), ()).expect("a model");
    let indices = Array2::from_shape_fn((8, 1), |(i, _)| i as f32);
    let targets = Array2::<f32>::zeros((8, width));
    let fit = Fit::new().verbose(Verbose::Silent);
    group.throughput(Throughput::Bytes(32 * LEN as u64));
    group.bench_function("adam", |b| {
        b.iter(|| black_box(model.train_on_batch(&indices, &targets, &fit).expect("a step")));
    });
}

criterion_group!(benches, elementwise);
criterion_main!(benches);
