//! Initializers as settings, under Keras's names.

use super::{Distribution, Fan, Initializer};
use crate::config::{Config, Fields, Setting, Value, refuse, words};
use crate::error::Result;

words!(Fan, "fan_in, fan_out or fan_avg" { "fan_in" => Fan::In, "fan_out" => Fan::Out, "fan_avg" => Fan::Average });
words!(Distribution, "truncated_normal, untruncated_normal or uniform" {
    "truncated_normal" => Distribution::TruncatedNormal,
    "untruncated_normal" => Distribution::UntruncatedNormal,
    "uniform" => Distribution::Uniform,
});

/// The initializers without parameters, with Keras's class name and function name.
const NAMED: [(&str, &str, Initializer); 8] = [
    ("Zeros", "zeros", Initializer::Zeros),
    ("Ones", "ones", Initializer::Ones),
    ("GlorotUniform", "glorot_uniform", Initializer::GlorotUniform),
    ("GlorotNormal", "glorot_normal", Initializer::GlorotNormal),
    ("HeUniform", "he_uniform", Initializer::HeUniform),
    ("HeNormal", "he_normal", Initializer::HeNormal),
    ("LecunUniform", "lecun_uniform", Initializer::LecunUniform),
    ("LecunNormal", "lecun_normal", Initializer::LecunNormal),
];

impl Setting for Initializer {
    const EXPECTED: &'static str = "an initializer of Keras";

    fn to_value(&self) -> Value {
        let of = |kind| Config::of("keras.initializers", kind);
        let config = match *self {
            Initializer::Constant(value) => of("Constant").with("value", value),
            Initializer::RandomNormal { mean, stddev } => {
                of("RandomNormal").with("mean", mean).with("stddev", stddev)
            }
            Initializer::TruncatedNormal { mean, stddev } => {
                of("TruncatedNormal").with("mean", mean).with("stddev", stddev)
            }
            Initializer::RandomUniform { low, high } => {
                of("RandomUniform").with("minval", low).with("maxval", high)
            }
            Initializer::VarianceScaling { scale, fan, distribution } => of("VarianceScaling")
                .with("scale", scale)
                .with("mode", fan.to_value())
                .with("distribution", distribution.to_value()),
            Initializer::Orthogonal { gain } => of("Orthogonal").with("gain", gain),
            Initializer::Identity { gain } => of("Identity").with("gain", gain),
            _ => of(NAMED.iter().find(|(_, _, rule)| rule == self).map_or("Zeros", |(kind, ..)| *kind)),
        };
        config.into()
    }

    fn from_value(value: &Value, path: &str) -> Result<Self> {
        let config = match value {
            Value::Config(config) if config.is_of_keras() => config,
            Value::Text(name) => {
                let rule = NAMED.iter().find(|(kind, function, _)| kind == name || function == name);
                return rule
                    .map(|(.., rule)| rule.clone())
                    .ok_or_else(|| refuse(path, Self::EXPECTED, value));
            }
            _ => return Err(refuse(path, Self::EXPECTED, value)),
        };
        let path = format!("{path}.config");
        let mut fields = Fields::new(config, &*path);
        // A seed is ignored: the weights hold what was drawn.
        fields.value("seed");
        let rule = match &*config.kind {
            "Constant" => Initializer::Constant(fields.get_or("value", 0.0)?),
            "RandomNormal" => Initializer::RandomNormal {
                mean: fields.get_or("mean", 0.0)?,
                stddev: fields.get_or("stddev", 0.05)?,
            },
            "TruncatedNormal" => Initializer::TruncatedNormal {
                mean: fields.get_or("mean", 0.0)?,
                stddev: fields.get_or("stddev", 0.05)?,
            },
            "RandomUniform" => Initializer::RandomUniform {
                low: fields.get_or("minval", -0.05)?,
                high: fields.get_or("maxval", 0.05)?,
            },
            "VarianceScaling" => Initializer::VarianceScaling {
                scale: fields.get_or("scale", 1.0)?,
                fan: fields.get_or("mode", Fan::In)?,
                distribution: fields.get_or("distribution", Distribution::TruncatedNormal)?,
            },
            "Orthogonal" | "OrthogonalInitializer" => {
                Initializer::Orthogonal { gain: fields.get_or("gain", 1.0)? }
            }
            "Identity" => Initializer::Identity { gain: fields.get_or("gain", 1.0)? },
            kind => match NAMED.iter().find(|(known, ..)| *known == kind) {
                Some((.., rule)) => rule.clone(),
                None => return Err(refuse(&path, Self::EXPECTED, value)),
            },
        };
        fields.finish()?;
        Ok(rule)
    }
}
