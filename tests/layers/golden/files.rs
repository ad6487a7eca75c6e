//! Files written by Keras: predictions, and 20 further steps of training.

use cornu::ndarray::{ArrayD, Axis, Slice};
use cornu::save::Loader;
use cornu::{Evaluate, Fit, Scalar};
use serde_json::Value;

use super::draw::{classes, draw, one_hot};
use super::{check, floats, golden_of, numbers};

const N: usize = 20;

/// The samples with this name, as in `files.py`.
fn samples<F: Scalar>(name: &str) -> ArrayD<F> {
    match name {
        "series" => draw(&[N, 12, 4], 701, 1.0),
        "flat" => draw(&[N, 6], 702, 1.0),
        "image" => draw(&[N, 6, 6, 2], 703, 1.0),
        "words" => draw::<F>(&[N, 9], 704, 1.0).mapv(|x| ((x + F::one()) * F::of(3.5)).floor()),
        _ => panic!("{name}"),
    }
}

/// The targets with this name.
fn targets<F: Scalar>(name: &str) -> ArrayD<F> {
    let y3 = classes(N, 3, 705);
    let above = |x: F| F::of(f64::from(u8::from(x > F::zero())));
    let quarter = F::of(0.25);
    match name {
        "hot" => one_hot(&y3, 3),
        "classes" => {
            ArrayD::from_shape_vec(vec![N], y3.iter().map(|&class| F::of(class as f64)).collect()).unwrap()
        }
        "numbers" => draw(&[N, 2], 706, 1.0),
        "bits" => draw::<F>(&[N, 2], 707, 1.0).mapv(above),
        "steps" => one_hot(&classes(N * 12, 3, 708), 3).into_shape_with_order(vec![N, 12, 3]).unwrap(),
        "positive" => draw::<F>(&[N, 2], 709, 1.0).mapv(|x| x.abs() + quarter),
        "soft" => draw::<F>(&[N, 3], 710, 1.0).mapv(|x| (x.abs() + quarter) * quarter),
        _ => panic!("{name}"),
    }
}

fn batch<F: Scalar>(all: &ArrayD<F>, number: usize) -> ArrayD<F> {
    let start = [0, 8, 16][number % 3];
    all.slice_axis(Axis(0), Slice::from(start..(start + 8).min(N))).to_owned()
}

fn files<F: Scalar>(predicted: f64, trained: f64) {
    let stored = golden_of::<F>("files");
    let cases = stored.as_object().unwrap();
    for (name, case) in cases {
        let end = if name.starts_with("legacy") { "h5" } else { "keras" };
        let path = format!("{}/tests/golden/files/{name}_{}.{end}", env!("CARGO_MANIFEST_DIR"), F::NAME);
        let mut model = Loader::<F>::with_scalar().load(&path).unwrap_or_else(|error| panic!("{error}"));
        let text = |key: &str| case.get(key).and_then(Value::as_str);
        let starts_anew = name.starts_with("untrained_") || name == "late_freeze";
        assert_eq!(model.optimizer_note().is_some(), starts_anew, "{name}: {:?}", model.optimizer_note());
        let x = samples::<F>(text("x").unwrap());
        let y = model.predict(&x).unwrap();
        check(
            &format!("{name}: predictions"),
            &floats(y.as_slice().unwrap()),
            &numbers(&case["predictions"]),
            predicted,
        );
        let Some(y) = text("y").map(targets::<F>) else {
            let refused = model.evaluate(&x, &y, &Evaluate::new());
            assert!(matches!(refused, Err(cornu::Error::NotCompiled)), "{name} was not compiled");
            continue;
        };
        let before = if name.starts_with("trained_") { 100 } else { 4 };
        for (step, expected) in numbers(&case["losses"]).into_iter().enumerate() {
            let number = before + step;
            let logs = model.train_on_batch(&batch(&x, number), &batch(&y, number), &Fit::new()).unwrap();
            check(&format!("{name}: step {step}"), &[logs.get("loss").unwrap()], &[expected], trained);
        }
    }
}

#[test]
fn files_of_keras_predict_and_train_equally_in_f32() {
    files::<f32>(1e-6, 2e-5);
}

#[test]
fn files_of_keras_predict_and_train_equally_in_f64() {
    files::<f64>(1e-12, 1e-10);
}
