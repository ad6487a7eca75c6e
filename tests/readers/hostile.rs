//! Each format cut at every 97th byte, and with bytes flipped at random.

use super::*;
use cornu::Rng;
use cornu::data::{Arrays, Csv, Missing, Parquet};

/// Reads the file cut, and changed in 1 to 8 bytes so many times; only a panic, or an error that is no file's, fails.
fn torment(name: &str, times: usize, read: &dyn Fn(&std::path::Path) -> cornu::Result<Dataset>) {
    let bytes = std::fs::read(file(name)).unwrap();
    assert!(read(&file(name)).is_ok(), "{name}");
    let read = |what: String, bytes: &[u8]| {
        let path = written(&format!("hostile-{}", name.replace('/', "-")), bytes);
        if let Err(error) = read(&path) {
            let told = error.to_string();
            assert!(told.contains("hostile-"), "{name}, {what}: {told} does not name the file");
        }
    };
    for len in (0..bytes.len()).step_by(97) {
        read(format!("cut to {len}"), &bytes[..len]);
    }
    let mut rng = Rng::stream(97, 0);
    for i in 0..times {
        let mut changed = bytes.clone();
        for _ in 0..1 + rng.bits() % 8 {
            let at = (rng.bits() % bytes.len() as u64) as usize;
            changed[at] = rng.bits() as u8;
        }
        read(format!("flip {i}"), &changed);
    }
}

#[test]
fn tables_of_text() {
    for name in ["plain.csv", "crlf.csv", "plain.csv.gz"] {
        torment(name, 500, &|path| {
            Csv::new(path).label("species").categorical("colour").missing(Missing::Mean).read()
        });
    }
}

#[test]
fn tables_of_columns() {
    for name in ["plain", "stored", "gzip", "zstd", "delta", "holes_2", "numbers"] {
        torment(&format!("{name}.parquet"), 200, &|path| Parquet::new(path).missing(Missing::Mean).read());
    }
}

#[test]
fn streams_of_arrays() {
    for (name, x) in
        [("stored.npz", "x"), ("packed.npz", "x"), ("cube_73.mat", "data"), ("plain.h5", "train/x")]
    {
        torment(name, 200, &|path| {
            Arrays::new(path).x(x).source().map(|_| Dataset::new(cornu::ndarray::array![[0.0]]))
        });
    }
}

#[test]
fn arrays() {
    for (name, x, label) in [
        ("f4.npy", "x", None),
        ("fortran.npy", "x", None),
        ("stored.npz", "x", Some("y")),
        ("packed.npz", "x", Some("y")),
        ("rows.mat", "data", Some("labels")),
        ("packed.mat", "data", Some("labels")),
        ("struct.mat", "s.data", Some("s.labels")),
        ("old.mat", "data", Some("labels")),
        ("sparse.mat", "data", Some("labels")),
        ("old_sparse.mat", "data", Some("labels")),
        ("new.mat", "data", Some("labels")),
        ("new_packed.mat", "data", Some("labels")),
        ("plain.h5", "train/x", Some("train/y")),
    ] {
        torment(name, 500, &|path| {
            let arrays = Arrays::new(path).x(x);
            label.map_or(arrays.clone(), |label| arrays.label(label)).read()
        });
    }
}
