//! Reading of a `.keras` model.

use super::super::{Loader, assign, build, json, preparation};
use super::LayerPath;
use super::layout::{self, CONFIG, METADATA, PREPARATIONS, WEIGHTS, own, places};
use super::optimizer::{Slot, row, slot_shape, trained};
use crate::config::{Value, refuse};
use crate::error::Result;
use crate::files::budget::Budget;
use crate::files::hdf5::Tree;
use crate::files::input::Input;
use crate::files::zip::Archive;
use crate::model::{Compiled, Seed, Sequential, check_loss};
use crate::scalar::Scalar;

/// Reads the archive.
pub(in crate::save) fn read<F: Scalar>(
    input: &Input,
    budget: &Budget,
    loader: &Loader<F>,
) -> Result<Sequential<F>> {
    let archive = Archive::open(input, budget)?;
    let member = |name: &str| {
        let missing = || {
            let known: Vec<&str> = archive.names().take(8).collect();
            input.damaged(name, format!("no such member, found {}", known.join(", ")))
        };
        archive.member(name, budget)?.ok_or_else(missing)
    };
    let metadata = parse(&member(METADATA)?, METADATA, budget)?;
    let mut config = match parse(&member(CONFIG)?, CONFIG, budget)? {
        Value::Config(config) => config,
        value => return Err(refuse("class_name", "a Sequential of Keras", value)),
    };
    let weights = member(WEIGHTS)?;
    let tree = Tree::read(&weights, WEIGHTS, budget)?;
    let (mut model, layers) = build::from_config(&mut config, input, budget, loader)?;
    let compile_config = config.beside.iter().find(|(name, _)| name == "compile_config");
    let compiled = match compile_config.filter(|_| loader.compile) {
        Some((_, value)) => Compiled::from_value(value, &loader.known)?,
        None => None,
    };
    let seen = (build::number(&metadata, "cornu_seed"), build::count(&metadata, "cornu_epochs", input)?);
    if let (Some(seed), Some(epochs)) = seen {
        (model.seed, model.epochs_seen) = (Seed::Drawn(seed), epochs);
    }
    build::build(&mut model, &config, seen.0.is_some(), input, budget)?;
    let values = tree.values(&weights);
    let wanted = paths(&model, &layers);
    fill(&mut model, &wanted, own_paths(&tree), &tree, values, loader.allow_non_finite)?;
    if let Some(member) = archive.member(PREPARATIONS, budget)? {
        let text = settings(&member, PREPARATIONS, budget)?;
        model.preparations = preparation::read(&text, PREPARATIONS, input, budget)?;
        budget.give(text.len());
    }
    if let Some(mut compiled) = compiled {
        check_loss(&model, &*compiled.loss)?;
        if model.is_built() {
            let found = tree.paths().filter(|path| path.starts_with("optimizer/vars/")).count();
            let path = |place: usize| format!("optimizer/vars/{place}");
            fill_optimizer(&mut model, &layers, &mut compiled, &tree, (&path, found), values, budget)?;
        }
        model.compiled = Some(compiled);
    }
    Ok(model)
}

/// Parses a text file of the archive.
fn parse(member: &Input, name: &str, budget: &Budget) -> Result<Value> {
    let text = settings(member, name, budget)?;
    let value = json::parse(&text, budget).map_err(|problem| member.damaged(name, problem))?;
    budget.give(text.len());
    Ok(value)
}

/// Reads the text of settings, for which the budget is raised.
fn settings(member: &Input, name: &str, budget: &Budget) -> Result<Vec<u8>> {
    budget.add_settings(member.len() as usize);
    member.take(name, 0, member.len(), budget)
}

/// Returns the paths of the weights in a file.
fn own_paths(tree: &Tree) -> impl Iterator<Item = &str> {
    tree.paths().filter(|path| !path.starts_with("optimizer/") && !path.contains("seed_generator/"))
}

/// Reads all weights from these paths; missing ones, and surplus ones among `found`, are reported together.
pub(super) fn fill<'t, F: Scalar>(
    model: &mut Sequential<F>,
    paths: &[(String, Vec<usize>)],
    found: impl Iterator<Item = &'t str>,
    tree: &Tree,
    input: &Input,
    allow: bool,
) -> Result<()> {
    build::compare(paths, found, &|path| tree.get(path).is_some(), input)?;
    let (mut each, mut result) = (paths.iter(), Ok(()));
    model.walk_mut(&mut |_, param| {
        let (Some((path, shape)), true) = (each.next(), result.is_ok()) else { return };
        result = build::fill(tree.get(path), path, shape, &mut param.value, input, allow);
    });
    result
}

/// Reads only the weights, from a file of Keras's `save_weights`, into a model.
pub(in crate::save) fn read_weights<F: Scalar>(
    model: &mut Sequential<F>,
    input: &Input,
    budget: &Budget,
) -> Result<()> {
    let tree = Tree::read(input, WEIGHTS, budget)?;
    let input = tree.values(input);
    let mut paths = paths(model, &layout::paths(model));
    if !paths.iter().any(|(path, _)| tree.get(path).is_some()) {
        // Files of the first versions keep the layers of a `Residual` below it.
        paths = self::paths(model, &layout::in_sequence("layers", &model.layers, 0));
    }
    build::compare(&paths, own_paths(&tree), &|path| tree.get(path).is_some(), input)?;
    let mut values: Vec<Vec<F>> = Vec::new();
    for (path, expected) in paths {
        let Some(array) = tree.get(&path) else { continue };
        if array.shape != expected {
            return Err(crate::Error::WeightShape { path, expected, found: array.shape.clone() });
        }
        values.push(assign::read(input, array, &path, budget)?);
    }
    assign::set(model, values);
    Ok(())
}

/// Returns the path and shape of each weight, in the model's order.
fn paths<F: Scalar>(model: &Sequential<F>, layers: &[LayerPath]) -> Vec<(String, Vec<usize>)> {
    let mut paths = Vec::new();
    for place in places(model, layers) {
        for (i, param) in own(place.layer).into_iter().enumerate() {
            paths.push((format!("{}/{i}", place.path), param.shape().to_vec()));
        }
    }
    paths
}

/// Reads the optimizer's arrays; the file has `found` of them at these paths. If this optimizer needs another number
/// for this model, none is read, and the optimizer is reset, as in Keras. This happens if Keras saved the file before
/// training, or after a layer was frozen or unfrozen.
pub(super) fn fill_optimizer<F: Scalar>(
    model: &mut Sequential<F>,
    layers: &[LayerPath],
    compiled: &mut Compiled<F>,
    tree: &Tree,
    (path, found): (&dyn Fn(usize) -> String, usize),
    input: &Input,
    budget: &Budget,
) -> Result<()> {
    let trained = trained(model, layers);
    let row = row(compiled, &trained);
    if found != row.len() {
        let (name, needed) = (compiled.optimizer.traits().name, row.len());
        compiled
            .reset(format!("the file holds {found} arrays for it, and {name} needs {needed} for this model"));
        return Ok(());
    }
    let single = |place: usize| -> Result<f64> {
        let mut value = [0f64];
        build::fill(tree.get(&path(place)), &path(place), &[], &mut value, input, false)?;
        Ok(value[0])
    };
    let slots = compiled.optimizer.traits().slots.len();
    let mut arrays: Vec<[Option<Vec<F>>; 2]> = Vec::new();
    let mut own: Vec<Vec<Vec<F>>> = Vec::new();
    arrays.resize_with(trained.len(), Default::default);
    own.resize_with(trained.len(), || vec![Vec::new(); slots]);
    for (place, slot) in row.into_iter().enumerate() {
        let shape_of = |param: usize| trained[param].param.shape().to_vec();
        let (shape, to) = match slot {
            Slot::Steps => {
                let steps = single(place)?;
                if !(0.0..build::MOST as f64).contains(&steps) {
                    return Err(input.damaged(path(place), format!("{steps} steps")));
                }
                compiled.steps = steps as u64;
                continue;
            }
            Slot::LearningRate => {
                let rate = single(place)?;
                let setting = compiled.optimizer.learning_rate().constant().unwrap_or_default();
                // The settings have more digits; keep them if both agree.
                if setting as f32 != rate as f32 {
                    compiled.optimizer.learning_rate_mut().set(rate)?;
                }
                continue;
            }
            Slot::Product | Slot::Zero => continue,
            Slot::Average(param) => (shape_of(param), arrays[param][0].insert(Vec::new())),
            Slot::Accumulated(param) => (shape_of(param), arrays[param][1].insert(Vec::new())),
            Slot::Own(param, slot) => (slot_shape(compiled, &trained[param], slot), &mut own[param][slot]),
        };
        let len = shape.iter().product();
        budget.take_many::<F>(len).map_err(|spent| input.spent("optimizer/vars", spent))?;
        to.resize(len, F::zero());
        build::fill(tree.get(&path(place)), &path(place), &shape, to, input, false)?;
    }
    let indices = trained.iter().map(|trained| trained.index);
    let mut all: Vec<_> = indices.zip(arrays.into_iter().zip(own)).collect();
    all.sort_unstable_by_key(|(index, _)| *index);
    let mut all = all.into_iter();
    model.walk_mut(&mut |trained, param| {
        if trained
            && param.is_trainable()
            && let Some((_, ([average, accumulated], own))) = all.next()
        {
            (param.average, param.accumulated, param.slots) = (average, accumulated, own);
        }
    });
    Ok(())
}
