//! Forms that only Keras's files have: rewritten to ours on reading, and to Keras's on writing.

use crate::config::{Config, Value};

/// Counts the axes of a normalization layer from the last one.
///
/// Keras counts them from 0 for the batch axis once the layer is built, and writes the shape for which it was built.
pub(in crate::save) fn count_axes_from_the_last(config: &mut Config) {
    if !["BatchNormalization", "LayerNormalization"].contains(&&*config.kind) {
        return;
    }
    let build = config.beside.iter().find(|(name, _)| name == "build_config");
    let shape = build.and_then(|(_, value)| match value {
        Value::Map(fields) => fields.iter().find(|(name, _)| name == "input_shape"),
        _ => None,
    });
    let Some((_, Value::List(sizes))) = shape else { return };
    let rank = sizes.len() as i64;
    let from_the_last = |axis: &mut Value| match axis {
        Value::Int(axis) if (1..rank).contains(axis) => *axis -= rank,
        _ => {}
    };
    match config.fields.iter_mut().find(|(name, _)| name == "axis") {
        Some((_, Value::List(axes))) => axes.iter_mut().for_each(from_the_last),
        Some((_, axis)) => from_the_last(axis),
        None => {}
    }
}

/// The settings that Keras writes: its `SpatialDropout1D` has no `trainable`.
pub(in crate::save) fn written(config: &Config) -> impl Iterator<Item = (&String, &Value)> {
    let untrained = config.kind == "SpatialDropout1D";
    let fields = config.fields.iter().filter(move |(name, _)| !(untrained && name == "trainable"));
    fields.map(|(name, value)| (name, value))
}
