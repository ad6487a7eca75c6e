//! Reads a merging layer of Keras, and the chains that it joins, as one layer.
//!
//! An `Add` of two chains with one start, of which one may be empty, becomes a [`Residual`]; any other merge of chains with
//! one start becomes [`Branches`], as does an `Add` whose layers have the names that cornu writes for them.

use super::graph::{self, DEEPEST_RESIDUAL};
use super::placed::{CommonSettings, LayerPath, PlacedLayer, unique};
use crate::config::{Config, Fields, Setting, Value, refuse};
use crate::error::Result;
use crate::layer::{Branches, LayerExt, Merge, NamedLayer, Residual, branch_name};
use crate::scalar::Scalar;

/// What precedes the names of the layers of a shortcut: `residual.shortcut.conv1d`.
pub(super) const SHORTCUT: &str = "shortcut";

/// Joins branches with one start; `config` are the settings of the merging layer.
pub(super) fn merged<F: Scalar>(
    config: &Config,
    path: &str,
    group: String,
    branches: Vec<Vec<PlacedLayer<F>>>,
) -> Result<PlacedLayer<F>> {
    let mut fields = Fields::new(config, format!("{path}.config"));
    let common = CommonSettings::read(&mut fields)?;
    if config.kind == "Concatenate" {
        graph::check_last_axis(&mut fields, config)?;
    }
    fields.finish()?;
    let depth = 1 + branches.iter().flatten().map(|placed| placed.depth).max().unwrap_or(0);
    if depth > DEEPEST_RESIDUAL {
        let expected = format!("at most {DEEPEST_RESIDUAL} residual connections within each other");
        return Err(refuse(path, expected, "more"));
    }
    // A merging layer has no weights of its own, so it freezes no layer that is trainable itself.
    let trainable = common.trainable || branches.iter().flatten().any(|placed| placed.layer.is_trainable());
    let branches: Vec<Vec<PlacedLayer<F>>> = branches.into_iter().map(unique).collect::<Result<_>>()?;
    let merge = Merge::from_value(&Value::Text(config.kind.clone()), path)?;
    // A model that was saved here has the inner names `residual.dense`, `residual.shortcut.dense` or `branches.branch_1.dense`,
    // since Keras wants them unique in the whole model.
    let prefix = |of: &str| format!("{}.{of}.", common.name);
    let prefixes: Vec<String> = (0..branches.len()).map(|i| prefix(&branch_name(i))).collect();
    let are_branches = branches.iter().zip(&prefixes).all(|(branch, prefix)| have_prefix(branch, prefix));
    let one_has_layers = branches.iter().any(|branch| !branch.is_empty());
    let of_chain = |paths| LayerPath { inner: Some(paths), ..LayerPath::default() };
    let (layer, inner) = match (merge, <[_; 2]>::try_from(branches)) {
        (Merge::Add, Ok([a, b])) if one_has_layers && !are_branches => {
            let of_shortcut = prefix(SHORTCUT);
            // In other files, the shortcut is the shorter chain.
            let swaps = a.is_empty() || b.len() > a.len() && !have_prefix(&b, &of_shortcut);
            let (f, g) = if swaps { (b, a) } else { (a, b) };
            let (layers, mut inner) = split(bare(f, &format!("{}.", common.name)));
            let (shortcut, paths) = split(bare(g, &of_shortcut));
            if !shortcut.is_empty() {
                inner.push(of_chain(paths));
            }
            (Residual::of(layers, shortcut).name(common.name.as_str()), inner)
        }
        (merge, branches) => {
            let branches = branches.map_or_else(|more| more, Vec::from).into_iter().zip(&prefixes);
            let branches = branches.map(|(branch, prefix)| split(bare(branch, prefix)));
            let (branches, paths): (Vec<_>, Vec<_>) = branches.unzip();
            let inner = paths.into_iter().map(of_chain).collect();
            (Branches::of(merge, branches).name(common.name.as_str()), inner)
        }
    };
    let layer = common.penalized(layer.trainable(trainable));
    Ok(PlacedLayer {
        layer,
        path: LayerPath { inner: Some(inner), ..LayerPath::of(group, 0) },
        model: None,
        depth,
    })
}

/// The layers of a chain, and their paths.
fn split<F: Scalar>(chain: Vec<PlacedLayer<F>>) -> (Vec<NamedLayer<F>>, Vec<LayerPath>) {
    chain.into_iter().map(|placed| (placed.layer, placed.path)).unzip()
}

/// Whether all names of a chain have this prefix.
fn have_prefix<F: Scalar>(chain: &[PlacedLayer<F>], prefix: &str) -> bool {
    chain.iter().all(|placed| placed.layer.label().starts_with(prefix))
}

/// Removes this prefix from the names of a chain if all have it.
fn bare<F: Scalar>(branch: Vec<PlacedLayer<F>>, prefix: &str) -> Vec<PlacedLayer<F>> {
    if !have_prefix(&branch, prefix) {
        return branch;
    }
    let bare = |placed: PlacedLayer<F>| {
        let label = placed.layer.label()[prefix.len()..].to_string();
        PlacedLayer { layer: placed.layer.with_label(label), ..placed }
    };
    branch.into_iter().map(bare).collect()
}
