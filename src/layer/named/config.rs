//! A named layer from its settings: those of the layer, its name, and those of every Keras layer.

use std::borrow::Cow;

use super::precision::check_precision;
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
