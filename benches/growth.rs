//! Growth of time and memory with batch size, width and depth of a network: `cargo bench --bench growth`.
//!
//! Each is doubled three times while the others stay at batch 64, width 256, depth 4. The time of a step is the best of
//! several trainings of 40 steps. The memory is the peak of a training beyond its data. The last column divides by the
//! number of multiplications, so it is constant if the time is linear in the work.

#[path = "../tests/support/peak.rs"]
mod peak;

use std::time::{Duration, Instant};

use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

const STEPS: usize = 40;
const INPUTS: usize = 256;

/// The time of a step and the peak memory for `depth` layers of `width` units.
fn measure(batch: usize, width: usize, depth: usize, rounds: usize) -> (Duration, usize) {
    let mut rng = Rng::new(2);
    let x = Array2::from_shape_fn((batch * STEPS, INPUTS), |_| rng.normal() as f32);
    let y = Array1::from_iter((0..x.nrows()).map(|i| i % 10));
    let fit = Fit::new().batch_size(batch).verbose(Verbose::Silent);
    let (time, bytes) = peak::peak(|| {
        let hidden = || Dense::new(width).activation(Activation::Relu);
        let network = (0..depth).fold(Sequential::new().seed(1), |model, _| model.add(hidden()));
        let mut model = network.add(Dense::new(10));
        let loss = SparseCategoricalCrossentropy::new().from_logits(true);
        model.compile(Adam::new(1e-3), loss, ()).expect("a model");
        let mut training = || {
            let start = Instant::now();
            model.fit(&x, &y, &fit).expect("a training");
            start.elapsed()
        };
        (0..rounds).map(|_| training()).min().unwrap_or_default()
    });
    (time / STEPS as u32, bytes)
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let rounds = if quick { 2 } else { 10 };
    println!(
        "| batch | width | depth | step | memory | step per million multiplications |\n|---|---|---|---|---|---|"
    );
    let (batch, width, depth) = (64, 256, 4);
    let doubled = |from: usize| [from, 2 * from, 4 * from, 8 * from];
    let rows = doubled(batch).map(|batch| (batch, width, depth)).into_iter();
    let rows = rows.chain(doubled(width).map(|width| (batch, width, depth)));
    for (batch, width, depth) in rows.chain(doubled(depth).map(|depth| (batch, width, depth))) {
        let (time, bytes) = measure(batch, width, depth, rounds);
        let weights = INPUTS * width + (depth - 1) * width * width + 10 * width;
        // The forward pass, and the gradients of the weights and of the inputs of all but the first layer.
        let work = batch * (3 * weights - INPUTS * width);
        let each = time.as_secs_f64() * 1e9 / (work as f64 / 1e6);
        println!(
            "| {batch} | {width} | {depth} | {:.2} ms | {:.1} MB | {:.1} µs |",
            time.as_secs_f64() * 1e3,
            bytes as f64 / 1e6,
            each / 1e3
        );
    }
}
