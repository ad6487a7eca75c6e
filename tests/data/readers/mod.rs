//! Files written by pandas, scipy, h5py and pyarrow, compared with what these read; and files truncated or changed at
//! random, which return a typed error or a dataset, and never cause a panic.

mod arrays;
mod csv;
mod hostile;
mod parquet;
mod streams;
mod text;

use std::path::PathBuf;

use cornu::data::{BatchSource, Dataset};

/// A file of `tests/fixtures/readers`, created by `make.py` there.
fn file(name: &str) -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/readers").join(name)
}

/// A file with this content, for one test.
fn written(name: &str, content: &[u8]) -> PathBuf {
    let folder =
        PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("readers").join(std::process::id().to_string());
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path
}

fn numbers(value: &serde_json::Value) -> Vec<f64> {
    value.as_array().unwrap().iter().map(|number| number.as_f64().unwrap()).collect()
}

/// The numbers of a JSON text, to the last bit.
fn exact(value: &serde_json::Value) -> Vec<f64> {
    value.as_str().unwrap().split_whitespace().map(|number| number.parse().unwrap()).collect()
}

fn expected(name: &str) -> serde_json::Value {
    let all = if name.contains(".parquet") { "parquet.json" } else { "expected.json" };
    let text = std::fs::read_to_string(file(all)).unwrap();
    let mut all: serde_json::Value = serde_json::from_str(&text).unwrap();
    all[name].take()
}

/// Compares a whole dataset with what the file's own library reads.
#[track_caller]
fn check(name: &str, found: &Dataset, tolerance: f64) {
    let expected = expected(name);
    let same = |what: &str, found: &cornu::ndarray::ArrayD<f64>| {
        let (shape, values) = (numbers(&expected[format!("{what}_shape")]), exact(&expected[what]));
        assert!(
            found.shape().iter().map(|&size| size as f64).eq(shape),
            "{name}: {what} {:?}",
            found.shape()
        );
        for (i, (found, expected)) in found.iter().zip(&values).enumerate() {
            assert!(
                (found - expected).abs() <= tolerance,
                "{name}: {what}[{i}] is {found}, expected {expected}"
            );
        }
    };
    same("x", found.x());
    if expected.get("y").is_some() {
        same("y", found.y().unwrap());
    }
    let words = |what: &str| -> Vec<String> {
        expected[what].as_array().unwrap().iter().map(|word| word.as_str().unwrap().into()).collect()
    };
    assert_eq!(found.classes().unwrap_or_default(), words("classes"), "{name}");
    assert_eq!(found.columns(), words("columns"), "{name}");
}

/// Checks that a source returns the rows of the dataset, in any order.
#[track_caller]
fn streams(source: &dyn BatchSource<f64>, data: &Dataset) {
    let (x, y) = (data.x(), data.y().unwrap());
    let (wide, tall) = (x.len() / data.count(), y.len() / data.count());
    assert_eq!(source.count(), data.count());
    assert_eq!(source.input_shape().iter().product::<usize>(), wide);
    assert_eq!(source.target_shape().iter().product::<usize>(), tall);
    let order: Vec<usize> = (0..data.count()).rev().step_by(2).chain([0, 1, 0]).collect();
    let (mut rows, mut targets) = (vec![0.0; order.len() * wide], vec![0.0; order.len() * tall]);
    source.fill(&order, &mut rows, &mut targets).unwrap();
    let chosen = data.select(&order).unwrap();
    assert!(chosen.x().iter().eq(&rows) && chosen.y().unwrap().iter().eq(&targets));
}
