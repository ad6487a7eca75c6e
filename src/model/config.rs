//! A model as settings: its layers in Keras's terms, and how it was compiled.

use super::{Compiled, Sequential};
use crate::config::{Config, Fields, Registry, Setting, Value, refuse};
use crate::error::{Error, FileError, Result};
use crate::layer::{self, Layer, NamedLayer};
use crate::loss::{self, Loss, Target};
use crate::metric::{self, Metric, Weighted};
use crate::optimizer::{self, Optimizer, Schedule};
use crate::scalar::Scalar;

/// The registries of all families.
#[derive(Debug, Clone)]
pub(crate) struct Registries<F: Scalar> {
    pub(crate) layers: Registry<dyn Layer<F>>,
    pub(crate) losses: Registry<dyn Loss<F>>,
    pub(crate) metrics: Registry<dyn Metric<F>>,
    pub(crate) optimizers: Registry<dyn Optimizer<F>>,
    pub(crate) schedules: Registry<dyn Schedule>,
}

impl<F: Scalar> Registries<F> {
    /// Returns the registries of the built-in layers, losses, metrics, optimizers and schedules.
    pub(crate) fn built_in() -> Self {
        Registries {
            layers: layer::registry(),
            losses: loss::registry(),
            metrics: metric::registry(),
            optimizers: optimizer::registry(),
            schedules: optimizer::schedules(),
        }
    }
}

/// The error for something without settings.
fn not_savable(what: &'static str, name: impl std::fmt::Debug) -> Error {
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

    /// The settings of `compile`, as in Keras's `compile_config`; none if the model is not compiled.
    ///
    /// # Errors
    /// [`FileError::NotSavable`] for a loss, optimizer or metric without settings, such as a closure.
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
    /// Converts the settings of a metric to Keras's: our accuracy selects its rule by the targets, Keras has a class
    /// for each rule, or the word `accuracy`.
    fn metric_in_keras(&self, config: Config, loss: &dyn Loss<F>) -> Value {
        let by_class = matches!(loss.target(), Target::Classes { .. });
        let single = self.output_shape().is_some_and(|shape| shape.last() == Some(&1));
        let kind = match (&*config.module, &*config.kind) {
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
        Config { module: "keras.metrics".into(), kind: kind.into(), ..config }.into()
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
        let loss = loss::from_value(value, &format!("{path}.loss"), &known.losses)?;
        let mut metrics: Vec<Box<dyn Metric<F>>> = Vec::new();
        for (name, weighted) in [("metrics", false), ("weighted_metrics", true)] {
            let path = format!("{path}.{name}");
            let list = match fields.value(name).unwrap_or(null) {
                Value::Null => &[],
                Value::List(list) => &list[..],
                value => return Err(refuse(&path, "a list of metrics", value)),
            };
            for (i, value) in list.iter().enumerate() {
                let metric = metric::from_value(value, &format!("{path}[{i}]"), &known.metrics)?;
                metrics.push(if weighted { Box::new(Weighted::new(metric)) } else { metric });
            }
        }
        fields.finish()?;
        Compiled::new(optimizer, loss, metrics).map(Some)
    }
}
