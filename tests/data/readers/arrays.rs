//! Arrays in NumPy, MATLAB and HDF5 files.

use super::*;
use cornu::data::Arrays;
use cornu::error::FileError;
use cornu::prelude::*;

#[test]
fn numpy_files_agree_with_numpy() {
    for kind in ["f4", "f8", "big", "f2", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "bool", "fortran"] {
        let name = format!("{kind}.npy");
        check(&name, &Arrays::new(file(&name)).read().unwrap(), 0.0);
    }
    for name in ["stored.npz", "packed.npz"] {
        check(name, &Arrays::new(file(name)).label("y").read().unwrap(), 0.0);
        assert_eq!(Arrays::new(file(name)).names().unwrap(), ["x", "y"]);
    }
}

#[test]
fn matlab_files_agree_with_scipy() {
    for name in ["rows.mat", "packed.mat"] {
        check(name, &Arrays::new(file(name)).label("labels").read().unwrap(), 0.0);
        assert_eq!(Arrays::new(file(name)).names().unwrap(), ["data", "labels", "about"]);
    }
    let columns = Arrays::new(file("columns.mat")).label("labels").sample_axis(1);
    check("columns.mat", &columns.read().unwrap(), 0.0);
    check("cube.mat", &Arrays::new(file("cube.mat")).target("labels").read().unwrap(), 0.0);
    let one_hot = Arrays::new(file("cube.mat")).label("labels").read().unwrap();
    assert_eq!(one_hot.y().unwrap().as_slice(), Some(&[2.0, 0.0, 0.0, 1.0, 2.0, 2.0][..]));
    for name in ["old.mat", "sparse.mat", "old_sparse.mat"] {
        check(name, &Arrays::new(file(name)).x("data").label("labels").read().unwrap(), 0.0);
    }
    assert_eq!(Arrays::new(file("old.mat")).names().unwrap(), ["data", "labels", "about"]);
    let fields = Arrays::new(file("struct.mat")).x("s.data").label("s.labels");
    check("struct.mat", &fields.read().unwrap(), 0.0);
}

#[test]
fn hdf5_files_agree_with_h5py() {
    for name in ["new.mat", "new_packed.mat"] {
        check(name, &Arrays::new(file(name)).x("data").label("labels").read().unwrap(), 0.0);
    }
    let plain = Arrays::new(file("plain.h5")).x("train/x").label("train/y");
    check("plain.h5", &plain.read().unwrap(), 0.0);
}

#[test]
fn booleans_and_floats_of_16_bits_in_hdf5_are_numbers() {
    let flags = [1.0, 0.0, 0.0, 1.0, 1.0, 1.0];
    let halves = [0.5, -2.0, 65504.0, 2f64.powi(-24), 0.0999755859375, 3.0];
    for (name, expected) in [("flags", flags), ("f2", halves), ("big_f2", halves)] {
        for name in [name.to_string(), format!("packed/{name}")] {
            let arrays = Arrays::new(file("types.h5")).x(&name).target(&name);
            let data = arrays.read().unwrap();
            assert_eq!(
                (data.x().shape(), data.x().as_slice().unwrap()),
                (&[3, 2][..], &expected[..]),
                "{name}"
            );
            streams(&arrays.source().unwrap(), &data);
        }
    }
    let error = Arrays::new(file("types.h5")).x("colours").read().unwrap_err();
    assert!(error.to_string().contains("`colours`: expected real numbers, found a type"), "{error}");
}

#[test]
fn errors_name_the_file_and_the_array() {
    let error = Arrays::new(file("rows.mat")).x("signals").read().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Column { ref known, .. }) if known.len() == 3), "{error}");
    let error = Arrays::new(file("rows.mat")).read().unwrap().y().unwrap_err();
    assert!(matches!(error, Error::Argument { argument: "label", .. }), "{error}");
    let error = Arrays::new(file("rows.mat")).x("about").read().unwrap_err();
    assert!(error.to_string().ends_with("`about`: expected real numbers, found texts"), "{error}");
    let error = Arrays::new(file("rows.mat")).x("data").label("labels").sample_axis(1).read().unwrap_err();
    assert!(
        error.to_string().contains("`labels`: expected 5 labels or targets, one for each sample"),
        "{error}"
    );
    let error = Arrays::new(file("rows.mat")).x("data").sample_axis(2).read().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Array { .. })), "{error}");
    let error = Arrays::new(file("complex.mat")).x("data").read().unwrap_err();
    assert!(
        error.to_string().contains("`data`: expected real numbers, found complex numbers; save"),
        "{error}"
    );
    let error = Arrays::new(file("plain.csv")).read().unwrap_err();
    assert!(matches!(error, Error::File(FileError::Damaged { .. })), "{error}");
}

/// The files of scipy's own tests: `CORNU_SCIPY_MAT` is the folder `scipy/io/matlab/tests/data`.
#[test]
fn the_files_of_scipys_tests_are_read_or_refused() {
    let Some(folder) =
        std::env::var_os("CORNU_SCIPY_MAT").map(PathBuf::from).filter(|folder| folder.is_dir())
    else {
        return;
    };
    // 9 angles from 0 to 2π, as in scipy's tests.
    let theta: Vec<f64> = (0..9).map(|i| std::f64::consts::PI / 4.0 * f64::from(i)).collect();
    for version in ["6.1_SOL2", "6.5.1_GLNX86", "7.1_GLNX86", "7.4_GLNX86"] {
        let array = |name: &str| {
            Arrays::new(folder.join(format!("test{name}_{version}.mat"))).array(&format!("test{name}"))
        };
        let found = array("double").unwrap();
        assert_eq!(found.shape(), [1, 9]);
        assert!(found.iter().zip(&theta).all(|(a, b)| (a - b).abs() < 1e-15));
        assert_eq!(array("minus").unwrap().as_slice(), Some(&[-1.0][..]));
        let matrix = array("matrix").unwrap();
        let rows = [[1.0, 2.0, 3.0, 4.0, 5.0], [2.0, 0.0, 0.0, 0.0, 0.0], [3.0, 0.0, 0.0, 0.0, 0.0]];
        assert_eq!(matrix, cornu::ndarray::arr2(&rows).into_dyn());
        let cube = array("3dmatrix").unwrap();
        let expected = |i: usize, j: usize, k: usize| (1 + i + 2 * j + 6 * k) as f64;
        assert_eq!(cube.shape(), [2, 3, 4]);
        assert!(cube.indexed_iter().all(|(at, value)| *value == expected(at[0], at[1], at[2])), "{cube}");
        let sparse = array("sparse").unwrap();
        let expected =
            |i: usize, j: usize| if (i == 0) != (j == 0) || i + j == 0 { (1 + i + j) as f64 } else { 0.0 };
        assert_eq!(sparse.shape(), [3, 5]);
        assert!(sparse.indexed_iter().all(|(at, value)| *value == expected(at[0], at[1])), "{sparse}");
        for name in ["complex", "sparsecomplex", "cell", "string"] {
            let error = array(name).unwrap_err();
            assert!(matches!(error, Error::File(FileError::Array { .. })), "{name}: {error}");
        }
    }
    let old = |name: &str| {
        Arrays::new(folder.join(format!("test{name}_4.2c_SOL2.mat"))).array(&format!("test{name}"))
    };
    assert!(old("double").unwrap().iter().zip(&theta).all(|(a, b)| (a - b).abs() < 1e-15));
    assert_eq!(old("matrix").unwrap().shape(), [3, 5]);
    assert_eq!(old("sparse").unwrap().shape(), [3, 5]);
    for name in ["complex", "sparsecomplex", "string", "stringarray", "onechar"] {
        let error = old(name).unwrap_err();
        assert!(matches!(error, Error::File(FileError::Array { .. })), "{name}: {error}");
    }
    let big = Arrays::new(folder.join("big_endian.mat"));
    assert_eq!(
        big.array("floats").unwrap(),
        Arrays::new(folder.join("little_endian.mat")).array("floats").unwrap()
    );
    let hdf5 = Arrays::new(folder.join("testhdf5_7.4_GLNX86.mat"));
    assert!(!hdf5.names().unwrap().is_empty());
    // None of the other files may cause a panic.
    let (mut read, mut refused) = (0, Vec::new());
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let arrays = Arrays::new(&path);
        match arrays.names() {
            Ok(names) => {
                for name in names {
                    match arrays.array(&name) {
                        Ok(_) => read += 1,
                        Err(error) => refused.push(error.to_string()),
                    }
                }
            }
            Err(error) => refused.push(error.to_string()),
        }
    }
    // scipy reads 80 real arrays there: these, and the 12 fields of the four `testobject`; it refuses one that is read
    // here, whose name is not UTF-8.
    assert_eq!(read, 69, "{refused:#?}");
}

#[test]
fn dataset_read_selects_the_reader_by_extension() {
    check("packed.npz", &Dataset::read(file("packed.npz"), "y").unwrap(), 0.0);
    check("packed.mat", &Dataset::read(file("packed.mat"), "labels").unwrap(), 0.0);
    check("new.mat", &Dataset::read(file("new.mat"), "labels").unwrap(), 0.0);
    let error = Dataset::read("iris.xlsx", "species").unwrap_err();
    assert!(matches!(error, Error::File(FileError::Extension { .. })), "{error}");
}
