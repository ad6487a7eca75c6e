//! One batch through single layers, forward and backward with all gradients: `cargo bench --bench layers`.
//!
//! `benches/layers.py` does the same in PyTorch and in Keras on JAX. Channels are last here and in Keras, and first in PyTorch. Rows
//! are batches of 16, or of 64 for sequences. `lstm-masked` skips the last 30 % of the steps; `lstm` is the same layer without a mask.

use std::hint::black_box;

use cornu::layer::{BackwardContext, BuildContext, NamedLayer, Step};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use criterion::{Criterion, criterion_group, criterion_main};

const MAP: [usize; 3] = [28, 28, 64];

fn layers() -> Vec<(&'static str, NamedLayer, usize, &'static [usize])> {
    let same = Padding::Same;
    vec![
        (
            "conv1d-transpose",
            Conv1DTranspose::new(64, 4).strides(2).padding(same).into_named(),
            64,
            &[128, 32],
        ),
        (
            "conv2d-transpose",
            Conv2DTranspose::new(32, [4, 4]).strides([2, 2]).padding(same).into_named(),
            16,
            &[16, 16, 64],
        ),
        ("depthwise-conv2d", DepthwiseConv2D::new([3, 3]).padding(same).into_named(), 16, &[56, 56, 64]),
        ("separable-conv2d", SeparableConv2D::new(128, [3, 3]).padding(same).into_named(), 16, &MAP),
        ("group-normalization", GroupNormalization::new().groups(8).into_named(), 16, &MAP),
        ("group-normalization-8", GroupNormalization::new().groups(4).into_named(), 16, &[56, 56, 8]),
        ("rms-normalization", RmsNormalization::new().into_named(), 64, &[64, 256]),
        ("unit-normalization", UnitNormalization::new().into_named(), 64, &[64, 256]),
        ("up-sampling2d", UpSampling2D::new([2, 2]).into_named(), 16, &MAP),
        (
            "up-sampling2d-bilinear",
            UpSampling2D::new([2, 2]).interpolation(Interpolation::Bilinear).into_named(),
            16,
            &MAP,
        ),
        ("cropping2d", Cropping2D::new([2, 2], [2, 2]).into_named(), 16, &MAP),
        ("spatial-dropout2d", SpatialDropout2D::new(0.2).into_named(), 16, &MAP),
        ("average-pooling2d", AveragePooling2D::new([2, 2]).into_named(), 16, &MAP),
        ("adaptive-average-pooling2d", AdaptiveAveragePooling2D::new([7, 7]).into_named(), 16, &MAP),
        ("adaptive-max-pooling2d", AdaptiveMaxPooling2D::new([7, 7]).into_named(), 16, &MAP),
        ("lstm", Lstm::new(64).into_named(), 64, &[100, 32]),
        ("lstm-masked", Lstm::new(64).into_named(), 64, &[100, 32]),
    ]
}

fn passes(c: &mut Criterion) {
    let mut group = c.benchmark_group("layers");
    group.sample_size(20);
    for (name, mut layer, rows, shape) in layers() {
        let output = layer.build(shape, &mut BuildContext::new(Rng::new(2))).expect("a layer");
        let [width, wide] = [shape, &output].map(|shape| shape.iter().product::<usize>());
        let mut rng = Rng::new(1);
        let x: Vec<f32> = (0..rows * width).map(|_| rng.normal() as f32).collect();
        let dy: Vec<f32> = (0..rows * wide).map(|_| rng.normal() as f32).collect();
        let (mut y, mut dx, mut dz) = (vec![0.0; rows * wide], vec![0.0; rows * width], dy.clone());
        let mask: Vec<bool> = (0..rows * 100).map(|step| step % 100 < 70).collect();
        let mask = (name == "lstm-masked").then_some(&*mask);
        let mut scratch = Scratch::default();
        let mut pass = |dz: &mut [f32]| {
            let x = Batch::new(&x, width).with_mask(mask);
            layer.forward(x, BatchMut::new(&mut y, wide), &mut Step::new(1, 0, &mut scratch));
            let (dz, dx) = (BatchMut::new(dz, wide), BatchMut::new(&mut dx, width));
            layer.backward(BackwardContext::new(x, Batch::new(&y, wide), dz, Some(dx), &mut scratch));
            black_box(&y);
        };
        pass(&mut dz);
        // A layer may overwrite dy. One that does not needs no copy of it, as in the other libraries.
        let overwrites = dz != dy;
        group.bench_function(name, |b| {
            b.iter(|| {
                if overwrites {
                    dz.copy_from_slice(&dy);
                }
                pass(&mut dz);
            });
        });
    }
}

criterion_group!(benches, passes);
criterion_main!(benches);
