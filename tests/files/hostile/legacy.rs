//! Keras's older format `.h5`: the settings are attributes of an HDF5 file.

use super::*;

fn whole() -> Vec<u8> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/golden/files/legacy_f32.h5");
    std::fs::read(path).unwrap()
}

/// Replaces a text in the file by one of the same length.
fn changed(from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let mut bytes = whole();
    let at = bytes.windows(from.len()).position(|found| found == from.as_bytes()).unwrap();
    bytes[at..at + to.len()].copy_from_slice(to.as_bytes());
    bytes
}

#[test]
fn damaged_h5_files_are_read_or_refused() {
    let bytes = whole();
    load(Format::KerasH5, &bytes).unwrap();
    for len in (0..bytes.len()).step_by(97) {
        refused("truncated", load(Format::KerasH5, &bytes[..len]), "");
    }
    let mut rng = Rng::new(7);
    for _ in 0..1500 {
        let mut changed = bytes.clone();
        for _ in 0..2 {
            let at = (rng.uniform() * bytes.len() as f64) as usize;
            changed[at] = [0, 0xff, 1, b'"', changed[at] ^ 0x10][(rng.uniform() * 5.0) as usize];
        }
        let _ = load(Format::KerasH5, &changed);
    }
}

#[test]
fn h5_files_without_a_model_are_refused() {
    let weights = archives::member(&saved("keras"), "model.weights.h5");
    refused("weights alone", load(Format::KerasH5, &weights), "`load_weights`");
    for (from, to, words) in [
        ("model_config", "model_xonfig", "model_config"),
        ("\"class_name\": \"Dense\"", "\"class_name\": \"Lense\"", "unknown layer `Lense`"),
        ("\"class_name\": \"Sequential\"", "\"class_name\": \"Sexuential\"", "a Functional that is a chain"),
        ("\"class_name\": \"Adam\"", "\"class_name\": \"Evil\"", "unknown optimizer `Evil`"),
        ("weight_names", "weight_xames", "expected 2 weights, found 0"),
        ("GCOL", "GCOX", "expected a heap of values"),
    ] {
        refused(to, load(Format::KerasH5, &changed(from, to)), words);
    }
    let path = file("h5");
    refused("saving", model().save(&path), "expected a file name that ends in .keras");
    assert!(!path.exists());
}
