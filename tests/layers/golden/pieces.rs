//! Single activations, losses and normalizations.

use cornu::layer::BackwardContext;
use cornu::loss::Loss;
use cornu::ndarray::{ArrayD, Axis};
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};

use super::draw::{classes, draw, one_hot};
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

fn losses<F: Scalar>() {
    let golden = &golden::<F>()["losses"];
    let cases = &golden["cases"];
    let p: Vec<F> = numbers(&golden["p"]).into_iter().map(F::of).collect();
    let twice: Vec<F> = p.iter().map(|&p| p + p).collect();
    let z = draw::<F>(&[6, 4], 10, 4.0).into_iter().collect::<Vec<_>>();
    let y = classes(6, 4, 11);
    let hot = one_hot::<F>(&y, 4).into_iter().collect::<Vec<_>>();
    let soft: Vec<F> = draw::<F>(&[6, 4], 13, 1.0).iter().map(|t| t.abs()).collect();
    let index: Vec<F> = y.iter().map(|&class| F::of(class as f64)).collect();
    let weight: Vec<F> = draw::<F>(&[6], 12, 1.0).iter().map(|w| w.abs() + F::of(0.25)).collect();

    let mut checked = 0;
    let mut check_loss = |name: &str, loss: &dyn Loss<F>, pred: &[F], truth: &[F]| {
        let (pred, truth) = (Batch::new(pred, 4), Batch::new(truth, truth.len() / 6));
        for weighted in [false, true] {
            let key = if weighted { format!("{name}_weighted") } else { name.into() };
            let mut values = [F::zero(); 6];
            let kept = loss.values(pred, truth, &mut values);
            let weights = if weighted { weight.clone() } else { vec![F::one(); 6] };
            let value: f64 =
                values.iter().zip(&weights).map(|(v, w)| (*v * *w).as_f64()).sum::<f64>() / kept as f64;
            check(&key, &[value], &[cases[&key]["value"].as_f64().expect("a value")], tolerance::<F>());
            let scale: Vec<F> = weights.iter().map(|&w| w / F::of(kept as f64)).collect();
            let mut dy = vec![F::one(); 24];
            loss.gradient(pred, truth, &scale, BatchMut::new(&mut dy, 4));
            check(
                &format!("gradient of {key}"),
                &floats(&dy),
                &numbers(&cases[&key]["dy"]),
                tolerance::<F>(),
            );
            checked += 1;
        }
    };
    let categorical = CategoricalCrossentropy::new;
    check_loss("categorical", &categorical(), &p, &hot);
    check_loss("categorical_of_2p", &categorical(), &twice, &hot);
    check_loss("categorical_soft", &categorical(), &p, &soft);
    check_loss("categorical_smooth", &categorical().label_smoothing(0.1), &p, &hot);
    check_loss("categorical_logits", &categorical().from_logits(true), &z, &soft);
    let sparse = SparseCategoricalCrossentropy::new;
    check_loss("sparse", &sparse(), &p, &index);
    check_loss("sparse_ignore", &sparse().ignore_class(y[1] as i64), &p, &index);
    check_loss("sparse_logits", &sparse().from_logits(true), &z, &index);
    check_loss("binary", &BinaryCrossentropy::new(), &p, &hot);
    check_loss("binary_smooth", &BinaryCrossentropy::new().label_smoothing(0.2), &p, &soft);
    check_loss("binary_logits", &BinaryCrossentropy::new().from_logits(true), &z, &soft);
    check_loss("squared", &MeanSquaredError::new(), &z, &soft);
    check_loss("absolute", &MeanAbsoluteError::new(), &z, &soft);
    assert_eq!(checked, cases.as_object().map_or(0, |all| all.len()));
}

#[test]
fn losses_and_their_gradients_agree_with_keras() {
    losses::<f32>();
    losses::<f64>();
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
