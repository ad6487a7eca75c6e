//! Activations as settings: Keras's name if all parameters are the defaults of the function, else Keras's layer, or
//! Keras's operation if there is no such layer.

use super::Activation::{self, *};
use super::NAMED;
use crate::config::{Config, Fields, Setting, Value, refuse};
use crate::error::Result;

const LAYERS: &str = "keras.layers";
/// Where Keras looks for an operation, such as `keras.src.ops.nn.Celu`.
const OPERATIONS: &str = "keras.src.ops.nn";

impl Setting for Activation {
    const EXPECTED: &'static str = "an activation's name";

    fn to_value(&self) -> Value {
        if let Some((name, _)) = NAMED.iter().find(|(_, activation)| activation == self) {
            return Value::Text((*name).into());
        }
        let operation = |kind, name: &str, value: f64| Config::of(OPERATIONS, kind).with(name, value);
        let config = match *self {
            ReluWith { negative_slope, max_value, threshold } => Config::of(LAYERS, "ReLU")
                .with("max_value", max_value)
                .with("negative_slope", negative_slope)
                .with("threshold", threshold),
            LeakyRelu { negative_slope } => {
                Config::of(LAYERS, "LeakyReLU").with("negative_slope", negative_slope)
            }
            Elu { alpha } => Config::of(LAYERS, "ELU").with("alpha", alpha),
            Celu { alpha } => operation("Celu", "alpha", alpha),
            Squareplus { b } => operation("Squareplus", "b", b),
            SoftShrink { threshold } => operation("SoftShrink", "threshold", threshold),
            HardShrink { threshold } => operation("HardShrink", "threshold", threshold),
            Threshold { threshold, default_value } => {
                operation("Threshold", "threshold", threshold).with("default_value", default_value)
            }
            // Every other value has a name.
            _ => Config::of(OPERATIONS, "Gelu").with("approximate", *self == Gelu { approximate: true }),
        };
        config.into()
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        if let Some(name) = value.name() {
            return name.parse().map_err(|_| refuse(path, Self::EXPECTED, value));
        }
        let config = match value {
            Value::Null => return Ok(Linear),
            Value::Config(config) => config,
            _ => return Err(refuse(path, Self::EXPECTED, value)),
        };
        let path = format!("{path}.config");
        let mut fields = Fields::new(config, &*path);
        ["name", "trainable", "dtype"].iter().for_each(|name| _ = fields.value(name));
        let activation = match (config.module.as_deref().unwrap_or_default(), &*config.kind) {
            (LAYERS, "ReLU") => {
                let (negative_slope, threshold) =
                    (fields.get_or("negative_slope", 0.0)?, fields.get_or("threshold", 0.0)?);
                match (negative_slope, fields.get_or("max_value", None)?, threshold) {
                    (0.0, None, 0.0) => Relu,
                    (_, max_value, _) => ReluWith { negative_slope, max_value, threshold },
                }
            }
            (LAYERS, "LeakyReLU") => LeakyRelu { negative_slope: fields.get_or("negative_slope", 0.3)? },
            (LAYERS, "ELU") => Elu { alpha: fields.get_or("alpha", 1.0)? },
            (LAYERS, "Softmax") => {
                fields.only("axis", -1)?;
                Softmax
            }
            (LAYERS, "Activation") => fields.get("activation")?,
            (OPERATIONS, "LeakyRelu") => LeakyRelu { negative_slope: fields.get_or("negative_slope", 0.2)? },
            (OPERATIONS, "Elu") => Elu { alpha: fields.get_or("alpha", 1.0)? },
            (OPERATIONS, "Celu") => Celu { alpha: fields.get_or("alpha", 1.0)? },
            (OPERATIONS, "Squareplus") => Squareplus { b: fields.get_or("b", 4.0)? },
            (OPERATIONS, "SoftShrink") => SoftShrink { threshold: fields.get_or("threshold", 0.5)? },
            (OPERATIONS, "HardShrink") => HardShrink { threshold: fields.get_or("threshold", 0.5)? },
            (OPERATIONS, "Threshold") => {
                Threshold { threshold: fields.get("threshold")?, default_value: fields.get("default_value")? }
            }
            (OPERATIONS, "Gelu") => Gelu { approximate: fields.get_or("approximate", true)? },
            (OPERATIONS, kind) => {
                fields.only("axis", -1)?;
                let named = NAMED.iter().find(|(name, _)| name.replace('_', "") == kind.to_lowercase());
                named.ok_or_else(|| refuse(&path, Self::EXPECTED, value))?.1
            }
            _ => return Err(refuse(&path, Self::EXPECTED, value)),
        };
        fields.finish()?;
        Ok(activation)
    }
}
