//! Matrix products, as predictions of one dense layer without a bias: `cargo bench --bench products`.
//!
//! Throughput counts multiplications and additions, so that `Gelem/s` reads as GFLOP/s. `CORNU_ISA=avx2` measures another
//! instruction set than the best of the machine. `benches/products.py` measures the same products in NumPy.

use cornu::Scalar;
use cornu::ndarray::Array2;
use cornu::prelude::*;
use criterion::{BenchmarkId, Criterion, Throughput, criterion_group, criterion_main};

/// Rows, inputs and units.
const SIZES: [[usize; 3]; 6] =
    [[256, 2048, 2048], [128, 784, 512], [128, 512, 512], [1024, 1024, 1024], [50, 6000, 40], [32, 64, 256]];

fn products<F: Scalar>(c: &mut Criterion) {
    let mut group = c.benchmark_group("products");
    for [rows, inputs, units] in SIZES {
        let mut rng = Rng::new(1);
        let x = Array2::from_shape_fn((rows, inputs), |_| F::of(rng.normal()));
        let dense = Dense::new(units).use_bias(false);
        let mut model = Sequential::<F>::with_scalar().input([inputs]).add(dense);
        model.build().expect("a model");
        let mut predictor = model.predictor().expect("a predictor");
        let mut y = vec![F::zero(); rows * units];
        group.throughput(Throughput::Elements((2 * rows * inputs * units) as u64));
        group.bench_function(BenchmarkId::new(F::NAME, format!("{rows}x{inputs}x{units}")), |b| {
            b.iter(|| predictor.predict_into(&x, &mut y).expect("outputs"));
        });
    }
}

criterion_group!(benches, products::<f32>, products::<f64>);
criterion_main!(benches);
