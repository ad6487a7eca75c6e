//! Event files for TensorBoard. They stay in `target/tmp/tensorboard`, where `tests/interop/events.py` reads them with
//! TensorBoard's own reader and compares them with the values stored beside them.

use std::fs;
use std::path::{Path, PathBuf};

use cornu::callback::{Callback, CallbackContext, Flow, TensorBoard};
use cornu::ndarray::{Array1, Array2};
use cornu::prelude::*;
use serde_json::json;

fn folder(name: &str) -> PathBuf {
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("tensorboard").join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

/// Points in the plane, at an unfavourable scale, and whether they are in a circle.
fn points() -> (Array2<f32>, Array1<usize>) {
    let mut rng = Rng::new(5);
    let x = Array2::from_shape_fn((120, 2), |_| 300.0 * rng.normal() as f32);
    let y = x.rows().into_iter().map(|p| usize::from(p.dot(&p) > 1e5)).collect();
    (x, y)
}

fn network() -> Sequential {
    let mut model = Sequential::new()
        .seed(2)
        .add(Dense::new(8).activation(Activation::Relu).name("F1"))
        .add(Dense::new(2).activation(Activation::Softmax).name("output"));
    model.compile(Sgd::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

/// The weights after each epoch.
#[derive(Default)]
struct Weights(Vec<serde_json::Value>);

impl Callback<f32> for Weights {
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        let weights = at.model.weights()?.into_iter().map(|(path, w)| {
            let values: Vec<f64> = w.iter().map(|w| f64::from(*w)).collect();
            (path, json!(values))
        });
        self.0.push(serde_json::Value::Object(weights.collect()));
        Ok(Flow::Continue)
    }
}

/// The records of a file, each preceded by its length.
fn records(path: &Path) -> Vec<Vec<u8>> {
    let bytes = fs::read(path).unwrap();
    let (mut records, mut rest) = (Vec::new(), &bytes[..]);
    while let Some((length, after)) = rest.split_first_chunk() {
        let length = u64::from_le_bytes(*length) as usize;
        records.push(after[4..4 + length].to_vec());
        rest = &after[8 + length..];
    }
    records
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn holds(record: &[u8], text: &str) -> bool {
    record.windows(text.len()).any(|part| part == text.as_bytes())
}

#[test]
fn event_files_use_the_names_of_keras() {
    let folder = folder("run");
    let (x, y) = points();
    let mut model = network();
    let (mut board, mut weights) = (TensorBoard::new(&folder).histogram_freq(2), Weights::default());
    let fit = Fit::new()
        .epochs(5)
        .validation_split(0.25)
        .callback(LearningRateScheduler::new(|epoch, rate| if epoch == 3 { rate / 10.0 } else { rate }))
        .callback(&mut board)
        .callback(&mut weights)
        .verbose(Verbose::Silent);
    let history = model.fit(&x, &y, &fit).unwrap();
    drop(fit);
    assert!(board.failures().is_empty());
    let series: serde_json::Map<_, _> =
        history.names().map(|name| (name.to_string(), json!(history.get(name).unwrap()))).collect();
    let about = json!({ "series": series, "weights": weights.0, "findings": history.findings().to_string() });
    fs::write(folder.join("expected.json"), about.to_string()).unwrap();

    let train = files(&folder.join("train"));
    assert_eq!(train.len(), 1);
    let train = records(&train[0]);
    assert_eq!(train.len(), 1 + 5 + 1, "the version, the epochs, and the findings");
    assert!(holds(&train[0], "brain.Event:2"));
    for (epoch, record) in train[1..6].iter().enumerate() {
        for tag in ["epoch_loss", "epoch_accuracy", "epoch_learning_rate"] {
            assert!(holds(record, tag), "{tag} in epoch {epoch}");
        }
        assert_eq!(holds(record, "F1/kernel/histogram"), epoch % 2 == 0);
    }
    let root = &history.findings()[0];
    assert!(holds(&train[6], "findings") && holds(&train[6], &root.code));
    let validation = records(&files(&folder.join("validation"))[0]);
    assert_eq!(validation.len(), 1 + 5);
    assert!(holds(&validation[1], "epoch_loss") && !holds(&validation[1], "val_"));
}

#[test]
fn each_fit_has_a_file_and_validation_a_folder() {
    let folder = folder("twice");
    let (x, y) = points();
    let mut model = network();
    let fit = Fit::new().callback(TensorBoard::new(&folder)).verbose(Verbose::Silent);
    model.fit(&x, &y, &fit).unwrap();
    model.fit(&x, &y, &fit).unwrap();
    assert_eq!(files(&folder.join("train")).len(), 2);
    assert!(!folder.join("validation").exists());
}

#[test]
fn a_folder_that_cannot_be_created_is_refused_and_a_vanished_one_reported() {
    let folder = folder("gone");
    let (x, y) = points();
    fs::write(folder.join("file"), "").unwrap();
    let fit = Fit::new().callback(TensorBoard::new(folder.join("file"))).verbose(Verbose::Silent);
    let found = network().fit(&x, &y, &fit);
    assert!(matches!(&found, Err(Error::Outside(_))), "{found:?}");

    let mut board = TensorBoard::new(folder.join("logs"));
    let logs = folder.join("logs");
    let remove = LambdaCallback::new().on_epoch_begin(move |at| {
        if at.epoch == 1 {
            fs::remove_dir_all(&logs).map_err(Error::outside)?;
        }
        Ok(())
    });
    let fit = Fit::new().epochs(3).callback(&mut board).callback(remove).verbose(Verbose::Silent);
    network().fit(&x, &y, &fit).unwrap();
    drop(fit);
    assert!(board.failures().len() >= 2, "epochs 1 and 2: {:?}", board.failures());
}
