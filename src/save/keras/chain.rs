//! Reads a Keras model as one chain of layers.
//!
//! The layers of a nested model become layers of the chain. If the model is within a `TimeDistributed`, each of its
//! layers becomes a `TimeDistributed`. Chains with one start and the merging layer that joins them become one layer.

use std::cell::Cell;
use std::collections::HashMap;
use std::rc::Rc;

use super::graph::{self, ChainStep};
use super::merge::merged;
use super::placed::{CommonSettings, LayerPath, PlacedLayer, unique};
use crate::config::{Config, Fields, Registry, Setting, Value, refuse};
use crate::error::{Error, Result};
use crate::layer::{Layer, LayerExt, NamedLayer, TimeDistributed, names};
use crate::model::InputShape;
use crate::scalar::Scalar;

/// The deepest nesting of models, and of residual connections.
const DEEPEST: usize = 16;

/// The layers of a model.
pub(super) struct FlatModel<F: Scalar> {
    pub(super) input: Option<InputShape>,
    pub(super) layers: Vec<PlacedLayer<F>>,
}

/// The position of a model in the file.
struct ModelPosition {
    /// What precedes the paths of its settings.
    prefix: String,
    /// The group of its layers.
    group: String,
    depth: usize,
}

/// Reads the layers of a model of Keras.
///
/// `input` is the shape of a sample that the user sets, where the file leaves axes open.
pub(super) fn read<F: Scalar>(
    config: &Config,
    kinds: &Registry<dyn Layer<F>>,
    input: Option<&[usize]>,
) -> Result<FlatModel<F>> {
    let top = ModelPosition { prefix: String::new(), group: "layers".into(), depth: 0 };
    let mut model = ChainReader { kinds, read: Cell::new(0) }.model(config, &top)?;
    if let Some(shape) = input {
        if let Some(stated) = model.input.filter(|stated| !stated.includes(shape)) {
            let expected =
                format!("a shape that agrees with `Loader::input_shape` {}", InputShape::from(shape));
            return Err(refuse("batch_shape", expected, stated));
        }
        model.input = Some(shape.into());
    }
    Ok(model)
}

/// Whether Keras calls this kind a model.
fn is_model(kind: &str) -> bool {
    ["Sequential", "Functional", "Model"].contains(&kind)
}

/// Returns the groups of a list of layers: the kind in snake case, numbered within the kind, as in `dense`, `dense_1`.
pub(super) fn groups<'a>(above: &str, kinds: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut counts: HashMap<String, usize> = HashMap::new();
    let group = |kind: &str| {
        let name = names::snake_case(kind);
        let count = counts.entry(name.clone()).or_default();
        let group = if *count == 0 { format!("{above}/{name}") } else { format!("{above}/{name}_{count}") };
        *count += 1;
        group
    };
    kinds.map(group).collect()
}

/// Returns the groups of the layers in a file. Operations that are not layers, such as `x + y`, have none.
pub(super) fn groups_of<'v>(above: &str, values: &'v [Value]) -> Vec<String> {
    let kind = |value: &'v Value| match value {
        Value::Config(config)
            if !config.module.as_deref().is_some_and(|module| module.starts_with("keras.src.ops")) =>
        {
            &*config.kind
        }
        _ => "",
    };
    groups(above, values.iter().map(kind))
}

/// Returns the memory that the paths, names and inputs of inner and functional models take.
#[cfg(any(feature = "keras", feature = "safetensors"))]
pub(in crate::save) fn memory(config: &Config, above: usize) -> usize {
    let below = above + 24 + config.kind.len();
    let each = if above > 0 || config.kind != "Sequential" { 192 + 4 * above } else { 0 };
    let within = |value: &Value| match value {
        Value::Config(config) => memory(config, below),
        _ => 0,
    };
    match (config.get("layers"), config.get("layer")) {
        (Some(Value::List(layers)), _) => layers.iter().map(|layer| each + within(layer)).sum(),
        (_, Some(layer)) => within(layer),
        _ => 0,
    }
}

impl ModelPosition {
    fn layer(&self, index: usize) -> String {
        format!("{}layers[{index}]", self.prefix)
    }

    /// The position of a model that is a layer here.
    fn within(&self, path: &str, group: &str) -> Self {
        ModelPosition {
            prefix: format!("{path}.config."),
            group: format!("{group}/layers"),
            depth: self.depth + 1,
        }
    }

    /// The path of the settings of the model.
    fn settings(&self) -> &str {
        self.prefix.strip_suffix('.').unwrap_or("config")
    }

    /// Reads the list of layers, and skips those that have no effect.
    fn fields<'c>(&self, config: &'c Config) -> Result<(Fields<'c>, &'c [Value])> {
        let mut fields = Fields::new(config, self.settings());
        for ignored in ["name", "trainable", "dtype", "build_input_shape"] {
            fields.value(ignored);
        }
        match fields.value("layers") {
            Some(Value::List(layers)) => Ok((fields, layers)),
            other => {
                let other = other.unwrap_or(&Value::Null);
                Err(refuse(&fields.path_of("layers"), "a list of layers", other))
            }
        }
    }
}

struct ChainReader<'a, F: Scalar> {
    kinds: &'a Registry<dyn Layer<F>>,
    /// The number of layers that were read, in the order of the file.
    read: Cell<usize>,
}

impl<F: Scalar> ChainReader<'_, F> {
    /// Reads the layers of a model.
    fn model(&self, config: &Config, at: &ModelPosition) -> Result<FlatModel<F>> {
        if at.depth > DEEPEST {
            return Err(refuse(
                at.settings(),
                format!("at most {DEEPEST} models within each other"),
                "a deeper one",
            ));
        }
        let mut chain = match &*config.kind {
            "Sequential" => self.sequential(config, at)?,
            "Functional" | "Model" => self.functional(config, at)?,
            kind => {
                let expected = "a Sequential, or a Functional that is a chain";
                return Err(refuse("class_name", expected, Value::Text(kind.into())));
            }
        };
        chain.layers = unique(chain.layers)?;
        Ok(chain)
    }

    fn sequential(&self, config: &Config, at: &ModelPosition) -> Result<FlatModel<F>> {
        let (fields, values) = at.fields(config)?;
        fields.finish()?;
        let mut chain = FlatModel { input: None, layers: Vec::new() };
        for (i, (value, group)) in values.iter().zip(groups_of(&at.group, values)).enumerate() {
            match value {
                Value::Config(config) if config.kind == "InputLayer" && i == 0 => {
                    chain.input = self.input_shape(config, &at.layer(i))?;
                }
                value => {
                    let inner = self.layers(value, &at.layer(i), group, at)?;
                    if chain.layers.is_empty() && chain.input.is_none() {
                        chain.input = inner.input;
                    }
                    chain.layers.extend(inner.layers);
                }
            }
        }
        if at.depth > 0 || chain.layers.iter().any(|placed| placed.model.is_some()) {
            check_siblings(values)?;
        }
        let built = config.get("build_input_shape").filter(|shape| **shape != Value::Null);
        if let (None, Some(shape)) = (&chain.input, built) {
            chain.input = self.sample_shape(shape, &format!("{}.build_input_shape", at.settings()))?;
        }
        Ok(chain)
    }

    fn functional(&self, config: &Config, at: &ModelPosition) -> Result<FlatModel<F>> {
        let (mut fields, values) = at.fields(config)?;
        let mut end = |name| fields.value(name).unwrap_or(&Value::Null);
        let (start, index, steps) =
            graph::chain(values, (end("input_layers"), end("output_layers")), &at.prefix)?;
        fields.finish()?;
        let input = self.input_shape(start, &at.layer(index))?;
        let mut groups = groups_of(&at.group, values);
        let mut read = Vec::with_capacity(values.len());
        for (i, value) in values.iter().enumerate() {
            let is_merge = matches!(value, Value::Config(config) if graph::is_merge(&config.kind));
            read.push(match is_merge || i == index {
                true => Vec::new(),
                false => self.layers(value, &at.layer(i), std::mem::take(&mut groups[i]), at)?.layers,
            });
        }
        let mut layers = steps_of(&steps, &mut read, &mut groups, at)?;
        if config.get("trainable") == Some(&Value::Bool(false)) {
            layers.iter_mut().for_each(|placed| placed.layer.set_trainable(false));
        }
        Ok(FlatModel { input, layers })
    }

    /// Returns the shape of a sample that an `InputLayer` states.
    fn input_shape(&self, config: &Config, path: &str) -> Result<Option<InputShape>> {
        let shape = config.get("batch_shape").or_else(|| config.get("batch_input_shape"));
        self.sample_shape(shape.unwrap_or(&Value::Null), &format!("{path}.config.batch_shape"))
    }

    /// Reads the shape of a sample from one with a batch axis.
    fn sample_shape(&self, value: &Value, path: &str) -> Result<Option<InputShape>> {
        let wrong = || refuse(path, "a batch shape such as [null, 28, 28]", value);
        let Value::List(sizes) = value else { return Err(wrong()) };
        let (_, sizes) = sizes.split_first().ok_or_else(wrong)?;
        let sizes = sizes.iter().map(|size| Option::<usize>::from_value(size, path));
        let sizes: Vec<Option<usize>> = sizes.collect::<Result<_>>().map_err(|_| wrong())?;
        Ok(Some(sizes.into()))
    }

    /// Reads a layer, or those of an inner model.
    fn layers(&self, value: &Value, path: &str, group: String, at: &ModelPosition) -> Result<FlatModel<F>> {
        match value {
            Value::Config(config) if self.kinds.is_custom(&config.kind) => {}
            Value::Config(config) if is_model(&config.kind) => {
                let mut chain = self.model(config, &at.within(path, &group))?;
                let frozen = config.get("trainable") == Some(&Value::Bool(false));
                let name = match config.get("name") {
                    Some(Value::Text(name)) => Some(Rc::from(&**name)),
                    _ => None,
                };
                for placed in &mut chain.layers {
                    placed.model.clone_from(&name);
                    if frozen {
                        placed.layer.set_trainable(false);
                    }
                }
                return Ok(chain);
            }
            Value::Config(config) if self.distributes_model(config) => {
                return self.time_distributed(config, path, group, at);
            }
            _ => {}
        }
        let layer = NamedLayer::from_value(value, path, self.kinds)?;
        let path = LayerPath::of(group, self.read.replace(self.read.get() + 1));
        Ok(FlatModel { input: None, layers: vec![PlacedLayer { layer, path, model: None, depth: 0 }] })
    }

    /// Whether a layer applies a model to every step.
    fn distributes_model(&self, config: &Config) -> bool {
        match (&*config.kind, config.get("layer")) {
            ("TimeDistributed", Some(Value::Config(inner))) => {
                let is_custom = self.kinds.is_custom(&inner.kind);
                !is_custom && (is_model(&inner.kind) || self.distributes_model(inner))
            }
            _ => false,
        }
    }

    /// Reads a `TimeDistributed` model: each of its layers becomes a `TimeDistributed`.
    fn time_distributed(
        &self,
        config: &Config,
        path: &str,
        group: String,
        at: &ModelPosition,
    ) -> Result<FlatModel<F>> {
        let mut fields = Fields::new(config, format!("{path}.config"));
        let common = CommonSettings::read(&mut fields)?;
        let inner = fields.value("layer").unwrap_or(&Value::Null);
        fields.finish()?;
        let inner = self.layers(inner, &format!("{path}.config.layer"), format!("{group}/layer"), at)?;
        let single = inner.layers.len() == 1;
        if let (Some(penalty), false) = (common.activity_regularizer, single) {
            let path = format!("{path}.config.activity_regularizer");
            return Err(refuse(&path, "none for a model of several layers", penalty.to_value()));
        }
        let name: Rc<str> = Rc::from(&*common.name);
        let distribute = |placed: PlacedLayer<F>| {
            let (label, model) =
                if single { (&*common.name, None) } else { (placed.layer.label(), Some(name.clone())) };
            let label = label.to_string();
            let position = placed.path.position;
            let path = LayerPath { group: group.clone(), inner: Some(vec![placed.path]), position };
            let layer = TimeDistributed::new(placed.layer).name(label).trainable(common.trainable);
            PlacedLayer { layer: common.penalized(layer), path, model, depth: placed.depth }
        };
        Ok(FlatModel { input: None, layers: inner.layers.into_iter().map(distribute).collect() })
    }
}

/// Collects the layers of a chain from those of the model.
fn steps_of<F: Scalar>(
    steps: &[ChainStep],
    read: &mut [Vec<PlacedLayer<F>>],
    groups: &mut [String],
    at: &ModelPosition,
) -> Result<Vec<PlacedLayer<F>>> {
    let mut layers = Vec::with_capacity(steps.len());
    for step in steps {
        if graph::is_merge(&step.config.kind) {
            let branches = step.branches.iter().map(|steps| steps_of(steps, read, groups, at));
            let branches = branches.collect::<Result<_>>()?;
            let group = std::mem::take(&mut groups[step.index]);
            layers.push(merged(step.config, &at.layer(step.index), group, branches)?);
        } else {
            layers.append(&mut read[step.index]);
        }
    }
    Ok(layers)
}

/// Refuses two layers of a model with the same name.
fn check_siblings(values: &[Value]) -> Result<()> {
    let mut known: HashMap<&str, usize> = HashMap::with_capacity(values.len());
    for (second, value) in values.iter().enumerate() {
        if let Value::Config(config) = value
            && let Some(Value::Text(name)) = config.get("name")
            && let Some(first) = known.insert(name, second)
        {
            return Err(Error::DuplicateName { name: name.clone(), first, second });
        }
    }
    Ok(())
}
