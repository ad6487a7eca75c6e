//! The precision of a model, as files state it.

use crate::config::{Value, refuse};
use crate::error::Result;
use crate::scalar::Scalar;

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
