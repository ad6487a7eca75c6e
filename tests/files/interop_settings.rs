//! Files for Keras, read there by `check.py`: every layer of the roster with every setting changed, and every loss, metric
//! and optimizer.

use std::fs;
use std::path::PathBuf;

use cornu::config::{Config, Setting, Value};
use cornu::loss::{Loss, Target};
use cornu::metric::IntoMetrics;
use cornu::ndarray::{ArrayD, IxDyn};
use cornu::optimizer::Optimizer;
use cornu::prelude::*;
use cornu::save::Loader;
use serde_json::json;

use crate::interop::Rule;
use crate::roster;

fn folder() -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("interop/settings");
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn drawn(shape: &[usize], indices: bool) -> ArrayD<f32> {
    let mut rng = Rng::stream(7, 2);
    ArrayD::from_shape_simple_fn(IxDyn(shape), || match indices {
        true => (rng.uniform() * 7.0).floor() as f32,
        false => rng.normal() as f32,
    })
}

/// All activations, those with parameters also away from Keras's defaults.
fn activations() -> Vec<Activation> {
    use Activation::*;
    let names = "linear relu relu6 leaky_relu elu celu selu sigmoid log_sigmoid hard_sigmoid silu hard_silu tanh \
                 tanh_shrink hard_tanh softplus softsign squareplus sparse_plus sparse_sigmoid gelu mish soft_shrink \
                 hard_shrink exponential softmax log_softmax glu";
    let named = names.split(' ').map(|name| name.parse().unwrap());
    let others = [
        ReluWith { negative_slope: 0.1, max_value: Some(1.5), threshold: 0.2 },
        LeakyRelu { negative_slope: 0.4 },
        Elu { alpha: 0.4 },
        Celu { alpha: 0.4 },
        Squareplus { b: 1.0 },
        Gelu { approximate: true },
        SoftShrink { threshold: 0.2 },
        HardShrink { threshold: 0.2 },
        Threshold { threshold: 0.2, default_value: -1.0 },
    ];
    named.chain(others).collect()
}

/// Other values for a setting; those that do not suit the layer are refused when it is constructed.
fn others(name: &str, value: &Value, full: bool) -> Vec<Value> {
    let texts = |texts: &[&str]| texts.iter().map(|&text| text.into()).collect();
    match (name, value) {
        ("activation" | "recurrent_activation", _) if full => {
            activations().iter().map(Setting::to_value).collect()
        }
        ("activation" | "recurrent_activation", _) => {
            vec!["sigmoid".into(), Activation::Celu { alpha: 0.4 }.to_value()]
        }
        ("padding", Value::Text(_)) => texts(&["valid", "same", "causal"]),
        ("merge_mode", _) => texts(&["concat", "sum", "mul", "ave"]),
        (name, _) if name.ends_with("initializer") && full => {
            let rules = [
                Initializer::Zeros,
                Initializer::Constant(0.5),
                Initializer::RandomNormal { mean: 0.1, stddev: 0.2 },
                Initializer::TruncatedNormal { mean: 0.1, stddev: 0.2 },
                Initializer::RandomUniform { low: -0.1, high: 0.2 },
                Initializer::LecunNormal,
                Initializer::Identity { gain: 0.5 },
                Initializer::Orthogonal { gain: 0.5 },
                Initializer::VarianceScaling {
                    scale: 2.0,
                    fan: cornu::initializer::Fan::Average,
                    distribution: cornu::initializer::Distribution::Uniform,
                },
            ];
            rules.iter().map(Setting::to_value).collect()
        }
        (name, _) if name.ends_with("initializer") => vec![Initializer::HeUniform.to_value()],
        (name, _) if name.ends_with("regularizer") => {
            let rules = [Regularizer::L1(0.1), Regularizer::L2(0.1), Regularizer::L1L2 { l1: 0.1, l2: 0.2 }];
            rules.iter().map(Setting::to_value).collect()
        }
        (name, _) if name.ends_with("constraint") => {
            let rules = [
                Constraint::NonNegative,
                Constraint::UnitNorm { axis: vec![0] },
                Constraint::MaxNorm { max: 1.0, axis: vec![0, 1] },
                Constraint::MinMaxNorm { min: 0.1, max: 0.5, rate: 0.5, axis: vec![0] },
            ];
            rules.iter().map(Setting::to_value).collect()
        }
        (_, Value::Bool(value)) => vec![(!value).into()],
        (_, Value::Int(value)) => vec![(value + 1).into(), (-1).into()],
        (_, Value::Float(value)) => vec![(value / 2.0 + 0.1).into()],
        (name, Value::List(values)) => {
            let all = values
                .iter()
                .enumerate()
                .map(|(i, value)| others(name, value, false).into_iter().map(move |v| (i, v)));
            let with = |(i, value): (usize, Value)| {
                let mut values = values.clone();
                values[i] = value;
                Value::List(values)
            };
            all.flatten().map(with).collect()
        }
        _ => Vec::new(),
    }
}

/// The settings of a model with one layer, with each setting of the layer changed in turn, also within wrappers.
fn variants(config: &Config, full: bool) -> Vec<(String, Config)> {
    let mut all = Vec::new();
    for (name, value) in &config.fields {
        match value {
            Value::Config(inner) if inner.module.as_deref() == Some("keras.layers") => {
                for (what, inner) in variants(inner, false) {
                    all.push((format!("{name}.{what}"), config.clone().with(name, inner)));
                }
            }
            value if ["name", "dtype", "layers", "build_input_shape"].contains(&&**name) => _ = value,
            value => {
                for other in others(name, value, full) {
                    all.push((format!("{name} = {other}"), config.clone().with(name, other)));
                }
            }
        }
    }
    all
}

#[test]
fn every_layer_is_written_with_every_setting() {
    let mut all = Vec::new();
    for case in roster::layers::<f32>() {
        let kind = case.layer.kind().to_string();
        if ["Residual", "Branches"].contains(&&*kind) {
            continue;
        }
        let config = case.model().config().unwrap();
        let Some(Value::List(layers)) = config.get("layers") else { panic!("no layers") };
        let [input, Value::Config(layer)] = &layers[..] else { panic!("one layer") };
        let full = ["Dense", "Activation"].contains(&&*kind);
        let changed = variants(layer, full).into_iter();
        let models = changed.map(|(what, layer)| (what, vec![input.clone(), layer.into()]));
        for (what, layers) in std::iter::once((String::new(), layers.clone())).chain(models) {
            let Ok(model) = Loader::new().from_config(&config.clone().with("layers", layers)) else {
                continue;
            };
            let mut model = model.seed(3);
            if model.build().is_err() {
                continue;
            }
            let x = drawn(&[&[3], &case.shape[..]].concat(), case.takes_indices());
            let y = model.predict(&x).unwrap();
            if y.iter().any(|y| !y.is_finite()) {
                continue; // as by initial variances below 0
            }
            let file = format!("{}.keras", all.len());
            model.save(folder().join(&file)).unwrap();
            all.push(json!({
                "file": file, "what": format!("{kind}: {what}"), "shape": x.shape(), "x": x.into_iter().collect::<Vec<_>>(),
                "predictions": y.into_iter().collect::<Vec<_>>(),
            }));
        }
    }
    assert!(all.len() > 300, "{}", all.len());
    fs::write(folder().join("layers.json"), json!(all).to_string()).unwrap();
}

#[test]
fn every_loss_metric_and_optimizer_is_written() {
    let mut all = Vec::new();
    let mut check = |what: String,
                     optimizer: Box<dyn Optimizer<f32>>,
                     loss: Box<dyn Loss<f32>>,
                     metrics: bool| {
        let mut model =
            Sequential::new().seed(3).input([4]).add(Dense::new(3).activation(Activation::Softmax));
        let hot = ArrayD::from_shape_fn(IxDyn(&[8, 3]), |at| f32::from(u8::from(at[0] * 7 % 5 % 3 == at[1])));
        let classes = ArrayD::from_shape_fn(IxDyn(&[8]), |at| (at[0] * 7 % 5 % 3) as f32);
        let y = if matches!(loss.target(), Target::Classes { .. } | Target::Labels) { classes } else { hot };
        let metrics = if metrics { roster::metrics() } else { Vec::new() };
        let undecayed = optimizer.config().unwrap().get("exclude_from_weight_decay").is_some();
        model.compile(Rule(optimizer), loss, metrics.into_metrics()).unwrap();
        let file = format!("compiled_{}.keras", all.len());
        let saved = model.save(folder().join(&file));
        if undecayed {
            return assert!(saved.is_err());
        }
        saved.unwrap();
        let x = drawn(&[8, 4], false);
        let scores = model.evaluate(&x, &y, &Evaluate::new().batch_size(3)).unwrap();
        let scores: serde_json::Map<String, serde_json::Value> =
            scores.iter().map(|(name, value)| (name.to_string(), json!(value))).collect();
        let losses: Vec<f64> =
            (0..4).map(|_| model.train_on_batch(&x, &y, &Fit::new()).unwrap().get("loss").unwrap()).collect();
        all.push(json!({
            "file": file, "what": what, "shape": [8, 4], "x": x.into_iter().collect::<Vec<_>>(),
            "y": y.iter().collect::<Vec<_>>(), "y_shape": y.shape(), "scores": scores, "losses": losses,
        }));
    };
    let (sgd, mse) = (|| Box::new(Sgd::new(0.1)), || Box::new(CategoricalCrossentropy::new()));
    roster::losses().into_iter().for_each(|loss| check(format!("{loss:?}"), sgd(), loss, false));
    roster::optimizers().into_iter().for_each(|rule| check(format!("{rule:?}"), rule, mse(), false));
    check("metrics".into(), sgd(), mse(), true);
    fs::write(folder().join("compiled.json"), json!(all).to_string()).unwrap();
}
