//! A training that has converged is not stuck, and one that predicts a little has learned.

use crate::synthetic::*;
use cornu::diagnosis::{Evidence, Finding, Findings, Severity};
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::optimizer::{ExponentialDecay, PolynomialDecay};
use cornu::prelude::*;

/// Trains for each of three seeds, and requires that it raises no error or warning.
#[track_caller]
fn quiet(run: impl Fn(u64) -> Findings) {
    for seed in 1..=3 {
        let findings = run(seed);
        assert_eq!(alarms(&findings), [""; 0], "seed {seed}\n{findings}");
    }
}

/// A weak signal: the inputs determine a share of about `r2` of the variance.
fn weak(seed: u64, rows: usize, r2: f64) -> (Array2<f32>, Array1<f32>) {
    let x = noise(seed, rows, 5);
    let mut rng = rng(seed);
    let y = x.map_axis(Axis(1), |r| {
        let signal = f64::from(r[0] - r[1] + r[2]) / 3f64.sqrt();
        (r2.sqrt() * signal + (1.0 - r2).sqrt() * rng.normal()) as f32
    });
    (x, y)
}

/// Clicks, about 2 % of the rows, which a logistic model of three features explains in part.
fn clicks(seed: u64, rows: usize) -> (Array2<f32>, Array1<usize>) {
    let x = noise(seed, rows, 6);
    let mut rng = rng(seed);
    let y = x.map_axis(Axis(1), |r| {
        let score = -4.3 + 0.5 * f64::from(r[0]) - 0.45 * f64::from(r[1]) + 0.4 * f64::from(r[2]);
        usize::from(rng.uniform() < 1.0 / (1.0 + (-score).exp()))
    });
    (x, y)
}

#[test]
fn a_convex_task_at_its_optimum_is_not_stuck() {
    // The full batch: after some hundred steps no digit of the loss changes.
    quiet(|s| {
        let (x, y) = weak(s, 200, 0.4);
        let model = compiled(mlp(s, &[1], Linear, Linear), Sgd::new(0.1), MeanSquaredError::new());
        train(model, &x, &y, fit(300).batch_size(200))
    });
    quiet(|s| {
        let (x, y) = blobs(s, (200, 3), 2, 0.5);
        let model = compiled(mlp(s, &[1], Linear, Sigmoid), Sgd::new(0.5), BinaryCrossentropy::new());
        train(model, &x, &y, fit(400).batch_size(200))
    });
    // A rate that decays to 0 ends a noisy task in the same way.
    quiet(|s| {
        let (x, y) = weak(s, 400, 0.3);
        let rate = ExponentialDecay::new(0.05, 50, 0.3);
        let model = compiled(mlp(s, &[8, 1], Tanh, Linear), Adam::new(rate), MeanSquaredError::new());
        train(model, &x, &y, fit(60))
    });
}

#[test]
fn a_network_that_is_stuck_is_reported() {
    // A relu output that is 0 for every row: the loss is that of predicting 0, and no gradient changes it.
    let (x, y) = weak(1, 200, 0.4);
    let y = y.mapv(|y| y.abs());
    let model = Sequential::new()
        .seed(1)
        .add(Dense::new(8).activation(Tanh))
        .add(Dense::new(1).activation(RELU).bias_initializer(Initializer::Constant(-20.0)));
    let findings = train(compiled(model, Sgd::new(0.01), MeanSquaredError::new()), &x, &y, fit(20));
    assert!(findings.of("N0403").is_some(), "{findings}");
    // Saturated outputs: better than a constant, but without a gradient.
    let (x, y) = blobs(2, (200, 3), 2, 1.0);
    let model = Sequential::new().seed(2).add(
        Dense::new(1)
            .activation(Sigmoid)
            .kernel_initializer(Initializer::RandomNormal { mean: 0.0, stddev: 3000.0 }),
    );
    let findings = train(compiled(model, Sgd::new(0.01), MeanSquaredError::new()), &x, &y, fit(20));
    assert!(findings.of("N0403").is_some() || findings.of("N0303").is_some(), "{findings}");
}

#[test]
fn a_weak_signal_counts_as_learned() {
    quiet(|s| {
        let (x, y) = weak(s, 3000, 0.02);
        let model = compiled(mlp(s, &[1], Linear, Linear), Adam::new(0.005), MeanSquaredError::new());
        train(model, &x, &y, fit(20))
    });
    quiet(|s| {
        let (x, y) = weak(s, 4000, 0.02);
        let model = compiled(mlp(s, &[8, 1], Tanh, Linear), Adam::new(0.003), MeanSquaredError::new());
        train(model, &x, &y, fit(20))
    });
    quiet(|s| {
        let (x, y) = clicks(s, 8000);
        let model = compiled(mlp(s, &[1], Linear, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new());
        train(model, &x, &y, fit(10))
    });
}

#[test]
fn labels_of_other_rows_are_not_learned() {
    for seed in 1..=3 {
        let (x, y) = clicks(seed, 4000);
        let y = Array1::from_shape_fn(4000, |i| y[(i * 7 + 13) % 4000]);
        let model = compiled(mlp(seed, &[8, 1], RELU, Sigmoid), Adam::new(0.003), BinaryCrossentropy::new());
        let findings = train(model, &x, &y, fit(10));
        assert!(findings.of("N0501").is_some(), "clicks, seed {seed}: {findings}");
        let (x, y) = weak(seed, 2000, 0.5);
        let y = Array1::from_shape_fn(2000, |i| y[(i * 7 + 13) % 2000]);
        let model = compiled(mlp(seed, &[32, 1], RELU, Linear), Adam::new(0.001), MeanSquaredError::new());
        let findings = train(model, &x, &y, fit(15));
        assert!(findings.of("N0501").is_some(), "numbers, seed {seed}: {findings}");
    }
}

/// The squared error minus a constant: its optimum is below 0.
fn shifted(by: f32) -> impl cornu::loss::Loss<f32> + 'static {
    cornu::loss::loss_fn(
        "shifted",
        move |y: &[f32], t: &[f32]| (y[0] - t[0]).powi(2) - by,
        |y: &[f32], t: &[f32], dy: &mut [f32]| dy[0] = 2.0 * (y[0] - t[0]),
    )
}

#[test]
fn losses_below_zero_are_compared_with_their_span() {
    // Falls from about −1 to −2, and from 1 to −0.2, with the noise of small batches.
    for by in [2.0, 1.0, 1.3] {
        quiet(|s| {
            let (x, y) = smooth(s, 300, 0.5);
            let model = compiled(mlp(s, &[16, 1], RELU, Linear), Adam::new(0.01), shifted(by));
            train(model, &x, &y, fit(40))
        });
    }
    // A rate at which it diverges slowly: the loss rises from below 0.
    let (x, y) = smooth(1, 300, 0.5);
    let model = compiled(mlp(1, &[1], Linear, Linear), Sgd::new(1.02), shifted(2.0));
    let findings = train(model, &x, &y, fit(8).batch_size(300));
    assert!(findings.of("N0402").is_some_and(|found| found.severity >= Severity::Warning), "{findings}");
}

#[test]
fn the_largest_rate_of_a_schedule_counts() {
    let (x, y) = blobs(1, (300, 6), 3, 1.5);
    let loss = SparseCategoricalCrossentropy::new;
    let built_in = PolynomialDecay::new(0.0, 500).end(0.01);
    let own = |step: u64| 0.01 * (step as f64).min(40.0) / 40.0;
    let table = [0.0, 0.005, 0.01, 0.002];
    let model = compiled(mlp(1, &[8, 3], RELU, SOFTMAX), Adam::new(built_in), loss());
    assert_eq!(alarms(&model.check(&x, &y).expect("a check")), [""; 0]);
    let model = compiled(mlp(1, &[8, 3], RELU, SOFTMAX), Adam::new(own), loss());
    assert_eq!(alarms(&model.check(&x, &y).expect("a check")), [""; 0]);
    // A table of the planned steps is not read beyond them.
    let model = compiled(mlp(1, &[8, 3], RELU, SOFTMAX), Adam::new(move |step| table[step as usize]), loss());
    assert_eq!(alarms(&model.check(&x, &y).expect("a check")), [""; 0]);
    let rule = |e: &Evidence| -> Vec<Finding> {
        assert_eq!(e.plan.learning_rate, Some(0.01));
        Vec::new()
    };
    train(model, &x, &y, fit(4).batch_size(300).rule(rule));
    let model = compiled(mlp(1, &[8, 3], RELU, SOFTMAX), Adam::new(0.0), loss());
    assert_eq!(alarms(&model.check(&x, &y).expect("a check")), ["N0112"]);
}

#[test]
fn a_finding_that_no_longer_holds_names_its_epoch() {
    // Nothing is learned until the rate rises in the twelfth epoch.
    let (x, y) = blobs(1, (640, 4), 2, 0.6);
    let rate = |step: u64| if step < 11 * 20 { 1e-7 } else { 0.01 };
    let model = compiled(mlp(1, &[8, 1], RELU, Sigmoid), Adam::new(rate), BinaryCrossentropy::new());
    let findings = train(model, &x, &y, fit(20));
    let dated = |finding: &&Finding| finding.evidence.iter().any(|line| line.contains("but not at the end"));
    for finding in findings.iter().filter(|finding| finding.severity > Severity::Note) {
        assert!(dated(&finding), "{finding}");
    }
}
