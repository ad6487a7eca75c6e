//! Construction of a model from its settings and the arrays of a file, for all formats.

use super::Loader;
use super::for_prediction::for_prediction;
use super::keras::{LayerPath, draws_later, memory};
use crate::config::{Config, Value};
use crate::error::{Error, Result};
use crate::files::array::Array;
use crate::files::budget::{Budget, Spent};
use crate::files::input::Input;
use crate::kernel;
use crate::model::Sequential;
use crate::scalar::Scalar;

const CONFIG: &str = "its settings";

/// Constructs a model from these settings without building it, and returns the paths of its layers in a Keras file.
pub(super) fn from_config<F: Scalar>(
    config: &mut Config,
    input: &Input,
    budget: &Budget,
    loader: &Loader<F>,
) -> Result<(Sequential<F>, Vec<LayerPath>)> {
    let bytes = size(config).saturating_add(memory(config, 0));
    budget.take(bytes).map_err(|spent| input.spent(CONFIG, spent))?;
    if !loader.compile {
        for_prediction(config, &loader.known.layers);
    }
    Sequential::placed(config, loader)
}

/// Builds the model if its input shape is known.
///
/// The random numbers of initial weights are skipped if the file states the seed and something draws after them; they are
/// never stored.
pub(super) fn build<F: Scalar>(
    model: &mut Sequential<F>,
    config: &Config,
    has_seed: bool,
    input: &Input,
    budget: &Budget,
) -> Result<()> {
    let Some(shape) =
        model.shape_to_build(Some(budget.left())).map_err(|error| input.damaged(CONFIG, error))?
    else {
        return Ok(());
    };
    let skips = has_seed && draws_later(config);
    let left = model.build_within(&shape, budget.left(), skips).map_err(|error| match error {
        Error::Layer { ref fault, .. } if matches!(**fault, Error::TooLarge { .. }) => {
            input.damaged(CONFIG, format!("{error} for its size, or {Spent}"))
        }
        Error::TooLarge { .. } | Error::Layer { .. } => input.damaged(CONFIG, error),
        error => error,
    })?;
    budget.take(budget.left() - left).map_err(|spent| input.spent(CONFIG, spent))
}

/// The most bytes of a layer without its parameters and lists; `layers_of_few_settings_take_the_promised_memory` checks it.
const LAYER: usize = 2048;

/// The most bytes of the objects with these settings: each layer has a name, and lists of numbers are kept.
fn size(config: &Config) -> usize {
    fn within(value: &Value) -> usize {
        match value {
            Value::Config(config) => size(config),
            Value::List(values) => values.iter().map(within).sum(),
            Value::Map(fields) => fields.iter().map(|(_, value)| within(value)).sum(),
            _ => size_of::<f64>(),
        }
    }
    let is_other = ["DTypePolicy", "function"].contains(&&*config.kind);
    let own = if !is_other && config.get("name").is_some() { LAYER } else { 0 };
    own + config.fields.iter().chain(&config.beside).map(|(_, value)| within(value)).sum::<usize>()
}

/// Reads an integer stored as text under this name.
pub(super) fn number(fields: &Value, wanted: &str) -> Option<u64> {
    let Value::Map(fields) = fields else { return None };
    fields.iter().find_map(|(name, value)| match value {
        Value::Text(text) if name == wanted => text.parse().ok(),
        _ => None,
    })
}

/// A limit that no count in a training reaches.
pub(super) const MOST: u64 = 1 << 48;

/// Reads a count, which must leave room for more.
pub(super) fn count(fields: &Value, wanted: &str, input: &Input) -> Result<Option<u64>> {
    match number(fields, wanted) {
        Some(count) if count >= MOST => {
            Err(input.damaged(wanted, format!("expected a count below 2^48, found {count}")))
        }
        count => Ok(count),
    }
}

/// Refuses weights that only the model or only the file has, and lists all of them.
pub(super) fn compare<'a>(
    wanted: &[(String, Vec<usize>)],
    found: impl Iterator<Item = &'a str>,
    has: &dyn Fn(&str) -> bool,
    input: &Input,
) -> Result<()> {
    let missing: Vec<&str> = wanted.iter().map(|(path, _)| &**path).filter(|path| !has(path)).collect();
    let known: std::collections::HashSet<&str> = wanted.iter().map(|(path, _)| &**path).collect();
    let mut surplus: Vec<&str> = found.filter(|path| !known.contains(path)).collect();
    if missing.is_empty() && surplus.is_empty() {
        return Ok(());
    }
    surplus.sort_unstable();
    let listed = |paths: &[&str]| match paths {
        [] => "none".to_string(),
        paths if paths.len() > 8 => format!("{} and {} more", paths[..8].join(", "), paths.len() - 8),
        paths => paths.join(", "),
    };
    let problem = format!("missing weights: {}; surplus weights: {}", listed(&missing), listed(&surplus));
    Err(input.damaged("its weights", problem))
}

/// Reads the numbers of one weight, which must be finite unless the user allows others.
pub(super) fn fill<F: Scalar>(
    array: Option<&Array>,
    path: &str,
    shape: &[usize],
    to: &mut [F],
    input: &Input,
    allow: bool,
) -> Result<()> {
    let Some(array) = array else { return Err(input.damaged(path, "it is missing")) };
    if array.shape != shape {
        let (path, expected, found) = (path.into(), shape.to_vec(), array.shape.clone());
        return Err(Error::WeightShape { path, expected, found });
    }
    array.fill(input, path, to)?;
    if !allow && !kernel::all_finite(to) {
        let place = to.iter().position(|value| !value.is_finite()).unwrap_or(0);
        return Err(
            input.damaged(path, format!("expected finite values, found {} at index {place}", to[place]))
        );
    }
    Ok(())
}
