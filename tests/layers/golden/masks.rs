//! Twelve networks on padded sequences: outputs, the loss of 30 steps, and an evaluation.

use cornu::loss::Loss;
use cornu::metric::{Metric, Weighted};
use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;
use serde_json::Value;

use super::draw::{classes, draw, one_hot};
use super::{Data, check, check_steps, golden_of, numbers, tolerance};

const ROWS: usize = 20;
const STEPS: usize = 6;

#[track_caller]
fn compare<F: Scalar>(
    stored: &Value,
    model: Sequential<F>,
    optimizer: impl Optimizer<F> + 'static,
    loss: impl Loss<F> + 'static,
    (x, y, weight): Data<F>,
) {
    let mut model = model.input(&x.shape()[1..]);
    model.build().expect("a model");
    let weights = model.weights().expect("weights");
    let shapes: Vec<_> = weights.into_iter().map(|(path, w)| (path, w.shape().to_vec())).collect();
    for (i, (path, shape)) in shapes.into_iter().enumerate() {
        let drawn = draw::<F>(&shape, 650 + i as u64, 0.5);
        let positive = path.ends_with("moving_variance");
        let value = if positive { drawn.mapv(|w| w.abs() + F::of(0.5)) } else { drawn };
        model.set_weight(&path, &value).expect("a weight");
    }
    let metrics: [Box<dyn Metric<F>>; 2] = match loss.name().contains("crossentropy") {
        true => [Box::new(Accuracy::new()), Box::new(Weighted::new(Accuracy::new()))],
        false => {
            let error = cornu::metric::MeanAbsoluteError::new();
            [Box::new(error.clone()), Box::new(Weighted::new(error))]
        }
    };
    let names = metrics.each_ref().map(|metric| metric.name().to_string());
    model.compile(optimizer, loss, metrics).expect("a model");
    let outputs = |model: &Sequential<F>| -> Vec<f64> {
        model.predict(x).expect("outputs").iter().map(|y| y.as_f64()).collect()
    };
    check("outputs before", &outputs(&model), &numbers(&stored["before"]), tolerance::<F>());
    check_steps("a step", &mut model, (x, y, weight), &numbers(&stored["losses"]));
    // 30 steps, each rounded in the last bit of the weights.
    check("outputs after", &outputs(&model), &numbers(&stored["after"]), 4.0 * tolerance::<F>());
    let evaluate = match weight {
        Some(weight) => Evaluate::new().batch_size(8).sample_weight(weight),
        None => Evaluate::new().batch_size(8),
    };
    let scores = model.evaluate(x, y, &evaluate).expect("scores");
    let keys = ["loss".into(), names[0].clone(), format!("weighted_{}", names[1])];
    for (key, expected) in keys.iter().zip(numbers(&stored["scores"])) {
        let found = scores.get(key).unwrap_or_else(|| panic!("no {key}"));
        check(&format!("{key} of the evaluation"), &[found], &[expected], 4.0 * tolerance::<F>());
    }
}

fn masks<F: Scalar>() {
    use Activation::{Relu, Sigmoid, Softmax, Tanh};
    let stored = golden_of::<F>("masks");
    let model = || Sequential::<F>::with_scalar();
    let mask = draw::<f64>(&[ROWS, STEPS], 631, 1.0);
    let counts = |row: usize, step: usize| row != 5 && mask[[row, step]] > -0.25;
    // As `counts`, without a sample of padding alone.
    let some = |row: usize, step: usize| step == 2 || counts(row, step);
    let series = draw::<F>(&[ROWS, STEPS, 4], 632, 1.0);
    let with = |counts: &dyn Fn(usize, usize) -> bool, value: f64| {
        ArrayD::from_shape_fn(
            series.dim(),
            |at| if counts(at[0], at[1]) { series[&at] } else { F::of(value) },
        )
    };
    let (padded, ones) = (with(&counts, 0.0), with(&some, -1.0));
    let drawn = classes(ROWS * STEPS, 6, 633);
    let text = |counts: &dyn Fn(usize, usize) -> bool| {
        let word =
            |row: usize, step: usize| if counts(row, step) { 1 + drawn[row * STEPS + step] } else { 0 };
        ArrayD::from_shape_fn(IxDyn(&[ROWS, STEPS]), |at| F::of(word(at[0], at[1]) as f64))
    };
    let (words, some_words) = (text(&counts), text(&some));
    let (y3, y_steps) = (classes(ROWS, 3, 634), classes(ROWS * STEPS, 3, 635));
    let hot = one_hot::<F>(&y3, 3);
    let index = ArrayD::from_shape_fn(IxDyn(&[ROWS]), |at| F::of(y3[at[0]] as f64));
    let index_steps =
        ArrayD::from_shape_fn(IxDyn(&[ROWS, STEPS]), |at| F::of(y_steps[at[0] * STEPS + at[1]] as f64));
    let hot_steps = one_hot::<F>(&y_steps, 3).into_shape_with_order(IxDyn(&[ROWS, STEPS, 3])).expect("steps");
    let numbers = draw::<F>(&[ROWS, 2], 636, 1.0);
    let number_steps = draw::<F>(&[ROWS, STEPS, 2], 637, 1.0);
    let bits = draw::<F>(&[ROWS, 1], 638, 1.0).mapv(|x| if x > F::zero() { F::one() } else { F::zero() });
    let weight = draw::<F>(&[ROWS], 639, 1.0).mapv(|w| w.abs() + F::of(0.25));
    let step_weight = draw::<F>(&[ROWS, STEPS], 640, 1.0).mapv(|w| w.abs() + F::of(0.25));

    let net = model().add(Masking::new(0.0)).add(Lstm::new(4)).add(Dense::new(3).activation(Softmax));
    compare(&stored["lstm"], net, Adam::new(0.01), CategoricalCrossentropy::new(), (&padded, &hot, None));
    let net = model()
        .add(Masking::new(0.0))
        .add(Gru::new(3).return_sequences(true))
        .add(TimeDistributed::new(Dense::new(3).activation(Softmax)));
    let data = (&padded, &hot_steps, Some(&step_weight));
    compare(&stored["gru_steps"], net, Adam::new(0.02), CategoricalCrossentropy::new(), data);
    let net = model()
        .add(Masking::new(-1.0))
        .add(Gru::new(4).reset_after(false).return_sequences(true))
        .add(Gru::new(3))
        .add(Dense::new(2));
    let sgd = Sgd::new(0.05).momentum(0.9);
    compare(&stored["gru_before"], net, sgd, MeanSquaredError::new(), (&ones, &numbers, Some(&weight)));
    let net = model()
        .add(Masking::new(0.0))
        .add(SimpleRnn::new(4).go_backwards(true).return_sequences(true))
        .add(SimpleRnn::new(3))
        .add(Dense::new(2));
    compare(&stored["backwards"], net, Sgd::new(0.05), Huber::new(), (&padded, &numbers, None));
    let net = model()
        .add(Embedding::new(7, 3).mask_zero(true))
        .add(Bidirectional::new(Lstm::new(3).return_sequences(true)))
        .add(Dense::new(3).activation(Softmax));
    let data = (&words, &index_steps, None);
    compare(&stored["both_ways"], net, Adam::new(0.02), SparseCategoricalCrossentropy::new(), data);
    let net = model()
        .add(Embedding::new(7, 3).mask_zero(true))
        .add(Bidirectional::new(Gru::new(3)).merge_mode(MergeMode::Mul))
        .add(Dense::new(1).activation(Sigmoid));
    compare(&stored["both_ends"], net, RmsProp::new(0.01), BinaryCrossentropy::new(), (&words, &bits, None));
    let net = model()
        .add(Embedding::new(7, 5).mask_zero(true))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(1).activation(Sigmoid));
    let data = (&some_words, &bits, Some(&weight));
    compare(&stored["mean_of_words"], net, Adam::new(0.05), BinaryCrossentropy::new(), data);
    let net = model()
        .add(Masking::new(0.0))
        .add(Dense::new(5).use_bias(false))
        .add(BatchNormalization::new().momentum(0.8))
        .add(Relu)
        .add(Lstm::new(3))
        .add(Dense::new(3).activation(Softmax));
    let data = (&padded, &index, None);
    compare(&stored["batch_norm"], net, Sgd::new(0.1), SparseCategoricalCrossentropy::new(), data);
    let net = model()
        .add(Masking::new(-1.0))
        .add(LayerNormalization::new())
        .add(Dense::new(6))
        .add(PRelu::new())
        .add(UnitNormalization::new())
        .add(Rescaling::new(2.0))
        .add(Dropout::new(0.0))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(2));
    compare(&stored["passing"], net, Adam::new(0.02), MeanAbsoluteError::new(), (&ones, &numbers, None));
    let net = model()
        .add(Masking::new(0.0))
        .add(Conv1D::new(4, 3).activation(Relu))
        .add(GlobalMaxPooling1D::new())
        .add(Dense::new(3).activation(Softmax));
    compare(&stored["ending"], net, Adam::new(0.02), CategoricalCrossentropy::new(), (&padded, &hot, None));
    let block =
        Residual::new().add(Dense::new(4).activation(Tanh)).add(BatchNormalization::new().momentum(0.9));
    let net =
        model().add(Masking::new(0.0)).add(block).add(Lstm::new(3)).add(Dense::new(3).activation(Softmax));
    let data = (&padded, &hot, Some(&weight));
    compare(&stored["residual"], net, Adam::new(0.01), CategoricalCrossentropy::new(), data);
    let net = model()
        .add(Masking::new(0.0))
        .add(Lstm::new(3).return_sequences(true).zero_output_for_mask(true))
        .add(Dense::new(2));
    let loss = cornu::loss::Summed::new(MeanSquaredError::new());
    compare(&stored["zero_outputs"], net, Sgd::new(0.02), loss, (&padded, &number_steps, None));
    assert_eq!(stored.as_object().map(serde_json::Map::len), Some(12));
}

#[test]
fn masked_networks_compute_keras_values_in_f32() {
    masks::<f32>();
}

#[test]
fn masked_networks_compute_keras_values_in_f64() {
    masks::<f64>();
}
