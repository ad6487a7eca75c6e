//! Writing of a `.keras` model.

use std::io::{self, Write};

use super::super::{json, preparation};
use super::layout::{self, CONFIG, KERAS_VERSION, METADATA, PREPARATIONS, WEIGHTS, own, places};
use super::optimizer::{Slot, row, slot_shape, trained};
use super::{LayerPath, functional};
use crate::config::{Config, Value};
use crate::error::Result;
use crate::files::array::Number;
use crate::files::hdf5::{self, Group};
use crate::files::zip;
use crate::layer::Layer;
use crate::model::{Compiled, Sequential};
use crate::optimizer::momenta;
use crate::scalar::Scalar;

/// The content of an archive: texts and arrays.
pub(in crate::save) struct PreparedArchive<'a, F: Scalar> {
    config: String,
    metadata: String,
    preparations: Option<String>,
    weights: WeightsFile<'a, F>,
}

/// All arrays in their tree: weights and optimizer slots.
pub(in crate::save) struct WeightsFile<'a, F: Scalar> {
    model: &'a Sequential<F>,
    paths: Vec<LayerPath>,
    tree: hdf5::Hdf5Writer,
}

/// Collects the whole content before any file is touched.
pub(in crate::save) fn prepare<F: Scalar>(model: &Sequential<F>) -> Result<PreparedArchive<'_, F>> {
    let mut config = match functional::is_needed(&model.layers) {
        true => functional::config(model)?,
        false => model.config()?,
    };
    if let Some(input) = config.get("build_input_shape").cloned() {
        config.beside.push(("build_config".into(), Value::Map(vec![("input_shape".into(), input)])));
    }
    if let Some(batches) = model.stateful_batches() {
        let rows = batches.rows().unwrap_or(1);
        fields(&mut config).for_each(|(name, value)| set_rows(name, value, rows));
    }
    let compiled = model.compile_config_of_keras()?.unwrap_or(Value::Map(Vec::new()));
    config.beside.push(("compile_config".into(), compiled));
    let metadata = Value::Map(vec![
        ("keras_version".into(), KERAS_VERSION.into()),
        ("cornu_version".into(), env!("CARGO_PKG_VERSION").into()),
        // As texts, since many programs lose the last bits of such integers in JSON.
        ("cornu_seed".into(), model.seed.value().to_string().into()),
        ("cornu_epochs".into(), model.epochs_seen.to_string().into()),
    ]);
    let (config, metadata) = (json::write(&config.into())?, json::write(&metadata)?);
    let preparations = preparation::write(model)?;
    Ok(PreparedArchive { config, metadata, preparations, weights: WeightsFile::of(model) })
}

fn fields(config: &mut Config) -> impl Iterator<Item = &mut (String, Value)> {
    config.fields.iter_mut().chain(&mut config.beside)
}

/// Sets the batch axis of all shapes, of which Keras demands it for stateful layers.
fn set_rows(name: &str, value: &mut Value, rows: usize) {
    let is_shape = ["batch_shape", "input_shape", "build_input_shape", "shape"].contains(&name);
    match value {
        Value::List(sizes) if is_shape => {
            if let Some(first @ Value::Null) = sizes.first_mut() {
                *first = rows.into();
            }
        }
        Value::List(values) => values.iter_mut().for_each(|value| set_rows("", value, rows)),
        Value::Map(fields) => fields.iter_mut().for_each(|(name, value)| set_rows(name, value, rows)),
        Value::Config(config) => fields(config).for_each(|(name, value)| set_rows(name, value, rows)),
        _ => {}
    }
}

/// The type in which a parameter is written: Keras stores counts as integers.
fn number_of<F: Scalar>(kind: &str, name: &str) -> Number {
    if kind == "Normalization" && name == "count" { Number::I32 } else { Number::of_scalar::<F>() }
}

fn tree<F: Scalar>(model: &Sequential<F>, paths: &[LayerPath]) -> Group {
    let mut root = Group::new("");
    for place in places(model, paths) {
        let group = root.at(&place.path, place.layer.label());
        for (i, param) in own(place.layer).into_iter().enumerate() {
            group.array(&i.to_string(), number_of::<F>(place.layer.kind(), param.name()), param.shape());
        }
    }
    if let Some(compiled) = model.compiled.as_ref().filter(|_| model.is_built()) {
        let params = trained(model, paths);
        let group = root.at("optimizer/vars", compiled.optimizer.traits().name);
        for (i, slot) in row(compiled, &params).into_iter().enumerate() {
            let number = Number::of_scalar::<F>();
            let (number, shape) = match slot {
                Slot::Steps | Slot::Zero => (Number::I32, Vec::new()),
                Slot::LearningRate | Slot::Product => (number, Vec::new()),
                Slot::Average(param) | Slot::Accumulated(param) => {
                    (number, params[param].param.shape().to_vec())
                }
                Slot::Own(param, slot) => (number, slot_shape(compiled, &params[param], slot)),
            };
            group.array(&i.to_string(), number, &shape);
        }
    }
    root.at("vars", "sequential");
    root
}

impl<F: Scalar> PreparedArchive<'_, F> {
    /// Writes the archive.
    pub(in crate::save) fn write(&self, to: &mut dyn Write) -> io::Result<()> {
        let mut archive = zip::ArchiveWriter::new(to);
        archive.add(METADATA, &|put| put(self.metadata.as_bytes()))?;
        archive.add(CONFIG, &|put| put(self.config.as_bytes()))?;
        if let Some(preparations) = &self.preparations {
            archive.add(PREPARATIONS, &|put| put(preparations.as_bytes()))?;
        }
        archive.add(WEIGHTS, &|put| self.weights.emit(put))?;
        archive.finish()
    }
}

impl<'a, F: Scalar> WeightsFile<'a, F> {
    /// Arranges the arrays of a model in a tree.
    pub(in crate::save) fn of(model: &'a Sequential<F>) -> Self {
        let paths = layout::paths(model);
        WeightsFile { model, tree: hdf5::Hdf5Writer::new(&tree(model, &paths)), paths }
    }

    /// Passes the file to `put` piece by piece.
    pub(in crate::save) fn emit(&self, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        put(self.tree.head())?;
        for place in places(self.model, &self.paths) {
            for param in own(place.layer) {
                number_of::<F>(place.layer.kind(), param.name()).emit(param.value(), put)?;
            }
        }
        let compiled = self.model.compiled.as_ref().filter(|_| self.model.is_built());
        compiled.map_or(Ok(()), |compiled| self.state(compiled, put))
    }

    /// Writes the optimizer's arrays; before the first step, as they will be then.
    fn state(&self, compiled: &Compiled<F>, put: &mut dyn FnMut(&[u8]) -> io::Result<()>) -> io::Result<()> {
        let params = trained(self.model, &self.paths);
        let optimizer = &compiled.optimizer;
        let filled = |values: Option<&Vec<F>>, len, start, put: &mut dyn FnMut(&[u8]) -> io::Result<()>| {
            match values {
                Some(values) => Number::of_scalar::<F>().emit(values, put),
                None => Number::of_scalar::<F>().emit(&vec![F::of(start); len], put),
            }
        };
        for slot in row(compiled, &params) {
            match slot {
                Slot::Steps => put(&(compiled.steps.min(i32::MAX as u64) as i32).to_le_bytes())?,
                Slot::LearningRate => {
                    let rate = optimizer.learning_rate().constant().unwrap_or_default();
                    Number::of_scalar::<F>().emit(&[F::of(rate)], put)?;
                }
                Slot::Product => {
                    let every =
                        optimizer.options().and_then(|options| options.accumulation).unwrap_or(1).max(1);
                    let beta = optimizer.config().and_then(|config| config.get("beta_1").cloned());
                    let beta = if let Some(Value::Float(beta)) = beta { beta } else { 0.9 };
                    let value = momenta(beta, 0, 1.0, compiled.steps / every as u64);
                    Number::of_scalar::<F>().emit(&[F::of(value)], put)?;
                }
                Slot::Zero => put(&0i32.to_le_bytes())?,
                Slot::Average(param) => {
                    let param = params[param].param;
                    filled(param.average.as_ref(), param.len(), 0.0, put)?
                }
                Slot::Accumulated(param) => {
                    let param = params[param].param;
                    filled(param.accumulated.as_ref(), param.len(), 0.0, put)?
                }
                Slot::Own(param, slot) => {
                    let len = slot_shape(compiled, &params[param], slot).iter().product();
                    let start = optimizer.traits().slots[slot];
                    filled(params[param].param.slots.get(slot), len, start, put)?;
                }
            }
        }
        Ok(())
    }
}
