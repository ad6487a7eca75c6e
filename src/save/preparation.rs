//! The preparations of a model in a file: a JSON object that maps their names to their settings.

use super::json;
use crate::config::{Config, Value, refuse};
use crate::data::Preparation;
use crate::error::{FileError, Result};
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::model::Sequential;
use crate::scalar::Scalar;

/// Writes the preparations, if there are any. Refuses one that could not be read again.
pub(super) fn write<F: Scalar>(model: &Sequential<F>) -> Result<Option<String>> {
    if model.preparations.is_empty() {
        return Ok(None);
    }
    let settings = |(name, preparation): &(String, Preparation)| {
        Ok((name.clone(), preparation.checked_config()?.into()))
    };
    json::write(&Value::Map(model.preparations.iter().map(settings).collect::<Result<_>>()?)).map(Some)
}

/// Reads the preparations at this place of a file.
pub(super) fn read(
    text: &[u8],
    place: &str,
    input: &Input,
    budget: &Budget,
) -> Result<Vec<(String, Preparation)>> {
    let value = json::parse(text, budget).map_err(|problem| input.damaged(place, problem))?;
    let Value::Map(fields) = value else {
        return Err(refuse(place, "an object of preparations", value));
    };
    let mut preparations = Vec::new();
    for (name, value) in fields {
        let Value::Config(config) = value else {
            return Err(refuse(&format!("{place}, {name}"), "a preparation", value));
        };
        budget.take(size(&config)).map_err(|spent| input.spent(place, spent))?;
        let preparation = Preparation::from_config(&config).map_err(|error| match error {
            crate::Error::File(FileError::Setting { path, expected, found }) => {
                refuse(&format!("{place}, {name}.{path}"), expected, found)
            }
            error => input.damaged(place, format!("{name}: {error}")),
        })?;
        preparations.push((name, preparation));
    }
    Ok(preparations)
}

/// The bytes of a preparation: the terms of its vocabulary and their places in sorted order.
fn size(config: &Config) -> usize {
    let term = |value: &Value| match value {
        Value::Text(text) => size_of::<String>() + text.len() + size_of::<usize>(),
        _ => size_of::<i64>() + size_of::<usize>(),
    };
    let list = |value: &Value| match value {
        Value::List(terms) => terms.iter().map(term).sum(),
        value => term(value),
    };
    size_of::<Preparation>() + config.fields.iter().map(|(_, value)| list(value)).sum::<usize>()
}
