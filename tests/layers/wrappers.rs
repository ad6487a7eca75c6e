//! Every layer with every setting inside every wrapper equals the same computation without the wrapper.

use cornu::config::{Config, Value};
use cornu::layer::{MaskRule, NamedLayer};
use cornu::ndarray::{ArrayD, Axis, IxDyn, concatenate};
use cornu::prelude::*;
use cornu::save::Loader;

use crate::roster;

const STEPS: usize = 3;
const ROWS: usize = 4;

fn draw(shape: &[usize], indices: bool, seed: u64) -> ArrayD<f64> {
    let mut rng = Rng::new(seed);
    ArrayD::from_shape_simple_fn(IxDyn(shape), || match indices {
        true => (rng.uniform() * 5.0).floor(),
        false => rng.normal(),
    })
}

fn of_module(module: &str, mut config: Config) -> Config {
    config.module = Some(module.into());
    config
}

/// The layer with these settings.
fn load(config: Config) -> Result<NamedLayer<f64>> {
    let model = of_module("keras", Config::new("Sequential").with("layers", vec![config]));
    Ok(Loader::<f64>::with_scalar().from_config(&model)?.layers()[0].clone())
}

/// Other values of a setting, of every type that it may have; most names accept a few of them.
fn others(value: &Value) -> Vec<Value> {
    let object = |module: &str, kind: &str, fields: &[(&str, f64)]| {
        let config = fields.iter().fold(Config::new(kind), |config, (name, value)| config.with(name, *value));
        Value::from(of_module(module, config))
    };
    match value {
        Value::Bool(flag) => vec![Value::Bool(!flag)],
        Value::Int(n) => vec![Value::Int(n + 1), Value::Int(n - 1), Value::Int(n + 2), Value::Null],
        Value::Float(x) => vec![Value::Float(x * 0.5 + 0.1), Value::Float(0.0), Value::Null],
        Value::Text(_) => {
            ["valid", "same", "causal", "tanh", "gelu", "softmax", "sum", "mul", "ave", "concat"]
                .map(Value::from)
                .into()
        }
        Value::List(values) => {
            let with = |f: fn(&Value) -> Value| Value::List(values.iter().map(f).collect());
            vec![
                with(|value| others(value).into_iter().next().unwrap_or(Value::Null)),
                with(|value| if let Value::Int(n) = value { Value::Int(n - 1) } else { value.clone() }),
            ]
        }
        Value::Null => vec![
            object("keras.regularizers", "L2", &[("l2", 0.3)]),
            object("keras.constraints", "NonNeg", &[]),
            Value::Bool(true),
            Value::Int(1),
            Value::Int(2),
            Value::Float(0.5),
            Value::Text("tanh".into()),
        ],
        Value::Config(config) if config.kind == "L1L2" || config.kind == "MaxNorm" => vec![Value::Null],
        Value::Config(config) if config.module.as_deref() == Some("keras.initializers") => {
            vec![
                object("keras.initializers", "Constant", &[("value", 0.3)]),
                object("keras.initializers", "RandomUniform", &[("minval", 0.1), ("maxval", 0.5)]),
            ]
        }
        _ => Vec::new(),
    }
}

/// The layer, and the layer with each setting at other values that it accepts.
fn variants(layer: &NamedLayer<f64>) -> Vec<(String, NamedLayer<f64>)> {
    let config = layer.config().unwrap();
    let mut all = vec![(format!("{:?}", layer.layer()), layer.clone())];
    for (name, value) in config.fields.iter().filter(|(name, _)| !["name", "dtype"].contains(&&**name)) {
        for other in others(value) {
            let what = format!("{} {name} {other}", config.kind);
            let mut changed = config.clone();
            changed.set(name, other);
            match load(changed) {
                Ok(layer) => all.push((what, layer)),
                Err(error) => {
                    assert!(matches!(error, Error::File(_) | Error::Argument { .. }), "{what}: {error}")
                }
            }
        }
    }
    all
}

/// All variants of the layers of the roster, with the shape of a sample and whether it is one of indices.
fn all() -> impl Iterator<Item = (String, NamedLayer<f64>, Vec<usize>, bool)> {
    roster::layers::<f64>().into_iter().flat_map(|case| {
        let indices = case.takes_indices();
        let with = move |(what, layer)| (what, layer, case.shape.clone(), indices);
        variants(&case.layer).into_iter().map(with)
    })
}

/// A model of a layer over inputs of this shape, with a layer below that has parameters; `None` if a typed error refuses it.
fn model(layer: NamedLayer<f64>, shape: &[usize], indices: bool) -> Option<Sequential<f64>> {
    let mut model = Sequential::<f64>::with_scalar().seed(3).input(shape);
    if !indices {
        model = model.add(Dense::new(*shape.last().unwrap()).name("below"));
    }
    let mut model = model.add(layer);
    match model.build() {
        Ok(()) => Some(model),
        Err(error) => {
            assert!(matches!(error, Error::Layer { .. }), "{error}");
            None
        }
    }
}

/// One step of training: its loss, and all weights after it.
fn step(mut model: Sequential<f64>, x: &ArrayD<f64>, y: &ArrayD<f64>) -> (f64, Vec<f64>) {
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let logs = model.train_on_batch(x, y, &Fit::new()).unwrap();
    let weights = model.weights().unwrap();
    (logs.get("loss").unwrap(), weights.iter().flat_map(|(_, weight)| weight.iter().copied()).collect())
}

#[track_caller]
fn close(what: &str, found: impl IntoIterator<Item = f64>, expected: impl IntoIterator<Item = f64>) {
    let (found, expected): (Vec<f64>, Vec<f64>) =
        (found.into_iter().collect(), expected.into_iter().collect());
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(&expected) {
        assert!(
            (found - expected).abs() <= 1e-9 * expected.abs().max(1.0),
            "{what}: {found}, expected {expected}"
        );
    }
}

fn shaped(array: &ArrayD<f64>, shape: &[usize]) -> ArrayD<f64> {
    array.clone().into_shape_with_order(IxDyn(shape)).unwrap()
}

#[test]
fn a_layer_applied_to_each_step_is_that_layer_on_all_steps() {
    let mut count = 0;
    for (what, layer, shape, indices) in all() {
        let wrapped = TimeDistributed::new(layer.clone()).into_named();
        let Some(mut plain) = model(layer, &shape, indices) else { continue };
        let Some(wrapped) = model(wrapped, &[&[STEPS], &shape[..]].concat(), indices) else {
            // Keras ignores the penalty of a layer within a layer.
            assert!(
                what.contains("activity_regularizer") || what.starts_with("Softmax"),
                "{what} is refused"
            );
            continue;
        };
        count += 1;
        let x = draw(&[&[ROWS, STEPS], &shape[..]].concat(), indices, 5);
        let output = plain.output_shape().unwrap().to_vec();
        assert_eq!(wrapped.output_shape().unwrap(), [&[STEPS], &output[..]].concat(), "{what}");
        let y = draw(&[&[ROWS, STEPS], &output[..]].concat(), false, 7);
        let flat = [&[ROWS * STEPS], &shape[..]].concat();
        let (flat_x, flat_y) = (shaped(&x, &flat), shaped(&y, &[&[ROWS * STEPS], &output[..]].concat()));
        let paths: Vec<String> = wrapped.weights().unwrap().iter().map(|(path, _)| path.clone()).collect();
        let own: Vec<String> = plain.weights().unwrap().iter().map(|(path, _)| path.clone()).collect();
        for (path, own) in paths.iter().zip(&own) {
            let weight = wrapped.weight(path).unwrap().to_owned();
            plain.set_weight(own, &weight).unwrap();
        }
        close(&what, wrapped.predict(&x).unwrap(), plain.predict(&flat_x).unwrap());
        // Within the wrapper each step is a batch of its own, and a mask that is created within a step ends there, as in Keras.
        if !has_batch_statistics(plain.layers()) && !creates_mask(&plain) {
            let (loss, weights) = step(wrapped, &x, &y);
            let (expected, expected_weights) = step(plain, &flat_x, &flat_y);
            close(&what, [loss], [expected]);
            close(&what, weights, expected_weights);
        }
    }
    assert!(count > 100, "{count} combinations");
}

fn has_batch_statistics(layers: &[NamedLayer<f64>]) -> bool {
    layers.iter().any(|layer| layer.kind() == "BatchNormalization" || has_batch_statistics(layer.layers()))
}

fn creates_mask(model: &Sequential<f64>) -> bool {
    matches!(model.layers()[0].layer().traits().mask, MaskRule::Creates(_))
}

#[test]
fn a_residual_adds_its_input() {
    let mut count = 0;
    for (what, layer, shape, indices) in all().filter(|(.., indices)| !indices) {
        let residual = Residual::new().add(layer.clone()).into_named();
        let build = |layer: NamedLayer<f64>| {
            let mut model = Sequential::<f64>::with_scalar().seed(3).input(&shape[..]).add(layer);
            model.build().is_ok().then_some(model)
        };
        let Some(mut plain) = build(layer) else { continue };
        let Some(wrapped) = build(residual.clone()) else {
            assert!(
                plain.output_shape() != Some(&shape[..])
                    || what.contains("activity_regularizer")
                    || what.starts_with("Softmax")
                    || creates_mask(&plain),
                "{what} is refused"
            );
            continue;
        };
        count += 1;
        let full = [&[ROWS], &shape[..]].concat();
        let (x, y) = (draw(&full, indices, 5), draw(&full, false, 7));
        for ((path, weight), (own, _)) in
            wrapped.weights().unwrap().iter().zip(plain.clone().weights().unwrap())
        {
            let _ = path;
            plain.set_weight(&own, &weight.to_owned()).unwrap();
        }
        close(&what, wrapped.predict(&x).unwrap(), plain.predict(&x).unwrap() + &x);
        // The loss of x + f(x) against y is that of f(x) against y − x.
        let (loss, weights) = step(wrapped, &x, &y);
        let (expected, expected_weights) = step(plain, &x, &(&y - &x));
        close(&what, [loss], [expected]);
        close(&what, weights, expected_weights);
        // The gradient of the input, by that of the layer below.
        let random = ["Dropout", "Noise"].iter().any(|word| format!("{residual:?}").contains(word));
        if !random && let Some(mut below) = model(residual, &shape, indices) {
            below.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
            for (path, error) in below.check_gradient(&x, &y).unwrap() {
                assert!(error < 1e-5, "{what}: {path} is off by {error:e}");
            }
        }
    }
    assert!(count > 60, "{count} combinations");
}

/// The outputs of both directions, merged.
fn merged(mode: &str, forward: ArrayD<f64>, backward: ArrayD<f64>) -> ArrayD<f64> {
    match mode {
        "sum" => forward + backward,
        "mul" => forward * backward,
        "ave" => (forward + backward) / 2.0,
        _ => concatenate(Axis(forward.ndim() - 1), &[forward.view(), backward.view()]).unwrap(),
    }
}

#[test]
fn a_bidirectional_layer_is_one_layer_in_each_direction() {
    let mut count = 0;
    let recurrent =
        all().filter(|(what, ..)| ["SimpleR", "LSTM", "GRU"].iter().any(|kind| what.starts_with(kind)));
    for (what, layer, shape, indices) in recurrent {
        let config = layer.config().unwrap();
        let turned = config.get("go_backwards") != Some(&Value::Bool(true));
        let other = config.clone().with("go_backwards", turned);
        for mode in ["concat", "sum", "mul", "ave"] {
            let both = Config::new("Bidirectional").with("name", "both").with("layer", config.clone());
            let both = of_module("keras.layers", both.with("merge_mode", mode));
            let what = format!("{mode} of {what}");
            let built = model(load(both).unwrap(), &shape, indices);
            let [Some(mut forward), Some(mut backward)] =
                [layer.clone(), load(other.clone()).unwrap()].map(|layer| model(layer, &shape, indices))
            else {
                assert!(built.is_none(), "{what}");
                continue;
            };
            let Some(mut both) = built else {
                assert!(what.contains("activity_regularizer"), "{what} is refused");
                continue;
            };
            count += 1;
            let weights: Vec<ArrayD<f64>> =
                both.weights().unwrap().iter().map(|(_, w)| w.to_owned()).collect();
            // Those of the layer below, then those of each direction.
            let below = 2;
            let each = (weights.len() - below) / 2;
            for (model, first) in [(&mut forward, below), (&mut backward, below + each)] {
                let paths: Vec<String> =
                    model.weights().unwrap().iter().map(|(path, _)| path.clone()).collect();
                let values = weights[..below].iter().chain(&weights[first..first + each]);
                paths.iter().zip(values).for_each(|(path, value)| model.set_weight(path, value).unwrap());
            }
            let x = draw(&[&[ROWS], &shape[..]].concat(), indices, 5);
            let outputs = |forward: &Sequential<f64>, backward: &Sequential<f64>| {
                let (a, mut b) = (forward.predict(&x).unwrap(), backward.predict(&x).unwrap());
                if a.ndim() == 3 {
                    // In the order of the forward layer.
                    b.invert_axis(Axis(1));
                }
                merged(mode, a, b)
            };
            close(&what, both.predict(&x).unwrap(), outputs(&forward, &backward));
            let y = draw(&[&[ROWS], both.output_shape().unwrap()].concat(), false, 7);
            let compiled = |model: &mut Sequential<f64>| {
                model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
            };
            [&mut both, &mut forward, &mut backward].into_iter().for_each(compiled);
            let loss = |model: &Sequential<f64>, y: &ArrayD<f64>| {
                model.evaluate(&x, y, &Evaluate::new()).unwrap().get("loss").unwrap()
            };
            // The penalty of each direction, without the error of its outputs.
            let penalty = |model: &Sequential<f64>| loss(model, &model.predict(&x).unwrap());
            let error = (outputs(&forward, &backward) - &y).mapv(|d| d * d).mean().unwrap();
            close(&what, [loss(&both, &y)], [error + penalty(&forward) + penalty(&backward)]);
            for (path, error) in both.check_gradient(&x, &y).unwrap() {
                assert!(error < 1e-5, "{what}: {path} is off by {error:e}");
            }
        }
    }
    assert!(count > 100, "{count} combinations");
}

/// Keras 3.15: `Sequential([Input((3, 2)), TimeDistributed(BatchNormalization(momentum=0.5))])`, compiled with `SGD(0.1)` and
/// `mse`, after `train_on_batch(x, ones)`.
#[test]
fn each_step_is_a_batch_of_its_own_for_batch_normalization() {
    let x = ArrayD::from_shape_fn(IxDyn(&[4, 3, 2]), |at| {
        ((at[0] * 5 + at[1] * 3 + at[2] * 7) % 11) as f64 / 3.0 - 1.0 + at[1] as f64
    });
    let layer = TimeDistributed::new(BatchNormalization::new().momentum(0.5));
    let mut model = Sequential::<f64>::with_scalar().seed(1).input([3, 2]).add(layer.clone());
    model.build().unwrap();
    let (loss, weights) = step(model.clone(), &x, &ArrayD::ones(x.raw_dim()));
    let expected = [
        [0.9000933170318604, 0.9001109004020691],
        [0.10000000149011612, 0.10000001639127731],
        [1.8645833730697632, 1.7291667461395264],
        [1.1866319179534912, 0.8715276718139648],
    ];
    assert!((loss - 1.998978853225708).abs() < 1e-6, "{loss}");
    for (weight, expected) in weights.iter().zip(expected.as_flattened()) {
        assert!((weight - expected).abs() < 1e-6, "{weights:?}");
    }
    // Within further wrappers, over images, frozen, and with a layer below.
    let nested = |layer: TimeDistributed<f64>| TimeDistributed::new(layer);
    let frozen = TimeDistributed::new(BatchNormalization::new().trainable(false));
    let chain = Residual::new().add(Dense::new(2)).add(BatchNormalization::new());
    for (layer, shape) in [
        (layer.clone().into_named(), &[3, 2][..]),
        (layer.clone().into_named(), &[3, 2, 2, 2]),
        (nested(layer).into_named(), &[2, 3, 2]),
        (TimeDistributed::new(chain).into_named(), &[3, 2]),
        (frozen.into_named(), &[3, 2]),
    ] {
        let mut model = super::wrappers::model(layer, shape, false).unwrap();
        let full = [&[5], shape].concat();
        model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
        for (path, error) in model.check_gradient(&draw(&full, false, 5), &draw(&full, false, 7)).unwrap() {
            assert!(error < 1e-6, "{model:?}: {path} is off by {error:e}");
        }
    }
}
