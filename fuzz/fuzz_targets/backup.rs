//! Backups of `BackupAndRestore`: a fuzzed state after the description of the training, with a valid length and
//! checksum.

#![no_main]

use std::path::PathBuf;
use std::sync::OnceLock;

use cornu::ndarray::Array2;
use cornu::prelude::*;

/// The description of the training ends before the entry of this name.
const FIRST: &[u8] = b"\x05\0\0\0\0\0\0\0epoch";
/// A build for fuzzing compares lengths, but not checksums.
const TAIL: usize = 16;

static START: OnceLock<Vec<u8>> = OnceLock::new();

fn folder() -> PathBuf {
    std::env::temp_dir().join(format!("cornu-fuzz-backup-{}", std::process::id()))
}

/// A training of two epochs with everything that keeps state; optionally killed in the second epoch, after the first
/// backups.
fn train(killed: bool) -> Result<History> {
    let x = Array2::from_shape_fn((12, 3), |(i, j)| ((7 * i + 3 * j) % 5) as f32 - 2.0);
    let y = Array2::from_shape_fn((12, 2), |(i, j)| f32::from(u8::from(i % 2 == j)));
    let mut model = Sequential::new()
        .seed(1)
        .input([3])
        .add(Dense::new(3).activation(Activation::Relu))
        .add(BatchNormalization::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    model.compile(
        Nadam::new(0.01),
        CategoricalCrossentropy::new(),
        (Accuracy::new(), Auc::new().num_thresholds(5), F1Score::new(), R2Score::new()),
    )?;
    let kill = LambdaCallback::new().on_batch_end(move |at| match killed && (at.epoch, at.batch) == (1, 2) {
        true => Err(Error::outside(std::io::Error::other("killed"))),
        false => Ok(Flow::Continue),
    });
    let fit = Fit::new()
        .epochs(2)
        .batch_size(4)
        .validation_split(0.2)
        .verbose(Verbose::Silent)
        .callback(EarlyStopping::new().restore_best_weights(true))
        .callback(ReduceLearningRateOnPlateau::new())
        .callback(CsvLogger::new(folder().join("log.csv")))
        .backup(BackupAndRestore::new(folder()).save_freq(1))
        .callback(kill);
    model.fit(&x, &y, &fit)
}

/// The backup up to the epoch; the rest becomes the first file of the corpus.
fn start() -> Vec<u8> {
    let _ = std::fs::remove_dir_all(folder());
    assert!(train(true).is_err());
    let mut bytes = std::fs::read(folder().join("backup.cornu")).unwrap();
    let place = bytes.windows(FIRST.len()).position(|window| window == FIRST).unwrap();
    let corpus = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("corpus/backup");
    std::fs::create_dir_all(&corpus).unwrap();
    std::fs::write(corpus.join("whole"), &bytes[place..bytes.len() - TAIL]).unwrap();
    bytes.truncate(place);
    bytes
}

libfuzzer_sys::fuzz_target!(
    init: { START.get_or_init(start); },
    |state: &[u8]| {
        let start = START.get_or_init(start);
        let length = (start.len() + state.len() - 12) as u64;
        let file = [start, state, &length.to_le_bytes(), &[0; 8]].concat();
        std::fs::create_dir_all(folder()).unwrap();
        std::fs::write(folder().join("backup.cornu"), file).unwrap();
        let _ = train(false);
    }
);
