//! Matrix products and an epoch compared with the limit of the machine: `cargo bench --bench roofline`.
//!
//! The limit of a computation is the longer of two times: its operations at the peak rate of fused multiply-adds, and its
//! memory traffic at the read bandwidth. Both are measured in the same process, interleaved with the computations, on all
//! threads of rayon. Each line shows the best of all rounds. A round runs a layer a hundred times or trains a network for ten
//! epochs, so it measures steady work. `--quick` runs fewer rounds.

use std::hint::black_box;
use std::time::{Duration, Instant};

use cornu::layer::{BackwardContext, BuildContext, NamedLayer, Step};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};

/// The numbers that are read to measure the bandwidth: 256 MiB, more than any cache.
const READ: usize = 1 << 26;
/// The fused multiply-adds of a register in one measurement of the peak.
const TURNS: usize = 1 << 21;
/// The registers that accumulate independently, to hide the latency.
const REGISTERS: usize = 24;

/// Runs the loop of fused multiply-adds once; returns its floating-point operations.
fn fused() -> (usize, fn()) {
    #[cfg(target_arch = "x86_64")]
    {
        if std::is_x86_feature_detected!("avx512f") {
            // SAFETY: the machine has AVX-512.
            return (2 * 16 * REGISTERS, || unsafe { x86::avx512() });
        }
        if std::is_x86_feature_detected!("avx2") && std::is_x86_feature_detected!("fma") {
            // SAFETY: the machine has AVX2 and FMA.
            return (2 * 8 * x86::FEW, || unsafe { x86::avx2() });
        }
    }
    (2 * 4 * 8, portable)
}

#[cfg(target_arch = "x86_64")]
mod x86 {
    use super::{REGISTERS, TURNS, black_box};
    use std::arch::x86_64::{_mm256_fmadd_ps, _mm256_set1_ps, _mm512_fmadd_ps, _mm512_set1_ps};

    /// AVX2 has 16 registers.
    pub(super) const FEW: usize = 12;

    #[target_feature(enable = "avx512f")]
    pub(super) fn avx512() {
        let (a, b) = (_mm512_set1_ps(black_box(0.999)), _mm512_set1_ps(black_box(1e-3)));
        let mut sums = [_mm512_set1_ps(1.0); REGISTERS];
        for _ in 0..TURNS {
            sums.iter_mut().for_each(|sum| *sum = _mm512_fmadd_ps(*sum, a, b));
        }
        black_box(sums);
    }

    #[target_feature(enable = "avx2,fma")]
    pub(super) fn avx2() {
        let (a, b) = (_mm256_set1_ps(black_box(0.999)), _mm256_set1_ps(black_box(1e-3)));
        let mut sums = [_mm256_set1_ps(1.0); FEW];
        for _ in 0..TURNS {
            sums.iter_mut().for_each(|sum| *sum = _mm256_fmadd_ps(*sum, a, b));
        }
        black_box(sums);
    }
}

/// The portable version: a multiplication and an addition as compiled.
fn portable() {
    let (a, b) = (black_box(0.999f32), black_box(1e-3f32));
    let mut sums = [[1.0f32; 4]; 8];
    for _ in 0..TURNS {
        sums.iter_mut().flatten().for_each(|sum| *sum = *sum * a + b);
    }
    black_box(sums);
}

/// Sums numbers in enough partial sums to saturate the memory.
fn read(numbers: &[f32]) -> f32 {
    let mut sums = [0.0f32; 64];
    for chunk in numbers.chunks_exact(64) {
        sums.iter_mut().zip(chunk).for_each(|(sum, x)| *sum += *x);
    }
    sums.iter().sum()
}

/// The time of a run on all threads of the pool.
fn on_all(work: impl Fn(usize) + Sync) -> Duration {
    let start = Instant::now();
    rayon::broadcast(|context| work(context.index()));
    start.elapsed()
}

/// A line of the table: the computation, its operations and bytes, and the required share of the limit.
struct Line {
    name: String,
    operations: f64,
    bytes: f64,
    asked: f64,
    run: Box<dyn FnMut()>,
    best: Duration,
}

fn line(name: impl Into<String>, operations: usize, bytes: usize, asked: f64, run: Box<dyn FnMut()>) -> Line {
    let (operations, bytes) = (operations as f64, bytes as f64);
    Line { name: name.into(), operations, bytes, asked, run, best: Duration::MAX }
}

fn numbers(len: usize, stream: u64) -> Vec<f32> {
    let mut rng = Rng::stream(1, stream);
    (0..len).map(|_| rng.normal() as f32).collect()
}

/// The forward and backward pass of a dense layer, repeated, with all data in the caches.
fn dense(rows: usize, inputs: usize, units: usize) -> [Line; 2] {
    let (id, times) = (format!("{rows}×{inputs}×{units}"), 100);
    let products = 2 * rows * inputs * units * times;
    let (x, gradient) = (numbers(rows * inputs, 0), numbers(rows * units, 1));
    let build = || {
        let mut layer: NamedLayer = Dense::new(units).into_named();
        layer.build(&[inputs], &mut BuildContext::new(Rng::stream(1, 2))).expect("a layer");
        (layer, x.clone(), vec![0.0; rows * units], Scratch::default())
    };
    let (mut layer, from, mut y, mut scratch) = build();
    let forward = move || {
        for _ in 0..times {
            let mut step = Step::new(1, 0, &mut scratch);
            layer.forward(Batch::new(&from, inputs), BatchMut::new(&mut y, units), &mut step);
        }
    };
    let (mut layer, from, y, mut scratch) = build();
    let (mut dy, mut dx) = (gradient.clone(), vec![0.0; rows * inputs]);
    let backward = move || {
        for _ in 0..times {
            dy.copy_from_slice(&gradient);
            let (x, y, dy) =
                (Batch::new(&from, inputs), Batch::new(&y, units), BatchMut::new(&mut dy, units));
            layer.backward(BackwardContext::new(
                x,
                y,
                dy,
                Some(BatchMut::new(&mut dx, inputs)),
                &mut scratch,
            ));
        }
    };
    [
        line(format!("forward {id}"), products, 0, 0.75, Box::new(forward)),
        line(format!("backward {id}"), 2 * products, 0, 0.75, Box::new(backward)),
    ]
}

/// Epochs of the workload `signal` with `fit`.
fn signal() -> Line {
    let (rows, widths) = (5000, [6000, 40, 10, 5]);
    let x = Array2::from_shape_vec((rows, widths[0]), numbers(rows * widths[0], 3)).expect("signals");
    let y = Array1::from_iter((0..rows).map(|i| i % 5));
    let hidden = |units| Dense::new(units).activation(Activation::Relu);
    let mut model = Sequential::new().seed(1).add(hidden(40)).add(hidden(10)).add(Dense::new(5));
    let loss = SparseCategoricalCrossentropy::new().from_logits(true);
    model.compile(Sgd::new(0.01), loss, ()).expect("a model");
    let weights: usize = widths.windows(2).map(|pair| pair[0] * pair[1]).sum();
    // The forward pass and weight gradients of all layers, and the input gradients of all but the first.
    let epochs = 10;
    let operations = epochs * 2 * rows * (3 * weights - widths[0] * widths[1]);
    let bytes = epochs * 4 * rows * widths[0];
    let training = move || {
        let fit = Fit::new().epochs(epochs).batch_size(50).verbose(Verbose::Silent);
        model.fit(&x, &y, &fit).expect("a training");
    };
    line("epoch of `signal`", operations, bytes, 0.60, Box::new(training))
}

fn main() {
    let quick = std::env::args().any(|argument| argument == "--quick" || argument == "--test");
    let rounds = if quick { 3 } else { 30 };
    let threads = rayon::current_num_threads();
    let (operations, turns) = fused();
    let memory = numbers(READ / 16, 9).repeat(16);
    let mut lines: Vec<Line> =
        dense(50, 6000, 40).into_iter().chain(dense(256, 1024, 1024)).chain([signal()]).collect();

    let (mut peak, mut bandwidth) = (0.0f64, 0.0f64);
    for _ in 0..rounds {
        let time = on_all(|_| turns()).as_secs_f64();
        peak = peak.max((operations * TURNS * threads) as f64 / time);
        let part = READ / threads;
        let time = on_all(|thread| {
            black_box(read(&memory[thread * part..][..part]));
        });
        bandwidth = bandwidth.max((4 * part * threads) as f64 / time.as_secs_f64());
        for line in &mut lines {
            let start = Instant::now();
            (line.run)();
            line.best = line.best.min(start.elapsed());
        }
    }
    println!("{threads} threads: {:.0} GFLOP/s at most, {:.1} GB/s read\n", peak / 1e9, bandwidth / 1e9);
    println!("| computation | GFLOP/s | limit by | share of the limit | required |\n|---|---|---|---|---|");
    for line in &lines {
        let (by_peak, by_memory) = (line.operations / peak, line.bytes / bandwidth);
        let (limit, by) = if by_peak > by_memory { (by_peak, "arithmetic") } else { (by_memory, "memory") };
        let best = line.best.as_secs_f64();
        let (rate, share) = (line.operations / best / 1e9, 100.0 * limit / best);
        println!("| {} | {rate:.0} | {by} | {share:.0} % | {:.0} % |", line.name, 100.0 * line.asked);
    }
}
