//! A file written by any released version loads in every later one: `tests/fixtures/versions/<version>/` holds one of
//! each kind.
//!
//! The files of this version are written by `cargo test --features full --test files -- --ignored versions`, which
//! keeps existing files.

use std::fs;
use std::path::PathBuf;

use cornu::ndarray::Array2;
use cornu::prelude::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/versions")
}

fn x() -> Array2<f32> {
    Array2::from_shape_fn((4, 6), |(i, j)| ((i * 6 + j) as f32 * 0.7).sin())
}

fn y() -> Array2<f32> {
    Array2::from_shape_fn((4, 3), |(i, j)| f32::from(u8::from(i % 3 == j)))
}

fn model() -> Sequential {
    Sequential::new()
        .seed(1)
        .input([6])
        .add(Dense::new(4).activation(Activation::Tanh).kernel_regularizer(Regularizer::L2(0.01)).name("F1"))
        .add(BatchNormalization::new())
        .add(Residual::new().add(Dense::new(4)).add(Dropout::new(0.2)))
        .add(Dense::new(3).activation(Activation::Softmax))
}

/// Numbers as text, with all digits.
fn text(numbers: impl IntoIterator<Item = f32>) -> String {
    numbers.into_iter().map(|number| format!("{number:?}\n")).collect()
}

#[test]
#[ignore = "writes the files of this version"]
fn write() {
    let folder = folder().join(env!("CARGO_PKG_VERSION"));
    if folder.exists() {
        return;
    }
    fs::create_dir_all(&folder).unwrap();
    let mut model = model();
    model.compile(Adam::new(0.01), CategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    for _ in 0..3 {
        model.train_on_batch(&x(), &y(), &Fit::new()).unwrap();
    }
    model.save(folder.join("model.keras")).unwrap();
    model.save(folder.join("model.safetensors")).unwrap();
    model.save_weights(folder.join("weights.npz")).unwrap();
    model.save_weights(folder.join("weights.safetensors")).unwrap();
    fs::write(folder.join("model.json"), model.to_json().unwrap()).unwrap();
    fs::write(folder.join("predictions.txt"), text(model.predict(&x()).unwrap())).unwrap();
    let loss =
        |model: &mut Sequential| model.train_on_batch(&x(), &y(), &Fit::new()).unwrap().get("loss").unwrap();
    fs::write(folder.join("losses.txt"), text((0..5).map(|_| loss(&mut model) as f32))).unwrap();
}

#[test]
fn files_of_every_version_load() {
    let mut versions = 0;
    for folder in fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path()) {
        if !folder.join("model.keras").exists() {
            continue;
        }
        versions += 1;
        let read = |name: &str| -> Vec<f32> {
            fs::read_to_string(folder.join(name)).unwrap().lines().map(|line| line.parse().unwrap()).collect()
        };
        let near = |what: &str, found: Vec<f32>, expected: Vec<f32>| {
            assert_eq!(found.len(), expected.len());
            let far = found.iter().zip(&expected).find(|(a, b)| (*a - *b).abs() > 1e-6 * b.abs().max(1.0));
            assert!(far.is_none(), "{what} of {}: {far:?}", folder.display());
        };
        for name in ["model.keras", "model.safetensors"] {
            let mut model = Sequential::load(folder.join(name)).unwrap();
            near(name, model.predict(&x()).unwrap().into_iter().collect(), read("predictions.txt"));
            let losses = (0..5)
                .map(|_| model.train_on_batch(&x(), &y(), &Fit::new()).unwrap().get("loss").unwrap() as f32);
            near(name, losses.collect(), read("losses.txt"));
        }
        for name in ["weights.npz", "weights.safetensors"] {
            let mut model =
                Sequential::from_json(&fs::read_to_string(folder.join("model.json")).unwrap()).unwrap();
            model.build().unwrap();
            model.load_weights(folder.join(name)).unwrap();
            near(name, model.predict(&x()).unwrap().into_iter().collect(), read("predictions.txt"));
        }
    }
    assert!(versions > 0, "there are no files of any version");
}
