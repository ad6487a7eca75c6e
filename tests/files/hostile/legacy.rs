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
        // A kind of a user, not of Keras.
        ("\"class_name\": \"Dense\"", "\"class_name\": \"A>Own\"", "unknown layer `A>Own`; register it"),
    ] {
        refused(to, load(Format::KerasH5, &changed(from, to)), words);
    }
    let path = file("h5");
    refused("saving", model().save(&path), "expected a file name that ends in .keras");
    assert!(!path.exists());
}

/// The texts are as long as those of the file, so JSON's spaces fill the rest.
#[test]
fn settings_of_earlier_versions_of_keras_are_read() {
    let settings = |bytes: &[u8]| load(Format::KerasH5, bytes).unwrap().compile_config().unwrap();
    let now = r#""run_eagerly": false, "steps_per_execution": 1,"#;
    for (from, to) in [
        (r#""learning_rate":"#, r#""lr"           :"#),
        (now, &format!("{:<46},", r#""sample_weight_mode": "temporal""#)),
    ] {
        assert_eq!(settings(&changed(from, to)), settings(&whole()), "{to}");
    }
}

#[test]
fn the_optimizer_of_a_file_of_keras_2_starts_anew() {
    let x = cornu::ndarray::Array2::from_shape_fn((3, 6), |(i, j)| (i as f32 - j as f32) / 4.0);
    let y = cornu::ndarray::Array2::from_elem((3, 3), 1.0f32 / 3.0);
    let stepped = |mut model: Sequential| {
        model.train_on_batch(&x, &y, &Fit::new()).unwrap();
        model.predict(&x).unwrap()
    };
    let read = |bytes: &[u8]| load(Format::KerasH5, bytes).unwrap();
    let mut anew = read(&whole());
    let settings = anew.compile_config().unwrap().unwrap();
    Loader::new().compile(&mut anew, &settings).unwrap();
    let old = read(&changed("3.15.1", "2.15.1"));
    assert!(old.optimizer_note().is_some_and(|note| note.contains("Keras 2")), "{:?}", old.optimizer_note());
    let old = stepped(old);
    assert_eq!(old, stepped(anew));
    assert_ne!(old, stepped(read(&whole())));
}

#[test]
fn an_h5_file_can_be_read_for_prediction_only() {
    let read = |compiled: bool| {
        Loader::<f32>::new().compiled(compiled).load_bytes(Format::KerasH5, &whole()).unwrap()
    };
    assert!(read(true).compile_config().unwrap().is_some());
    assert!(read(false).compile_config().unwrap().is_none());
    let x = cornu::ndarray::Array2::from_elem((1, 6), 0.5f32);
    assert_eq!(read(false).predict(&x).unwrap(), read(true).predict(&x).unwrap());
}
