//! The cost of the diagnosis: the first epoch with and without it, interleaved: `cargo bench --bench diagnosis`.
//!
//! The networks are those of the bench `workloads`. Each line shows the medians of all rounds and the overhead of the
//! diagnosis. `--quick` runs fewer rounds, and the name of a workload selects it.

use std::time::{Duration, Instant};

use cornu::ndarray::{Array1, Array2};
use cornu::optimizer::Optimizer;
use cornu::prelude::*;

struct Workload {
    name: &'static str,
    model: Sequential,
    x: Array2<f32>,
    y: Array1<usize>,
    batch: usize,
    rounds: usize,
}

fn workload(
    name: &'static str,
    widths: &[usize],
    (rows, batch, rounds): (usize, usize, usize),
    optimizer: impl Optimizer<f32> + 'static,
) -> Workload {
    let [inputs, hidden @ .., classes] = widths else { unreachable!("a network has an input and an output") };
    let mut rng = Rng::new(1);
    let x = Array2::from_shape_fn((rows, *inputs), |_| rng.normal() as f32);
    let y = Array1::from_iter((0..rows).map(|i| i % classes));
    let layers = hidden.iter().map(|&units| Dense::new(units).activation(Activation::Relu));
    let mut model = layers.fold(Sequential::new().seed(1), Sequential::add).add(Dense::new(*classes));
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    model.compile(optimizer, loss, ()).expect("a model");
    Workload { name, model, x, y, batch, rounds }
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64()
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let only: Vec<String> = std::env::args().skip(1).filter(|argument| !argument.starts_with("--")).collect();
    println!("| workload | without | with | more |\n|---|---|---|---|");
    for mut workload in [
        workload("signal", &[6000, 40, 10, 5], (5000, 50, 60), Sgd::new(0.01)),
        workload("mnist", &[784, 512, 512, 10], (12_800, 128, 15), Adam::new(0.001)),
        workload("tiny", &[8, 16, 2], (3200, 32, 4000), Adam::new(0.001)),
    ] {
        let Workload { name, model, x, y, batch, rounds } = &mut workload;
        if !only.is_empty() && !only.iter().any(|wanted| wanted == name) {
            continue;
        }
        let fit = |diagnose| Fit::new().batch_size(*batch).verbose(Verbose::Silent).diagnose(diagnose);
        let settings = [fit(Diagnose::Off), fit(Diagnose::Report)];
        let mut times = [Vec::new(), Vec::new()];
        for round in 0..if quick { *rounds / 10 + 2 } else { *rounds } {
            for which in [round % 2, 1 - round % 2] {
                let mut model = model.clone();
                let start = Instant::now();
                model.fit(x, y, &settings[which]).expect("a training");
                times[which].push(start.elapsed());
            }
        }
        let [without, with] = times.map(median);
        let more = 100.0 * (with / without - 1.0);
        println!("| {name} | {:.3} ms | {:.3} ms | {more:+.1} % |", without * 1e3, with * 1e3);
    }
}
