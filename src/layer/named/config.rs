//! A named layer from its settings: those of the layer, its name, and those of every Keras layer.

use std::borrow::Cow;

use super::{NamedLayer, aliases};
use crate::config::{Fields, Registry, Value, refuse};
use crate::error::Result;
use crate::layer::Layer;
use crate::scalar::Scalar;

impl<F: Scalar> NamedLayer<F> {
    /// Constructs a layer from its settings, with the constructors in `kinds`.
    pub(crate) fn from_value(value: &Value, path: &str, kinds: &Registry<dyn Layer<F>>) -> Result<Self> {
        let Value::Config(config) = value else { return Err(refuse(path, "a layer", value)) };
        let config = match kinds.is_custom(&config.kind) {
            true => Cow::Borrowed(&**config),
            false => aliases::resolve(config, path)?,
        };
        let mut fields = Fields::new(&config, format!("{path}.config"));
        let label: String = fields.get("name")?;
        let trainable = fields.get_or("trainable", true)?;
        let activity_regularizer = fields.get_or("activity_regularizer", None)?;
        let path = fields.path_of("dtype");
        check_precision(fields.value("dtype").unwrap_or(&Value::Null), &path)?;
        let layer = kinds.construct(&mut fields)?;
        fields.finish()?;
        Ok(NamedLayer { label: Some(label), trainable, activity_regularizer, shapes: None, layer })
    }
}

/// Keras's name for the precision of `F`.
pub(crate) fn precision<F: Scalar>() -> &'static str {
    if F::NAME == "f32" { "float32" } else { "float64" }
}

/// Refuses layers that compute in another precision than the model; the precision of the weights is in the file.
pub(crate) fn check_precision(value: &Value, path: &str) -> Result<()> {
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
