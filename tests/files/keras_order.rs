//! The layers of a functional model in a file: Keras's own order, which numbers the groups of the weights.

use cornu::prelude::*;
use serde_json::Value;

use crate::deep::folder_of;
use crate::hostile::archives::member;

/// The kind of each layer of a file, and the places of its inputs among them.
fn layers(file: &[u8]) -> Vec<(String, Vec<usize>)> {
    let config: Value = serde_json::from_slice(&member(file, "config.json")).unwrap();
    let layers = config["config"]["layers"].as_array().unwrap();
    let place = |name: &Value| layers.iter().position(|layer| layer["name"] == *name).unwrap();
    let of_tensor = |tensor: &Value| place(&tensor["config"]["keras_history"][0]);
    let inputs = |layer: &Value| match &layer["inbound_nodes"][0]["args"][0] {
        Value::Null => Vec::new(),
        Value::Array(tensors) => tensors.iter().map(of_tensor).collect(),
        tensor => vec![of_tensor(tensor)],
    };
    let described = |layer: &Value| (layer["class_name"].as_str().unwrap().to_string(), inputs(layer));
    layers.iter().map(described).collect()
}

#[test]
fn a_functional_model_of_keras_is_saved_in_the_same_order() {
    for name in ["inception", "merges"] {
        let path = format!("{}/tests/golden/files/{name}_f32.keras", env!("CARGO_MANIFEST_DIR"));
        let saved = folder_of("keras_order").join(format!("{name}.keras"));
        Sequential::load(&path).unwrap().save(&saved).unwrap();
        let [expected, found] = [path.into(), saved].map(|path| layers(&std::fs::read(path).unwrap()));
        assert!(expected.len() >= 15, "{}", expected.len());
        assert_eq!(found, expected, "{name}");
    }
}
