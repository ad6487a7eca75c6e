//! Single activations and normalizations.

use cornu::layer::BackwardContext;
use cornu::ndarray::{ArrayD, Axis};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use serde_json::Value;

use super::draw::draw;
use super::{check, floats, golden, numbers, tolerance};

fn activations<F: Scalar>() {
    let golden = &golden::<F>()["activations"];
    let special = [
        ("leaky_relu", Activation::LeakyRelu { negative_slope: 0.2 }),
        ("elu", Activation::Elu { alpha: 0.7 }),
        ("celu", Activation::Celu { alpha: 1.3 }),
        ("squareplus", Activation::Squareplus { b: 3.0 }),
        ("threshold", Activation::Threshold { threshold: 0.3, default_value: -0.1 }),
        ("gelu_approximate", Activation::Gelu { approximate: true }),
        ("relu_with", Activation::ReluWith { negative_slope: 0.1, max_value: Some(2.0), threshold: 0.25 }),
    ];
    let x: ArrayD<F> = draw(&[6, 4], 7, 4.0);
    let x = Batch::new(x.as_slice().expect("numbers"), 4);
    for (name, stored) in golden.as_object().expect("activations") {
        let known = special.iter().find(|(known, _)| known == name).map(|(_, activation)| *activation);
        let mut activation = known.unwrap_or_else(|| name.parse().unwrap_or_else(|error| panic!("{error}")));
        let width = if activation == Activation::Glu { 2 } else { 4 };
        let mut y = vec![F::zero(); 6 * width];
        let mut scratch = Scratch::default();
        Layer::infer(&activation, x, BatchMut::new(&mut y, width), &mut scratch);
        check(name, &floats(&y), &numbers(&stored["y"]), tolerance::<F>());

        let mut dy: ArrayD<F> = draw(&[6, width], 8, 1.0);
        let dy = BatchMut::new(dy.as_slice_mut().expect("numbers"), width);
        let mut dx = vec![F::zero(); 24];
        let pass =
            BackwardContext::new(x, Batch::new(&y, width), dy, Some(BatchMut::new(&mut dx, 4)), &mut scratch);
        Layer::backward(&mut activation, pass);
        check(&format!("slope of {name}"), &floats(&dx), &numbers(&stored["dx"]), tolerance::<F>());
    }
    assert_eq!(golden.as_object().map(|all| all.len()), Some(31));
}

#[test]
fn activations_and_their_slopes_agree_with_keras() {
    activations::<f32>();
    activations::<f64>();
}

/// Compares a layer's outputs and slopes with those at the points of `kinks.json`.
#[track_caller]
fn check_points(what: &str, mut layer: impl Layer<f64>, points: &Value, stored: &Value) {
    let x = numbers(points);
    let (mut y, mut dx, mut dy) = (vec![0.0; x.len()], vec![0.0; x.len()], vec![1.0; x.len()]);
    let (x, mut scratch) = (Batch::new(&x, 1), Scratch::default());
    layer.infer(x, BatchMut::new(&mut y, 1), &mut scratch);
    check(what, &y, &numbers(&stored["y"]), 1e-12);
    let (y, dy) = (Batch::new(&y, 1), BatchMut::new(&mut dy, 1));
    layer.backward(BackwardContext::new(x, y, dy, Some(BatchMut::new(&mut dx, 1)), &mut scratch));
    check(&format!("slope of {what}"), &dx, &numbers(&stored["slope"]), 1e-12);
}

#[test]
fn slopes_at_kinks_agree_with_keras() {
    let text = include_str!("../../golden/kinks.json");
    let golden: Value = serde_json::from_str(text).expect("JSON");
    for (name, stored) in golden["named"].as_object().expect("activations") {
        let activation: Activation = name.parse().unwrap_or_else(|error| panic!("{error}"));
        check_points(name, activation, &golden["x"], stored);
    }
    for stored in golden["relu"].as_array().expect("settings") {
        let [slope, max, threshold] = [0, 1, 2].map(|i| stored["settings"][i].as_f64());
        let mut layer = Relu::new().negative_slope(slope.unwrap()).threshold(threshold.unwrap());
        if let Some(max) = max {
            layer = layer.max_value(max);
        }
        check_points(&format!("{layer:?}"), layer, &golden["x"], stored);
    }
}

fn normalization<F: Scalar>() {
    let golden = &golden::<F>()["normalization"];
    let x = draw::<F>(&[7, 3, 2], 14, 8.0).mapv(|x| x + F::of(4.0));
    let wide = x.mapv(|x| x.as_f64());
    for (name, axis) in [("last", Some(-1)), ("none", None), ("first", Some(1))] {
        let layer = Normalization::new().axis(axis).adapt(&wide).expect("data");
        let mut model = Sequential::<F>::with_scalar().input([3, 2]).add(layer);
        model.build().expect("a model");
        let y: Vec<F> = model.predict(&x).expect("outputs").into_iter().collect();
        assert_eq!(x.len_of(Axis(0)), 7);
        check(name, &floats(&y), &numbers(&golden[name]["y"]), tolerance::<F>());
    }
}

#[test]
fn normalization_adapts_like_keras() {
    normalization::<f32>();
    normalization::<f64>();
}
