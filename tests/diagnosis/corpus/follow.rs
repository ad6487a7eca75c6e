//! A suggestion applied in full: the program as a person would change it.

use cornu::diagnosis::{Remedy, ReplacementLoss};
use cornu::prelude::*;
use serde_json::{Value, json};

use super::program::Program;

impl Program {
    /// The program with these changes; it trains for as long as the reference.
    pub fn follow(&self, remedies: &[Remedy]) -> Program {
        let mut facts = self.facts.clone();
        facts["faults"] = Value::Array(Vec::new());
        remedies.iter().for_each(|remedy| follow(&mut facts, remedy));
        Program { id: format!("{} with the suggestion", self.id), facts }
    }
}

fn word(activation: &Activation) -> Value {
    match activation {
        Activation::LeakyRelu { .. } => "leaky_relu_0.1".into(),
        activation => activation.to_string().into(),
    }
}

fn follow(facts: &mut Value, remedy: &Remedy) {
    let times = |value: &mut Value, factor: f64| {
        if let Some(old) = value.as_f64() {
            *value = json!(old * factor);
        }
    };
    let layers = |facts: &mut Value, change: &mut dyn FnMut(&mut Value)| {
        facts["layers"].as_array_mut().expect("layers").iter_mut().for_each(change);
    };
    match remedy {
        Remedy::NormalizeInputs => facts["x"] = "standardise".into(),
        Remedy::StandardizeTargets => facts["y"] = "standardise".into(),
        Remedy::Activation { layer, activation } => facts["layers"][layer]["activation"] = word(activation),
        Remedy::Hidden { from, to } => {
            let is_softmax = |layer: &Value| layer["kind"] == "Activation";
            let list = facts["layers"].as_array().expect("layers");
            let has = |layer: &&Value| layer["activation"].is_string() || layer["units"].is_number();
            let count = list.iter().filter(has).count();
            let hidden = count - 1 - usize::from(list.last().is_some_and(is_softmax));
            let mut place = 0;
            layers(facts, &mut |layer| {
                if has(&&*layer) {
                    let own = layer["activation"].as_str().unwrap_or("linear").to_string();
                    if place < hidden && own == from.to_string() {
                        layer["activation"] = word(to);
                    }
                    place += 1;
                }
            });
        }
        Remedy::Loss(loss) => {
            let sparse = facts["loss"] == "sparse_categorical_crossentropy";
            let (loss, end) = match loss {
                ReplacementLoss::BinaryCrossentropy => ("binary_crossentropy", "sigmoid"),
                ReplacementLoss::CategoricalCrossentropy if sparse => {
                    ("sparse_categorical_crossentropy", "softmax")
                }
                ReplacementLoss::CategoricalCrossentropy => ("categorical_crossentropy", "softmax"),
                ReplacementLoss::MeanSquaredError => ("mean_squared_error", "linear"),
                other => unreachable!("{other:?}"),
            };
            facts["loss"] = loss.into();
            let last = facts["layers"].as_array().expect("layers").len() - 1;
            facts["layers"][last]["activation"] = end.into();
        }
        Remedy::LearningRate(rate) => facts["optimizer"]["learning_rate"] = json!(rate),
        Remedy::Initialize { layer } => facts["layers"][layer]["init"] = Value::Null,
        Remedy::Epochs(more) => {
            facts["epochs"] = json!(facts["epochs"].as_u64().expect("epochs") * *more as u64)
        }
        Remedy::BatchSize(size) => facts["batch_size"] = json!(size),
        Remedy::Balance => facts["class_weight"] = "balanced".into(),
        Remedy::Dropout(rate) => layers(facts, &mut |layer| {
            if layer["rate"].as_f64().is_some_and(|own| own > *rate) {
                layer["rate"] = json!(rate);
            }
        }),
        Remedy::Penalty(factor) => layers(facts, &mut |layer| times(&mut layer["l2"], *factor)),
        Remedy::MaskZero { layer } => facts["layers"][layer]["mask_zero"] = true.into(),
        Remedy::Units { layer, units } => {
            let key = if facts["layers"][layer]["filters"].is_number() { "filters" } else { "units" };
            facts["layers"][layer][key] = json!(units);
        }
        other => panic!("no rule to apply {other:?}"),
    }
}
