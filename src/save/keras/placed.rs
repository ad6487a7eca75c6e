//! A layer of a Keras model and its place in the file.

use std::collections::HashSet;
use std::rc::Rc;

use crate::config::{Fields, Value};
use crate::error::{Error, Result};
use crate::layer::{LayerExt, NamedLayer, check_precision};
use crate::regularizer::Regularizer;
use crate::scalar::Scalar;

/// The longest name that a prefix makes unique.
const LONGEST: usize = 255;

/// Where a file keeps the arrays of a layer.
#[derive(Debug, Default)]
pub(in crate::save) struct LayerPath {
    /// The group of the layer; empty for a chain within a layer, which is no layer of Keras.
    pub(in crate::save) group: String,
    /// The paths of its inner layers; `None` for the usual paths within the group.
    pub(in crate::save) inner: Option<Vec<LayerPath>>,
    /// The place of the layer in Keras's order, which is that of the optimizer's arrays.
    pub(in crate::save) position: usize,
}

impl LayerPath {
    pub(in crate::save) fn of(group: String, position: usize) -> Self {
        LayerPath { group, inner: None, position }
    }

    /// The path of an inner layer.
    #[cfg(feature = "keras")]
    pub(super) fn at(&self, name: &str) -> Self {
        LayerPath::of(format!("{}/{name}", self.group), self.position)
    }
}

/// A layer, and its place in the file.
pub(super) struct PlacedLayer<F: Scalar> {
    pub(super) layer: NamedLayer<F>,
    pub(super) path: LayerPath,
    /// The name of the innermost model that it was part of within this one.
    pub(super) model: Option<Rc<str>>,
    /// How deeply residual connections are nested in it.
    pub(super) depth: usize,
}

/// The settings of a layer that contains others.
pub(super) struct CommonSettings {
    pub(super) name: String,
    pub(super) trainable: bool,
    pub(super) activity_regularizer: Option<Regularizer>,
}

impl CommonSettings {
    pub(super) fn read(fields: &mut Fields) -> Result<Self> {
        let (name, trainable) = (fields.get("name")?, fields.get_or("trainable", true)?);
        let activity_regularizer = fields.get_or("activity_regularizer", None)?;
        let path = fields.path_of("dtype");
        check_precision(fields.value("dtype").unwrap_or(&Value::Null), &path)?;
        Ok(CommonSettings { name, trainable, activity_regularizer })
    }

    pub(super) fn penalized<F: Scalar>(&self, layer: NamedLayer<F>) -> NamedLayer<F> {
        match self.activity_regularizer {
            Some(regularizer) => layer.activity_regularizer(regularizer),
            None => layer,
        }
    }
}

/// Makes names unique: if the name of a nested layer is taken, it is prefixed with the name of its model.
pub(super) fn unique<F: Scalar>(layers: Vec<PlacedLayer<F>>) -> Result<Vec<PlacedLayer<F>>> {
    if layers.iter().all(|placed| placed.model.is_none()) {
        return Ok(layers);
    }
    let own = layers.iter().filter(|placed| placed.model.is_none());
    let mut taken: HashSet<String> = own.map(|placed| placed.layer.label().into()).collect();
    let renamed = |placed: PlacedLayer<F>| {
        let Some(model) = &placed.model else { return Ok(placed) };
        let label = placed.layer.label();
        if taken.insert(label.into()) {
            return Ok(placed);
        }
        if model.len() + label.len() >= LONGEST {
            let expected = format!("at most {LONGEST} bytes together with the name of the model");
            return Err(Error::argument("name", expected, format!("{} bytes", model.len() + label.len())));
        }
        let base = format!("{model}_{label}");
        let numbered = (1..).map(|i| format!("{base}_{i}"));
        let names = std::iter::once(base.clone()).chain(numbered);
        let free = names.into_iter().find(|name| taken.insert(name.clone())).unwrap_or_default();
        Ok(PlacedLayer { layer: placed.layer.with_label(free), ..placed })
    };
    layers.into_iter().map(renamed).collect()
}
