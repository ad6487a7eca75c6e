//! Learning rates: too large for the optimizer or for the curvature of the data, and too small for the planned steps.

use crate::synthetic::*;
use cornu::diagnosis::{Findings, Severity};
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::optimizer::{ExponentialDecay, Optimizer};
use cornu::prelude::*;

fn rings_with(optimizer: impl Optimizer<f32> + 'static) -> (Sequential, Array2<f32>, Array1<usize>) {
    let (x, y) = rings(1, 300);
    (compiled(mlp(1, &[16, 1], RELU, Sigmoid), optimizer, BinaryCrossentropy::new()), x, y)
}

/// The severity of N0112 in a check, and the first finding.
fn checked(optimizer: impl Optimizer<f32> + 'static) -> (Option<Severity>, Option<String>) {
    let (model, x, y) = rings_with(optimizer);
    let findings = model.check(&x, &y).expect("a check");
    (findings.of("N0112").map(|found| found.severity), findings.first().map(|found| found.code.clone()))
}

#[test]
fn rates_that_replace_the_weights_are_errors_before_training() {
    let first = (Some(Severity::Error), Some("N0112".to_string()));
    assert_eq!(checked(Adam::new(10.0)), first);
    assert_eq!(checked(Nadam::new(20.0)), first);
    assert_eq!(checked(RmsProp::new(10.0)), first);
    assert_eq!(checked(Adamax::new(10.0)), first);
    assert_eq!(checked(Lion::new(10.0)), first);
    assert_eq!(checked(Adagrad::new(500.0)), first);
    assert_eq!(checked(Adam::new(0.001)).0, None);
    assert_eq!(checked(Adagrad::new(0.1)).0, None);
    assert_eq!(checked(Sgd::new(0.1)).0, None);
    // The bias of a linear output may have to reach targets of thousands.
    let (x, y) = smooth(1, 300, 0.1);
    let y = y.mapv(|y| 5000.0 + 100.0 * y);
    let model = compiled(mlp(1, &[1], Linear, Linear), Adam::new(10.0), MeanSquaredError::new());
    assert!(
        model
            .check(&x, &y)
            .expect("a check")
            .of("N0112")
            .is_none_or(|found| found.severity < Severity::Error)
    );
}

#[test]
fn gradient_descent_beyond_the_curvature_diverges() {
    // Uncorrelated features with a standard deviation of 3: λmax = 2·9, so it diverges above 2/18 = 0.11.
    let x = noise(1, 400, 3).mapv(|x| 3.0 * x);
    let y = x.map_axis(Axis(1), |r| 2.0 * r[0] - r[1] + 0.5);
    let model = |rate| compiled(mlp(1, &[1], Linear, Linear), Sgd::new(rate), MeanSquaredError::new());
    let check = |rate: f64| model(rate).check(&x, &y).expect("a check");
    assert_eq!((check(1.0)[0].code.as_str(), check(1.0)[0].severity), ("N0112", Severity::Error));
    assert_eq!(alarms(&check(0.05)), [""; 0]);
    let findings = train(model(0.2), &x, &y, fit(20).batch_size(400));
    assert_eq!(findings[0].code, "N0112", "{findings}");
    assert_eq!(alarms(&train(model(0.05), &x, &y, fit(20).batch_size(400))), [""; 0]);
    // A large mean is curvature too: 2·(5² + 1).
    let x = noise(1, 400, 1).mapv(|x| x + 5.0);
    let y = x.column(0).mapv(|x| 3.0 * x);
    let findings = model(0.1).check(&x, &y).expect("a check");
    assert_eq!(findings[0].code, "N0112", "{findings}");
    assert_eq!(alarms(&model(0.02).check(&x, &y).expect("a check")), [""; 0]);
}

#[test]
fn large_rates_of_failing_trainings_are_named() {
    let found = |findings: &Findings| alarms(findings).contains(&"N0112".into());
    for seed in 1..=3 {
        let (x, y) = blobs(seed, (300, 6), 3, 1.0);
        let model = |optimizer: Box<dyn Optimizer<f32>>| {
            let mut model = mlp(seed, &[16, 16, 3], RELU, SOFTMAX);
            model.compile(optimizer, SparseCategoricalCrossentropy::new(), ()).expect("a model");
            model
        };
        let findings = train(model(Box::new(Adagrad::new(30.0))), &x, &y, fit(20));
        let fails = findings.iter().any(|found| found.severity == Severity::Error);
        assert!(!fails || found(&findings), "Adagrad, {seed}: {findings}");
        let findings = train(model(Box::new(Sgd::new(30.0))), &x, &y, fit(20));
        assert!(found(&findings), "SGD, {seed}: {findings}");
    }
}

#[test]
fn rates_too_small_for_the_steps_are_named() {
    let (x, y) = smooth(1, 320, 0.1);
    let run = |optimizer: Box<dyn Optimizer<f32>>| {
        let mut model = mlp(1, &[16, 1], RELU, Linear);
        model.compile(optimizer, MeanSquaredError::new(), ()).expect("a model");
        train(model, &x, &y, fit(20))
    };
    let tiny: [Box<dyn Optimizer<f32>>; 5] = [
        Box::new(Adam::new(2e-6)),
        Box::new(RmsProp::new(2e-6)),
        Box::new(Lion::new(1e-6)),
        Box::new(Sgd::new(2e-5)),
        Box::new(Adagrad::new(2e-5)),
    ];
    for optimizer in tiny {
        let name = optimizer.traits().name;
        let findings = run(optimizer);
        let first = findings.first().map(|found| found.code.as_str());
        assert!(alarms(&findings).contains(&"N0112".into()), "{name}, {first:?}: {findings}");
    }
    for optimizer in [Box::new(Adam::new(1e-3)) as Box<dyn Optimizer<f32>>, Box::new(Sgd::new(0.01))] {
        assert!(run(optimizer).of("N0112").is_none());
    }
}

#[test]
fn a_small_rate_of_a_trained_network_is_left_alone() {
    let (x, y) = smooth(1, 320, 0.1);
    let mut model = mlp(1, &[32, 1], RELU, Linear);
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).expect("a model");
    model.fit(&x, &y, &fit(40)).expect("a training");
    model.compile(Adam::new(2e-6), MeanSquaredError::new(), ()).expect("a model");
    let findings = train(model, &x, &y, fit(5));
    assert_eq!(alarms(&findings), [""; 0], "{findings}");
}

#[test]
fn a_schedule_that_falls_too_soon_is_named() {
    let (x, y) = smooth(1, 320, 0.1);
    let run = |rate: ExponentialDecay| {
        let model = compiled(mlp(1, &[16, 1], RELU, Linear), Adam::new(rate), MeanSquaredError::new());
        train(model, &x, &y, fit(40))
    };
    let findings = run(ExponentialDecay::new(0.003, 20, 0.1));
    assert!(alarms(&findings).contains(&"N0112".into()), "{findings}");
    assert!(run(ExponentialDecay::new(0.02, 200, 0.5)).of("N0112").is_none());
}
