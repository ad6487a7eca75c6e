//! Keras layers that load as another layer: `Identity`, `ActivityRegularization`, and `RNN` around a cell.

use std::borrow::Cow;

use super::precision::check_precision;
use crate::config::{Config, Fields, Value, refuse};
use crate::error::Result;

/// Returns the settings of the layer that computes the same here; most kinds are a layer of their own.
pub(super) fn resolve<'a>(config: &'a Config, path: &str) -> Result<Cow<'a, Config>> {
    let linear = || Config { kind: "Activation".into(), ..config.clone() }.with("activation", "linear");
    Ok(match &*config.kind {
        _ if !config.is_of_keras() => Cow::Borrowed(config),
        "Identity" => Cow::Owned(linear()),
        "ActivityRegularization" => {
            let mut fields = Fields::new(config, format!("{path}.config"));
            let (l1, l2) = (fields.get_or("l1", 0.0)?, fields.get_or("l2", 0.0)?);
            let mut linear = linear();
            linear.fields.retain(|(name, _)| name != "l1" && name != "l2");
            let penalty = Config::of("keras.regularizers", "L1L2").with("l1", l1).with("l2", l2);
            Cow::Owned(linear.with("activity_regularizer", penalty))
        }
        "RNN" if !has_stacked_cells(config) => Cow::Owned(with_cell(config, path)?),
        _ => Cow::Borrowed(config),
    })
}

fn has_stacked_cells(config: &Config) -> bool {
    matches!(config.get("cell"), Some(Value::Config(cell)) if cell.kind == "StackedRNNCells")
}

/// The layer of an `RNN` of one cell: its own settings and those of its cell.
fn with_cell(config: &Config, path: &str) -> Result<Config> {
    let expected = "a SimpleRNNCell, LSTMCell or GRUCell, or StackedRNNCells of them";
    let path = format!("{path}.config.cell");
    let cell = match config.get("cell") {
        Some(Value::Config(cell)) => cell,
        other => return Err(refuse(&path, expected, other.unwrap_or(&Value::Null))),
    };
    let kind = match &*cell.kind {
        kind @ ("SimpleRNNCell" | "LSTMCell" | "GRUCell") => kind.trim_end_matches("Cell"),
        kind => return Err(refuse(&path, expected, kind)),
    };
    let is_frozen = |config: &Config| config.get("trainable") == Some(&Value::Bool(false));
    if is_frozen(cell) && !is_frozen(config) {
        return Err(refuse(&format!("{path}.config.trainable"), "true, as that of its RNN", "false"));
    }
    check_precision(cell.get("dtype").unwrap_or(&Value::Null), &format!("{path}.config.dtype"))?;
    let own = config.fields.iter().filter(|(name, _)| name != "cell");
    let of_cell = cell.fields.iter().filter(|(name, _)| !["name", "trainable", "dtype"].contains(&&**name));
    // If both state a setting, the second one is refused as unknown.
    let fields = own.chain(of_cell).cloned().collect();
    Ok(Config { module: config.module.clone(), kind: kind.into(), fields, beside: Vec::new() })
}
