//! Where Keras's archive keeps each array.

use super::chain;
use super::functional;
use super::placed::LayerPath;
use crate::layer::{Layer, NamedLayer};
use crate::model::Sequential;
use crate::param::Param;
use crate::scalar::Scalar;

pub(super) const CONFIG: &str = "config.json";
pub(super) const METADATA: &str = "metadata.json";
/// The preparations of raw data, which Keras ignores.
pub(super) const PREPARATIONS: &str = "cornu_preparations.json";
pub(super) const WEIGHTS: &str = "model.weights.h5";
/// The Keras version whose files these are.
pub(super) const KERAS_VERSION: &str = "3.15.1";

/// A group of a layer's own arrays: its path in the file, and the layer.
pub(super) struct WeightGroup<'a, F: Scalar> {
    pub(super) path: String,
    /// The place of the layer in Keras's order.
    pub(super) position: usize,
    pub(super) layer: &'a NamedLayer<F>,
}

/// Returns where a file that is written now keeps the layers of a model.
pub(super) fn paths<F: Scalar>(model: &Sequential<F>) -> Vec<LayerPath> {
    if functional::is_needed(&model.layers) {
        functional::paths("layers", &model.layers, &mut 0)
    } else {
        in_sequence("layers", &model.layers, 0)
    }
}

/// The groups of the layers of a `Sequential`, or of those within a layer at this position.
pub(super) fn in_sequence<F: Scalar>(
    above: &str,
    layers: &[NamedLayer<F>],
    position: usize,
) -> Vec<LayerPath> {
    let groups = chain::groups(above, layers.iter().map(NamedLayer::kind));
    groups.into_iter().map(|group| LayerPath::of(group, position)).collect()
}

/// Returns all layers with the paths of their arrays, in the order of [`Sequential::walk`].
pub(super) fn places<'a, F: Scalar>(
    model: &'a Sequential<F>,
    paths: &[LayerPath],
) -> Vec<WeightGroup<'a, F>> {
    let mut all = Vec::new();
    model.layers.iter().zip(paths).for_each(|(layer, path)| place(path, layer, &mut all));
    all
}

/// Adds a layer in its own group, and its inner layers.
fn place<'a, F: Scalar>(path: &LayerPath, layer: &'a NamedLayer<F>, all: &mut Vec<WeightGroup<'a, F>>) {
    let group = &path.group;
    let own =
        if layer.traits().is_recurrent { format!("{group}/cell/vars") } else { format!("{group}/vars") };
    // A chain within a layer is no layer of Keras.
    if !group.is_empty() {
        all.push(WeightGroup { path: own, position: path.position, layer });
    }
    // Its inner layers are cells.
    if layer.kind() == "RNN" {
        let kinds: Vec<String> = layer.layers().iter().map(|cell| format!("{}Cell", cell.kind())).collect();
        let groups = chain::groups(&format!("{group}/cell/cells"), kinds.iter().map(String::as_str));
        for (layer, group) in layer.layers().iter().zip(groups) {
            all.push(WeightGroup { path: format!("{group}/vars"), position: path.position, layer });
        }
        return;
    }
    let usual;
    let inner = match (&path.inner, layer.kind(), layer.layers()) {
        (Some(inner), ..) => inner,
        (None, kind, layers) => {
            usual = match (kind, layers) {
                ("Bidirectional", [_, _]) => {
                    ["forward_layer", "backward_layer"].map(|name| path.at(name)).into()
                }
                ("TimeDistributed", [_]) => vec![path.at("layer")],
                _ => in_sequence(&format!("{group}/layers"), layers, path.position),
            };
            &usual
        }
    };
    layer.layers().iter().zip(inner).for_each(|(layer, path)| place(path, layer, all));
}

/// Returns a layer's own parameters.
pub(super) fn own<F: Scalar>(layer: &NamedLayer<F>) -> Vec<&Param<F>> {
    let mut params = Vec::new();
    layer.visit_params(&mut |param| params.push(param));
    params
}
