//! Checkpoints in every format: the extension selects the format, the file holds the model as of that epoch, and a
//! model that cannot be written is refused before the first step, or reported.

use std::path::PathBuf;

use cornu::callback::ModelCheckpoint;
use cornu::error::FileError;
use cornu::ndarray::Array2;
use cornu::optimizer::Optimizer;
#[cfg(any(feature = "keras", feature = "safetensors"))]
use cornu::optimizer::WeightAverage;
use cornu::prelude::*;

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR"))
        .join(format!("checkpoint-{}", std::process::id()))
        .join(name);
    std::fs::create_dir_all(&folder).unwrap();
    folder
}

fn data() -> (Array2<f32>, Array2<f32>) {
    let x = Array2::from_shape_fn((12, 3), |(i, j)| ((7 * i + 3 * j) % 5) as f32 - 2.0);
    let y = Array2::from_shape_fn((12, 1), |(i, _)| x.row(i).sum());
    (x, y)
}

/// The dropout masks and the sample order depend on the number of steps so far.
fn model() -> Sequential {
    model_by(Adam::new(0.01))
}

fn model_by(rule: impl Optimizer<f32> + 'static) -> Sequential {
    let mut model = Sequential::new()
        .seed(3)
        .input([3])
        .add(Dense::new(4).activation(Activation::Relu).name("F1"))
        .add(Dropout::new(0.2))
        .add(Dense::new(1).name("F2"));
    model.compile(rule, MeanSquaredError::new(), [Accuracy::new()]).unwrap();
    model
}

fn fit<'a>(epochs: usize) -> Fit<'a, f32> {
    Fit::new().epochs(epochs).batch_size(5).verbose(Verbose::Silent)
}

/// Trains for three epochs with a checkpoint after each, in this format.
#[cfg(any(feature = "npy", feature = "keras", feature = "safetensors", feature = "onnx"))]
fn train(mut model: Sequential, folder: &std::path::Path, end: &str, weights_only: bool) -> Sequential {
    let (x, y) = data();
    let pattern = folder.join(format!("{{epoch}}{end}")).display().to_string();
    let mut checkpoint = ModelCheckpoint::new(pattern).save_weights_only(weights_only);
    model.fit(&x, &y, &fit(3).callback(&mut checkpoint)).unwrap();
    assert!(checkpoint.failures().is_empty(), "{:?}", checkpoint.failures());
    model
}

fn same(found: &Sequential, expected: &Sequential) {
    for (path, weight) in expected.weights().unwrap() {
        assert_eq!(found.weight(&path).unwrap(), weight, "{path}");
    }
}

#[cfg(any(feature = "keras", feature = "safetensors"))]
#[track_caller]
fn whole(end: &str) {
    let folder = folder(&end[1..]);
    let trained = train(model(), &folder, end, false);
    let mut second = Sequential::load(folder.join(format!("2{end}"))).unwrap();
    same(&Sequential::load(folder.join(format!("3{end}"))).unwrap(), &trained);
    // The optimizer, the seed and the epoch count are saved: the third epoch is that of the training.
    let (x, y) = data();
    second.fit(&x, &y, &fit(3).initial_epoch(2)).unwrap();
    same(&second, &trained);
    // Partially accumulated gradients are saved too (an epoch has three steps), and moving averages, which the end of
    // the fit applies.
    let rule = Adam::new(0.01).accumulate_gradients(2).average_weights(WeightAverage::new(0.5));
    let trained = train(model_by(rule), &folder, &format!("-options{end}"), false);
    for epoch in 1..3 {
        let mut again = Sequential::load(folder.join(format!("{epoch}-options{end}"))).unwrap();
        again.fit(&x, &y, &fit(3).initial_epoch(epoch)).unwrap();
        same(&again, &trained);
    }
}

#[test]
#[cfg(feature = "keras")]
fn a_keras_file_holds_the_whole_model() {
    whole(".keras");
}

#[test]
#[cfg(feature = "safetensors")]
fn a_safetensors_file_holds_the_whole_model() {
    whole(".safetensors");
}

#[cfg(any(feature = "npy", feature = "keras", feature = "safetensors"))]
#[track_caller]
fn weights(end: &str, weights_only: bool) {
    let folder = folder(&format!("weights{end}-{weights_only}"));
    let trained = train(model(), &folder, end, weights_only);
    let mut other = model();
    other.load_weights(folder.join(format!("3{end}"))).unwrap();
    same(&other, &trained);
}

#[test]
#[cfg(feature = "npy")]
fn an_npz_file_holds_weights() {
    weights(".npz", false);
    weights(".npz", true);
}

#[test]
#[cfg(feature = "keras")]
fn a_weights_h5_file_holds_weights() {
    weights(".weights.h5", false);
    weights(".weights.h5", true);
}

#[test]
#[cfg(feature = "safetensors")]
fn a_safetensors_file_of_weights_only_holds_no_model() {
    weights(".safetensors", true);
    let file = folder("weights.safetensors-true").join("3.safetensors");
    let refused = Sequential::load(file).unwrap_err();
    assert!(refused.to_string().contains("it holds weights without a model"), "{refused}");
}

#[test]
#[cfg(feature = "onnx")]
fn an_onnx_file_holds_the_model_as_it_predicts() {
    let folder = folder("onnx");
    let trained = train(model(), &folder, ".onnx", false);
    trained.export_onnx(folder.join("expected.onnx")).unwrap();
    let read = |name: &str| std::fs::read(folder.join(name)).unwrap();
    assert_eq!(read("3.onnx"), read("expected.onnx"));
    assert_ne!(read("2.onnx"), read("expected.onnx"));
}

/// The fit is refused before the first step, so no training time is lost.
#[track_caller]
fn refused(name: &str, weights_only: bool, rate: Option<f64>) -> FileError {
    let (x, y) = data();
    let mut model = model();
    if let Some(rate) = rate {
        model.compile(Sgd::new(move |_: u64| rate), MeanSquaredError::new(), ()).unwrap();
    }
    let before = model.clone();
    let path = folder("refused").join(name).display().to_string();
    let checkpoint = ModelCheckpoint::new(path).save_weights_only(weights_only);
    match model.fit(&x, &y, &fit(1).callback(checkpoint)) {
        Err(Error::File(error)) => {
            same(&model, &before);
            error
        }
        other => panic!("{name}: {other:?}"),
    }
}

#[test]
fn names_without_a_known_extension_are_refused() {
    for (name, weights_only) in
        [("w.h5", false), ("w", false), ("w.pickle", true), ("w.keras", true), ("w-{epoch}.onnx", true)]
    {
        let error = refused(name, weights_only, None);
        assert!(matches!(error, FileError::Extension { .. }), "{name}: {error}");
    }
}

#[test]
fn disabled_formats_are_refused() {
    let all = [
        ("w.keras", "keras", cfg!(feature = "keras")),
        ("w.weights.h5", "keras", cfg!(feature = "keras")),
        ("w.safetensors", "safetensors", cfg!(feature = "safetensors")),
        ("w.npz", "npy", cfg!(feature = "npy")),
        ("w.onnx", "onnx", cfg!(feature = "onnx")),
    ];
    for (name, needed, _) in all.into_iter().filter(|(_, _, is_on)| !is_on) {
        let error = refused(name, false, None);
        assert!(matches!(error, FileError::Feature { feature, .. } if feature == needed), "{name}: {error}");
    }
}

#[test]
#[cfg(any(feature = "keras", feature = "safetensors"))]
fn a_model_that_cannot_be_saved_is_refused() {
    let name = if cfg!(feature = "keras") { "w.keras" } else { "w.safetensors" };
    let error = refused(name, false, Some(0.1));
    assert!(matches!(error, FileError::NotSavable { .. }), "{error}");
}

#[test]
#[cfg(feature = "keras")]
fn a_failed_checkpoint_is_reported_and_retried() {
    let (x, y) = data();
    let target = folder("failing").join("deep");
    std::fs::write(&target, "in the way").unwrap();
    let mut checkpoint = ModelCheckpoint::new(target.join("{epoch}.keras").display().to_string());
    let clear = LambdaCallback::new().on_epoch_begin(|at| match at.epoch {
        2 => std::fs::remove_file(&target).map_err(Error::outside),
        _ => Ok(()),
    });
    model().fit(&x, &y, &fit(3).callback(clear).callback(&mut checkpoint)).unwrap();
    assert_eq!(checkpoint.failures().len(), 2);
    Sequential::load(target.join("3.keras")).unwrap();
}
