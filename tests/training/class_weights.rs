//! Class weights on labels of every form, against the losses of Keras.

use cornu::ndarray::{Array2, Axis, array};
use cornu::prelude::*;
use serde_json::Value;

fn matrix(value: &Value) -> Array2<f32> {
    let rows: Vec<Vec<f32>> = serde_json::from_value(value.clone()).unwrap();
    Array2::from_shape_fn((rows.len(), rows[0].len()), |(i, j)| rows[i][j])
}

/// A model with this loss whose weights stay as they are.
fn model(kernel: &Array2<f32>, activation: Activation, loss: &str) -> Sequential {
    let layer = Dense::new(kernel.ncols()).activation(activation).name("F1");
    let mut model = Sequential::new().seed(1).input([kernel.nrows()]).add(layer);
    let rate = Sgd::new(0.0);
    match loss {
        "binary" | "labels" => model.compile(rate, BinaryCrossentropy::new(), ()),
        "binary_smoothed" => model.compile(rate, BinaryCrossentropy::new().label_smoothing(0.2), ()),
        "binary_logits" => model.compile(rate, BinaryCrossentropy::new().from_logits(true), ()),
        "binary_focal" => model.compile(rate, BinaryFocalCrossentropy::new(), ()),
        "squared" => model.compile(rate, MeanSquaredError::new(), ()),
        "absolute" => model.compile(rate, MeanAbsoluteError::new(), ()),
        "categorical" => model.compile(rate, CategoricalCrossentropy::new(), ()),
        "categorical_smoothed" => {
            model.compile(rate, CategoricalCrossentropy::new().label_smoothing(0.2), ())
        }
        "sparse" => model.compile(rate, SparseCategoricalCrossentropy::new(), ()),
        "sparse_ignored" => model.compile(rate, SparseCategoricalCrossentropy::new().ignore_class(1), ()),
        _ => panic!("no loss {loss}"),
    }
    .unwrap();
    model.set_weight("F1/kernel", kernel).unwrap();
    model
}

fn fit<'a>(weight: ClassWeight) -> Fit<'a> {
    Fit::new().class_weight(weight).verbose(Verbose::Silent)
}

#[test]
fn soft_labels_are_weighted_as_in_keras() {
    let golden: Value = serde_json::from_str(include_str!("../golden/class_weights.json")).unwrap();
    let x = matrix(&golden["x"]);
    let cases = golden["cases"].as_array().unwrap();
    assert_eq!(cases.len(), 11);
    for case in cases {
        let (name, y) = (case["name"].as_str().unwrap(), matrix(&case["y"]));
        let activation = case["activation"].as_str().unwrap().parse().unwrap();
        let weights = ClassWeight::PerClass(serde_json::from_value(case["weights"].clone()).unwrap());
        let kernel = matrix(&case["kernel"]);
        let expected = case["loss"].as_f64().unwrap();
        let mut model = model(&kernel, activation, name);
        let history = model.fit(&x, &y, &fit(weights.clone())).unwrap();
        let on_batch = model.train_on_batch(&x, &y, &fit(weights.clone())).unwrap();
        for found in [history.last("loss").unwrap(), on_batch.get("loss").unwrap()] {
            assert!((found - expected).abs() < 1e-6 * expected, "{name}: {found}, expected {expected}");
        }
        if y.ncols() == 1 {
            let vector = model.fit(&x, &y.index_axis(Axis(1), 0), &fit(weights)).unwrap();
            assert_eq!(vector.last("loss"), history.last("loss"), "{name}");
        }
    }
}

#[test]
fn balanced_weights_count_rounded_labels() {
    let (x, soft) = (array![[0.0], [1.0], [2.0], [3.0]], array![0.2, 0.9, 0.4, 0.1]);
    let losses = [ClassWeight::Balanced, ClassWeight::PerClass(vec![4.0 / 6.0, 2.0])].map(|weight| {
        let mut model = model(&array![[0.3]], Activation::Sigmoid, "binary");
        model.fit(&x, &soft, &fit(weight)).unwrap().last("loss")
    });
    assert_eq!(losses[0], losses[1]);
}

#[test]
fn a_binary_network_has_two_classes_in_messages() {
    let x = array![[0.0], [1.0], [2.0]];
    let refused = |y: [f64; 3], weights: &[f64]| {
        let mut model = model(&array![[0.3]], Activation::Linear, "squared");
        let y = Array2::from_shape_fn((3, 1), |(i, _)| y[i]);
        model.fit(&x, &y, &fit(ClassWeight::PerClass(weights.to_vec()))).unwrap_err().to_string()
    };
    let label = refused([0.0, -1.0, 1.0], &[1.0, 5.0]);
    assert_eq!(label, "y, weighted by class, row 1: expected a class from 0 to 1, found -1");
    let count = refused([0.0, 0.7, 1.0], &[1.0, 5.0, 2.0]);
    assert_eq!(count, "class_weight: expected 2 weights, one for each class, found 3");
    // A number that is no class neither wraps nor allocates.
    let large = refused([0.0, 1e30, 1.0], &[1.0, 5.0]);
    assert!(large.contains("row 1: expected a class"), "{large}");
    let fraction = cornu::data::KFold::new(2).stratified_folds::<f32>(&array![0.0, 0.5, 1.0]).unwrap_err();
    assert_eq!(fraction.to_string(), "y, row 1: expected a class from 0 to 16777216, found 0.5");
}

#[test]
fn ignored_rows_have_the_weight_of_their_class_in_metrics() {
    let mut model = Sequential::new().input([2]).add(Dense::new(2).use_bias(false).name("F1"));
    let loss = SparseCategoricalCrossentropy::new().from_logits(true).ignore_class(0);
    model.compile(Sgd::new(0.1), loss, [Weighted::new(Accuracy::new())]).unwrap();
    model.set_weight("F1/kernel", &array![[1.0, 0.0], [0.0, 1.0]]).unwrap();
    let (x, y) = (array![[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]], array![0, 1, 1]);
    // The second row is wrong. Balanced weights are 1 here: class 0 is ignored, and class 1 is the only one.
    for (weights, expected) in
        [(ClassWeight::PerClass(vec![3.0, 1.0]), 0.8), (ClassWeight::Balanced, 2.0 / 3.0)]
    {
        let history = model.clone().fit(&x, &y, &fit(weights)).unwrap();
        assert!((history.last("accuracy").unwrap() - expected).abs() < 1e-6, "{history:?}");
    }
}
