//! Comparison with the numbers of Keras 3 on JAX. `tests/golden/README.md` lists what is covered.

mod draw;
#[cfg(feature = "keras")]
mod files;
mod initializers;
mod layers;
mod lengths;
mod losses;
mod masks;
mod metrics;
mod mixes;
mod optimizers;
mod pieces;
#[cfg(feature = "safetensors")]
mod pytorch;
#[cfg(feature = "keras")]
mod random_models;
mod states;
mod trainings;

use std::collections::BTreeSet;

use cornu::Scalar;
use cornu::ndarray::{ArrayD, Axis, Slice};
use cornu::prelude::{Fit, Sequential};
use serde_json::Value;

/// The stored values in this precision.
fn golden<F: Scalar>() -> Value {
    golden_of::<F>("keras")
}

/// The values that one script stored in this precision.
fn golden_of<F: Scalar>(script: &str) -> Value {
    let path = format!("{}/tests/golden/{script}_{}.json", env!("CARGO_MANIFEST_DIR"), F::NAME);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
    serde_json::from_str(&text).unwrap_or_else(|error| panic!("{path}: {error}"))
}

fn numbers(value: &Value) -> Vec<f64> {
    value.as_array().expect("numbers").iter().map(|v| v.as_f64().expect("a number")).collect()
}

fn floats<F: Scalar>(values: &[F]) -> Vec<f64> {
    values.iter().map(|v| v.as_f64()).collect()
}

/// The tolerance in this precision: 1e-5 in f32, 1e-10 in f64.
fn tolerance<F: Scalar>() -> f64 {
    if F::NAME == "f32" { 1e-5 } else { 1e-10 }
}

/// Compares relative to the largest expected magnitude.
#[track_caller]
fn check(what: &str, found: &[f64], expected: &[f64], tolerance: f64) {
    assert_eq!(found.len(), expected.len(), "{what}");
    let scale = expected.iter().fold(1e-30f64, |largest, v| largest.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        assert!(error <= tolerance, "{what}, number {i}: {found}, Keras has {expected} (off by {error:.1e})");
    }
}

/// Samples, targets, weights.
type Data<'a, F> = (&'a ArrayD<F>, &'a ArrayD<F>, Option<&'a ArrayD<F>>);

/// Trains on the 20 samples in batches of 8, 8 and 4, and compares the loss of each step.
#[track_caller]
fn check_steps<F: Scalar>(name: &str, model: &mut Sequential<F>, (x, y, weight): Data<F>, losses: &[f64]) {
    for (step, expected) in losses.iter().enumerate() {
        let start = step % 3 * 8;
        let rows = Slice::from(start..(start + 8).min(x.len_of(Axis(0))));
        let weight = weight.map(|weight| weight.slice_axis(Axis(0), rows));
        let fit = match &weight {
            Some(weight) => Fit::new().sample_weight(weight),
            None => Fit::new(),
        };
        let (x, y) = (x.slice_axis(Axis(0), rows), y.slice_axis(Axis(0), rows));
        let logs = model.train_on_batch(&x, &y, &fit).unwrap_or_else(|error| panic!("{name}: {error}"));
        let found = logs.get("loss").expect("a loss");
        check(&format!("{name}, step {step}"), &[found], &[*expected], tolerance::<F>());
    }
}

/// Fails if something of the roster is not `compared`, or if an exception, listed with its reason, is none.
#[track_caller]
fn covers(roster: impl Iterator<Item = String>, compared: &BTreeSet<String>, exceptions: &[(&str, &str)]) {
    let excepted = exceptions.iter().map(|(kind, _)| kind.to_string()).collect();
    let without: BTreeSet<String> = roster.filter(|kind| !compared.contains(kind)).collect();
    assert_eq!(without, excepted, "built-ins without golden values, and those that have a reason");
}
