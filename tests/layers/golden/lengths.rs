//! Six networks with open steps, trained on batches of different lengths: the loss of 12 steps, and the outputs.

use cornu::loss::Loss;
use cornu::ndarray::ArrayD;
use cornu::prelude::*;
use serde_json::Value;

use super::draw::{classes, draw, one_hot};
use super::{check, golden_of, numbers, tolerance};

const ROWS: usize = 8;
const LENGTHS: [usize; 6] = [6, 9, 4, 6, 12, 9];

/// The targets of a network.
enum Targets {
    Classes,
    Numbers,
    /// Numbers for each step.
    Steps,
}

#[track_caller]
fn compare<F: Scalar>(
    stored: &Value,
    model: Sequential<F>,
    optimizer: impl Optimizer<F> + 'static,
    loss: impl Loss<F> + 'static,
    targets: Targets,
) {
    let mut model = model;
    model.build().expect("a model");
    let shapes: Vec<_> =
        model.weights().expect("weights").into_iter().map(|(path, w)| (path, w.shape().to_vec())).collect();
    for (i, (path, shape)) in shapes.into_iter().enumerate() {
        let drawn = draw::<F>(&shape, 650 + i as u64, 0.5);
        let positive = path.ends_with("moving_variance");
        let value = if positive { drawn.mapv(|w| w.abs() + F::of(0.5)) } else { drawn };
        model.set_weight(&path, &value).expect("a weight");
    }
    model.compile(optimizer, loss, ()).expect("a model");
    let lengths = LENGTHS.iter().chain(&LENGTHS);
    for (i, (&steps, expected)) in lengths.zip(numbers(&stored["losses"])).enumerate() {
        let salt = i as u64;
        let y: ArrayD<F> = match targets {
            Targets::Classes => one_hot(&classes(ROWS, 3, 700 + salt), 3),
            Targets::Numbers => draw(&[ROWS, 2], 720 + salt, 1.0),
            Targets::Steps => draw(&[ROWS, steps, 2], 720 + salt, 1.0),
        };
        let x = draw::<F>(&[ROWS, steps, 3], 740 + salt, 1.0);
        let logs = model.train_on_batch(&x, &y, &Fit::new()).expect("a step");
        check(&format!("step {i}"), &[logs.get("loss").expect("a loss")], &[expected], tolerance::<F>());
    }
    let x = draw::<F>(&[ROWS, 9, 3], 760, 1.0);
    let after: Vec<f64> = model.predict(&x).expect("outputs").iter().map(|y| y.as_f64()).collect();
    check("outputs after", &after, &numbers(&stored["after"]), 4.0 * tolerance::<F>());
}

fn lengths<F: Scalar>() {
    use Activation::{Relu, Softmax};
    let stored = golden_of::<F>("lengths");
    let model = || Sequential::<F>::with_scalar().input([None, Some(3)]);

    let net = model()
        .add(Lstm::new(4).return_sequences(true))
        .add(Lstm::new(3))
        .add(Dense::new(3).activation(Softmax));
    let loss = CategoricalCrossentropy::new();
    compare(&stored["lstm"], net, Adam::new(0.02), loss.clone(), Targets::Classes);
    let net = model()
        .add(Conv1D::new(4, 3).activation(Relu))
        .add(MaxPooling1D::new(2))
        .add(Conv1D::new(5, 2).padding(Padding::Same).dilation_rate(2))
        .add(GlobalAveragePooling1D::new())
        .add(Dense::new(2));
    let sgd = Sgd::new(0.05).momentum(0.9);
    compare(&stored["convolution"], net, sgd, MeanSquaredError::new(), Targets::Numbers);
    let net = model()
        .add(Bidirectional::new(Gru::new(3).return_sequences(true)))
        .add(BatchNormalization::new().momentum(0.9))
        .add(TimeDistributed::new(Dense::new(4).activation(Relu)))
        .add(Dense::new(2));
    compare(&stored["steps"], net, Adam::new(0.02), MeanSquaredError::new(), Targets::Steps);
    let net = model()
        .add(ZeroPadding1D::new(1, 2))
        .add(SeparableConv1D::new(4, 3))
        .add(Cropping1D::new(1, 1))
        .add(UpSampling1D::new(2))
        .add(AveragePooling1D::new(3).strides(2))
        .add(GlobalMaxPooling1D::new())
        .add(Dense::new(2));
    compare(&stored["padded"], net, RmsProp::new(0.01), Huber::new(), Targets::Numbers);
    let net = model()
        .add(LayerNormalization::new())
        .add(PRelu::new().shared_axes([1]))
        .add(SimpleRnn::new(4).go_backwards(true))
        .add(Dense::new(3).activation(Softmax));
    compare(&stored["normalized"], net, Adam::new(0.02), loss, Targets::Classes);
    let net = model()
        .add(Conv1DTranspose::new(3, 3).strides(2).padding(Padding::Same))
        .add(Conv1D::new(2, 2).strides(2));
    compare(&stored["transposed"], net, Sgd::new(0.1), MeanAbsoluteError::new(), Targets::Steps);
}

#[test]
fn networks_with_open_steps_train_as_in_keras_f32() {
    lengths::<f32>();
}

#[test]
fn networks_with_open_steps_train_as_in_keras_f64() {
    lengths::<f64>();
}
