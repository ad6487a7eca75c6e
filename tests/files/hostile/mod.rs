//! Truncated, changed and malicious files: each returns a typed error or a model, never panics, and takes at most twice
//! its size, 16 times its settings and 1 MiB of memory, as measured by a counting allocator.

pub mod archives;
mod arrays;
mod backups;
pub(crate) mod counts;
mod graphs;
mod legacy;
pub mod memory;
mod preparations;
mod random;
mod settings;
mod wide;

use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering};

use cornu::prelude::*;
use cornu::save::{Format, Loader};

/// A small compiled model that has been trained for a moment.
fn model() -> Sequential {
    let mut model = Sequential::new()
        .seed(1)
        .input([6])
        .add(Dense::new(4).activation(Activation::Relu).name("F1"))
        .add(Dropout::new(0.1))
        .add(BatchNormalization::new())
        .add(Dense::new(2));
    model.compile(Adam::new(0.01), MeanSquaredError::new(), [Accuracy::new()]).unwrap();
    let (x, y) =
        (cornu::ndarray::Array2::from_elem((5, 6), 0.5f32), cornu::ndarray::Array2::<f32>::zeros((5, 2)));
    model.train_on_batch(&x, &y, &Fit::new()).unwrap();
    model
}

/// A separate file for each extension.
fn file(end: &str) -> PathBuf {
    static COUNT: AtomicUsize = AtomicUsize::new(0);
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("hostile").join(std::process::id().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    folder.join(format!("{}.{end}", COUNT.fetch_add(1, Ordering::Relaxed)))
}

/// The bytes of the model's file in a format.
fn saved(end: &str) -> Vec<u8> {
    let path = file(end);
    match end {
        "npz" => model().save_weights(&path).unwrap(),
        _ => model().save(&path).unwrap(),
    }
    std::fs::read(&path).unwrap()
}

/// Loads a model within the promised memory.
#[track_caller]
fn load(format: Format, bytes: &[u8]) -> Result<Sequential> {
    let (loader, end) = (Loader::new(), if format == Format::Keras { "keras" } else { "safetensors" });
    memory::within(memory::promised(end, bytes), || loader.load_bytes(format, bytes))
}

/// Loads weights from a file within the promised memory.
#[track_caller]
fn load_weights(end: &str, bytes: &[u8]) -> Result<()> {
    let (path, mut model) = (file(end), model());
    std::fs::write(&path, bytes).unwrap();
    let result = memory::within(memory::promised(end, bytes), || model.load_weights(&path));
    std::fs::remove_file(&path).unwrap();
    result
}

/// Checks that the result is an error that contains these words.
#[track_caller]
fn refused<T>(what: &str, found: Result<T>, words: &str) {
    match found {
        Ok(_) => panic!("{what}: it was read"),
        Err(error) => assert!(error.to_string().contains(words), "{what}: {error}"),
    }
}

#[test]
fn intact_files_load() {
    load(Format::Keras, &saved("keras")).unwrap();
    load(Format::SafeTensors, &saved("safetensors")).unwrap();
    load_weights("npz", &saved("npz")).unwrap();
    load_weights("h5", &archives::member(&saved("keras"), "model.weights.h5")).unwrap();
}

#[test]
fn paths_that_are_not_files_are_refused() {
    let empty = [("x.keras", "zip"), ("x.safetensors", "header")];
    for (name, words) in empty {
        let path = file(name);
        std::fs::write(&path, b"").unwrap();
        refused(name, Sequential::load(&path), words);
    }
    refused(
        "a folder",
        Sequential::load(std::env::temp_dir().join("x.keras/..").with_extension("keras")),
        "",
    );
    let folder = file("keras");
    std::fs::create_dir_all(&folder).unwrap();
    refused("a folder", Sequential::load(&folder), "not a regular file");
    let nowhere = std::env::temp_dir().join("cornu-no-such-folder/x.keras");
    refused("no such folder", model().save(&nowhere), "x.keras: ");
    refused("no such file", Sequential::load(&nowhere), "x.keras: ");
    refused("an end", Sequential::load("model.pickle"), "expected a file name that ends in .keras");
    #[cfg(unix)]
    {
        let link = file("keras");
        std::os::unix::fs::symlink("/dev/zero", &link).unwrap();
        refused("a device", Sequential::load(&link), "not a regular file");
    }
}
