//! The note of a loaded model whose optimizer's state was not restored: what it says, when `fit` prints it, and what clears
//! it. A child process trains where standard error is read.

use std::path::PathBuf;
use std::process::Command;

use cornu::callback::Flow;
use cornu::prelude::*;
use ndarray::Array2;

use crate::hostile::counts::with_metadata;

/// A model of Keras with two layers of Adam's state, one of which was frozen before it was saved.
fn late_freeze() -> Sequential {
    let path = format!("{}/tests/golden/files/late_freeze_f32.keras", env!("CARGO_MANIFEST_DIR"));
    Sequential::load(path).unwrap()
}

fn data() -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_fn((8, 6), |(i, j)| (i as f32 - j as f32) / 4.0);
    (x, Array2::from_shape_fn((8, 3), |(i, j)| f32::from(u8::from(i % 3 == j))))
}

fn fit(model: &mut Sequential, settings: &Fit) {
    let (x, y) = data();
    model.fit(&x, &y, settings).unwrap();
}

fn silent() -> Fit<'static> {
    Fit::new().verbose(Verbose::Silent)
}

/// A file of its own for each test.
fn path(name: &str) -> PathBuf {
    std::env::temp_dir().join(format!("cornu-optimizer-note-{}-{name}", std::process::id()))
}

#[test]
fn the_note_says_why_and_counts_the_arrays() {
    let expected = "the optimizer's state was not restored, and starts from the beginning: \
        the file holds 14 arrays for it, and adam needs 10 for this model";
    let model = late_freeze();
    assert_eq!(model.optimizer_note(), Some(expected));
    assert_eq!(model.clone().optimizer_note(), Some(expected), "a copy has the note too");
}

#[test]
fn training_and_compiling_clear_the_note() {
    let mut model = late_freeze();
    fit(&mut model, &silent().epochs(1).initial_epoch(1));
    assert!(model.optimizer_note().is_some(), "nothing was trained");
    fit(&mut model, &silent());
    assert_eq!(model.optimizer_note(), None);

    let (x, y) = data();
    let mut model = late_freeze();
    model.train_on_batch(&x, &y, &Fit::new()).unwrap();
    assert_eq!(model.optimizer_note(), None);

    let mut model = late_freeze();
    model.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    assert_eq!(model.optimizer_note(), None);
}

#[test]
fn files_of_cornu_give_no_note() {
    for end in ["keras", "safetensors"] {
        let path = path(&format!("own.{end}"));
        let mut model = Sequential::new().seed(1).input([6]).add(Dense::new(3));
        model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
        for _ in 0..2 {
            model.save(&path).unwrap();
            assert_eq!(Sequential::load(&path).unwrap().optimizer_note(), None, "{end}");
            fit(&mut model, &silent());
        }
        std::fs::remove_file(path).unwrap();
    }
}

#[test]
fn state_of_another_optimizer_in_safetensors_is_reset_as_a_whole() {
    let path = path("another.safetensors");
    let mut model = Sequential::new().seed(1).input([6]).add(Dense::new(3));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), ()).unwrap();
    let mut anew = model.clone();
    fit(&mut model, &silent());
    model.save(&path).unwrap();
    let bytes = with_metadata(&std::fs::read(&path).unwrap(), "cornu.compile_config", |settings| {
        let changed = settings.replace("\"amsgrad\":false", "\"amsgrad\":true");
        assert_ne!(changed, settings);
        changed
    });
    std::fs::write(&path, bytes).unwrap();
    let mut loaded = Sequential::load(&path).unwrap();
    std::fs::remove_file(path).unwrap();
    let note = loaded.optimizer_note().unwrap().to_string();
    assert!(note.ends_with("the file holds 4 arrays for it, and not those of adam"), "{note}");

    anew.compile(Adam::new(0.01).amsgrad(true), MeanSquaredError::new(), ()).unwrap();
    for (path, value) in model.weights().unwrap() {
        anew.set_weight(&path, &value).unwrap();
    }
    let (x, y) = data();
    loaded.train_on_batch(&x, &y, &Fit::new()).unwrap();
    anew.train_on_batch(&x, &y, &Fit::new()).unwrap();
    assert_eq!(loaded.weights().unwrap(), anew.weights().unwrap());
}

/// The mode of the child process.
const MODE: &str = "CORNU_OPTIMIZER_NOTE";

#[test]
#[ignore = "the process that the other tests start"]
fn trains() {
    let mode = std::env::var(MODE).unwrap();
    let verbose = if mode == "silent" { Verbose::Silent } else { Verbose::Lines };
    let settings = || Fit::new().verbose(verbose).epochs(2).diagnose(Diagnose::Off);
    let mut model = late_freeze();
    if mode != "resumed" {
        fit(&mut model, &settings());
        return fit(&mut model, &settings());
    }
    let backup = path("backup");
    let stop = LambdaCallback::new().on_epoch_end(|at| match at.epoch {
        0 => Ok(Flow::Continue),
        _ => Err(Error::outside(std::io::Error::other("the machine stops"))),
    });
    let (x, y) = data();
    let stopped = settings().verbose(Verbose::Silent).backup(BackupAndRestore::new(&backup)).callback(stop);
    model.fit(&x, &y, &stopped).unwrap_err();
    fit(
        &mut late_freeze(),
        &settings().backup(BackupAndRestore::new(&backup)).callback(LambdaCallback::new()),
    );
}

/// What that process writes to standard error.
fn printed(mode: &str) -> String {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["--ignored", "--nocapture", "--exact", "optimizer_note::trains"]).env(MODE, mode);
    let output = command.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn the_first_training_prints_the_note_unless_silent_or_resumed() {
    let note = format!("note: {}\n", late_freeze().optimizer_note().unwrap());
    assert_eq!(printed("twice").matches(&note).count(), 1);
    assert_eq!(printed("silent"), "");
    let resumed = printed("resumed");
    assert!(!resumed.contains("note: "), "{resumed}");
}
