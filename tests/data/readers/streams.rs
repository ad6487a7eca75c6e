//! Streamed arrays equal those that are read whole.

use super::*;
use cornu::data::{Arrays, NpySource};
use cornu::error::FileError;
use cornu::prelude::*;

/// Compares for every axis of the samples, with and without a scratch folder.
#[track_caller]
fn compare(name: &str, build: &dyn Fn(Arrays) -> Arrays, axes: usize) {
    for axis in 0..axes {
        let arrays = Arrays::new(file(name)).sample_axis(axis);
        let folder = env!("CARGO_TARGET_TMPDIR");
        let arrays = if axis == 0 { build(arrays).scratch(folder) } else { arrays };
        let arrays = if name == "cube_73.mat" || name == "new.mat" { arrays.x("data") } else { arrays };
        let arrays = if name == "big.h5" || name.ends_with(".npz") { arrays.x("x") } else { arrays };
        let arrays = if name == "plain.h5" { arrays.x("train/x") } else { arrays };
        let (source, data) = (arrays.source().unwrap(), arrays.read().unwrap());
        if axis == 0 {
            streams(&source, &data);
            assert_eq!(source.classes().ok(), data.classes().ok(), "{name}");
            continue;
        }
        let source: &dyn BatchSource<f64> = &source;
        assert_eq!(source.input_shape(), &data.x().shape()[1..], "{name}, axis {axis}");
        let mut all = vec![0.0; data.x().len()];
        source.fill(&(0..data.count()).collect::<Vec<_>>(), &mut all, &mut []).unwrap();
        assert!(data.x().iter().eq(&all), "{name}, axis {axis}");
    }
}

#[test]
fn streamed_numpy_arrays_equal_those_in_memory() {
    let labels = file("i4.npy").display().to_string();
    for name in ["f4.npy", "f8.npy", "big.npy", "u1.npy", "fortran.npy"] {
        compare(name, &|arrays| arrays.target(&*labels), 3);
    }
    for name in ["stored.npz", "packed.npz"] {
        compare(name, &|arrays| arrays.label("y"), 3);
        compare(name, &|arrays| arrays.target("y"), 1);
    }
    let (arrays, pair) =
        (Arrays::new(file("f4.npy")).target(&*labels), NpySource::open(file("f4.npy"), &labels));
    streams(&pair.unwrap(), &arrays.read().unwrap());
}

#[test]
fn streamed_hdf5_arrays_equal_those_in_memory() {
    compare("plain.h5", &|arrays| arrays.label("train/y"), 3);
    compare("big.h5", &|arrays| arrays.target("y"), 3);
    compare("new.mat", &|arrays| arrays.label("labels"), 2);
    compare("new_packed.mat", &|arrays| arrays.x("data").label("labels"), 1);
    compare("cube_73.mat", &|arrays| arrays.label("labels"), 3);
    compare("cube_73.mat", &|arrays| arrays.target("labels"), 1);
}

#[test]
fn streamed_matlab_arrays_equal_those_in_memory() {
    for name in ["rows.mat", "packed.mat"] {
        compare(name, &|arrays| arrays.x("data").label("labels"), 1);
        compare(name, &|arrays| arrays.x("data").target("labels"), 1);
    }
    compare("cube.mat", &|arrays| arrays.x("data").target("labels"), 1);
    for (name, x) in [
        ("rows.mat", "data"),
        ("packed.mat", "data"),
        ("columns.mat", "data"),
        ("cube.mat", "data"),
        ("old.mat", "data"),
        ("struct.mat", "s.data"),
    ] {
        let all = Arrays::new(file(name)).array(x).unwrap();
        for axis in 0..all.ndim() {
            let arrays = Arrays::new(file(name)).x(x).sample_axis(axis);
            let (source, data) = (arrays.source().unwrap(), arrays.read().unwrap());
            let source: &dyn BatchSource<f64> = &source;
            assert_eq!(source.input_shape(), &data.x().shape()[1..], "{name}, axis {axis}");
            let mut rows = vec![0.0; data.x().len()];
            source.fill(&(0..data.count()).collect::<Vec<_>>(), &mut rows, &mut []).unwrap();
            assert!(data.x().iter().eq(&rows), "{name}, axis {axis}");
        }
    }
}

#[test]
fn arrays_that_cannot_be_streamed_are_named() {
    for (name, x, found) in [
        ("sparse.mat", "data", "a sparse array"),
        ("old_sparse.mat", "data", "a sparse array"),
        ("complex.mat", "data", "complex numbers"),
    ] {
        let error = Arrays::new(file(name)).x(x).source().unwrap_err().to_string();
        assert!(error.contains(found), "{error}");
    }
    let error = Arrays::new(file("packed.mat")).x("data").scratch("/no/such").source().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Io { .. })), "{error}");
    let error = Arrays::new(file("stored.npz")).x("z").source().unwrap_err();
    assert!(
        matches!(error, Error::File(FileError::Column { ref known, .. }) if known == &["x", "y"]),
        "{error}"
    );
    let error = Arrays::new(file("stored.npz")).x("x").sample_axis(3).source().unwrap_err();
    assert!(error.to_string().contains("expected an axis 3, which counts the samples"), "{error}");
    let error = Arrays::new(file("big.h5")).x("x").sample_axis(1).target("y").source().unwrap_err();
    assert!(error.to_string().contains("`y`: expected 4 labels or targets, one for each sample"), "{error}");
    let error = Arrays::new(file("packed.npz")).x("x").scratch("/no/such").source().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Io { .. })), "{error}");
}
