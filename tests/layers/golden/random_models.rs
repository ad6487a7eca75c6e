//! Random models, which `random_models.py` draws, trains in Keras and stores before it runs this test.

use std::collections::BTreeSet;
use std::path::Path;

use cornu::data::ClassWeight;
use cornu::ndarray::{Array1, ArrayD, IxDyn};
use cornu::prelude::*;
use cornu::save::Loader;
use serde_json::Value;

use super::numbers;

fn read(path: &Path) -> Value {
    serde_json::from_str(&std::fs::read_to_string(path).expect("a file of random_models.py")).expect("JSON")
}

fn array(value: &Value) -> ArrayD<f64> {
    let shape: Vec<usize> = numbers(&value["shape"]).iter().map(|&size| size as usize).collect();
    ArrayD::from_shape_vec(IxDyn(&shape), numbers(&value["values"])).expect("an array")
}

fn load(path: &Path) -> Result<Sequential<f64>, String> {
    Loader::<f64>::with_scalar().load(path).map_err(|error| format!("reading: {error}"))
}

/// Compares relative to the largest expected magnitude, of at least 1e-3, and returns the first difference.
fn differs(what: &str, found: &[f64], expected: &[f64], tolerance: f64) -> Result<(), String> {
    if found.len() != expected.len() {
        return Err(format!("{what}: {} numbers, Keras has {}", found.len(), expected.len()));
    }
    let scale = expected.iter().fold(1e-3f64, |largest, v| largest.max(v.abs()));
    for (i, (found, expected)) in found.iter().zip(expected).enumerate() {
        let error = (found - expected).abs() / scale;
        if error.is_nan() || error > tolerance {
            return Err(format!("{what}, number {i}: {found}, Keras has {expected} (off by {error:.1e})"));
        }
    }
    Ok(())
}

/// Trains as Keras did, and compares the history, predictions, scores and weights.
fn train(model: &mut Sequential<f64>, about: &Value, expected: &Value, trained: &Path) -> Result<(), String> {
    let (x, y, settings) = (array(&about["x"]), array(&about["y"]), &about["fit"]);
    let size = |name: &str| settings.get(name).map(|value| value.as_u64().expect("a size") as usize);
    let weight = settings.get("sample_weight").map(|value| Array1::from(numbers(value)));
    let mut fit = Fit::<f64>::new().shuffle(false).verbose(Verbose::Silent).diagnose(Diagnose::Off);
    fit = fit.epochs(size("epochs").unwrap()).batch_size(size("batch_size").unwrap());
    if let Some(share) = settings.get("validation_split") {
        fit = fit.validation_split(share.as_f64().unwrap());
    }
    if let Some(rows) = size("validation_batch_size") {
        fit = fit.validation_batch_size(rows);
    }
    if let Some(epochs) = size("validation_freq") {
        fit = fit.validation_freq(epochs);
    }
    if let Some(weight) = &weight {
        fit = fit.sample_weight(weight);
    }
    if let Some(weights) = settings.get("class_weight") {
        fit = fit.class_weight(ClassWeight::PerClass(numbers(weights)));
    }
    let tolerance = about["tolerance"].as_f64().unwrap();
    let history = model.fit(&x, &y, &fit).map_err(|error| format!("fit: {error}"))?;
    let scores =
        model.evaluate(&x, &y, &Evaluate::new().batch_size(4)).map_err(|e| format!("evaluate: {e}"))?;
    for (what, expected) in expected.as_object().unwrap() {
        let expected = numbers(&expected["values"]);
        let found = match what.split_once(' ') {
            Some(("history", name)) => history.get(name).map(<[f64]>::to_vec),
            Some(("score", name)) => scores.get(name).map(|score| vec![score]),
            Some(_) => continue, // the weights
            None => Some(
                model.predict(&x).map_err(|error| format!("predict: {error}"))?.iter().copied().collect(),
            ),
        };
        differs(what, &found.ok_or_else(|| format!("no {what}"))?, &expected, tolerance)?;
    }
    if !trained.exists() {
        return Ok(());
    }
    let trained = load(trained)?;
    for ((path, found), (_, expected)) in model.weights().unwrap().iter().zip(trained.weights().unwrap()) {
        let [found, expected] = [found, &expected].map(|weight| weight.iter().copied().collect::<Vec<_>>());
        differs(path, &found, &expected, tolerance)?;
    }
    Ok(())
}

fn compare(folder: &Path, name: &str) -> Result<(), String> {
    let about = read(&folder.join(format!("{name}.json")));
    let trained = folder.join(format!("{name}_trained.keras"));
    let mut model = load(&folder.join(format!("{name}.keras")))?;
    train(&mut model, &about, &about["found"], &trained)?;
    // A second training, here and from Keras's file after the first one.
    train(&mut model, &about, &about["again"], Path::new(""))
        .map_err(|error| format!("a second fit: {error}"))?;
    train(&mut load(&trained)?, &about, &about["again"], Path::new(""))
        .map_err(|error| format!("the second fit, from the file: {error}"))
}

#[test]
#[ignore = "started by random_models.py"]
fn random_models() {
    let folder =
        std::env::var_os("CORNU_RANDOM_MODELS").expect("CORNU_RANDOM_MODELS, a folder of random_models.py");
    let folder = Path::new(&folder);
    let all = read(&folder.join("all.json"));
    let drawn = |list: &str| -> BTreeSet<String> {
        all["kinds"][list].as_array().unwrap().iter().map(|kind| kind.as_str().unwrap().to_string()).collect()
    };
    // Kinds that are not Keras's, or Keras has another name for.
    let excepted = ["Branches", "Residual", "Accuracy"];
    let loader = Loader::<f64>::with_scalar();
    let missing = |list: &str, kinds: Vec<&str>| {
        let missing: Vec<_> = kinds
            .into_iter()
            .filter(|kind| !excepted.contains(kind) && !drawn(list).contains(*kind))
            .collect();
        assert!(missing.is_empty(), "random_models.py draws no {missing:?}: add them to its {list}");
    };
    missing("layers", loader.layer_kinds().collect());
    missing("losses", loader.loss_kinds().collect());
    missing("metrics", loader.metric_kinds().collect());
    missing("optimizers", loader.optimizer_kinds().collect());
    let mut names: Vec<String> = std::fs::read_dir(folder)
        .unwrap()
        .filter_map(|entry| entry.unwrap().file_name().to_str()?.strip_suffix(".json").map(String::from))
        .filter(|name| name != "all")
        .collect();
    names.sort_by_key(|name| name.parse::<usize>().unwrap());
    let mut faults = 0;
    for name in &names {
        if let Err(fault) = compare(folder, name) {
            faults += 1;
            let config = read(&folder.join(format!("{name}.json")));
            println!("--seed {} --only {name}: {fault}\n    {}", all["seed"], config["config"]);
        }
    }
    println!("{} models, {faults} faults", names.len());
    assert_eq!(faults, 0);
}
