//! How time and memory grow with the batch, the width and the depth of a network: `cargo bench --bench growth`.
//!
//! Each is doubled three times, the others stay at batch 64, width 256, depth 4. A step's time is the best of several
//! trainings of 40 steps; the memory is the most that a training takes beyond its data. The last column divides by
//! what was multiplied: a growth that is linear in the work has one number from top to bottom.

#[path = "../tests/support/peak.rs"]
mod peak;

use std::time::{Duration, Instant};

use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;

const STEPS: usize = 40;
const INPUTS: usize = 256;

/// Time of a step and bytes at most, for `depth` layers of `width` units.
fn measure(batch: usize, width: usize, depth: usize, rounds: usize) -> (Duration, usize) {
    let mut rng = Rng::stream(2, 0);
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
        // Forward, and backward to the weights and to the input of all but the first layer.
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
