//! The architecture of a model as settings, in Keras's order and words.

use crate::config::{Config, Fields, Setting, Value, refuse};
use crate::error::{Error, FileError, Result};
use crate::layer::{self, Layer, NamedLayer};
use crate::model::Sequential;
use crate::save::registries::Registries;
use crate::scalar::Scalar;

/// The error for something without settings.
pub(super) fn not_savable(what: &'static str, name: impl std::fmt::Debug) -> Error {
    FileError::NotSavable { what, name: format!("`{name:?}`") }.into()
}

/// Writes the shape of a sample as Keras does, with a batch axis.
fn batch_shape(shape: &[usize]) -> Value {
    let sizes = shape.iter().map(|&size| Value::from(size));
    Value::List(std::iter::once(Value::Null).chain(sizes).collect())
}

/// Reads the shape of a sample from one with a batch axis.
fn sample_shape(value: &Value, path: &str) -> Result<Vec<usize>> {
    let expected = "a batch shape such as [null, 28, 28], with no other null";
    match value {
        Value::List(sizes) if !sizes.is_empty() => {
            let each = sizes[1..].iter().map(|size| usize::from_value(size, path));
            each.collect::<Result<_>>().map_err(|_| refuse(path, expected, value))
        }
        _ => Err(refuse(path, expected, value)),
    }
}

impl<F: Scalar> Sequential<F> {
    /// The architecture: the settings of the layers in Keras's terms, without weights.
    ///
    /// # Errors
    /// [`FileError::NotSavable`] for a layer without settings.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let model = Sequential::new().input([3]).add(Dense::new(2).name("F1"));
    /// assert_eq!(model.config()?.kind, "Sequential");
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn config(&self) -> Result<Config> {
        let mut layers = Vec::new();
        if let Some(input) = &self.input {
            let given = Config::of("keras.layers", "InputLayer")
                .with("batch_shape", batch_shape(input))
                .with("dtype", layer::precision::<F>())
                .with("name", "input_layer");
            layers.push(given);
        }
        for node in &self.layers {
            let mut config = node.config().ok_or_else(|| not_savable("layer", node))?;
            if let Some(shape) = node.input_shape() {
                let shape = Value::Map(vec![("input_shape".into(), batch_shape(shape))]);
                config.beside.push(("build_config".into(), shape));
            }
            layers.push(config);
        }
        let policy = Config::of("keras", "DTypePolicy").with("name", layer::precision::<F>());
        let mut config = Config::of("keras", "Sequential")
            .with("name", "sequential")
            .with("trainable", true)
            .with("dtype", policy)
            .with("layers", layers);
        if let Some(input) = &self.input {
            config.set("build_input_shape", batch_shape(input));
        }
        Ok(config)
    }

    /// Constructs a model from its architecture, without building it.
    pub(crate) fn from_config(config: &Config, known: &Registries<F>) -> Result<Self> {
        if config.kind != "Sequential" {
            let expected = "a Sequential, the one kind of model here";
            return Err(refuse("class_name", expected, Value::Text(config.kind.clone())));
        }
        let mut model = Sequential::with_scalar();
        let mut fields = Fields::new(config, "config");
        for ignored in ["name", "trainable", "dtype", "build_input_shape"] {
            fields.value(ignored);
        }
        let layers = match fields.value("layers") {
            Some(Value::List(layers)) => &layers[..],
            other => return Err(refuse("config.layers", "a list of layers", other.unwrap_or(&Value::Null))),
        };
        for (i, value) in layers.iter().enumerate() {
            let path = format!("layers[{i}]");
            match value {
                Value::Config(config) if config.kind == "InputLayer" && i == 0 => {
                    let shape = config.get("batch_shape").or_else(|| config.get("batch_input_shape"));
                    let path = format!("{path}.config.batch_shape");
                    model.input = Some(sample_shape(shape.unwrap_or(&Value::Null), &path)?);
                }
                value => model.layers.push(NamedLayer::from_value(value, &path, &known.layers)?),
            }
        }
        fields.finish()?;
        if let (None, Some(shape)) =
            (&model.input, config.get("build_input_shape").filter(|v| **v != Value::Null))
        {
            model.input = Some(sample_shape(shape, "config.build_input_shape")?);
        }
        Ok(model)
    }
}

#[cfg(any(feature = "keras", feature = "safetensors"))]
/// Returns whether the model draws random numbers in training, so that earlier draws must be repeated.
pub(in crate::save) fn draws_later(config: &Config) -> bool {
    let zero = |value: &Value| matches!(value, Value::Float(0.0) | Value::Int(0) | Value::Null);
    config.fields.iter().any(|(name, value)| match value {
        Value::Config(config) => draws_later(config),
        Value::List(values) => values.iter().any(|value| matches!(value, Value::Config(c) if draws_later(c))),
        value => ["rate", "stddev", "dropout", "recurrent_dropout"].contains(&&**name) && !zero(value),
    })
}
