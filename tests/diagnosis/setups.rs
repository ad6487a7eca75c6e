//! Findings about options of the optimizer, callbacks, weights of rows, and frozen layers.

use crate::synthetic::*;
use cornu::callback::LearningRateScheduler;
use cornu::data::ClassWeight;
use cornu::diagnosis::{Findings, Severity};
use cornu::ndarray::{Array1, Array2, Array3, Axis, concatenate};
use cornu::optimizer::WeightAverage;
use cornu::prelude::*;

fn severity(findings: &Findings, code: &str) -> Option<Severity> {
    findings.of(code).map(|finding| finding.severity)
}

fn text(findings: &Findings, code: &str) -> String {
    findings.of(code).map_or(String::new(), |finding| format!("{} {:?}", finding.title, finding.evidence))
}

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

fn plane(seed: u64, rows: usize) -> (Array2<f32>, Array1<f32>) {
    let x = noise(seed, rows, 5);
    let y = x.sum_axis(Axis(1));
    (x, y)
}

#[test]
fn averaged_weights_near_the_initial_ones_are_reported() {
    let (x, y) = plane(1, 320);
    let run = |momentum: f64| {
        let rule = Adam::new(0.01).average_weights(WeightAverage::new(momentum));
        train(compiled(mlp(1, &[8, 1], RELU, Linear), rule, MeanSquaredError::new()), &x, &y, fit(40))
    };
    // 400 updates: 0.999⁴⁰⁰ is 67 %, and 0.99⁴⁰⁰ is 2 %.
    let findings = run(0.999);
    assert_eq!(severity(&findings, "N0118"), Some(Severity::Warning), "{findings}");
    assert!(text(&findings, "N0118").contains("67.02 %"), "{findings}");
    assert_eq!(severity(&run(0.99), "N0118"), None);
}

#[test]
fn a_decay_that_outweighs_the_gradients_is_reported() {
    let (x, y) = plane(1, 320);
    let run = |decay: f64| {
        let model = mlp(1, &[8, 1], RELU, Linear);
        train(compiled(model, Adam::new(0.01).weight_decay(decay), MeanSquaredError::new()), &x, &y, fit(40))
    };
    let findings = run(50.0);
    assert_eq!(severity(&findings, "N0118"), Some(Severity::Warning), "{findings}");
    assert_eq!(severity(&run(0.01), "N0118"), None);
}

#[test]
fn a_very_large_momentum_is_reported_if_the_run_is_poor() {
    let (x, y) = plane(1, 320);
    let run = |momentum: f64| {
        let rule = Sgd::new(0.05).momentum(momentum);
        train(compiled(mlp(1, &[8, 1], RELU, Linear), rule, MeanSquaredError::new()), &x, &y, fit(10))
    };
    let findings = run(0.999);
    assert_eq!(severity(&findings, "N0118"), Some(Severity::Warning), "{findings}");
    assert_eq!(severity(&run(0.9), "N0118"), None);
}

#[test]
fn frozen_layers_are_reported_and_not_taken_for_functions() {
    let (x, y) = blobs(1, (200, 4), 3, 1.5);
    let run = |frozen: [bool; 2]| {
        let model = Sequential::new().seed(1).add(Dense::new(16).activation(RELU).trainable(!frozen[0])).add(
            Dense::new(3).activation(SOFTMAX).kernel_initializer(Initializer::Zeros).trainable(!frozen[1]),
        );
        train(compiled(model, Adam::new(0.01), sparse()), &x, &y, fit(20))
    };
    let all = run([true, true]);
    assert_eq!(severity(&all, "N0119"), Some(Severity::Error), "{all}");
    let last = run([false, true]);
    assert_eq!(severity(&last, "N0119"), Some(Severity::Warning), "{last}");
    for findings in [&all, &last] {
        assert_eq!(severity(findings, "N0103"), None, "{findings}");
    }
    assert_eq!(alarms(&run([true, false])), [""; 0]);
}

#[test]
fn weights_that_hide_rows_are_reported() {
    let (x, y) = blobs(1, (300, 4), 4, 1.5);
    let run = |weights: Vec<f64>| {
        let model = compiled(mlp(1, &[16, 4], RELU, SOFTMAX), Adam::new(0.01), sparse());
        train(model, &x, &y, fit(10).class_weight(ClassWeight::PerClass(weights)))
    };
    let hidden = run(vec![1.0, 0.0, 1.0, 0.0]);
    assert!(text(&hidden, "N0213").contains("weight of 0: 1, 3"), "{hidden}");
    // One class without weight may be the background.
    assert_eq!(severity(&run(vec![1.0, 0.0, 1.0, 1.0]), "N0213"), None);
    assert_eq!(severity(&run(vec![1.0, 2.0, 3.0, 1.0]), "N0213"), None);
    // Weights the wrong way around: the frequent class becomes more frequent.
    let y = x.map_axis(Axis(1), |row| f32::from(u8::from(row[0] > 2.0)));
    let binary = |weights: ClassWeight| {
        let model = compiled(mlp(1, &[8, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new());
        train(model, &x, &y, fit(10).class_weight(weights))
    };
    let inverted = binary(ClassWeight::PerClass(vec![20.0, 1.0]));
    assert_eq!(severity(&inverted, "N0213"), Some(Severity::Warning), "{inverted}");
    assert_eq!(severity(&binary(ClassWeight::Balanced), "N0213"), None);
    // (Σw)² / Σw² of 10 equal weights is 10.
    let few = Array1::from_shape_fn(300, |i| f32::from(u8::from(i % 30 == 0)));
    let model = compiled(mlp(1, &[8, 1], RELU, Sigmoid), Adam::new(0.01), BinaryCrossentropy::new());
    let findings = train(model, &x, &y, fit(10).sample_weight(&few));
    assert!(text(&findings, "N0213").contains("worth 10 rows"), "{findings}");
}

#[test]
fn rates_that_a_callback_changes_are_judged() {
    let (x, y) = plane(1, 320);
    let run = |factor: f64| {
        let scheduler = LearningRateScheduler::new(move |epoch, _| 0.001 * factor.powi(epoch as i32));
        let model = compiled(mlp(1, &[8, 1], RELU, Linear), Adam::new(0.001), MeanSquaredError::new());
        train(model, &x, &y, fit(30).callback(scheduler))
    };
    let falling = run(0.1);
    assert!(text(&falling, "N0112").contains("falls too soon"), "{falling}");
    assert!(!text(&run(0.97), "N0112").contains("falls"));
}

#[test]
fn steps_are_counted_by_the_updates_of_accumulated_gradients() {
    let (x, y) = plane(1, 320);
    let run = |batches: usize| {
        let rule = Adam::new(0.001).accumulate_gradients(batches);
        train(compiled(mlp(1, &[8, 1], RELU, Linear), rule, MeanSquaredError::new()), &x, &y, fit(40))
    };
    assert!(text(&run(100), "N0113").contains("4 steps in total"), "{}", run(100));
    assert!(!text(&run(1), "N0113").contains("4 steps"));
}

#[test]
fn a_target_that_is_small_beside_another_is_reported() {
    let (x, y) = plane(1, 600);
    let other = x.map_axis(Axis(1), |row| row[0] * row[1]);
    let of = |size: f32| {
        concatenate(
            Axis(1),
            &[(&y * size).insert_axis(Axis(1)).view(), other.clone().insert_axis(Axis(1)).view()],
        )
    };
    let run = |size: f32| {
        let model = compiled(mlp(1, &[16, 2], RELU, Linear), Adam::new(0.1), MeanSquaredError::new());
        train(model, &x, &of(size).expect("rows"), fit(60))
    };
    let findings = run(100.0);
    assert!(text(&findings, "N0501").contains("only the largest of several targets"), "{findings}");
    assert_eq!(severity(&run(1.0), "N0501"), None);
}

#[test]
fn a_network_that_knows_its_rows_by_heart_overfits() {
    let (x, held) = (noise(1, 150, 60), noise(2, 100, 60));
    let label = |x: &Array2<f32>, seed: u64| {
        let doubt = noise(seed, x.nrows(), 1);
        Array1::from_shape_fn(x.nrows(), |i| usize::from(x[[i, 0]] + x[[i, 1]] + 2.0 * doubt[[i, 0]] > 0.0))
    };
    let (y, held_y) = (label(&x, 3), label(&held, 4));
    let model = compiled(mlp(1, &[64, 2], RELU, SOFTMAX), Adam::new(0.01), sparse());
    let findings = train(model, &x, &y, fit(60).validation_data(&held, &held_y));
    let said =
        ["N0501", "N0503"].into_iter().find(|code| severity(&findings, code) == Some(Severity::Warning));
    assert!(said.is_some(), "{findings}");
}

#[test]
fn targets_of_other_rows_are_named() {
    let x = noise(1, 600, 3);
    let y = noise(2, 600, 1).column(0).to_owned();
    let model = compiled(mlp(1, &[8, 1], RELU, Linear), Adam::new(0.003), MeanSquaredError::new());
    let findings = train(model, &x, &y, fit(60));
    assert!(text(&findings, "N0501").contains("x and y show no relation"), "{findings}");
}

#[test]
fn layers_within_and_dropout_within_are_seen() {
    let x = Array3::from_shape_fn((120, 6, 3), |(i, j, k)| ((i * 7 + j * 3 + k) % 11) as f32 / 5.0 - 1.0);
    let y = x.map_axis(Axis(2), |step| f32::from(u8::from(step[0] > 0.0))).insert_axis(Axis(2));
    let last = TimeDistributed::new(Dense::new(1).activation(SOFTMAX));
    let model = Sequential::new().seed(1).add(Lstm::new(8).return_sequences(true)).add(last);
    let findings = train(compiled(model, Adam::new(0.01), BinaryCrossentropy::new()), &x, &y, fit(3));
    assert_eq!(severity(&findings, "N0101"), Some(Severity::Error), "{findings}");
    // A class for each step: the softmax follows the weights of the layer within.
    let steps =
        x.map_axis(Axis(2), |step| f32::from(u8::from(step[0] > 0.0)) + f32::from(u8::from(step[0] > 0.7)));
    let last = TimeDistributed::new(Dense::new(3).activation(SOFTMAX));
    let model = Sequential::new().seed(1).add(Lstm::new(12).return_sequences(true)).add(last);
    let findings = train(compiled(model, Adam::new(0.02), sparse()), &x, &steps, fit(40));
    assert_eq!(severity(&findings, "N0103"), None, "{findings}");
    let y = x.map_axis(Axis(2), |step| step[0]).sum_axis(Axis(1));
    let run = |rate: f64| {
        let model = Sequential::new().seed(1).add(Lstm::new(8).dropout(rate).recurrent_dropout(rate));
        let model = model.add(Dense::new(1));
        train(compiled(model, Adam::new(0.01), MeanSquaredError::new()), &x, &y, fit(10))
    };
    assert_eq!(severity(&run(0.9), "N0114"), Some(Severity::Warning), "{}", run(0.9));
    assert_eq!(severity(&run(0.1), "N0114"), None);
}

#[test]
fn losses_that_do_not_suit_the_targets_are_told_from_those_that_do() {
    let (x, y) = plane(1, 200);
    let model = compiled(mlp(1, &[8, 1], RELU, Linear), Adam::new(0.01), CosineSimilarity::new());
    let findings = train(model, &x, &y, fit(5));
    assert_eq!(severity(&findings, "N0107"), Some(Severity::Warning), "{findings}");
    // The loss is below 0, and there is no penalty that could outweigh it.
    assert_eq!(severity(&findings, "N0409"), None, "{findings}");
    let counts = noise(3, 200, 1).column(0).mapv(|x| x.abs().floor());
    let model = Sequential::new().seed(1).add(Dense::new(1).activation(Activation::Exponential));
    let findings = train(compiled(model, Adam::new(0.01), Poisson::new()), &x, &counts, fit(20));
    assert_eq!(severity(&findings, "N0107"), None, "{findings}");
}

#[test]
fn clipped_gradients_are_named_as_the_cause_of_small_steps() {
    let (x, y) = plane(1, 320);
    let rule = Sgd::new(0.01).clip_value(1e-5);
    let findings =
        train(compiled(mlp(1, &[8, 1], RELU, Linear), rule, MeanSquaredError::new()), &x, &y, fit(10));
    assert!(text(&findings, "N0407").contains("clipped to 1.00e-5"), "{findings}");
}

/// The constant of the training rows may be better than any prediction for validation rows with a larger variance.
#[test]
fn validation_rows_have_a_baseline_of_their_own() {
    let (x, y) = plane(1, 300);
    let (held, wide) = plane(2, 100);
    let held_y = wide.mapv(|y| 3.0 * y);
    let model = compiled(mlp(1, &[1], Linear, Linear), Adam::new(0.05), MeanSquaredError::new());
    let findings = train(model, &x, &y, fit(30).validation_data(&held, &held_y));
    // The error of a factor of 3 is 4/9 of the variance of the validation targets, and four times that of the training targets.
    assert_eq!(severity(&findings, "N0501"), None, "{findings}");
}

#[test]
fn a_trial_without_penalty_drops_that_of_the_activities() {
    let (x, y) = plane(1, 200);
    let mut model = Sequential::new()
        .seed(1)
        .add(Dense::new(16).activation(RELU).activity_regularizer(Regularizer::L1(10.0)))
        .add(Dense::new(1));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).expect("a model");
    let findings = model.investigate(&x, &y, &fit(40)).expect("an investigation");
    let trials = findings.of("N0409").map_or(&[][..], |finding| &finding.trials);
    assert!(trials.iter().any(|trial| trial.learned), "{findings}");
}
