//! Generated data, and short constructors for small programs on them.

// Each test uses a part.
#![allow(dead_code)]

use cornu::diagnosis::{Findings, Severity};
use cornu::loss::Loss;
use cornu::ndarray::{Array1, Array2, Array3, Array4, Axis};
use cornu::optimizer::Optimizer;
use cornu::prelude::*;

pub use cornu::activation::Activation::{Linear, Relu as RELU, Sigmoid, Softmax as SOFTMAX, Tanh};

/// The random stream of a seed.
pub fn rng(seed: u64) -> Rng {
    Rng::stream(seed, 7)
}

/// Rows around `classes` centres in random directions, `apart` from the origin; with the class of each.
pub fn blobs(
    seed: u64,
    (rows, width): (usize, usize),
    classes: usize,
    apart: f64,
) -> (Array2<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let centres = Array2::from_shape_fn((classes, width), |_| apart * rng.normal());
    let y = Array1::from_shape_fn(rows, |_| (rng.uniform() * classes as f64) as usize);
    let x = Array2::from_shape_fn((rows, width), |(i, j)| (centres[[y[i], j]] + rng.normal()) as f32);
    (x, y)
}

/// Standard normal numbers.
pub fn noise(seed: u64, rows: usize, width: usize) -> Array2<f32> {
    let mut rng = Rng::stream(seed, 8);
    Array2::from_shape_fn((rows, width), |_| rng.normal() as f32)
}

/// Two features, and whether they lie within a ring, which no linear model can separate.
pub fn rings(seed: u64, rows: usize) -> (Array2<f32>, Array1<usize>) {
    let x = noise(seed, rows, 2);
    let y = x.map_axis(Axis(1), |p| usize::from(p[0] * p[0] + p[1] * p[1] < 1.4));
    (x, y)
}

/// Four features and a smooth noisy function of them, with mean about 0 and standard deviation about 1.
pub fn smooth(seed: u64, rows: usize, noisy: f64) -> (Array2<f32>, Array1<f32>) {
    let x = noise(seed, rows, 4);
    let mut rng = rng(seed);
    let y = x.map_axis(Axis(1), |r| {
        (1.5 * r[0]).sin() + 0.6 * r[1] * r[2] + 0.3 * r[3] + (noisy * rng.normal()) as f32
    });
    (x, y)
}

/// Images of 8 × 8 × 1 in [0, 1] with a bar in one of four positions, which is the class.
pub fn bars(seed: u64, rows: usize) -> (Array4<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let y = Array1::from_shape_fn(rows, |_| (rng.uniform() * 4.0) as usize);
    let x = Array4::from_shape_fn((rows, 8, 8, 1), |(i, r, c, _)| {
        let on = match y[i] {
            0 => r == 2,
            1 => r == 5,
            2 => c == 2,
            _ => c == 5,
        };
        (0.3 * rng.uniform() + if on { 0.6 } else { 0.1 }) as f32
    });
    (x, y)
}

/// Noisy sine waves of two wavelengths as sequences of `steps` × 1; the class is the wavelength.
pub fn waves(seed: u64, rows: usize, steps: usize) -> (Array3<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let y = Array1::from_shape_fn(rows, |_| usize::from(rng.uniform() < 0.5));
    let phases = Array1::from_shape_fn(rows, |_| std::f64::consts::TAU * rng.uniform());
    let x = Array3::from_shape_fn((rows, steps, 1), |(i, t, _)| {
        let speed = if y[i] == 1 { 1.1 } else { 0.45 };
        ((speed * t as f64 + phases[i]).sin() + 0.15 * rng.normal()) as f32
    });
    (x, y)
}

pub fn hot(y: &Array1<usize>, classes: usize) -> Array2<f32> {
    to_categorical(y, Some(classes)).expect("classes")
}

/// Dense layers of these widths, with one activation for the last and another for all others.
pub fn mlp(seed: u64, widths: &[usize], hidden: Activation, last: Activation) -> Sequential {
    let (end, inner) = widths.split_last().expect("a width");
    let inner = inner.iter().map(|&units| Dense::new(units).activation(hidden));
    inner.fold(Sequential::new().seed(seed), Sequential::add).add(Dense::new(*end).activation(last))
}

pub fn compiled(
    mut model: Sequential,
    optimizer: impl Optimizer<f32> + 'static,
    loss: impl Loss<f32> + 'static,
) -> Sequential {
    model.compile(optimizer, loss, ()).expect("a model");
    model
}

pub fn fit<'a>(epochs: usize) -> Fit<'a> {
    Fit::new().epochs(epochs).verbose(Verbose::Silent)
}

/// Trains and returns the findings, also if the training diverges.
pub fn train(
    mut model: Sequential,
    x: &impl cornu::data::Samples<f32>,
    y: &impl cornu::data::Samples<f32>,
    fit: Fit<'_>,
) -> Findings {
    model.fit(x, y, &fit.callback(TerminateOnNaN::new())).expect("a training").findings().clone()
}

/// The codes of errors and warnings, the most causal first.
pub fn alarms(findings: &Findings) -> Vec<String> {
    let shown = findings.iter().filter(|finding| finding.severity > Severity::Note);
    shown.map(|finding| finding.code.clone()).collect()
}

/// A network with two faults.
pub fn faulty_network() -> Sequential {
    let mut model = Sequential::new()
        .seed(3)
        .add(Dense::new(8).activation(Activation::Relu).name("F1"))
        .add(Dense::new(3).activation(Activation::Relu).name("output"))
        .add(Softmax::new());
    model.compile(Sgd::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}
