//! The architecture of a model as settings, in Keras's order and words.

use super::chain;
use super::placed::LayerPath;
use crate::config::{Config, Value};
use crate::error::{Error, FileError, Result};
use crate::layer::{self, Layer, NamedLayer};
use crate::model::Sequential;
use crate::save::Loader;
use crate::scalar::Scalar;

/// The error for something without settings.
pub(super) fn not_savable(what: &'static str, name: impl std::fmt::Debug) -> Error {
    FileError::NotSavable { what, name: format!("`{name:?}`") }.into()
}

/// Writes the shape of a sample as Keras does, with a batch axis.
pub(super) fn batch_shape(axes: &[Option<usize>]) -> Value {
    let sizes = axes.iter().map(|size| size.map_or(Value::Null, Value::from));
    Value::List(std::iter::once(Value::Null).chain(sizes).collect())
}

/// The settings of the input of a model.
pub(super) fn input_layer<F: Scalar>(axes: &[Option<usize>], name: &str) -> Config {
    Config::of("keras.layers", "InputLayer")
        .with("batch_shape", batch_shape(axes))
        .with("dtype", layer::precision::<F>())
        .with("name", name)
}

/// Adds the shape for which a layer was built.
pub(super) fn with_built_shape<F: Scalar>(mut config: Config, layer: &NamedLayer<F>) -> Config {
    if let Some(axes) = layer.input_axes() {
        let shape = Value::Map(vec![("input_shape".into(), batch_shape(&axes))]);
        config.beside.push(("build_config".into(), shape));
    }
    config
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
        let input = self.input_axes();
        layers.extend(input.as_ref().map(|input| input_layer::<F>(input.axes(), "input_layer")));
        for layer in &self.layers {
            let config = layer.config().ok_or_else(|| not_savable("layer", layer))?;
            layers.push(with_built_shape(config, layer));
        }
        let policy = Config::of("keras", "DTypePolicy").with("name", layer::precision::<F>());
        let mut config = Config::of("keras", "Sequential")
            .with("name", "sequential")
            .with("trainable", true)
            .with("dtype", policy)
            .with("layers", layers);
        if let Some(input) = input {
            config.set("build_input_shape", batch_shape(input.axes()));
        }
        Ok(config)
    }

    /// Constructs a model from its architecture, without building it.
    pub(in crate::save) fn from_config(config: &Config, loader: &Loader<F>) -> Result<Self> {
        Ok(Sequential::placed(config, loader)?.0)
    }

    /// Constructs a model, and returns where a file of Keras keeps the arrays of its layers.
    pub(in crate::save) fn placed(config: &Config, loader: &Loader<F>) -> Result<(Self, Vec<LayerPath>)> {
        let chain = chain::read(config, &loader.known.layers, loader.input.as_deref())?;
        let (layers, paths) = chain.layers.into_iter().map(|placed| (placed.layer, placed.path)).unzip();
        let mut model = Sequential::with_scalar();
        model.layers = layers;
        if let Some(input) = chain.input {
            model.set_input(input);
        }
        Ok((model, paths))
    }
}
