//! Removes unknown settings that only training needs.

use crate::config::{Config, Registry, Setting, Value};
use crate::constraint::Constraint;
use crate::initializer::Initializer;
use crate::layer::Layer;
use crate::regularizer::Regularizer;
use crate::scalar::Scalar;

/// Removes unknown initializers, regularizers and constraints from the settings of built-in layers, which then use the
/// defaults.
pub(super) fn for_prediction<F: Scalar>(config: &mut Config, layers: &Registry<dyn Layer<F>>) {
    if config.is_built_in() && !layers.is_custom(&config.kind) {
        config.fields.retain(|(name, value)| is_readable(name, value));
    }
    config.fields.iter_mut().for_each(|(_, value)| within(value, layers));
}

fn within<F: Scalar>(value: &mut Value, layers: &Registry<dyn Layer<F>>) {
    match value {
        Value::Config(config) => for_prediction(config, layers),
        Value::List(values) => values.iter_mut().for_each(|value| within(value, layers)),
        _ => {}
    }
}

fn is_readable(name: &str, value: &Value) -> bool {
    match name.rsplit_once('_') {
        Some((_, "initializer")) => Initializer::from_value(value, name).is_ok(),
        Some((_, "regularizer")) => Option::<Regularizer>::from_value(value, name).is_ok(),
        Some((_, "constraint")) => Option::<Constraint>::from_value(value, name).is_ok(),
        _ => true,
    }
}
