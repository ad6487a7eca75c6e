//! Export to ONNX: every kind of layer has a case, the files are written for other runtimes, and models that cannot be
//! exported are refused before a file changes. tract (`tests/tract`), ONNX Runtime and the ONNX checker
//! (`tests/interop/onnx.py`) compute their predictions.
mod cases;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use cases::{Case, cases};
use cornu::config::Config;
use cornu::error::FileError;
use cornu::layer::{BackwardContext, BuildContext, Layer, NamedLayer};
use cornu::ndarray::ArrayD;
use cornu::prelude::*;
use cornu::tensor::{Batch, BatchMut, Scratch};
use serde_json::json;

use crate::roster;

/// An empty folder for one test.
fn folder(name: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(name);
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    folder
}

fn kinds_within(node: &NamedLayer<f32>, found: &mut BTreeSet<String>) {
    found.insert(node.kind().into());
    node.layers().iter().for_each(|inner| kinds_within(inner, found));
}

#[test]
fn every_kind_of_layer_has_a_case() {
    let mut covered = BTreeSet::new();
    cases().iter().for_each(|case| case.model.layers().iter().for_each(|n| kinds_within(n, &mut covered)));
    let (mut missing, mut excepted) = (BTreeSet::new(), BTreeSet::new());
    for case in roster::layers::<f32>() {
        let kind = case.layer.kind().to_string();
        if case.without_onnx.is_some() {
            let mut model = case.model();
            model.build().unwrap();
            assert!(model.export_onnx(folder("onnx_excepted").join("a.onnx")).is_err(), "{kind} is exported");
            excepted.insert(kind.clone());
        }
        if !covered.contains(&kind) {
            missing.insert(kind);
        }
    }
    assert_eq!(missing, excepted, "layers without a case, and those that have a reason");
}

#[test]
fn every_case_is_exported() {
    let folder = folder("onnx");
    let numbers =
        |values: &ArrayD<f32>| json!({ "shape": values.shape(), "data": values.as_slice().unwrap() });
    for Case { name, model, x, y } in cases() {
        let path = folder.join(&name).with_extension("onnx");
        model.export_onnx(&path).unwrap_or_else(|error| panic!("{name}: {error}"));
        let expected = json!({ "x": numbers(&x), "y": numbers(&y) });
        fs::write(folder.join(&name).with_extension("json"), expected.to_string()).unwrap();
    }
}

#[test]
fn save_writes_onnx_and_load_refuses_it() {
    let folder = folder("onnx_save");
    let mut model = Sequential::new().input([3]).add(Dense::new(2));
    model.build().unwrap();
    model.export_onnx(folder.join("exported")).unwrap();
    let path = folder.join("saved.onnx");
    model.save(&path).unwrap();
    assert_eq!(fs::read(folder.join("exported")).unwrap(), fs::read(&path).unwrap());
    let expected =
        format!("{}: expected a file name that ends in .keras, .h5 or .safetensors", path.display());
    assert_eq!(Sequential::load(&path).unwrap_err().to_string(), expected);
}

#[test]
fn a_model_in_f64_is_written_in_f32() {
    let folder = folder("onnx_f64");
    let mut wide = Sequential::<f64>::with_scalar().input([4, 3]).add(Lstm::new(2)).add(Dense::new(1));
    wide.build().unwrap();
    let mut narrow = Sequential::new().input([4, 3]).add(Lstm::new(2)).add(Dense::new(1));
    narrow.build().unwrap();
    let weights: Vec<(String, ArrayD<f64>)> =
        wide.weights().unwrap().into_iter().map(|(path, w)| (path, w.to_owned())).collect();
    weights.iter().for_each(|(path, w)| narrow.set_weight(path, w).unwrap());
    wide.export_onnx(folder.join("wide.onnx")).unwrap();
    narrow.export_onnx(folder.join("narrow.onnx")).unwrap();
    let read = |name| fs::read(folder.join(name)).unwrap();
    assert_eq!(read("wide.onnx"), read("narrow.onnx"));
}

/// y = x², defined outside the crate.
#[derive(Debug, Clone)]
struct Square {
    has_settings: bool,
}

impl Layer<f32> for Square {
    fn kind(&self) -> &str {
        "Square"
    }
    fn config(&self) -> Option<Config> {
        self.has_settings.then(|| Config::new("Square"))
    }
    fn build(&mut self, input: &[usize], _: &mut BuildContext) -> Result<Vec<usize>> {
        Ok(input.to_vec())
    }
    fn infer(&self, x: Batch<f32>, mut y: BatchMut<f32>, _: &mut Scratch<f32>) {
        y.data().iter_mut().zip(x.data()).for_each(|(y, &x)| *y = x * x);
    }
    fn backward(&mut self, _: BackwardContext<f32>) {}
}

#[test]
fn a_custom_layer_is_refused_before_a_file_changes() {
    let folder = folder("onnx_own");
    let path = folder.join("model.onnx");
    fs::write(&path, "old").unwrap();
    let reason = "cannot be written as ONNX: a custom layer has no ONNX operator";
    for has_settings in [false, true] {
        let mut model = Sequential::new().input([3]).add(Dense::new(2)).add(Square { has_settings });
        model.build().unwrap();
        let error = model.export_onnx(&path).unwrap_err();
        assert_eq!(error.to_string(), format!("layer 1 `square` (Square): {reason}"));
        let Error::Layer { fault, .. } = error else { panic!("{error}") };
        assert!(matches!(*fault, Error::File(FileError::NotExportable { format: "ONNX", .. })));

        let within = Residual::new().add(Dense::new(3)).add(Square { has_settings });
        let mut model = Sequential::new().input([3]).add(within);
        model.build().unwrap();
        let error = model.export_onnx(&path).unwrap_err().to_string();
        assert_eq!(error, format!("layer 0 `residual` (Residual): layer 1 `square` (Square): {reason}"));
    }
    assert_eq!(fs::read_to_string(&path).unwrap(), "old");
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 1);
}

#[test]
fn io_errors_contain_the_path() {
    let folder = folder("onnx_refused");
    let mut model = Sequential::new().input([3]).add(Dense::new(2));
    let error = model.export_onnx(folder.join("model.onnx")).unwrap_err();
    assert!(matches!(error, Error::NotBuilt));
    model.build().unwrap();
    let path = folder.join("nowhere").join("model.onnx");
    let error = model.export_onnx(&path).unwrap_err();
    let Error::File(FileError::Io { path: named, kind, .. }) = error else { panic!("{error}") };
    assert_eq!((Path::new(&named), kind), (&*path, std::io::ErrorKind::NotFound));
    assert_eq!(fs::read_dir(&folder).unwrap().count(), 0);
}
