//! Data files: the first byte selects the format, the rest is the file.

#![no_main]

use cornu::data::{Arrays, Csv, Dataset, Missing, Parquet};

/// Reads all arrays of a file, and streams the first suitable one.
fn arrays(path: &std::path::Path) {
    let arrays = Arrays::new(path).scratch(std::env::temp_dir());
    let names = arrays.names().unwrap_or_default();
    for name in names.iter().take(4) {
        let _ = arrays.array(name);
    }
    if let Some(name) = names.first() {
        for axis in [0, 1] {
            let _ = arrays.clone().x(name).sample_axis(axis).source();
        }
        let _ = arrays.clone().x(name).label(names.last().unwrap_or(name)).read();
    }
}

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| {
    let Some((format, bytes)) = bytes.split_first() else { return };
    let kinds = ["csv", "npy", "npz", "mat", "h5", "parquet", "csv.gz"];
    let kind = kinds[usize::from(*format) % kinds.len()];
    let path = std::env::temp_dir().join(format!("cornu-fuzz-{}.{kind}", std::process::id()));
    std::fs::write(&path, bytes).unwrap();
    let label = |data: Dataset| data.columns().last().cloned();
    match kind {
        "csv" | "csv.gz" => {
            let csv = Csv::new(&path).missing(Missing::Mean);
            let _ = csv.read().map(label);
            let _ = csv.clone().header(false).label(0).read();
            let _ = csv.header(false).categorical(0).source();
        }
        "parquet" => {
            let parquet = Parquet::new(&path).missing(Missing::MostFrequent);
            if let Ok(Some(label)) = parquet.read().map(label) {
                let _ = parquet.clone().label(label).missing(Missing::DropRow).source();
            }
            let _ = parquet.missing(Missing::Refuse).read();
        }
        _ => arrays(&path),
    }
});
