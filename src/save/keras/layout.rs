//! Where Keras's archive keeps each array.

use std::collections::HashMap;

use crate::layer::{Layer, NamedLayer, names};
use crate::model::Sequential;
use crate::param::Param;
use crate::scalar::Scalar;

pub(super) const CONFIG: &str = "config.json";
pub(super) const METADATA: &str = "metadata.json";
pub(super) const WEIGHTS: &str = "model.weights.h5";
/// The Keras version whose files these are.
pub(super) const KERAS_VERSION: &str = "3.15.1";

/// A group of a layer's own arrays: its path in the file, and the layer.
pub(super) struct WeightGroup<'a, F: Scalar> {
    pub(super) path: String,
    pub(super) node: &'a NamedLayer<F>,
}

/// Returns all layers with the paths of their arrays, in the order of [`Sequential::walk`].
pub(super) fn places<F: Scalar>(model: &Sequential<F>) -> Vec<WeightGroup<'_, F>> {
    let mut all = Vec::new();
    container("layers", &model.layers, &mut all);
    all
}

/// Adds a list of layers: each under the snake case of its kind, numbered from the second of a kind on.
fn container<'a, F: Scalar>(above: &str, nodes: &'a [NamedLayer<F>], all: &mut Vec<WeightGroup<'a, F>>) {
    let mut counts: HashMap<String, usize> = HashMap::new();
    for node in nodes {
        let name = names::snake_case(node.kind());
        let count = counts.entry(name.clone()).or_default();
        let group = if *count == 0 { format!("{above}/{name}") } else { format!("{above}/{name}_{count}") };
        *count += 1;
        place(group, node, all);
    }
}

/// Adds a layer in its own group, and its inner layers.
fn place<'a, F: Scalar>(group: String, node: &'a NamedLayer<F>, all: &mut Vec<WeightGroup<'a, F>>) {
    let path =
        if node.traits().is_recurrent { format!("{group}/cell/vars") } else { format!("{group}/vars") };
    all.push(WeightGroup { path, node });
    match (node.kind(), node.layers()) {
        ("Bidirectional", [forward, backward]) => {
            place(format!("{group}/forward_layer"), forward, all);
            place(format!("{group}/backward_layer"), backward, all);
        }
        ("TimeDistributed", [layer]) => place(format!("{group}/layer"), layer, all),
        (_, layers) => container(&format!("{group}/layers"), layers, all),
    }
}

/// Returns a layer's own parameters.
pub(super) fn own<F: Scalar>(node: &NamedLayer<F>) -> Vec<&Param<F>> {
    let mut params = Vec::new();
    node.visit_params(&mut |param| params.push(param));
    params
}
