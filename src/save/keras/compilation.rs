//! How a model was compiled, as Keras's `compile_config`.

use std::borrow::Cow;

use super::architecture::not_savable;
use crate::config::{Config, Fields, Value, refuse};
#[cfg(feature = "keras")]
use crate::error::FileError;
use crate::error::Result;
use crate::loss::{self, Loss, Target};
use crate::metric::{self, Metric, Weighted};
use crate::model::{Compiled, Sequential};
use crate::optimizer;
use crate::save::registries::Registries;
use crate::scalar::Scalar;

impl<F: Scalar> Sequential<F> {
    /// The settings of `compile`, as in Keras's `compile_config`; none if the model is not compiled.
    ///
    /// # Errors
    /// [`NotSavable`](crate::error::FileError::NotSavable) for a loss, optimizer or metric without settings, such as a closure.
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// let mut model = Sequential::new().input([3]).add(Dense::new(2));
    /// assert!(model.compile_config()?.is_none());
    /// model.compile(Sgd::new(|step: u64| 0.1 / (1 + step) as f64), MeanSquaredError::new(), ())?;
    /// assert!(model.compile_config().is_err());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn compile_config(&self) -> Result<Option<Value>> {
        let Some(compiled) = &self.compiled else { return Ok(None) };
        let optimizer = &compiled.optimizer;
        let what = if optimizer.learning_rate().has_config() {
            "optimizer"
        } else {
            "learning rate of the optimizer"
        };
        let optimizer = optimizer.config().ok_or_else(|| not_savable(what, optimizer))?;
        let loss = compiled.loss.config().ok_or_else(|| not_savable("loss", &compiled.loss))?;
        let (mut metrics, mut weighted) = (Vec::new(), Vec::new());
        for metric in &compiled.metrics {
            let config = metric.config().ok_or_else(|| not_savable("metric", metric))?;
            let list = if metric.is_weighted() { &mut weighted } else { &mut metrics };
            list.push(self.metric_in_keras(config, &*compiled.loss));
        }
        let list = |configs: Vec<Value>| if configs.is_empty() { Value::Null } else { configs.into() };
        let fields: [(&str, Value); 4] = [
            ("optimizer", optimizer.into()),
            ("loss", loss.into()),
            ("metrics", list(metrics)),
            ("weighted_metrics", list(weighted)),
        ];
        Ok(Some(Value::Map(fields.map(|(name, value)| (name.to_string(), value)).into())))
    }
}

impl<F: Scalar> Sequential<F> {
    /// The settings of `compile` for a `.keras` file; refuses those that Keras's files cannot hold.
    #[cfg(feature = "keras")]
    pub(in crate::save) fn compile_config_of_keras(&self) -> Result<Option<Value>> {
        let config = self.compiled.as_ref().and_then(|compiled| compiled.optimizer.config());
        if config.is_some_and(|config| config.get("exclude_from_weight_decay").is_some()) {
            let reason =
                "Keras's files cannot hold `exclude_from_weight_decay`; save as `.safetensors`".into();
            return Err(FileError::NotExportable { format: ".keras", reason }.into());
        }
        self.compile_config()
    }

    /// Converts the settings of a metric to Keras's: our accuracy selects its rule by the targets, Keras has a class
    /// for each rule, or the word `accuracy`.
    fn metric_in_keras(&self, config: Config, loss: &dyn Loss<F>) -> Value {
        let by_class = matches!(loss.target(), Target::Classes { .. });
        let single = self.output_shape().is_some_and(|shape| shape.last() == Some(&1));
        let kind = match (config.module.as_deref().unwrap_or_default(), &*config.kind) {
            ("cornu", "Accuracy") => match config.get("name") {
                Some(Value::Text(name)) if name == "accuracy" || name == "acc" => {
                    return name.as_str().into();
                }
                _ if single => "BinaryAccuracy",
                _ if by_class => "SparseCategoricalAccuracy",
                _ => "CategoricalAccuracy",
            },
            ("keras.metrics", "TopKCategoricalAccuracy") if by_class => "SparseTopKCategoricalAccuracy",
            _ => return config.into(),
        };
        Config { module: Some("keras.metrics".into()), kind: kind.into(), ..config }.into()
    }
}

impl<F: Scalar> Compiled<F> {
    /// Reads Keras's `compile_config`; none if the model was not compiled.
    pub(crate) fn from_value(value: &Value, known: &Registries<F>) -> Result<Option<Self>> {
        let path = "compile_config";
        let fields = match value {
            Value::Null => return Ok(None),
            Value::Map(fields) if fields.is_empty() => return Ok(None),
            Value::Map(fields) => Config { fields: fields.clone(), ..Config::new("compile") },
            value => return Err(refuse(path, "a compile configuration", value)),
        };
        let mut fields = Fields::new(&fields, path);
        for ignored in ["run_eagerly", "steps_per_execution", "jit_compile", "auto_scale_loss"] {
            fields.value(ignored);
        }
        let null = &Value::Null;
        let value = fields.value("optimizer").unwrap_or(null);
        let optimizer =
            optimizer::from_value(value, &format!("{path}.optimizer"), &known.optimizers, &known.schedules)?;
        let value = fields.value("loss").unwrap_or(null);
        let path_of_loss = format!("{path}.loss");
        let value = of_output(value, &path_of_loss, "loss")?;
        let loss = loss::from_value(value, &path_of_loss, &known.losses)?;
        let weight = of_output(
            fields.value("loss_weights").unwrap_or(null),
            &fields.path_of("loss_weights"),
            "weight",
        )?;
        if !matches!(weight, Value::Null | Value::Int(1)) && *weight != Value::Float(1.0) {
            return Err(refuse(&fields.path_of("loss_weights"), "1, because the model has one loss", weight));
        }
        let mut metrics: Vec<Box<dyn Metric<F>>> = Vec::new();
        for (name, weighted) in [("metrics", false), ("weighted_metrics", true)] {
            let path = format!("{path}.{name}");
            let value = match fields.value(name).unwrap_or(null) {
                value @ Value::Map(_) => of_output(value, &path, "list of metrics")?,
                value => value,
            };
            let list = match value {
                Value::Null => &[],
                Value::List(list) => match &list[..] {
                    [Value::List(list)] => list,
                    list => list,
                },
                value => std::slice::from_ref(value),
            };
            for (i, value) in list.iter().enumerate() {
                let path = format!("{path}[{i}]");
                for value in &*per_threshold(value) {
                    let metric = metric::from_value(value, &path, &known.metrics, &known.losses)?;
                    metrics.push(if weighted { Box::new(Weighted::new(metric)) } else { metric });
                }
            }
        }
        fields.finish()?;
        Compiled::new(optimizer, loss, metrics).map(Some)
    }
}

/// The most thresholds of a metric, and the most bytes of its name, so that a small file cannot demand many metrics.
const MOST: usize = 100;

/// The metrics of a Keras metric: its `Precision` and `Recall` take several thresholds, and have a value for each.
/// These become `precision_0.3`, `precision_0.6` ...
fn per_threshold(value: &Value) -> Cow<'_, [Value]> {
    let one = Cow::Borrowed(std::slice::from_ref(value));
    let Value::Config(config) = value else { return one };
    let (Some(Value::Text(name)), Some(Value::List(thresholds))) =
        (config.get("name"), config.get("thresholds"))
    else {
        return one;
    };
    if !config.is_of_keras()
        || !(2..=MOST).contains(&thresholds.len())
        || name.len() > MOST
        || !["Precision", "Recall"].contains(&&*config.kind)
    {
        return one;
    }
    let mut base = (**config).clone();
    base.set("thresholds", Value::Null);
    let metric = |threshold: &Value| {
        let mut config = base.clone();
        config.set("name", format!("{name}_{threshold}"));
        config.set("thresholds", threshold.clone());
        config.into()
    };
    thresholds.iter().map(metric).collect()
}

/// The value for the only output of the model; Keras also keeps it in a list, or under the name of the output.
fn of_output<'v>(value: &'v Value, path: &str, what: &str) -> Result<&'v Value> {
    match value {
        Value::List(values) if values.len() == 1 => Ok(&values[0]),
        Value::Map(fields) if fields.len() == 1 => Ok(&fields[0].1),
        Value::List(_) | Value::Map(_) => Err(refuse(path, format!("one {what}, for the one output"), value)),
        value => Ok(value),
    }
}
