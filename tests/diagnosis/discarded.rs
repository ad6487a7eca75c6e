//! Data and layers that hide what determines the targets: extreme values, targets at a bound, layers that discard it.

use crate::synthetic::*;
use cornu::diagnosis::{Findings, Severity};
use cornu::layer::LayerNormalization;
use cornu::ndarray::{Array1, Array2, Array4, Axis};
use cornu::prelude::*;

fn severity(findings: &Findings, code: &str) -> Option<Severity> {
    findings.of(code).map(|finding| finding.severity)
}

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

/// Pictures of 6 × 6 with a bright corner, which is the class.
fn corners(seed: u64, rows: usize) -> (Array4<f32>, Array1<usize>) {
    let mut rng = rng(seed);
    let y = Array1::from_shape_fn(rows, |_| (4.0 * rng.uniform()) as usize);
    let x = Array4::from_shape_fn((rows, 6, 6, 1), |(i, r, c, _)| {
        let corner = 2 * (r / 3) + c / 3;
        (0.4 * rng.normal() + if corner == y[i] { 1.0 } else { 0.0 }) as f32
    });
    (x, y)
}

#[test]
fn a_pooling_that_discards_the_place_is_named() {
    for seed in 1..=3 {
        let (x, y) = corners(seed, 360);
        let run = |pools: bool| {
            let model = Sequential::new().seed(seed);
            let model = match pools {
                true => model.add(GlobalAveragePooling2D::new().name("pooling")),
                false => model.add(Flatten::new()),
            };
            let model = model.add(Dense::new(12).activation(RELU)).add(Dense::new(4).activation(SOFTMAX));
            train(compiled(model, Adam::new(0.01), sparse()), &x, &y, fit(30))
        };
        let findings = run(true);
        assert_eq!(findings[0].code, "N0120", "{findings}");
        assert_eq!(findings[0].layers, ["pooling"], "{findings}");
        assert_eq!(alarms(&run(false)), [""; 0]);
    }
}

#[test]
fn a_normalization_of_rows_that_removes_their_level_is_named() {
    for seed in 1..=3 {
        let mut rng = rng(seed);
        let level = Array1::from_shape_fn(400, |_| rng.normal() as f32);
        let x = noise(seed, 400, 8) * 0.5 + level.view().insert_axis(Axis(1));
        let run = |normalizes: bool| {
            let model = Sequential::new().seed(seed);
            let model = if normalizes { model.add(LayerNormalization::new()) } else { model };
            let model = model.add(Dense::new(16).activation(Tanh)).add(Dense::new(1));
            train(compiled(model, Adam::new(0.01), MeanSquaredError::new()), &x, &level, fit(30))
        };
        let findings = run(true);
        assert_eq!(severity(&findings, "N0120"), Some(Severity::Warning), "{findings}");
        assert_eq!(alarms(&run(false)), [""; 0]);
    }
}

/// A bad rate harms what the layers before a pooling learn, and is the cause.
#[test]
fn an_untrained_layer_before_a_pooling_is_no_fault_of_the_pooling() {
    let (x, y) = bars(1, 300);
    let model = Sequential::new()
        .seed(1)
        .add(Conv2D::new(8, [3, 3]).activation(RELU))
        .add(GlobalAveragePooling2D::new())
        .add(Dense::new(4).activation(SOFTMAX));
    let findings = train(compiled(model, Sgd::new(1e-6), sparse()), &x, &y, fit(20));
    assert_eq!(findings[0].code, "N0112", "{findings}");
}

#[test]
fn codes_among_measurements_are_reported() {
    for seed in 1..=3 {
        let (x, y) = smooth(seed, 500, 0.1);
        let mut coded = x.clone();
        let mut rng = rng(seed);
        for mut row in coded.rows_mut() {
            for column in [0, 2] {
                if rng.uniform() < 0.06 {
                    row[column] = 9999.0;
                }
            }
        }
        let run = |x: &Array2<f32>| {
            let model =
                compiled(mlp(seed, &[32, 1], RELU, Linear), Adam::new(0.005), MeanSquaredError::new());
            let before = model.check(x, &y).expect("a check");
            (before, train(model, x, &y, fit(40)))
        };
        let (before, findings) = run(&coded);
        assert_eq!(before[0].code, "N0214", "{before}");
        assert_eq!(findings[0].code, "N0214", "{findings}");
        assert!(findings[0].evidence[0].contains("is 9999 in"), "{findings}");
        let (before, findings) = run(&x);
        assert_eq!((alarms(&before), alarms(&findings)), (vec![], vec![]));
    }
}

#[test]
fn targets_cut_off_at_a_bound_are_reported() {
    let (x, y) = smooth(1, 400, 0.1);
    let run = |y: Array1<f32>| {
        let model = compiled(mlp(1, &[32, 1], RELU, Linear), Adam::new(0.005), MeanSquaredError::new());
        severity(&train(model, &x, &y, fit(20)), "N0215")
    };
    assert_eq!(run(y.mapv(|y| y.max(0.3))), Some(Severity::Warning));
    assert_eq!(run(y.clone()), None);
    // Amounts that are often 0, and shares that are often 1.
    assert_eq!(run(y.mapv(|y| y.max(0.0))), None);
    assert_eq!(run(y.mapv(|y| y.min(1.0))), None);
}

#[test]
fn a_first_training_that_skips_its_epochs_is_reported() {
    let (x, y) = blobs(1, (200, 4), 3, 1.0);
    let run = |first: usize| {
        let model = compiled(mlp(1, &[16, 3], RELU, SOFTMAX), Sgd::new(0.01), sparse());
        severity(&train(model, &x, &y, fit(20).initial_epoch(first)), "N0113")
    };
    assert_eq!(run(19), Some(Severity::Warning));
    assert_ne!(run(0), Some(Severity::Warning));
}

#[test]
fn trials_without_the_callbacks_of_the_training_say_so() {
    let (x, y) = blobs(1, (120, 4), 3, 2.0);
    let (x, model) = (x.mapv(|x| 1000.0 * x), faulty_network());
    let text = |fit: Fit<'_>| model.investigate(&x, &y, &fit).expect("an investigation").to_string();
    assert!(text(fit(5)).contains("each from the same initial weights:"));
    let scheduled = text(fit(5).callback(LearningRateScheduler::new(|_, rate| rate)));
    assert!(scheduled.contains("without the callbacks of the training:"), "{scheduled}");
    let investigated =
        fit(5).callback(TerminateOnNaN::new()).diagnose(cornu::diagnosis::Diagnose::Investigate);
    let history = model.clone().fit(&x, &y, &investigated).expect("a training");
    assert!(history.findings().to_string().contains("without the callbacks"), "{}", history.findings());
}
