//! Activations as settings: Keras's names, or its layers if a parameter differs from the function's default.

use super::Activation::{self, *};
use crate::config::{Config, Fields, Setting, Value, refuse};
use crate::error::Result;

const LAYERS: &str = "keras.layers";

impl Setting for Activation {
    const EXPECTED: &'static str = "an activation's name";

    fn to_value(&self) -> Value {
        if let Some((name, _)) = super::NAMED.iter().find(|(_, activation)| activation == self) {
            return Value::Text((*name).into());
        }
        let ours = |kind, name: &str, value: f64| Config::of("cornu", kind).with(name, value);
        let config = match *self {
            ReluWith { negative_slope, max_value, threshold } => Config::of(LAYERS, "ReLU")
                .with("max_value", max_value)
                .with("negative_slope", negative_slope)
                .with("threshold", threshold),
            LeakyRelu { negative_slope } => {
                Config::of(LAYERS, "LeakyReLU").with("negative_slope", negative_slope)
            }
            Elu { alpha } => Config::of(LAYERS, "ELU").with("alpha", alpha),
            Celu { alpha } => ours("Celu", "alpha", alpha),
            Squareplus { b } => ours("Squareplus", "b", b),
            SoftShrink { threshold } => ours("SoftShrink", "threshold", threshold),
            HardShrink { threshold } => ours("HardShrink", "threshold", threshold),
            Threshold { threshold, default_value } => {
                ours("Threshold", "threshold", threshold).with("default_value", default_value)
            }
            // Every other value has a name.
            _ => Config::of("cornu", "Gelu").with("approximate", *self == Gelu { approximate: true }),
        };
        config.into()
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        let config = match value {
            Value::Null => return Ok(Linear),
            Value::Text(name) => return name.parse().map_err(|_| refuse(path, Self::EXPECTED, value)),
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
            ("cornu", "Celu") => Celu { alpha: fields.get_or("alpha", 1.0)? },
            ("cornu", "Squareplus") => Squareplus { b: fields.get_or("b", 4.0)? },
            ("cornu", "SoftShrink") => SoftShrink { threshold: fields.get_or("threshold", 0.5)? },
            ("cornu", "HardShrink") => HardShrink { threshold: fields.get_or("threshold", 0.5)? },
            ("cornu", "Threshold") => Threshold {
                threshold: fields.get_or("threshold", 0.0)?,
                default_value: fields.get_or("default_value", 0.0)?,
            },
            ("cornu", "Gelu") => Gelu { approximate: fields.get_or("approximate", false)? },
            _ => return Err(refuse(&path, Self::EXPECTED, value)),
        };
        fields.finish()?;
        Ok(activation)
    }
}
