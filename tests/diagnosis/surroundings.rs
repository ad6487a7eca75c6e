//! What lies around a layer: normalizations after it, layers that scale the outputs, zero weights and indices.

use crate::synthetic::*;
use cornu::ndarray::{Array1, Array2, Axis};
use cornu::prelude::*;

fn sparse() -> SparseCategoricalCrossentropy {
    SparseCategoricalCrossentropy::new()
}

/// Blobs with features of some hundreds.
fn large(seed: u64) -> (Array2<f32>, Array1<usize>) {
    let (x, y) = blobs(seed, (320, 6), 3, 1.5);
    (x.mapv(|x| 300.0 * x), y)
}

/// Whether N0202 is found for features of some hundreds, a layer, what follows it, and a softmax.
fn is_found(after: impl cornu::layer::Layer<f32> + 'static, activation: Activation) -> bool {
    let (x, y) = large(1);
    let model = Sequential::new()
        .seed(1)
        .add(Dense::new(16).activation(activation))
        .add(after)
        .add(Dense::new(3).activation(SOFTMAX));
    let model = compiled(model, Adam::new(0.01), sparse());
    let before = model.check(&x, &y).expect("a check");
    let findings = train(model, &x, &y, fit(3));
    before.of("N0202").or(findings.of("N0202")).is_some()
}

#[test]
fn a_normalization_after_the_first_layer_scales_its_inputs() {
    for activation in [Linear, RELU, Activation::LeakyRelu { negative_slope: 0.1 }] {
        assert!(!is_found(BatchNormalization::new(), activation), "{activation}");
        assert!(!is_found(LayerNormalization::new(), activation), "{activation}");
    }
    // A function that flattens comes before it, or no normalization at all.
    assert!(is_found(BatchNormalization::new(), Tanh));
    assert!(is_found(Dropout::new(0.1), RELU));
    let (x, y) = bars(1, 240);
    let x = x.mapv(|x| (255.0 * x).round());
    let model = |normalized: bool| {
        let model = Sequential::new().seed(1).add(Conv2D::new(8, [3, 3]));
        let model = if normalized { model.add(BatchNormalization::new()) } else { model };
        let model = model.add(RELU).add(GlobalMaxPooling2D::new()).add(Dense::new(4).activation(SOFTMAX));
        compiled(model, Adam::new(0.01), sparse())
    };
    assert!(model(true).check(&x, &y).expect("a check").of("N0202").is_none());
    assert!(model(false).check(&x, &y).expect("a check").of("N0202").is_some());
    let findings = train(model(true), &x, &y, fit(20));
    assert!(findings.of("N0202").is_none(), "{findings}");
}

#[test]
fn zero_weights_do_not_hide_the_scale_of_the_inputs() {
    let logistic = |initializer: Initializer| {
        let layer = Dense::new(3).activation(SOFTMAX).kernel_initializer(initializer);
        compiled(Sequential::new().seed(1).add(layer), Sgd::new(0.01), sparse())
    };
    let (x, y) = large(1);
    let found = |x: &Array2<f32>, initializer| alarms(&logistic(initializer).check(x, &y).expect("a check"));
    assert_eq!(found(&x, Initializer::Zeros), ["N0202"]);
    assert_eq!(found(&x, Initializer::GlorotUniform)[0], "N0202");
    assert_eq!(found(&x.mapv(|x| x / 300.0), Initializer::Zeros), [""; 0]);
}

#[test]
fn layers_that_scale_the_outputs_count_for_the_scale_of_the_targets() {
    let (x, y) = smooth(1, 300, 0.2);
    let prices = y.mapv(|y| 250_000.0 + 40_000.0 * y);
    let run = |optimizer: Adam, y: &Array1<f32>, end: Option<Rescaling>| {
        let model = mlp(1, &[32, 1], RELU, Linear);
        let model = end.into_iter().fold(model, Sequential::add);
        train(compiled(model, optimizer, MeanSquaredError::new()), &x, y, fit(40))
    };
    let alone = run(Adam::new(0.001), &prices, None);
    assert!(alarms(&alone).contains(&"N0203".into()), "{alone}");
    let scaled = run(Adam::new(0.003), &prices, Some(Rescaling::new(40_000.0).offset(250_000.0)));
    assert_eq!(alarms(&scaled), [""; 0], "{scaled}");
    // Outputs a thousand times smaller: targets of 1 are as far away as targets of 1000.
    let shrunk = run(Adam::new(0.0003), &y, Some(Rescaling::new(1e-3)));
    assert!(alarms(&shrunk).contains(&"N0203".into()), "{shrunk}");
    // SGD overshoots, because the layer multiplies the gradient too.
    let model = mlp(1, &[32, 1], RELU, Linear).add(Rescaling::new(100.0));
    let y = y.mapv(|y| 100.0 * y);
    let model = compiled(model, Sgd::new(0.01), MeanSquaredError::new());
    let findings = train(model, &x, &y, fit(20));
    assert!(alarms(&findings).contains(&"N0203".into()), "{findings}");
}

#[test]
fn equal_rows_of_indices_are_reported() {
    let model = |seed| {
        let model =
            Sequential::new().seed(seed).add(Embedding::new(50, 8)).add(GlobalAveragePooling1D::new());
        compiled(model.add(Dense::new(1).activation(Sigmoid)), Adam::new(0.02), BinaryCrossentropy::new())
    };
    let y = Array1::from_shape_fn(200, |i| i % 2);
    let equal = Array2::from_shape_fn((200, 12), |(_, j)| j as f32);
    let findings = model(1).check(&equal, &y).expect("a check");
    assert_eq!(findings[0].code, "N0208", "{findings}");
    // Padding at the start of every text is only a note.
    let padded =
        Array2::from_shape_fn((200, 12), |(i, j)| if j < 4 { 0.0 } else { ((i * 7 + j) % 50) as f32 });
    assert_eq!(alarms(&model(1).check(&padded, &y).expect("a check")), [""; 0]);
}

#[test]
fn constant_targets_are_reported() {
    let (x, y) = smooth(1, 300, 0.2);
    let model = |width| compiled(mlp(1, &[8, width], RELU, Linear), Adam::new(0.01), MeanSquaredError::new());
    let constant = Array1::from_elem(300, 2.5f32);
    let before = model(1).check(&x, &constant).expect("a check");
    assert_eq!(alarms(&before), ["N0208"], "{before}");
    let findings = train(model(1), &x, &constant, fit(5));
    assert!(alarms(&findings).contains(&"N0208".into()), "{findings}");
    // In a long training all rows are known after the first epoch.
    let (long, _) = smooth(1, 3000, 0.2);
    let findings = train(model(1), &long, &Array1::<f32>::zeros(3000), fit(3));
    assert!(alarms(&findings).contains(&"N0208".into()), "{findings}");
    // A rare event is no constant, and one constant of several targets is a note.
    let rare = Array1::from_shape_fn(300, |i| if i == 150 { 1.5f32 } else { 0.0 });
    assert!(model(1).check(&x, &rare).expect("a check").of("N0208").is_none());
    let two = cornu::ndarray::stack(Axis(1), &[y.view(), constant.view()]).expect("rows");
    assert_eq!(alarms(&model(2).check(&x, &two).expect("a check")), [""; 0]);
}

#[test]
fn targets_below_the_size_of_a_step_are_reported() {
    let (x, y) = smooth(1, 300, 0.2);
    let run = |y: &Array1<f32>| {
        train(
            compiled(mlp(1, &[32, 1], RELU, Linear), Adam::new(0.003), MeanSquaredError::new()),
            &x,
            y,
            fit(20),
        )
    };
    let findings = run(&y.mapv(|y| y / 3000.0));
    assert!(alarms(&findings).contains(&"N0203".into()), "{findings}");
    assert!(run(&y).of("N0203").is_none());
}

#[test]
fn images_that_are_divided_twice_are_reported() {
    let (x, y) = bars(1, 60);
    let model = Sequential::new().seed(1).add(Conv2D::new(8, [3, 3]).activation(RELU));
    let model = model.add(GlobalMaxPooling2D::new()).add(Dense::new(4).activation(SOFTMAX));
    let model = compiled(model, Adam::new(0.01), sparse());
    let found = |x: &cornu::ndarray::Array4<f32>| model.check(x, &y).expect("a check").of("N0202").cloned();
    let twice = found(&x.mapv(|x| x / 255.0)).expect("a finding");
    assert!(twice.title.contains("almost 0"), "{twice}");
    assert!(found(&x).is_none_or(|found| !found.title.contains("almost 0")));
}
