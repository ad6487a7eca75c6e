//! The settings of a layer in a model: its own, its name, and those of every Keras layer.

use std::borrow::Cow;

use super::NamedLayer;
use crate::config::{Config, Fields, Registry, Setting, Value, refuse};
use crate::error::Result;
use crate::layer::Layer;
use crate::scalar::Scalar;

impl<F: Scalar> NamedLayer<F> {
    /// Returns all settings; none if the layer has none.
    pub(super) fn config_with_place(&self) -> Option<Config> {
        let mut config = self.layer.config()?;
        let policy = Config::of("keras", "DTypePolicy").with("name", precision::<F>());
        let place: [(&str, Value); 3] = [
            ("name", self.label.as_str().into()),
            ("trainable", self.trainable.into()),
            ("dtype", policy.into()),
        ];
        // Keras's `SpatialDropout1D` has no such setting, and nothing to train.
        let has_none = config.kind == "SpatialDropout1D";
        let place = place.into_iter().filter(|(name, _)| !(has_none && *name == "trainable"));
        config.fields.splice(0..0, place.map(|(name, value)| (name.to_string(), value)));
        if let Some(regularizer) = &self.activity_regularizer {
            config.set("activity_regularizer", regularizer.to_value());
        }
        Some(config)
    }

    /// Constructs a layer from its settings, with the constructors in `kinds`.
    pub(crate) fn from_value(value: &Value, path: &str, kinds: &Registry<dyn Layer<F>>) -> Result<Self> {
        let Value::Config(config) = value else { return Err(refuse(path, "a layer", value)) };
        let config = &*from_the_last(config);
        let mut fields = Fields::new(config, format!("{path}.config"));
        let label = fields.get("name")?;
        let trainable = fields.get_or("trainable", true)?;
        let activity_regularizer = fields.get_or("activity_regularizer", None)?;
        let path = fields.path_of("dtype");
        check_precision(fields.value("dtype").unwrap_or(&Value::Null), &path)?;
        let layer = kinds.construct(&mut fields, &config.module)?;
        fields.finish()?;
        Ok(NamedLayer { label, trainable, activity_regularizer, shapes: None, layer })
    }
}

/// The settings of a layer that normalizes the last axes, with axes counted from the last one if the file states the
/// rank: `axis` 2 of `[null, 12, 4]` becomes −1.
fn from_the_last(config: &Config) -> Cow<'_, Config> {
    let built = config.beside.iter().find(|(name, _)| name == "build_config");
    let shape = built.and_then(|(_, value)| match value {
        Value::Map(fields) => fields.iter().find(|(name, _)| name == "input_shape"),
        _ => None,
    });
    let normalises = ["BatchNormalization", "LayerNormalization"].contains(&&*config.kind);
    let (Some((_, Value::List(sizes))), Some(axis), true) = (shape, config.get("axis"), normalises) else {
        return Cow::Borrowed(config);
    };
    let rank = sizes.len() as i64;
    let turned = |axis: &Value| match *axis {
        Value::Int(axis) if (1..rank).contains(&axis) => Value::Int(axis - rank),
        ref axis => axis.clone(),
    };
    let axis = match axis {
        Value::List(axes) => Value::List(axes.iter().map(turned).collect()),
        axis => turned(axis),
    };
    let mut config = config.clone();
    config.set("axis", axis);
    Cow::Owned(config)
}

/// Keras's name for the precision of `F`.
pub(crate) fn precision<F: Scalar>() -> &'static str {
    if F::NAME == "f32" { "float32" } else { "float64" }
}

/// Refuses layers that compute in another precision than the model; the precision of the weights is in the file.
fn check_precision(value: &Value, path: &str) -> Result<()> {
    let name = match value {
        Value::Config(policy) if policy.kind == "DTypePolicy" => policy.get("name").unwrap_or(&Value::Null),
        value => value,
    };
    match name {
        Value::Null => Ok(()),
        Value::Text(name) if name == "float32" || name == "float64" => Ok(()),
        name => Err(refuse(path, "float32 or float64", name)),
    }
}
