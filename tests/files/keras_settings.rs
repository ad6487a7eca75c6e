//! Settings as Keras writes them: the model predicts, scores and trains as in Keras, or an error names the setting.

use cornu::ndarray::{ArrayD, IxDyn};
use cornu::prelude::*;
use cornu::save::{Format, Loader};
use serde_json::Value;

use crate::deep::folder_of;
use crate::zip::{Member, archive};

fn cases() -> Vec<Value> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/settings.json");
    serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap()
}

fn numbers(value: &Value) -> Vec<f32> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap() as f32).collect()
}

fn array(value: &Value) -> ArrayD<f32> {
    let shape: Vec<usize> =
        value["shape"].as_array().unwrap().iter().map(|size| size.as_u64().unwrap() as usize).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), numbers(&value["values"])).unwrap()
}

/// Loads the case's settings and weights from a `.keras` file.
fn load(loader: &Loader, case: &Value) -> Result<Sequential> {
    let config = case["config"].as_str().unwrap();
    let mut model = loader.clone().compiled(false).from_json(config)?;
    model.build()?;
    let paths: Vec<String> = model.weights()?.into_iter().map(|(path, _)| path).collect();
    let weights = case["weights"].as_array().unwrap();
    assert_eq!(paths.len(), weights.len());
    for (path, weight) in paths.iter().zip(weights) {
        model.set_weight(path, &array(weight))?;
    }
    let name = format!("{}.weights.h5", case["name"].as_str().unwrap().replace(' ', "_"));
    let path = std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    model.save_weights(&path)?;
    let members = [
        Member::stored("metadata.json", br#"{"keras_version": "3.15.1"}"#),
        Member::stored("config.json", config.as_bytes()),
        Member::stored("model.weights.h5", &std::fs::read(&path).unwrap()),
    ];
    loader.load_bytes(Format::Keras, &archive(&members))
}

#[track_caller]
fn near(what: &str, found: &[f32], expected: &[f32]) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() <= 1e-5 * expected.abs().max(1.0), "{what}: {found} and {expected}");
    }
}

#[test]
fn settings_of_keras_compute_as_in_keras_or_are_refused_by_name() {
    for case in cases() {
        let name = case["name"].as_str().unwrap();
        let x = array(&case["x"]);
        let check = |model: &Sequential, what: &str, key: &str| {
            let found: Vec<f32> = model.predict(&x).unwrap().into_iter().collect();
            near(what, &found, &numbers(&case[key]));
        };
        let loaded = load(&Loader::new(), &case);
        if let Some(words) = case["refused"].as_str() {
            let error = loaded.unwrap_err().to_string();
            assert!(error.contains(words), "{name}: {error}");
            // Predictions need the others.
            let for_training = ["compile_config", "_initializer", "_regularizer", "_constraint"];
            if for_training.iter().any(|part| error.contains(part)) {
                assert!(error.ends_with("; `Loader::compiled(false)` reads the model without it"), "{error}");
                check(&load(&Loader::new().compiled(false), &case).unwrap(), name, "predictions");
            }
            continue;
        }
        let mut model = loaded.unwrap_or_else(|error| panic!("{name}: {error}"));
        check(&model, name, "predictions");
        if name == "sequences of any length" {
            let with = |shape: [usize; 2]| load(&Loader::new().input_shape(shape), &case);
            check(&with([4, 3]).unwrap(), name, "predictions");
            let error = with([4, 2]).unwrap_err().to_string();
            assert!(error.contains("`Loader::input_shape` (4, 2), found (None, 3)"), "{error}");
        }
        let Some(scores) = case["scores"].as_object() else { continue };
        let y = array(&case["y"]);
        let found = model.evaluate(&x, &y, &Evaluate::new().batch_size(3)).unwrap();
        for (key, expected) in scores {
            let score = found.get(key).unwrap_or_else(|| panic!("{name}: no {key}"));
            near(&format!("{name}: {key}"), &[score as f32], &[expected.as_f64().unwrap() as f32]);
        }
        if case.get("trained").is_some() {
            for _ in 0..3 {
                model.train_on_batch(&x, &y, &Fit::new()).unwrap();
            }
            check(&model, &format!("{name}, trained"), "trained");
        }
        let settings = model.compile_config().unwrap().unwrap();
        let mut again = model.clone();
        Loader::new().compile(&mut again, &settings).unwrap();
        assert_eq!(again.compile_config().unwrap().unwrap(), settings, "{name}");
        let scores = |model: &Sequential| model.evaluate(&x, &y, &Evaluate::new()).unwrap();
        assert_eq!(scores(&again), scores(&model), "{name}");
        if name == "a loss by output" {
            let cornu::config::Value::Map(settings) = &settings else { panic!("{settings:?}") };
            let weighted = settings.iter().find(|(key, _)| key == "weighted_metrics").map(|(_, list)| list);
            let count = matches!(weighted, Some(cornu::config::Value::List(list)) if list.len() == 1);
            assert!(count, "{weighted:?}");
        }
    }
}

#[test]
fn what_a_keras_file_cannot_hold_is_refused_and_held_by_safetensors() {
    let mut model = Sequential::new().input([2]).add(Dense::new(1));
    let rule = AdamW::new(0.1).exclude_from_weight_decay(["bias"]);
    model.compile(rule, MeanSquaredError::new(), ()).unwrap();
    let path = |end: &str| std::path::Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("undecayed.{end}"));
    let error = model.save(path("keras")).unwrap_err().to_string();
    let expected = "cannot be written as .keras: Keras's files cannot hold `exclude_from_weight_decay`; save as `.safetensors`";
    assert_eq!(error, expected);
    assert!(!path("keras").exists());
    model.save(path("safetensors")).unwrap();
    let again = Sequential::load(path("safetensors")).unwrap();
    assert_eq!(again.compile_config().unwrap(), model.compile_config().unwrap());
}

/// In Keras, a model that is not trainable trains none of its layers, even if they are trainable themselves.
#[test]
fn a_frozen_model_freezes_its_layers() {
    let model = |kind: &str, rest: &str, layers: &str| {
        format!(
            r#"{{"module":"keras","class_name":"{kind}","config":{{"name":"m"{rest},"layers":[{layers}]}},"name":"m"}}"#
        )
    };
    let dense = |name: &str, nodes: &str| {
        format!(
            r#"{{"module":"keras.layers","class_name":"Dense","config":{{"name":"{name}","units":3,"trainable":true}},"name":"{name}"{nodes}}}"#
        )
    };
    let trains = |text: &str| {
        let model = Sequential::<f32>::from_json(text).unwrap();
        model.layers().iter().map(|layer| layer.is_trainable()).collect::<Vec<_>>()
    };
    for (rest, expected) in [(r#","trainable":false"#, false), (r#","trainable":true"#, true), ("", true)] {
        let inner = model("Sequential", rest, &dense("b", ""));
        let whole = model("Sequential", "", &format!("{},{inner}", dense("a", "")));
        assert_eq!(trains(&whole), [true, expected], "a Sequential with {rest}");
        let input = r#"{"module":"keras.layers","class_name":"InputLayer","config":{"batch_shape":[null,4],"name":"x"},"name":"x","inbound_nodes":[]}"#;
        let nodes = r#","inbound_nodes":[{"args":[{"class_name":"__keras_tensor__","config":{"keras_history":["x",0,0]}}],"kwargs":{}}]"#;
        let ends = r#","input_layers":["x",0,0],"output_layers":["a",0,0]"#;
        let whole = model("Functional", &format!("{rest}{ends}"), &format!("{input},{}", dense("a", nodes)));
        assert_eq!(trains(&whole), [expected], "a functional model with {rest}");
    }
}

/// Keras 2 writes the inputs of a layer as lists.
#[test]
fn a_functional_model_of_keras_2_is_a_chain() {
    let layer = |kind: &str, name: &str, settings: &str, inputs: &str| {
        format!(
            r#"{{"module":"keras.layers","class_name":"{kind}","config":{{"name":"{name}"{settings}}},"name":"{name}","inbound_nodes":[{inputs}]}}"#
        )
    };
    let functional = |kind: &str, argument: &str| {
        let layers = [
            layer("InputLayer", "x", r#","batch_input_shape":[null,4]"#, ""),
            layer("Dense", "a", r#","units":4"#, r#"[["x",0,0,{}]]"#),
            layer("Dropout", "b", r#","rate":0.5"#, &format!(r#"[["a",0,0,{{{argument}}}]]"#)),
            layer("Add", "sum", "", r#"[["b",0,0,{}],["x",0,0,{}]]"#),
        ];
        format!(
            r#"{{"module":"keras","class_name":"{kind}","config":{{"name":"m","layers":[{}],"input_layers":[["x",0,0]],"output_layers":[["sum",0,0]]}}}}"#,
            layers.join(",")
        )
    };
    for kind in ["Functional", "Model"] {
        let whole = functional(kind, "");
        let nested = format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{whole}]}}}}"#
        );
        for text in [whole, nested] {
            let model = Sequential::<f32>::from_json(&text).unwrap();
            assert_eq!(model.input_shape(), Some(&[4][..]));
            let [sum] = model.layers() else { panic!("{model:?}") };
            let labels: Vec<&str> = sum.layers().iter().map(|layer| layer.label()).collect();
            assert_eq!((sum.label(), &labels[..]), ("sum", &["a", "b"][..]));
        }
    }
    let error = Sequential::<f32>::from_json(&functional("Model", r#""training":true"#)).unwrap_err();
    assert!(error.to_string().contains("`training` = true for Dropout"), "{error}");
}

#[test]
fn a_cell_that_differs_from_its_rnn_is_refused() {
    let read = |setting: &str| {
        Sequential::<f32>::from_json(&format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[
            {{"module":"keras.layers","class_name":"RNN","config":{{"name":"r","cell":
            {{"module":"keras.layers","class_name":"LSTMCell","config":{{"name":"c","units":2{setting}}}}}}}}}]}}}}"#
        ))
    };
    read(r#","trainable":true,"dtype":"float32""#).unwrap();
    for (setting, expected) in [
        (
            r#","trainable":false"#,
            "`layers[0].config.cell.config.trainable`: expected true, as that of its RNN, found false",
        ),
        (r#","dtype":"float16""#, "`layers[0].config.cell.config.dtype`: expected "),
    ] {
        let error = read(setting).unwrap_err().to_string();
        assert!(error.starts_with(expected), "{error}");
    }
}

/// A functional model of Keras that adds two dense layers, with these settings.
fn added(names: [&str; 2], dense: &str, add: &str) -> Sequential {
    let layer = |kind: &str, name: &str, settings: &str, inputs: &str| {
        format!(
            r#"{{"module":"keras.layers","class_name":"{kind}","config":{{"name":"{name}"{settings}}},"name":"{name}","inbound_nodes":[{inputs}]}}"#
        )
    };
    let [a, b] = names;
    let units = format!(r#","units":3{dense}"#);
    let layers = [
        layer("InputLayer", "x", r#","batch_input_shape":[null,4]"#, ""),
        layer("Dense", a, &units, r#"[["x",0,0,{}]]"#),
        layer("Dense", b, &units, r#"[["x",0,0,{}]]"#),
        layer("Add", "sum", add, &format!(r#"[["{a}",0,0,{{}}],["{b}",0,0,{{}}]]"#)),
    ];
    let text = format!(
        r#"{{"module":"keras","class_name":"Functional","config":{{"name":"m","layers":[{}],"input_layers":[["x",0,0]],"output_layers":[["sum",0,0]]}}}}"#,
        layers.join(",")
    );
    let mut model = Sequential::from_json(&text).unwrap();
    model.build().unwrap();
    model
}

#[test]
fn a_layer_may_have_the_name_of_the_shortcut() {
    for (names, shortcut) in [(["shortcut", "main"], "shortcut_1"), (["main", "shortcut"], "shortcut")] {
        let model = added(names, "", "");
        let labels: Vec<&str> = model.layers()[0].layers().iter().map(|layer| layer.label()).collect();
        assert_eq!(labels, [names[0], shortcut]);
        let again = Sequential::<f32>::from_json(&model.to_json().unwrap()).unwrap();
        assert_eq!(again.layers()[0].layers()[1].label(), shortcut);
    }
}

/// A merging layer has no weights, so in Keras its `trainable` has no effect.
#[test]
fn a_frozen_merge_does_not_freeze_its_branches() {
    let trains = |dense: &str, add: &str| {
        let model = added(["a", "b"], dense, add);
        let sum = &model.layers()[0];
        sum.is_trainable() && sum.layers()[0].is_trainable()
    };
    let frozen = r#","trainable":false"#;
    assert!(trains("", frozen) && trains("", ""));
    assert!(!trains(frozen, "") && !trains(frozen, frozen));
    let dense = || Dense::new(4);
    let mut model: Sequential =
        Sequential::new().input([4]).add(Residual::new().add(dense()).trainable(false)).add(dense());
    model.build().unwrap();
    let path = folder_of("keras_settings").join("frozen.keras");
    model.save(&path).unwrap();
    let again = Sequential::<f32>::load(&path).unwrap();
    let is_trainable =
        |model: &Sequential| model.layers().iter().map(|layer| layer.is_trainable()).collect::<Vec<_>>();
    assert_eq!(is_trainable(&again), [false, true]);
}

#[test]
fn many_branches_are_read() {
    let read = |branches: &str| {
        Sequential::<f32>::from_json(&format!(
            r#"{{"module":"keras","class_name":"Sequential","config":{{"name":"s","layers":[{{"module":"cornu","class_name":"Branches",
            "config":{{"name":"b","merge":"Add","branches":[{branches}]}}}}]}}}}"#
        ))
        .unwrap()
    };
    let model = read(&vec!["[]"; 20_000].join(","));
    let branches = model.layers()[0].layers();
    assert_eq!(branches.len(), 20_000);
    assert_eq!([0, 1, 19_999].map(|i| branches[i].label()), ["branch", "branch_1", "branch_19999"]);
}
