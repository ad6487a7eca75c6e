//! Builds a program of `programs.json`: its model, data and settings.

use std::ops::Range;

use cornu::metric::{MeanAbsoluteError as Mae, MeanSquaredError as Mse, Metric};
use cornu::ndarray::{Array1, ArrayD, Axis, Slice};
use cornu::optimizer::InverseTimeDecay;
use cornu::prelude::*;
use serde_json::Value;

use super::data::{Data, Target};

/// The maximum number of steps of a run, as in the runs of Keras described in the file.
const STEPS: [usize; 2] = [1200, 2500];

#[derive(Clone)]
pub struct Program {
    pub id: String,
    pub facts: Value,
}

impl Program {
    /// All programs of the file, in order.
    pub fn all() -> Vec<Program> {
        let file: Value = serde_json::from_str(include_str!("programs.json")).expect("programs.json");
        let programs = file["programs"].as_array().expect("programs").iter();
        programs
            .map(|facts| Program { id: facts["id"].as_str().expect("an id").into(), facts: facts.clone() })
            .collect()
    }

    /// The known faults.
    pub fn faults(&self) -> Vec<&str> {
        words(&self.facts["faults"])
    }

    pub fn is_healthy(&self) -> bool {
        self.faults().is_empty()
    }

    /// The published tools that were tested on it, and whether they found a fault.
    pub fn detected_by(&self) -> impl Iterator<Item = (&str, bool)> {
        let tools = self.facts["detected_by"].as_object().into_iter().flatten();
        tools.filter_map(|(tool, found)| Some((tool.as_str(), found.as_bool()?)))
    }

    /// Whether the faults are undisputed and prevent learning.
    pub fn is_clear(&self) -> bool {
        self.facts["strength"] == "clear"
    }

    /// The reference: the program with its faults fixed, if that is possible.
    pub fn twin(&self) -> Option<Program> {
        let fix = self.facts["fix"].as_object().filter(|fix| !fix.is_empty())?;
        let mut facts = self.facts.clone();
        for (key, change) in fix {
            edit(&mut facts[key], change);
        }
        facts["faults"] = Value::Array(Vec::new());
        Some(Program { id: format!("{} mended", self.id), facts })
    }

    /// The compiled model and its training data.
    ///
    /// # Errors
    /// The errors of the crate.
    pub fn prepare(&self, seed: u64) -> Result<Prepared> {
        let facts = &self.facts;
        let data = Data::of(facts, seed);
        let layers = facts["layers"].as_array().expect("layers");
        let mut model = Sequential::new().seed(seed).input(&data.x.shape()[1..]);
        for facts in layers {
            model = layer(model, facts);
        }
        let metrics: Vec<Box<dyn Metric<f32>>> = words(&facts["metrics"])
            .into_iter()
            .map(|name| match name {
                "accuracy" => Box::new(Accuracy::new()) as Box<dyn Metric<f32>>,
                "mse" => Box::new(Mse::new()),
                "mae" => Box::new(Mae::new()),
                name => panic!("metric {name}"),
            })
            .collect();
        let loss = facts["loss"].as_str().expect("a loss");
        compile(&mut model, &facts["optimizer"], loss, metrics)?;
        let width = layers.iter().rev().find_map(|layer| count(&layer["units"])).unwrap_or(1);
        let y = targets(&data.y, loss, width)?;
        let batch = count(&facts["batch_size"]).expect("a batch size");
        let epochs = count(&facts["epochs"]).expect("epochs");
        let most = STEPS[usize::from(self.is_healthy())] / (data.rows() / batch).max(1);
        Ok(Prepared {
            model,
            x: data.x,
            y,
            truth: data.y,
            batch,
            epochs: epochs.min(most.max(2)),
            validation: facts["validation"].clone(),
            balanced: facts["class_weight"] == "balanced",
        })
    }
}

/// A program ready for training.
#[derive(Clone)]
pub struct Prepared {
    pub model: Sequential,
    pub x: ArrayD<f32>,
    pub y: ArrayD<f32>,
    /// The targets before conversion to the form that the loss reads.
    pub truth: Target,
    pub batch: usize,
    pub epochs: usize,
    validation: Value,
    balanced: bool,
}

impl Prepared {
    /// The first rows, on which the loss is measured before training.
    pub fn head(&self, rows: usize) -> (ArrayD<f32>, ArrayD<f32>) {
        let head =
            |a: &ArrayD<f32>| a.slice_axis(Axis(0), Slice::from(..rows.min(a.len_of(Axis(0))))).to_owned();
        (head(&self.x), head(&self.y))
    }

    /// The held-out rows, if the program has any, else all rows.
    pub fn validated(&self) -> Range<usize> {
        let rows = self.x.len_of(Axis(0));
        let share = self.validation.as_f64().unwrap_or(1.0);
        (rows as f64 * (1.0 - share)).floor() as usize..rows
    }

    /// Calls `f` with the settings of the training, on a copy of the model.
    pub fn with_fit<T>(&self, f: impl FnOnce(Sequential, &ArrayD<f32>, &ArrayD<f32>, Fit) -> T) -> T {
        let rows = count(&self.validation["training_rows"]).unwrap_or(0);
        let held = self.head(rows);
        let mut fit = Fit::new().epochs(self.epochs).batch_size(self.batch).verbose(Verbose::Silent);
        if self.balanced {
            fit = fit.class_weight(ClassWeight::Balanced);
        }
        if let Some(share) = self.validation.as_f64() {
            fit = fit.validation_split(share);
        }
        if rows > 0 {
            fit = fit.validation_data(&held.0, &held.1);
        }
        f(self.model.clone(), &self.x, &self.y, fit)
    }
}

fn words(list: &Value) -> Vec<&str> {
    list.as_array().map_or(Vec::new(), |list| list.iter().filter_map(Value::as_str).collect())
}

fn count(value: &Value) -> Option<usize> {
    value.as_u64().map(|count| count as usize)
}

/// Merges changes: in an object by key, in a list by index; null removes an entry. A new optimizer replaces the old one
/// entirely.
fn edit(facts: &mut Value, change: &Value) {
    match (&mut *facts, change) {
        (Value::Array(list), Value::Object(changes)) => {
            let index = |key: &String| key.parse::<usize>().expect("an index");
            for (key, change) in changes.iter().filter(|(_, change)| !change.is_null()) {
                edit(&mut list[index(key)], change);
            }
            let gone = |i: &usize| changes.iter().any(|(key, change)| change.is_null() && index(key) == *i);
            let kept = (0..list.len()).filter(|i| !gone(i)).map(|i| list[i].clone());
            *facts = Value::Array(kept.collect());
        }
        (Value::Object(own), Value::Object(changes)) if !changes.contains_key("kind") => {
            changes.iter().for_each(|(key, change)| {
                own.insert(key.clone(), change.clone());
            });
        }
        _ => *facts = change.clone(),
    }
}

/// Converts targets to the form that the loss reads: class indices, one column of them, or one-hot rows.
fn targets(y: &Target, loss: &str, width: usize) -> Result<ArrayD<f32>> {
    Ok(match y {
        Target::Numbers(y) => y.clone(),
        Target::Classes(labels) => {
            let labels = Array1::from_iter(labels.iter().map(|&label| label as f32));
            match (loss, width) {
                ("sparse_categorical_crossentropy", _) => labels.into_dyn(),
                (_, 1) => labels.insert_axis(Axis(1)).into_dyn(),
                _ => to_categorical(&labels, Some(width))?.into_dyn(),
            }
        }
    })
}

fn layer(model: Sequential, facts: &Value) -> Sequential {
    let size = |key: &str| count(&facts[key]).unwrap_or_else(|| panic!("{key} of {facts}"));
    let activation: Activation = facts["activation"].as_str().map_or(Activation::Linear, |name| match name {
        "leaky_relu_0.1" => Activation::LeakyRelu { negative_slope: 0.1 },
        name => name.parse().expect("an activation"),
    });
    let initializer = match facts["init"].as_str() {
        None => Initializer::GlorotUniform,
        Some("glorot_normal") => Initializer::GlorotNormal,
        Some("he_normal") => Initializer::HeNormal,
        Some("normal") => Initializer::RandomNormal { mean: 0.0, stddev: 0.05 },
        Some("uniform") => Initializer::RandomUniform { low: -0.05, high: 0.05 },
        Some("zeros") => Initializer::Zeros,
        Some(name) => panic!("initializer {name}"),
    };
    let padding = if facts["padding"] == "same" { Padding::Same } else { Padding::Valid };
    let sequences = facts["return_sequences"] == true;
    match facts["kind"].as_str().expect("a kind") {
        "Dense" => {
            let dense = Dense::new(size("units")).activation(activation).kernel_initializer(initializer);
            match facts["l2"].as_f64() {
                Some(l2) => model.add(dense.kernel_regularizer(Regularizer::L2(l2))),
                None => model.add(dense),
            }
        }
        "Conv1D" => {
            let conv = Conv1D::new(size("filters"), size("kernel")).padding(padding);
            model.add(conv.activation(activation).kernel_initializer(initializer))
        }
        "Conv2D" => {
            let conv = Conv2D::new(size("filters"), [size("kernel"); 2]).padding(padding);
            model.add(conv.activation(activation).kernel_initializer(initializer))
        }
        "MaxPool1D" => model.add(MaxPooling1D::new(size("pool"))),
        "MaxPool2D" => model.add(MaxPooling2D::new([size("pool"); 2])),
        "SimpleRNN" => {
            model.add(SimpleRnn::new(size("units")).activation(activation).return_sequences(sequences))
        }
        "LSTM" => model.add(Lstm::new(size("units")).activation(activation).return_sequences(sequences)),
        "GRU" => model.add(Gru::new(size("units")).activation(activation).return_sequences(sequences)),
        "Activation" => model.add(activation),
        "Dropout" => model.add(Dropout::new(facts["rate"].as_f64().expect("a rate"))),
        "Flatten" => model.add(Flatten::new()),
        "Embedding" => {
            let masked = facts["mask_zero"] == true;
            model.add(Embedding::new(size("words"), size("dim")).mask_zero(masked))
        }
        "Reshape" => {
            let shape = facts["shape"].as_array().expect("a shape").iter();
            model.add(Reshape::new(shape.map(|n| n.as_i64().expect("a size") as isize).collect::<Vec<_>>()))
        }
        kind => panic!("layer {kind}"),
    }
}

fn compile(
    model: &mut Sequential,
    optimizer: &Value,
    loss: &str,
    metrics: Vec<Box<dyn Metric<f32>>>,
) -> Result<()> {
    let rate = optimizer["learning_rate"].as_f64().expect("a rate");
    match optimizer["kind"].as_str().expect("an optimizer") {
        "Adam" => compile_with(model, Adam::new(rate), loss, metrics),
        "RMSprop" => compile_with(model, RmsProp::new(rate), loss, metrics),
        "SGD" => {
            let sgd = match optimizer["decay"].as_f64() {
                Some(decay) => Sgd::new(InverseTimeDecay::new(rate, 1, decay)),
                None => Sgd::new(rate),
            };
            let momentum = optimizer["momentum"].as_f64().unwrap_or(0.0);
            let sgd = sgd.momentum(momentum).nesterov(optimizer["nesterov"] == true);
            compile_with(model, sgd, loss, metrics)
        }
        kind => panic!("optimizer {kind}"),
    }
}

fn compile_with(
    model: &mut Sequential,
    optimizer: impl Optimizer<f32> + 'static,
    loss: &str,
    metrics: Vec<Box<dyn Metric<f32>>>,
) -> Result<()> {
    match loss {
        "binary_crossentropy" => model.compile(optimizer, BinaryCrossentropy::new(), metrics),
        "categorical_crossentropy" => model.compile(optimizer, CategoricalCrossentropy::new(), metrics),
        "sparse_categorical_crossentropy" => {
            model.compile(optimizer, SparseCategoricalCrossentropy::new(), metrics)
        }
        "mean_squared_error" => model.compile(optimizer, MeanSquaredError::new(), metrics),
        "mean_absolute_error" => model.compile(optimizer, MeanAbsoluteError::new(), metrics),
        loss => panic!("loss {loss}"),
    }
}
