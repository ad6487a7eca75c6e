//! The built-in optimizers by the names that files use, and the settings that all of them share.

use super::*;
use crate::config::{Constructor, Fields, Registry, Setting, Value, built_in};

/// Returns the registry of the built-in optimizers.
pub(crate) fn registry<F: Scalar>() -> Registry<dyn Optimizer<F>> {
    let rows: Vec<Constructor<dyn Optimizer<F>>> = built_in![
        "Adadelta": Adadelta::default(),
        "Adafactor": Adafactor::default(),
        "Adagrad": Adagrad::default(),
        "Adam": Adam::default(),
        "AdamW": AdamW::default(),
        "Adamax": Adamax::default(),
        "Ftrl": Ftrl::default(),
        "Lamb": Lamb::default(),
        "Lion": Lion::default(),
        "Muon": Muon::default(),
        "Nadam": Nadam::default(),
        "RMSprop": RmsProp::default(),
        "SGD": Sgd::default(),
    ];
    Registry::new("optimizer", rows)
}

/// Constructs an optimizer from its settings or from Keras's name.
pub(crate) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    registry: &Registry<dyn Optimizer<F>>,
    schedules: &Registry<dyn Schedule>,
) -> Result<Box<dyn Optimizer<F>>> {
    let config = registry.config(value, path, "an optimizer", "keras.optimizers", &[])?;
    let mut fields = Fields::new(&config, format!("{path}.config"));
    for ignored in ["name", "jit_compile", "is_legacy_optimizer"] {
        fields.value(ignored);
    }
    let mut optimizer = registry.construct(&mut fields)?;
    let path = fields.path_of("learning_rate");
    if let Some(rate) = fields.value("learning_rate") {
        *optimizer.learning_rate_mut() = match rate {
            Value::Config(config) => LearningRate::Schedule(schedule::from_config(config, &path, schedules)?),
            rate => LearningRate::Constant(f64::from_value(rate, &path)?),
        };
    }
    let mut options = optimizer.options().cloned().unwrap_or_default();
    options.read(&mut fields)?;
    fields.finish()?;
    if options == optimizer.options().cloned().unwrap_or_default() {
        return Ok(optimizer);
    }
    Ok(Box::new(Tuned::new(optimizer).with(|own| *own = options)))
}

impl Options {
    /// Adds the options to the settings of a rule.
    pub(super) fn write(&self, to: &mut Config) {
        to.set("weight_decay", self.weight_decay);
        let bounds = [
            ("clipnorm", self.clip_norm),
            ("global_clipnorm", self.global_clip_norm),
            ("clipvalue", self.clip_value),
        ];
        for (name, bound) in bounds.into_iter().filter(|(_, bound)| bound.is_some()) {
            to.set(name, bound);
        }
        if let Some(average) = self.average {
            to.set("use_ema", true);
            to.set("ema_momentum", average.momentum);
            to.set("ema_overwrite_frequency", average.overwrite);
        }
        to.set("gradient_accumulation_steps", self.accumulation.filter(|&batches| batches > 1));
        // Keras does not store these; write them only if set, so that other files equal Keras's.
        if !self.undecayed.is_empty() {
            to.set("exclude_from_weight_decay", self.undecayed.to_value());
        }
    }

    fn read(&mut self, from: &mut Fields) -> Result<()> {
        from.read("weight_decay", &mut self.weight_decay)?;
        let bounds = [
            ("clipnorm", &mut self.clip_norm),
            ("global_clipnorm", &mut self.global_clip_norm),
            ("clipvalue", &mut self.clip_value),
        ];
        for (name, bound) in bounds {
            from.read(name, bound)?;
            // As in Keras, a bound of 0 or less bounds nothing.
            *bound = bound.filter(|&bound| bound > 0.0);
        }
        let (mut use_ema, mut momentum, mut overwrite) = (self.average.is_some(), 0.99, None);
        from.read("use_ema", &mut use_ema)?;
        from.read("ema_momentum", &mut momentum)?;
        from.read("ema_overwrite_frequency", &mut overwrite)?;
        self.average = use_ema.then_some(WeightAverage { momentum, overwrite });
        from.read("gradient_accumulation_steps", &mut self.accumulation)?;
        from.read("exclude_from_weight_decay", &mut self.undecayed)
    }
}
