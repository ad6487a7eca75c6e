//! The metrics that files know by their kind, and by Keras's names.

use super::*;
use crate::config::{Fields, Kinds, Made, Value, refuse, stock};

/// All of stock.
pub(crate) fn kinds<F: Scalar>() -> Kinds<dyn Metric<F>> {
    let mut rows: Vec<Made<dyn Metric<F>>> = stock![
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
    Kinds::new("metric", rows)
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

/// Made of its settings, or of Keras's name for it, under which it is reported then.
pub(crate) fn from_value<F: Scalar>(
    value: &Value,
    path: &str,
    kinds: &Kinds<dyn Metric<F>>,
) -> Result<Box<dyn Metric<F>>> {
    let named;
    let config = match value {
        Value::Config(config) => &**config,
        Value::Text(name) if ["accuracy", "acc"].contains(&&**name) => {
            return Ok(Box::new(Accuracy::new().name(name.clone())));
        }
        Value::Text(name) => {
            let kind = ALIASES.iter().find(|(alias, _)| alias.eq_ignore_ascii_case(name));
            let kind = kind.map(|(_, kind)| *kind).or_else(|| kinds.named(name));
            let kind = kind.ok_or_else(|| refuse(path, "a metric of Keras", value))?;
            named = Config::of("keras.metrics", kind).with("name", name.as_str());
            &named
        }
        _ => return Err(refuse(path, "a metric", value)),
    };
    let mut fields = Fields::new(config, format!("{path}.config"));
    for ignored in ["dtype", "fn", "reduction"] {
        fields.value(ignored);
    }
    let metric = kinds.begin(&mut fields, &config.module)?;
    fields.finish()?;
    Ok(metric)
}

/// The settings of a metric that lists them.
macro_rules! saved {
    ($kind:expr) => {
        fn config(&self) -> Option<crate::config::Config> {
            Some(crate::config::Config::told("keras.metrics", $kind, self))
        }
    };
}
pub(crate) use saved;
