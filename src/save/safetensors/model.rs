//! Reading of a model or its weights.

use std::collections::{HashMap, HashSet};

use super::super::{Loader, assign, build, json, preparation};
use super::header::Header;
use super::{COMPILE, CONFIG, OPTIMIZER, PREPARATIONS, STATE};
use crate::config::{Value, refuse};
use crate::error::Result;
use crate::files::array::Array;
use crate::files::budget::Budget;
use crate::files::input::Input;
use crate::model::{Compiled, Seed, Sequential, check_loss};
use crate::param::Param;
use crate::scalar::Scalar;

/// Reads a whole model.
pub(in crate::save) fn read<F: Scalar>(
    input: &Input,
    budget: &Budget,
    loader: &Loader<F>,
) -> Result<Sequential<F>> {
    let header = Header::read(input, budget)?.only_weights(input)?;
    let parse = |name: &str| -> Result<Value> {
        let Some(text) = header.text(name) else { return Ok(Value::Null) };
        json::parse(text.as_bytes(), budget).map_err(|problem| input.damaged(name, problem))
    };
    let mut config = match parse(CONFIG)? {
        Value::Config(config) => config,
        Value::Null => {
            let problem =
                "it holds weights without a model: create the model, and load them with `load_weights`";
            return Err(input.damaged("its metadata", problem));
        }
        value => return Err(refuse(CONFIG, "a Sequential", value)),
    };
    let (mut model, _) = build::from_config(&mut config, input, budget, loader)?;
    let compiled = match loader.compile {
        true => Compiled::from_value(&parse(COMPILE)?, &loader.known)?,
        false => None,
    };
    let state = parse(STATE)?;
    let (seed, epochs) = (build::number(&state, "seed"), build::count(&state, "epochs", input)?);
    if let (Some(seed), Some(epochs)) = (seed, epochs) {
        (model.seed, model.epochs_seen) = (Seed::Drawn(seed), epochs);
    }
    build::build(&mut model, &config, seed.is_some() && epochs.is_some(), input, budget)?;
    fill(&mut model, &header, input, loader.allow_non_finite)?;
    if let Some(text) = header.text(PREPARATIONS) {
        model.preparations = preparation::read(text.as_bytes(), PREPARATIONS, input, budget)?;
    }
    if let Some(mut compiled) = compiled {
        check_loss(&model, &*compiled.loss)?;
        compiled.steps = build::count(&state, "steps", input)?.unwrap_or(0);
        fill_optimizer(&mut model, &mut compiled, &header, input, budget)?;
        model.compiled = Some(compiled);
    }
    Ok(model)
}

/// Reads only the weights into a model.
pub(in crate::save) fn read_weights<F: Scalar>(
    model: &mut Sequential<F>,
    input: &Input,
    budget: &Budget,
) -> Result<()> {
    let header = Header::read(input, budget)?.only_weights(input)?;
    let own = paths(model);
    let tensors = header.tensors.iter().filter(|(name, _)| !is_optimizer(name, &own));
    let (names, arrays): (Vec<String>, Vec<Array>) = tensors.cloned().unzip();
    assign::load(model, &names, &|place| Ok((input, arrays[place].clone())), budget)
}

/// The paths of the model's parameters.
fn paths<F: Scalar>(model: &Sequential<F>) -> HashSet<String> {
    let mut paths = HashSet::new();
    model.walk(&mut |path, _, _| {
        paths.insert(path);
    });
    paths
}

/// Whether an array is the optimizer's, and not that of a layer with the name `optimizer`.
fn is_optimizer(name: &str, own: &HashSet<String>) -> bool {
    name.strip_prefix(OPTIMIZER).is_some_and(|rest| rest.starts_with('/')) && !own.contains(name)
}

fn fill<F: Scalar>(model: &mut Sequential<F>, header: &Header, input: &Input, allow: bool) -> Result<()> {
    let mut wanted = Vec::new();
    model.walk(&mut |path, _, param| wanted.push((path, param.shape().to_vec())));
    let known: HashMap<&str, &Array> = header.tensors.iter().map(|(name, array)| (&**name, array)).collect();
    let own = paths(model);
    let own = header.tensors.iter().map(|(name, _)| &**name).filter(|name| !is_optimizer(name, &own));
    build::compare(&wanted, own, &|path| known.contains_key(path), input)?;
    let (mut each, mut result) = (wanted.iter(), Ok(()));
    model.walk_mut(&mut |_, param| {
        if let (Some((path, shape)), true) = (each.next(), result.is_ok()) {
            result = build::fill(known.get(&**path).copied(), path, shape, &mut param.value, input, allow);
        }
    });
    result
}

/// Reads the optimizer's slots of each parameter. If they are not those of this optimizer, it is reset.
fn fill_optimizer<F: Scalar>(
    model: &mut Sequential<F>,
    compiled: &mut Compiled<F>,
    header: &Header,
    input: &Input,
    budget: &Budget,
) -> Result<()> {
    let own = paths(model);
    let mut paths = Vec::new();
    model.walk(&mut |path, _, _| paths.push(path));
    let known: HashMap<&str, &Array> = header
        .tensors
        .iter()
        .filter(|(name, _)| is_optimizer(name, &own))
        .map(|(name, array)| (&**name, array))
        .collect();
    let slots = compiled.optimizer.traits().slots.len();
    let mut result: Result<()> = Ok(());
    let (mut each, mut read, mut has_all) = (paths.iter(), 0, true);
    model.walk_mut(&mut |_, param: &mut Param<F>| {
        let (Some(path), true) = (each.next(), result.is_ok()) else { return };
        let shape = param.shape().to_vec();
        let slot_shapes: Vec<Option<Vec<usize>>> =
            (0..slots).map(|slot| compiled.optimizer.slot_shape(slot, path, &shape)).collect();
        let mut take = |name: String, shape: &Vec<usize>| -> Result<Option<Vec<F>>> {
            let path = format!("{OPTIMIZER}/{path}/{name}");
            let Some(array) = known.get(&*path) else { return Ok(None) };
            read += 1;
            if array.shape != *shape {
                let (expected, found) = (shape.clone(), array.shape.clone());
                return Err(crate::Error::WeightShape { path, expected, found });
            }
            assign::read(input, array, &path, budget).map(Some)
        };
        result = (|| {
            let (average, accumulated) = ("average".to_string(), "accumulated".to_string());
            (param.average, param.accumulated) = (take(average, &shape)?, take(accumulated, &shape)?);
            let mut own = Vec::new();
            for (slot, shape) in slot_shapes.iter().enumerate() {
                // A slot that the parameter does not have is empty.
                own.push(shape.as_ref().map_or(Ok(None), |shape| take(slot.to_string(), shape))?);
            }
            let mut needed = own.iter().zip(&slot_shapes).filter(|(_, shape)| shape.is_some());
            has_all &= needed.clone().all(|(slot, _)| slot.is_some())
                || needed.clone().all(|(slot, _)| slot.is_none());
            param.slots = match needed.all(|(slot, _)| slot.is_some()) {
                true => own.into_iter().map(Option::unwrap_or_default).collect(),
                false => Vec::new(),
            };
            Ok(())
        })();
    });
    result?;
    let is_missing = compiled.steps > 0 && slots > 0 && known.is_empty();
    if read != known.len() || !has_all || is_missing {
        let name = compiled.optimizer.traits().name;
        compiled.reset(format!("the file holds {} arrays for it, and not those of {name}", known.len()));
        model.walk_mut(&mut |_, param| param.forget());
    }
    Ok(())
}
