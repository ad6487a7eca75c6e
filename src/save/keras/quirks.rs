//! Settings that are written in another form than ours.

use crate::config::{Config, Value};

/// The settings that Keras writes: its `SpatialDropout1D`, `SpatialDropout2D` and `Discretization` have no `trainable`.
pub(in crate::save) fn written(config: &Config) -> impl Iterator<Item = (&String, &Value)> {
    let untrained = matches!(&*config.kind, "SpatialDropout1D" | "SpatialDropout2D" | "Discretization");
    let fields = config.fields.iter().filter(move |(name, _)| !(untrained && name == "trainable"));
    fields.map(|(name, value)| (name, value))
}
