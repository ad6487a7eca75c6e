//! Each format truncated at every 97th byte, and with bytes changed, inserted and removed at random.

use super::*;
use cornu::Rng;
use cornu::data::{Arrays, Csv, Missing, Parquet};

/// Reads the file truncated, and with 1 to 8 changed bytes, `times` times. Fails only on a panic, or on an error that
/// is not a file error.
fn torment(name: &str, times: usize, read: &dyn Fn(&std::path::Path) -> cornu::Result<Dataset>) {
    let bytes = std::fs::read(file(name)).unwrap();
    assert!(read(&file(name)).is_ok(), "{name}");
    let read = |what: String, bytes: &[u8]| {
        let path = written(&format!("hostile-{}", name.replace('/', "-")), bytes);
        if let Err(error) = read(&path) {
            let text = error.to_string();
            assert!(text.contains("hostile-"), "{name}, {what}: {text} does not name the file");
        }
    };
    for len in (0..bytes.len()).step_by(97) {
        read(format!("cut to {len}"), &bytes[..len]);
    }
    // `CORNU_TORMENT=20,7` changes twenty times as many files, with seed 7.
    let setting = std::env::var("CORNU_TORMENT").unwrap_or_default();
    let mut numbers = setting.split(',').map(|number| number.parse::<u64>().unwrap_or(1));
    let (more, seed) = (numbers.next().unwrap_or(1), numbers.next().unwrap_or(0));
    let mut rng = Rng::stream(97, seed);
    for i in 0..times * more as usize {
        let mut changed = bytes.clone();
        for _ in 0..1 + rng.bits() % 8 {
            let at = (rng.bits() % changed.len() as u64) as usize;
            match rng.bits() % 8 {
                0 => changed[at] = [0, 1, 127, 128, 255][(rng.bits() % 5) as usize],
                1 => changed[at] ^= 1 << (rng.bits() % 8),
                2 if changed.len() > 1 => drop(changed.remove(at)),
                3 => changed.insert(at, rng.bits() as u8),
                _ => changed[at] = rng.bits() as u8,
            }
        }
        read(format!("flip {i}"), &changed);
    }
}

#[test]
fn damaged_csv_files_do_not_panic() {
    for name in ["plain.csv", "crlf.csv", "plain.csv.gz"] {
        torment(name, 500, &|path| {
            Csv::new(path).label("species").categorical("colour").missing(Missing::Mean).read()
        });
    }
}

#[test]
fn damaged_parquet_files_do_not_panic() {
    for name in ["plain", "stored", "gzip", "zstd", "brotli", "lz4", "delta", "holes_2", "numbers", "dates"] {
        torment(&format!("{name}.parquet"), 150, &|path| {
            let parquet = Parquet::new(path).missing(Missing::Mean);
            let data = parquet.read();
            // Files that can be read can also be streamed, with the same result.
            match (&data, parquet.source()) {
                (Ok(data), Ok(source)) => {
                    assert_eq!(BatchSource::<f64>::count(&source), data.count(), "{}", path.display());
                }
                (Err(_), Err(_)) => {}
                (data, source) => panic!("{}: {data:?}, {source:?}", path.display()),
            }
            data
        });
    }
}

/// Found by fuzzing, and by the test above: an array without rows, with more columns than can be allocated.
#[test]
fn empty_arrays_of_any_width_are_refused() {
    let mut old = Vec::new();
    for word in [2u32, 1, 3, 0, 2] {
        old.extend(word.to_le_bytes());
    }
    old.extend(b"x\0");
    [0.0, 1e300, 0.0].iter().for_each(|value: &f64| old.extend(value.to_le_bytes()));
    let error = Arrays::new(written("wide-old.mat", &old)).read().unwrap_err();
    assert!(error.to_string().contains("a sparse array of 0 × 18446744073709551615, too large"), "{error}");
    let mut bytes = std::fs::read(file("u1.npy")).unwrap();
    let text = b"'shape': (0, 999999999999, 999999999999), }";
    let at = bytes.windows(9).position(|part| part == b"'shape': ").unwrap();
    bytes[at..at + text.len()].copy_from_slice(text);
    let arrays = Arrays::new(written("wide.npy", &bytes)).x("x");
    for error in [arrays.read().unwrap_err(), arrays.clone().sample_axis(1).source().unwrap_err()] {
        assert!(matches!(error, cornu::Error::File(_) | cornu::Error::TooLarge { .. }), "{error}");
    }
}

#[test]
fn damaged_array_files_do_not_panic_when_streamed() {
    for (name, x) in
        [("stored.npz", "x"), ("packed.npz", "x"), ("cube_73.mat", "data"), ("plain.h5", "train/x")]
    {
        torment(name, 200, &|path| {
            Arrays::new(path).x(x).source().map(|_| Dataset::new(cornu::ndarray::array![[0.0]]))
        });
    }
}

#[test]
fn damaged_array_files_do_not_panic() {
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
