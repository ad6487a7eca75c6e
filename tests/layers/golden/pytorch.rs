//! Weights written by PyTorch, loaded through a map of names.

use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;
use serde_json::Value;

use super::{check, numbers};

fn path(name: &str) -> String {
    format!("{}/tests/golden/{name}", env!("CARGO_MANIFEST_DIR"))
}

/// Loads the weights of a network, and compares its predictions.
fn compare(name: &str, model: Sequential, names: &[(&str, &str)]) {
    let text = std::fs::read_to_string(path("pytorch.json")).unwrap();
    let stored: Value = serde_json::from_str(&text).unwrap();
    let case = &stored[name];
    let shape: Vec<usize> = numbers(&case["shape"]).into_iter().map(|size| size as usize).collect();
    let x = ArrayD::from_shape_vec(IxDyn(&shape), numbers(&case["x"])).unwrap();
    let mut model = model.input(&shape[1..]);
    model.build().unwrap();
    model.load_torch_weights(path(&format!("files/{name}.safetensors")), names.iter().copied()).unwrap();
    let y: Vec<f64> = model.predict(&x).unwrap().into_iter().map(f64::from).collect();
    check(name, &y, &numbers(&case["predictions"]), 2e-6);
}

fn dense() -> Sequential {
    Sequential::new().add(Dense::new(5).activation(Activation::Relu).name("a")).add(Dense::new(3).name("b"))
}

const DENSE: [(&str, &str); 4] =
    [("0.weight", "a/kernel"), ("0.bias", "a/bias"), ("2.weight", "b/kernel"), ("2.bias", "b/bias")];

#[test]
fn networks_with_weights_of_pytorch_predict_equally() {
    compare("dense", dense(), &DENSE);
    let model = Sequential::new()
        .add(Conv1D::new(3, 3).name("a"))
        .add(BatchNormalization::new().epsilon(1e-5).name("b"))
        .add(Activation::Tanh)
        .add(Conv1D::new(6, 2).groups(3).name("c"));
    let names = [
        ("1.weight", "a/kernel"),
        ("1.bias", "a/bias"),
        ("2.weight", "b/gamma"),
        ("2.bias", "b/beta"),
        ("2.running_mean", "b/moving_mean"),
        ("2.running_var", "b/moving_variance"),
        ("4.weight", "c/kernel"),
        ("4.bias", "c/bias"),
    ];
    compare("conv1d", model, &names);
    let model = Sequential::new().add(Conv2D::new(3, [3, 2]).strides([2, 2]).name("a"));
    compare("conv2d", model, &[("1.weight", "a/kernel"), ("1.bias", "a/bias")]);
    let model = Sequential::new()
        .add(DepthwiseConv1D::new(2).depth_multiplier(2).name("a"))
        .add(Conv1DTranspose::new(4, 3).strides(2).name("b"));
    let names =
        [("1.weight", "a/kernel"), ("1.bias", "a/bias"), ("2.weight", "b/kernel"), ("2.bias", "b/bias")];
    compare("transposed_1d", model, &names);
    let model = Sequential::new()
        .add(DepthwiseConv2D::new([3, 2]).depth_multiplier(2).name("a"))
        .add(Conv2DTranspose::new(3, [3, 2]).strides([2, 1]).name("b"));
    compare("transposed_2d", model, &names);
    let model = Sequential::new().add(Lstm::new(4).name("a")).add(Dense::new(2).name("b"));
    let names = [
        ("0.weight_ih_l0", "a/kernel"),
        ("0.weight_hh_l0", "a/recurrent_kernel"),
        ("0.bias_ih_l0", "a/bias"),
        ("0.bias_hh_l0", "a/bias"),
        ("2.weight", "b/kernel"),
        ("2.bias", "b/bias"),
    ];
    compare("lstm", model, &names);
    let model = Sequential::new().add(Gru::new(4).name("a")).add(Dense::new(2).name("b"));
    compare("gru", model.clone(), &names);
    // The names identify the biases, in any order.
    let turned: Vec<(&str, &str)> = names.into_iter().rev().collect();
    compare("gru", model, &turned);
    compare("gru_no_bias", Sequential::new().add(Gru::new(4).use_bias(false).name("a")), &names[..2]);
    let model = Sequential::new().add(Bidirectional::new(Gru::new(4).return_sequences(true)).name("a"));
    let names = [
        ("0.weight_ih_l0", "a/forward_layer/kernel"),
        ("0.weight_hh_l0", "a/forward_layer/recurrent_kernel"),
        ("0.bias_ih_l0", "a/forward_layer/bias"),
        ("0.bias_hh_l0", "a/forward_layer/bias"),
        ("0.weight_ih_l0_reverse", "a/backward_layer/kernel"),
        ("0.weight_hh_l0_reverse", "a/backward_layer/recurrent_kernel"),
        ("0.bias_ih_l0_reverse", "a/backward_layer/bias"),
        ("0.bias_hh_l0_reverse", "a/backward_layer/bias"),
    ];
    compare("gru_both", model, &names);
    let model = Sequential::new()
        .add(Embedding::new(7, 3).name("a"))
        .add(LayerNormalization::new().epsilon(1e-5).name("b"));
    compare(
        "embedding",
        model,
        &[("0.weight", "a/embeddings"), ("1.weight", "b/gamma"), ("1.bias", "b/beta")],
    );
}

#[test]
fn gru_weights_that_pytorch_cannot_have_are_refused() {
    let load = |layer: Gru, names: &[(&str, &str)]| {
        let mut model = Sequential::new().input([5, 3]).add(layer.name("a"));
        model.build().unwrap();
        let before = model.weight("a/kernel").unwrap().to_owned();
        let error = model.load_torch_weights(path("files/gru.safetensors"), names.iter().copied());
        assert_eq!(model.weight("a/kernel").unwrap(), before);
        error.unwrap_err().to_string()
    };
    let names = [
        ("0.weight_ih_l0", "a/kernel"),
        ("0.weight_hh_l0", "a/recurrent_kernel"),
        ("0.bias_ih_l0", "a/bias"),
        ("0.bias_hh_l0", "a/bias"),
    ];
    let before = load(Gru::new(4).reset_after(false), &names);
    assert!(before.contains("PyTorch has no GRU with `reset_after(false)`"), "{before}");
    let one = load(Gru::new(4), &names[..3]);
    assert!(one.contains("expected 2 names for it, found 1"), "{one}");
    let units = load(Gru::new(5), &names);
    assert!(units.contains("a/kernel"), "{units}");
}

#[test]
fn errors_in_a_map_of_names_change_nothing() {
    let mut model = dense().input([6]);
    model.build().unwrap();
    let before = model.weight("a/kernel").unwrap().to_owned();
    let file = path("files/dense.safetensors");
    let mut load =
        |names: &[(&str, &str)]| model.load_torch_weights(&file, names.iter().copied()).unwrap_err();
    assert!(
        matches!(load(&DENSE[..3]), Error::Unknown { what: "name for the weight", name, .. } if name == "b/bias")
    );
    let wrong = [("0.weigth", "a/kernel"), DENSE[1], DENSE[2], DENSE[3]];
    assert!(matches!(load(&wrong), Error::Unknown { what: "tensor in the file", .. }));
    let wrong = [DENSE[0], DENSE[1], ("0.weight", "b/kernel"), DENSE[3]];
    assert!(matches!(load(&wrong), Error::WeightShape { expected, .. } if expected == [3, 5]));
    assert_eq!(model.weight("a/kernel").unwrap(), before);
    model.load_torch_weights(path("files/dense_half.safetensors"), DENSE).unwrap();
    assert_ne!(model.weight("a/kernel").unwrap(), before);
}
