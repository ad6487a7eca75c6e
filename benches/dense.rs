//! Forward pass, backward pass and training step of a dense layer: `cargo bench --bench dense`.
//!
//! Throughput counts multiplications and additions, so that `Gelem/s` reads as GFLOP/s.

use cornu::layer::{BackwardContext, BuildContext, NamedLayer, Step};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Rows, inputs and units.
const SIZES: [(usize, usize, usize); 4] = [(50, 6000, 40), (128, 784, 512), (256, 1024, 1024), (1, 6000, 40)];

/// The steps of one training, enough that its start is negligible.
const STEPS: usize = 20;

fn numbers(len: usize, stream: u64) -> Vec<f32> {
    let mut rng = Rng::stream(1, stream);
    (0..len).map(|_| rng.normal() as f32).collect()
}

fn dense(c: &mut Criterion) {
    for (rows, inputs, units) in SIZES {
        let id = format!("{rows}x{inputs}x{units}");
        let products = (2 * rows * inputs * units) as u64;
        let (x, gradient) = (numbers(rows * inputs, 0), numbers(rows * units, 1));
        let (mut y, mut dy, mut dx) = (vec![0.0; rows * units], gradient.clone(), vec![0.0; rows * inputs]);
        let mut scratch = Scratch::default();
        let mut layer: NamedLayer = Dense::new(units).into_named();
        layer.build(&[inputs], &mut BuildContext::new(Rng::stream(1, 2))).expect("a layer");

        let mut group = c.benchmark_group("dense");
        group.throughput(Throughput::Elements(products));
        group.bench_function(BenchmarkId::new("forward", &id), |b| {
            b.iter(|| {
                let mut step = Step::new(1, 0, &mut scratch);
                layer.forward(Batch::new(&x, inputs), BatchMut::new(&mut y, units), &mut step);
            });
        });
        group.throughput(Throughput::Elements(2 * products));
        group.bench_function(BenchmarkId::new("backward", &id), |b| {
            b.iter(|| {
                dy.copy_from_slice(&gradient);
                let (x, y, dy) =
                    (Batch::new(&x, inputs), Batch::new(&y, units), BatchMut::new(&mut dy, units));
                layer.backward(BackwardContext::new(
                    x,
                    y,
                    dy,
                    Some(BatchMut::new(&mut dx, inputs)),
                    &mut scratch,
                ));
            });
        });

        // The first layer of a network needs no gradient of its input.
        let mut model = Sequential::new().seed(1).add(Dense::new(units));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Sgd::new(0.01), loss, ()).expect("a model");
        let x = Array2::from_shape_vec((rows, inputs), x.clone()).expect("a batch");
        let y = Array1::from_iter((0..rows).map(|i| i % units));
        let fit = Fit::new().batch_size(rows).epochs(STEPS).verbose(Verbose::Silent);
        group.throughput(Throughput::Elements(2 * products * STEPS as u64));
        group.bench_function(BenchmarkId::new(format!("{STEPS} steps"), &id), |b| {
            b.iter(|| model.fit(&x, &y, &fit))
        });
        group.finish();
    }
}

criterion_group!(benches, dense);
criterion_main!(benches);
