//! The built-in metrics, by their names in files and by Keras's short names.

use super::*;
use crate::config::{Constructor, Fields, Registry, Value, built_in};

/// Returns the registry of the built-in metrics.
pub(crate) fn registry<F: Scalar>() -> Registry<dyn Metric<F>> {
    let mut rows: Vec<Constructor<dyn Metric<F>>> = built_in![
        "AUC": Auc::new(),
        "CosineSimilarity": CosineSimilarity::new(),
        "F1Score": F1Score::new(),
        "FBetaScore": FBetaScore::new(1.0),
        "LogCoshError": LogCoshError::new(),
        "MeanAbsoluteError": MeanAbsoluteError::new(),
        "MeanAbsolutePercentageError": MeanAbsolutePercentageError::new(),
        "MeanSquaredError": MeanSquaredError::new(),
        "MeanSquaredLogarithmicError": MeanSquaredLogarithmicError::new(),
        "Precision": Precision::new(),
        "R2Score": R2Score::new(),
        "Recall": Recall::new(),
        "RootMeanSquaredError": RootMeanSquaredError::new(),
        "SparseTopKCategoricalAccuracy": TopKAccuracy::new().name("sparse_top_k_categorical_accuracy"),
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

/// Constructs a metric from its settings, or from Keras's name, under which it is then reported.
pub(crate) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    registry: &Registry<dyn Metric<F>>,
) -> Result<Box<dyn Metric<F>>> {
    if let Value::Text(name) = value
        && ["accuracy", "acc"].contains(&&**name)
    {
        return Ok(Box::new(Accuracy::new().name(name.clone())));
    }
    let mut config = registry.config(value, path, "a metric", "keras.metrics", &ALIASES)?;
    if let Value::Text(name) = value {
        config.to_mut().set("name", name.as_str());
    }
    let mut fields = Fields::new(&config, format!("{path}.config"));
    for ignored in ["dtype", "fn", "reduction"] {
        fields.value(ignored);
    }
    let metric = registry.construct(&mut fields)?;
    fields.finish()?;
    Ok(metric)
}
