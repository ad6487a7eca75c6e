//! Whole trainings: the loss of each of 50 steps, the weights at the end, and the history.

use cornu::diagnosis::{Finding, Severity};
use cornu::loss::Loss;
use cornu::ndarray::{Array1, ArrayD, Axis, Slice};
use cornu::optimizer::Optimizer;
use cornu::prelude::*;

use super::draw::{classes, draw, one_hot};
use super::{check, golden, numbers, tolerance};

const STEPS: usize = 50;

fn question<F: Scalar>() -> Sequential<F> {
    Sequential::with_scalar()
        .input([6000, 1])
        .add(Flatten::new().name("S2"))
        .add(Dense::new(40).activation(Activation::Relu).name("F1"))
        .add(Dense::new(10).activation(Activation::Relu).name("F2"))
        .add(Dense::new(5).activation(Activation::Relu).name("output"))
        .add(Softmax::new().name("softmax"))
}

fn dense<F: Scalar>(units: [usize; 2], activations: [Activation; 2]) -> Sequential<F> {
    let layer = |i: usize| Dense::new(units[i]).activation(activations[i]);
    Sequential::with_scalar().input([8]).add(layer(0)).add(layer(1))
}

/// The initial weights that `generate.py` sets.
fn set_weights<F: Scalar>(model: &mut Sequential<F>) {
    model.build().expect("a model");
    let shapes: Vec<(String, Vec<usize>)> =
        model.weights().expect("weights").into_iter().map(|(path, w)| (path, w.shape().to_vec())).collect();
    for (i, (path, shape)) in shapes.into_iter().enumerate() {
        let wide = shape.len() == 1 || shape[0] > 1000;
        let scale = if wide { 1.0 / 32.0 } else { 0.5 };
        model.set_weight(&path, &draw::<F>(&shape, 300 + i as u64, scale)).expect("a weight");
    }
}

/// The data of a training: samples, targets, and row weights.
struct Data<F> {
    x: ArrayD<F>,
    y: ArrayD<F>,
    weight: Option<Array1<F>>,
}

#[track_caller]
fn check_training<F: Scalar>(
    name: &str,
    mut model: Sequential<F>,
    optimizer: impl Optimizer<F> + 'static,
    loss: impl Loss<F> + 'static,
    data: &Data<F>,
    batch: usize,
) {
    let golden = &golden::<F>()["trainings"][name];
    model.compile(optimizer, loss, ()).expect("a model");
    if !name.starts_with("question") {
        (1..=5).for_each(|seed| stays_quiet(name, &model.clone().seed(seed), data, batch));
    }
    set_weights(&mut model);
    let count = data.x.len_of(Axis(0));
    let batches = count.div_ceil(batch);
    // An epoch of one batch reports the loss of that batch.
    let step = |step: usize| {
        let start = step % batches * batch;
        let rows = Slice::from(start..count.min(start + batch));
        let weight = data.weight.as_ref().map(|weight| weight.slice_axis(Axis(0), rows));
        let fit = Fit::new().batch_size(batch).shuffle(false).verbose(Verbose::Silent);
        let fit = match &weight {
            Some(weight) => fit.sample_weight(weight),
            None => fit,
        };
        let (x, y) = (data.x.slice_axis(Axis(0), rows), data.y.slice_axis(Axis(0), rows));
        model.fit(&x, &y, &fit).expect("a step").last("loss").expect("a loss")
    };
    let losses: Vec<f64> = (0..STEPS).map(step).collect();
    for (i, (found, expected)) in losses.iter().zip(numbers(&golden["losses"])).enumerate() {
        check(&format!("{name}, step {i}"), &[*found], &[expected], tolerance::<F>());
    }
    let stored = golden["weights"].as_array().expect("weights");
    for ((path, weight), stored) in model.weights().expect("weights").into_iter().zip(stored) {
        let stride = stored["stride"].as_u64().expect("a stride") as usize;
        let found: Vec<f64> = weight.iter().step_by(stride).map(|w| w.as_f64()).collect();
        // 50 steps, each rounded in the last bit of the weights.
        check(&format!("{name}, {path}"), &found, &numbers(&stored["values"]), 2.0 * tolerance::<F>());
    }
}

/// The same training without a break, from its own weights, is healthy: ten times the 50 steps raise no finding, and 50
/// steps only the finding that the training ends too early.
fn stays_quiet<F: Scalar>(name: &str, model: &Sequential<F>, data: &Data<F>, batch: usize) {
    let batches = data.x.len_of(Axis(0)).div_ceil(batch);
    for (steps, truth) in [(STEPS, Some("N0502")), (10 * STEPS, None)] {
        let fit = Fit::new().epochs(steps.div_ceil(batches)).batch_size(batch).verbose(Verbose::Silent);
        let fit = match &data.weight {
            Some(weight) => fit.sample_weight(weight),
            None => fit,
        };
        let history = model.clone().fit(&data.x, &data.y, &fit).expect("a training");
        let false_alarm =
            |finding: &&Finding| finding.severity > Severity::Note && Some(&*finding.code) != truth;
        let alarms = history.findings().roots().filter(false_alarm).count();
        assert_eq!(alarms, 0, "{name}, {steps} steps: {}", history.findings());
    }
}

fn trainings<F: Scalar>() {
    let y5 = classes(60, 5, 1);
    let y250 = classes(250, 5, 5);
    let prototypes = draw::<F>(&[5, 6000, 1], 15, 128.0);
    let eeg = prototypes.select(Axis(0), &y250) + draw::<F>(&[250, 6000, 1], 4, 8.0);
    let quiet = eeg.mapv(|x| x / F::of(128.0));
    let x = draw::<F>(&[60, 8], 2, 1.0);
    let weight: Array1<F> = draw::<F>(&[60], 3, 1.0).iter().map(|w| w.abs() + F::of(0.25)).collect();
    let by_class = y5.iter().map(|&class| F::of([0.5, 2.0, 1.0, 0.25, 4.0][class])).collect();
    let signs = draw::<F>(&[60, 3], 6, 1.0);
    let of = |y: ArrayD<F>, weight: Option<Array1<F>>| Data { x: x.clone(), y, weight };
    use Activation::*;

    let signals = |x: ArrayD<F>| Data { x, y: one_hot(&y250, 5), weight: None };
    let categorical = CategoricalCrossentropy::new;
    check_training("question", question(), Sgd::new(0.01), categorical(), &signals(eeg), 50);
    check_training("question_scaled", question(), Sgd::new(0.01), categorical(), &signals(quiet), 50);
    check_training(
        "categorical_class_weight",
        dense([16, 5], [Relu, Softmax]),
        Sgd::new(0.1).momentum(0.9),
        categorical(),
        &of(one_hot(&y5, 5), Some(by_class)),
        16,
    );
    check_training(
        "logits_smoothing",
        dense([16, 5], [Tanh, Linear]),
        Sgd::new(0.1).momentum(0.8).nesterov(true),
        categorical().from_logits(true).label_smoothing(0.1),
        &of(one_hot(&y5, 5), None),
        16,
    );
    let labels = ArrayD::from_shape_vec(vec![60], y5.iter().map(|&class| F::of(class as f64)).collect());
    check_training(
        "sparse_ignore",
        dense([16, 5], [Sigmoid, Softmax]),
        Adam::new(0.01),
        SparseCategoricalCrossentropy::new().ignore_class(3),
        &of(labels.expect("labels"), None),
        16,
    );
    check_training(
        "binary_sample_weight",
        dense([16, 3], [Relu, Sigmoid]),
        Adam::new(0.02),
        BinaryCrossentropy::new(),
        &of(signs.mapv(|s| if s > F::zero() { F::one() } else { F::zero() }), Some(weight.clone())),
        25,
    );
    check_training(
        "squared",
        dense([12, 3], [Elu { alpha: 1.0 }, Linear]),
        Sgd::new(0.05),
        MeanSquaredError::new(),
        &of(signs.clone(), Some(weight)),
        16,
    );
    check_training(
        "absolute",
        dense([12, 3], [Softplus, Linear]),
        Adam::new(0.005),
        MeanAbsoluteError::new(),
        &of(signs, None),
        60,
    );
}

#[test]
fn trainings_agree_with_keras_in_f32() {
    trainings::<f32>();
}

#[test]
fn trainings_agree_with_keras_in_f64() {
    trainings::<f64>();
}

fn histories<F: Scalar>() {
    let golden = &golden::<F>()["histories"];
    let (x, y) = (draw::<F>(&[50, 8], 2, 1.0), one_hot::<F>(&classes(60, 5, 1)[..50], 5));
    let weight: Array1<F> = draw::<F>(&[50], 3, 1.0).iter().map(|w| w.abs() + F::of(0.25)).collect();
    let fit =
        || Fit::new().batch_size(16).epochs(4).shuffle(false).verbose(Verbose::Silent).validation_split(0.3);
    for (name, fit) in [
        ("split", fit()),
        ("sample_weight", fit().sample_weight(&weight)),
        ("class_weight", fit().class_weight(ClassWeight::PerClass(vec![0.5, 2.0, 1.0, 0.25, 4.0]))),
    ] {
        let mut model = dense::<F>([16, 5], [Activation::Relu, Activation::Softmax]);
        set_weights(&mut model);
        let metrics = (Accuracy::new(), Weighted::new(Accuracy::new()));
        model.compile(Sgd::new(0.1), CategoricalCrossentropy::new(), metrics).expect("a model");
        let history = model.fit(&x, &y, &fit).expect("a training");
        let stored = golden[name].as_object().expect("a history");
        assert_eq!(stored.len(), history.names().count());
        for (key, values) in stored {
            let found = history.get(key).unwrap_or_else(|| panic!("{name} has no {key}"));
            // Keras keeps its running means in f32.
            check(&format!("{name}, {key}"), found, &numbers(values), tolerance::<F>().max(1e-6));
        }
    }
}

#[test]
fn histories_agree_with_keras() {
    histories::<f32>();
    histories::<f64>();
}
