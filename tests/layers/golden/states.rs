//! Eight networks with stateful layers, trained on batches that continue each other, with a reset between: the loss of 6 steps, and
//! the outputs of two further batches.

use cornu::ndarray::{ArrayD, s};
use cornu::prelude::*;
use serde_json::Value;

use super::draw::draw;
use super::{check, golden_of, numbers, tolerance};

const ROWS: usize = 4;
const STEPS: usize = 5;

/// Sequences with padding behind, in front, and everywhere.
fn samples<F: Scalar>(batch: u64) -> ArrayD<F> {
    let mut x = draw::<F>(&[ROWS, STEPS, 3], 800 + batch, 1.0);
    x.slice_mut(s![0, 3.., ..]).fill(F::zero());
    x.slice_mut(s![1, ..2, ..]).fill(F::zero());
    if batch.is_multiple_of(2) {
        x.slice_mut(s![2, .., ..]).fill(F::zero());
    }
    x
}

#[track_caller]
fn compare<F: Scalar>(
    stored: &Value,
    model: Sequential<F>,
    optimizer: impl Optimizer<F> + 'static,
    targets: &[usize],
) {
    let mut model = model;
    model.build().expect("a model");
    let shapes: Vec<_> =
        model.weights().expect("weights").into_iter().map(|(path, w)| (path, w.shape().to_vec())).collect();
    for (i, (path, shape)) in shapes.into_iter().enumerate() {
        model.set_weight(&path, &draw::<F>(&shape, 810 + i as u64, 0.5)).expect("a weight");
    }
    model.compile(optimizer, MeanSquaredError::new(), ()).expect("a model");
    for (batch, expected) in (0..).zip(numbers(&stored["losses"])) {
        if batch == 3 {
            model.reset_states();
        }
        let y = draw::<F>(targets, 830 + batch, 1.0);
        let logs = model.train_on_batch(&samples::<F>(batch), &y, &Fit::new()).expect("a step");
        check(&format!("step {batch}"), &[logs.get("loss").expect("a loss")], &[expected], tolerance::<F>());
    }
    // A prediction carries the states from batch to batch.
    let both = cornu::ndarray::concatenate![cornu::ndarray::Axis(0), samples::<F>(6), samples::<F>(7)];
    let after: Vec<f64> = model.predict(&both).expect("outputs").iter().map(|y| y.as_f64()).collect();
    let stored: Vec<f64> = stored["after"].as_array().expect("outputs").iter().flat_map(numbers).collect();
    check("outputs after", &after, &stored, 4.0 * tolerance::<F>());
}

fn states<F: Scalar>() {
    let stored = golden_of::<F>("states");
    let model = || Sequential::<F>::with_scalar().input([STEPS, 3]);
    let (steps, last) = ([ROWS, STEPS, 2], [ROWS, 2]);
    let net = model().add(Lstm::new(4).stateful(true).return_sequences(true)).add(Dense::new(2));
    compare(&stored["lstm"], net, Adam::new(0.02), &steps);
    let net = model().add(Gru::new(4).stateful(true).go_backwards(true)).add(Dense::new(2));
    compare(&stored["gru"], net, Sgd::new(0.1), &last);
    let net = model().add(Gru::new(3).stateful(true).reset_after(false)).add(Dense::new(2));
    compare(&stored["gru_before"], net, Adam::new(0.02), &last);
    let net = model()
        .add(SimpleRnn::new(3).stateful(true).return_sequences(true))
        .add(Lstm::new(3).stateful(true))
        .add(Dense::new(2));
    compare(&stored["two"], net, RmsProp::new(0.01), &last);
    let net = model()
        .add(Masking::new(0.0))
        .add(Gru::new(3).stateful(true).return_sequences(true).zero_output_for_mask(true))
        .add(Lstm::new(3).stateful(true))
        .add(Dense::new(2));
    compare(&stored["masked"], net, Adam::new(0.02), &last);
    let net = model().add(Bidirectional::new(Lstm::new(3).stateful(true))).add(Dense::new(2));
    compare(&stored["bidirectional"], net, Adam::new(0.02), &last);
    let cells = StackedRnnCells::new().add(Lstm::new(4)).add(Gru::new(3)).stateful(true);
    let net = model().add(cells.return_sequences(true)).add(Dense::new(2));
    compare(&stored["stack"], net, Adam::new(0.02), &steps);
    let cells = StackedRnnCells::new().add(SimpleRnn::new(3)).add(Lstm::new(2)).stateful(true);
    let cells = cells.return_sequences(true).go_backwards(true).zero_output_for_mask(true);
    let net = model().add(Masking::new(0.0)).add(cells).add(Gru::new(3)).add(Dense::new(2));
    compare(&stored["masked_stack"], net, Sgd::new(0.1).momentum(0.9), &last);
}

#[test]
fn stateful_networks_train_as_in_keras_f32() {
    states::<f32>();
}

#[test]
fn stateful_networks_train_as_in_keras_f64() {
    states::<f64>();
}
