//! The built-in metrics, by their names in files and by Keras's short names.

use std::borrow::Cow;

use super::*;
use crate::config::{Config, Constructor, Fields, Registry, Value, built_in, refuse};
use crate::loss::{self, Loss};

/// Returns the registry of the built-in metrics.
pub(crate) fn registry<F: Scalar>() -> Registry<dyn Metric<F>> {
    let mut rows: Vec<Constructor<dyn Metric<F>>> = built_in![
        "AUC": Auc::new(),
        "BinaryIoU": BinaryIou::new(),
        "ConcordanceCorrelation": ConcordanceCorrelation::new(),
        "CosineSimilarity": CosineSimilarity::new(),
        "F1Score": F1Score::new(),
        "FBetaScore": FBetaScore::new(1.0),
        "IoU": Iou::new(1, [0]),
        "LogCoshError": LogCoshError::new(),
        "MeanAbsoluteError": MeanAbsoluteError::new(),
        "MeanAbsolutePercentageError": MeanAbsolutePercentageError::new(),
        "MeanIoU": MeanIou::new(1),
        "MeanSquaredError": MeanSquaredError::new(),
        "MeanSquaredLogarithmicError": MeanSquaredLogarithmicError::new(),
        "OneHotIoU": OneHotIou::new(1, [0]),
        "OneHotMeanIoU": OneHotMeanIou::new(1),
        "PearsonCorrelation": PearsonCorrelation::new(),
        "Precision": Precision::new(),
        "PrecisionAtRecall": PrecisionAtRecall::new(0.5),
        "R2Score": R2Score::new(),
        "Recall": Recall::new(),
        "RecallAtPrecision": RecallAtPrecision::new(0.5),
        "RootMeanSquaredError": RootMeanSquaredError::new(),
        "SensitivityAtSpecificity": SensitivityAtSpecificity::new(0.5),
        "SparseTopKCategoricalAccuracy": TopKAccuracy::new().name("sparse_top_k_categorical_accuracy"),
        "SpecificityAtSensitivity": SpecificityAtSensitivity::new(0.5),
        "TopKCategoricalAccuracy": TopKAccuracy::new().name("top_k_categorical_accuracy"),
    ];
    for kind in ["Accuracy", "BinaryAccuracy", "CategoricalAccuracy", "SparseCategoricalAccuracy"] {
        rows.push((kind, accuracy::from_fields));
    }
    Registry::new("metric", rows)
}

/// Keras's other names for its metrics.
const ALIASES: [(&str, &str); 6] = [
    ("cosine", "CosineSimilarity"),
    ("logcosh", "LogCoshError"),
    ("mae", "MeanAbsoluteError"),
    ("mape", "MeanAbsolutePercentageError"),
    ("mse", "MeanSquaredError"),
    ("msle", "MeanSquaredLogarithmicError"),
];

/// Constructs a metric from its settings, or from Keras's name or function, under which it is then reported.
pub(crate) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    metrics: &Registry<dyn Metric<F>>,
    losses: &Registry<dyn Loss<F>>,
) -> Result<Box<dyn Metric<F>>> {
    let is_accuracy = |name: &str| ["accuracy", "acc"].contains(&name);
    let mut config = match value {
        Value::Text(name) if is_accuracy(name) => return Ok(Box::new(Accuracy::new().name(name.clone()))),
        Value::Config(object) if object.function().is_none() => of_object(object, path, metrics, losses)?,
        value => {
            let config = of_name(value, path, metrics, losses)?;
            value.name().into_iter().fold(config, |config, name| config.with("name", name))
        }
    };
    one_threshold(&mut config);
    let mut fields = Fields::new(&config, format!("{path}.config"));
    for ignored in ["dtype", "fn", "reduction"] {
        fields.value(ignored);
    }
    let metric: Box<dyn Metric<F>> = if config.module.as_deref() == Some("keras.losses") {
        let name: Option<String> = fields.get_or("name", None)?;
        let metric = MeanLoss::new(losses.construct(&mut fields)?);
        Box::new(name.into_iter().fold(metric, MeanLoss::name))
    } else {
        metrics.construct(&mut fields)?
    };
    fields.finish()?;
    Ok(metric)
}

/// The metric of a name or function of Keras; one of the module `keras.losses` is the mean of that loss.
fn of_name<F: Scalar>(
    value: &Value,
    path: &str,
    metrics: &Registry<dyn Metric<F>>,
    losses: &Registry<dyn Loss<F>>,
) -> Result<Config> {
    let metric = || metrics.config(value, path, "a metric", "keras.metrics", &ALIASES);
    let loss = || losses.config(value, path, "a loss", "keras.losses", &loss::ALIASES);
    // The function is that of the loss, with the opposite sign.
    let is_loss = matches!(value, Value::Config(_)) && value.name() == Some("cosine_similarity");
    let config = if is_loss { loss() } else { metric().or_else(|error| loss().map_err(|_| error)) };
    config.map(Cow::into_owned)
}

/// The metric of an object in a file, as [`of_name`].
fn of_object<F: Scalar>(
    object: &Config,
    path: &str,
    metrics: &Registry<dyn Metric<F>>,
    losses: &Registry<dyn Loss<F>>,
) -> Result<Config> {
    if object.module.as_deref() == Some("keras.losses") {
        let expected = "a metric, which averages over rows; a loss object averages over batches";
        return Err(refuse(path, expected, Value::from(object.clone())));
    }
    if object.is_of_keras() && object.kind == "MeanMetricWrapper" {
        let path = format!("{path}.config.fn");
        let function = object.get("fn").unwrap_or(&Value::Null);
        if function.name().is_none() {
            return Err(refuse(&path, "a function, which returns a value per row", function));
        }
        let arguments = object.fields.iter().filter(|(name, _)| name != "fn").cloned().collect();
        return Ok(Config { fields: arguments, ..of_name(function, &path, metrics, losses)? });
    }
    let is_metric = metrics.names().any(|kind| kind == object.kind);
    let is_loss = object.is_of_keras() && !is_metric && losses.names().any(|kind| kind == object.kind);
    let module = if is_loss { Some("keras.losses".into()) } else { object.module.clone() };
    Ok(Config { module, ..object.clone() })
}

/// Keras's `Precision` and `Recall` write one threshold as a list, too.
fn one_threshold(config: &mut Config) {
    if let Some(Value::List(list)) = config.get("thresholds")
        && let [threshold] = &list[..]
        && ["Precision", "Recall"].contains(&&*config.kind)
    {
        let threshold = threshold.clone();
        config.set("thresholds", threshold);
    }
}
