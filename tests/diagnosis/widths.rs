//! Dropout and narrow layers, judged by what must pass through them, and initial weights of several layers at once.

use crate::synthetic::*;
use cornu::diagnosis::{Finding, Remedy, Severity};
use cornu::ndarray::Axis;
use cornu::prelude::*;

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

/// Dense relu layers of these widths, each followed by dropout, and a softmax of three classes.
fn dropping(seed: u64, layers: &[(usize, f64)]) -> Sequential {
    let start = Sequential::new().seed(seed);
    let model = layers.iter().fold(start, |model, &(units, rate)| {
        model.add(Dense::new(units).activation(RELU)).add(Dropout::new(rate))
    });
    compiled(model.add(Dense::new(3).activation(SOFTMAX)), Adam::new(0.002), sparse())
}

#[test]
fn dropout_is_judged_by_the_units_that_survive() {
    for seed in 1..=3 {
        let (x, y) = blobs(seed, (300, 6), 3, 0.6);
        let findings = train(dropping(seed, &[(20, 0.5), (20, 0.5), (15, 0.5)]), &x, &y, fit(20));
        assert!(alarms(&findings).contains(&"N0114".into()), "{seed}: {findings}");
        let (x, y) = blobs(seed, (300, 6), 3, 1.5);
        for healthy in [&[(256, 0.5)][..], &[(64, 0.5), (64, 0.5)], &[(16, 0.2), (12, 0.2)], &[(12, 0.5)]] {
            let findings = train(dropping(seed, healthy), &x, &y, fit(20));
            assert_eq!(alarms(&findings), [""; 0], "{seed}, {healthy:?}: {findings}");
        }
    }
    let (x, y) = blobs(1, (300, 6), 3, 0.6);
    let found =
        |layers: &[(usize, f64)]| dropping(1, layers).check(&x, &y).expect("a check").of("N0114").is_some();
    assert!(found(&[(20, 0.5), (20, 0.5), (15, 0.5)]) && found(&[(8, 0.6)]) && found(&[(512, 0.95)]));
    assert!(!found(&[(512, 0.5)]) && !found(&[(16, 0.5)]));
}

#[test]
fn dropout_of_the_outputs_is_reported() {
    let (x, y) = smooth(1, 200, 0.1);
    let model = mlp(1, &[32, 1], RELU, Linear);
    let after = compiled(model.clone().add(Dropout::new(0.3)), Adam::new(0.01), MeanSquaredError::new());
    assert_eq!(alarms(&after.check(&x, &y).expect("a check")), ["N0114"]);
    let before = compiled(model, Adam::new(0.01), MeanSquaredError::new());
    assert!(before.check(&x, &y).expect("a check").is_empty());
}

/// A layer of `width` units between wider ones, before ten classes.
fn bottleneck(seed: u64, width: usize, last: usize) -> Sequential {
    compiled(mlp(seed, &[32, width, 32, last], RELU, SOFTMAX), Adam::new(0.003), sparse())
}

#[test]
fn narrow_layers_are_judged_by_what_they_carry() {
    let warns = |found: Option<&Finding>| found.is_some_and(|found| found.severity > Severity::Note);
    let (x, y) = blobs(1, (600, 12), 24, 0.5);
    let findings = train(bottleneck(1, 5, 24), &x, &y, fit(8));
    assert!(warns(findings.of("N0115")), "{findings}");
    assert!(train(bottleneck(1, 32, 24), &x, &y, fit(8)).of("N0115").is_none());
    // Seven units are enough for three classes, and an easy task is learned through five.
    let (x, y) = blobs(2, (300, 12), 3, 0.3);
    assert!(train(bottleneck(2, 7, 3), &x, &y, fit(8)).of("N0115").is_none());
    // A few filters at many positions are not narrow.
    let (x, y) = bars(1, 60);
    let model = Sequential::new()
        .seed(1)
        .add(Conv2D::new(6, [3, 3]).activation(RELU))
        .add(Flatten::new())
        .add(Dense::new(64).activation(RELU))
        .add(Dense::new(10).activation(SOFTMAX));
    assert!(train(compiled(model, Adam::new(1e-4), sparse()), &x, &y, fit(3)).of("N0115").is_none());
}

#[test]
fn all_bad_initial_weights_are_reported_and_fixed_together() {
    let (x, y) = blobs(1, (300, 6), 3, 1.5);
    let zeros = |units| Dense::new(units).activation(RELU).kernel_initializer(Initializer::Zeros);
    let model = Sequential::new()
        .seed(1)
        .add(zeros(16))
        .add(zeros(16))
        .add(zeros(16))
        .add(zeros(16))
        .add(Dense::new(3).activation(SOFTMAX));
    let model = compiled(model, Adam::new(0.005), sparse());
    let found = model.check(&x, &y).expect("a check").of("N0111").cloned().expect("a finding");
    let layers: Vec<_> = found.suggestions.iter().filter_map(|help| help.remedy.clone()).collect();
    assert_eq!(layers, [0, 1, 2, 3].map(|layer| Remedy::Initialize { layer }));
    assert_eq!((found.severity, found.place.len(), found.evidence.len()), (Severity::Error, 4, 4), "{found}");
    let findings = model.investigate(&x, &y, &fit(20)).expect("trials");
    let advised =
        findings.iter().flat_map(|finding| &finding.trials).find(|trial| trial.advised).expect("a remedy");
    assert!(advised.skill > Some(0.8), "{advised:?}");
    // Different faults in one finding; the most severe gives the title.
    let normal = |deviation| Initializer::RandomNormal { mean: 0.0, stddev: deviation };
    let model = Sequential::new()
        .seed(1)
        .add(Dense::new(16).activation(RELU).kernel_initializer(normal(30.0)))
        .add(Dense::new(16).activation(RELU).kernel_initializer(normal(1e-4)))
        .add(zeros(8))
        .add(Dense::new(3).activation(SOFTMAX));
    let model = compiled(model, Adam::new(0.005), sparse());
    let found = model.check(&x, &y).expect("a check").of("N0111").cloned().expect("a finding");
    assert!(found.title.contains("same initial weights") && found.place.len() == 3, "{found}");
    // The default weights, and zeros in a single layer, are fine.
    let (x, y) = smooth(1, 200, 0.1);
    let single = Sequential::new().seed(1).add(Dense::new(1).kernel_initializer(Initializer::Zeros));
    let single = compiled(single, Sgd::new(0.05), MeanSquaredError::new());
    assert!(single.check(&x, &y.insert_axis(Axis(1))).expect("a check").of("N0111").is_none());
}
