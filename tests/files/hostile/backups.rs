//! Backups with a valid checksum and invalid content: they are refused or resumed, and never cause a panic.

use std::ops::Range;
use std::path::Path;

use cornu::ndarray::Array2;

use super::*;

/// The bytes before and after the state of a backup: the header, and the length with the checksum.
const HEAD: usize = 12;
const TAIL: usize = 16;

/// A training with everything that keeps state, and a backup in this folder every `every` batches; optionally killed in
/// its second epoch.
fn train(folder: &Path, every: usize, killed: bool) -> Result<History> {
    let x = Array2::from_shape_fn((12, 3), |(i, j)| ((7 * i + 3 * j) % 5) as f32 - 2.0);
    let y = Array2::from_shape_fn((12, 2), |(i, j)| f32::from(u8::from(i % 2 == j)));
    let mut model = Sequential::new()
        .seed(1)
        .input([3])
        .add(Dense::new(3).activation(Activation::Relu))
        .add(BatchNormalization::new())
        .add(Dense::new(2).activation(Activation::Softmax));
    let metrics: Vec<Box<dyn cornu::metric::Metric<f32>>> = vec![
        Box::new(Accuracy::new()),
        Box::new(Auc::new().num_thresholds(5)),
        Box::new(F1Score::new()),
        Box::new(R2Score::new()),
    ];
    model.compile(Nadam::new(0.01), CategoricalCrossentropy::new(), metrics)?;
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
        .callback(CsvLogger::new(folder.join("log.csv")))
        .backup(BackupAndRestore::new(folder).save_freq(every))
        .callback(kill);
    model.fit(&x, &y, &fit)
}

fn sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

/// A folder, and the state in the backup that a killed training left there.
fn killed() -> (PathBuf, Vec<u8>) {
    let folder = file("backup");
    assert!(train(&folder, 1, true).is_err());
    let bytes = std::fs::read(folder.join("backup.cornu")).unwrap();
    let state = bytes[HEAD..bytes.len() - TAIL].to_vec();
    (folder, state)
}

/// Resumes from a backup with this state, and a valid length and checksum. No further backup is written.
fn go_on(folder: &Path, state: &[u8]) -> Result<History> {
    let mut bytes = [b"\x89cornu\r\n\x03\0\0\0", state, &(state.len() as u64).to_le_bytes()].concat();
    bytes.extend(sum(&bytes).to_le_bytes());
    std::fs::create_dir_all(folder).unwrap();
    std::fs::write(folder.join("backup.cornu"), bytes).unwrap();
    train(folder, usize::MAX, false)
}

/// The names and the byte ranges of the entries of a state.
fn entries(state: &[u8]) -> Vec<(String, Range<usize>)> {
    let eight = |at: usize| u64::from_le_bytes(state[at..at + 8].try_into().unwrap()) as usize;
    let (mut entries, mut at) = (Vec::new(), 0);
    while at < state.len() {
        let name = at + 8..at + 8 + eight(at);
        let start = name.end + 8;
        at = start + eight(name.end);
        entries.push((String::from_utf8(state[name].to_vec()).unwrap(), start..at));
    }
    entries
}

#[test]
fn an_intact_backup_resumes() {
    let (folder, state) = killed();
    let history = go_on(&folder, &state).unwrap();
    assert_eq!(history.epochs(), [0, 1]);
    std::fs::remove_dir_all(folder).unwrap();
}

#[test]
fn impossible_counts_are_refused() {
    let (folder, state) = killed();
    let entries = entries(&state);
    let begin = entries.iter().position(|(name, _)| name == "epoch").unwrap();
    let mut refused = Vec::new();
    let wide =
        [u64::MAX, u64::MAX >> 1, 1 << 47, u64::from(u32::MAX), f64::MAX.to_bits(), f64::NAN.to_bits()];
    let wide = wide.map(u64::to_le_bytes);
    let narrow = [u32::MAX, u32::MAX >> 1].map(u32::to_le_bytes);
    let numbers: Vec<&[u8]> = wide.iter().map(|n| &n[..]).chain(narrow.iter().map(|n| &n[..])).collect();
    for (name, range) in &entries[begin..] {
        for number in &numbers {
            for at in range.clone().step_by(number.len()).filter(|at| at + number.len() <= range.end) {
                let mut changed = state.clone();
                changed[at..at + number.len()].copy_from_slice(number);
                if go_on(&folder, &changed).is_err() {
                    refused.push(name.as_str());
                }
            }
        }
    }
    for name in ["epochs_seen", "steps", "wait", "cooling", "rows", "lost", "sampled", "saturated", "clipped"]
    {
        assert!(refused.contains(&name), "{name} is not among {refused:?}");
    }
    let _ = std::fs::remove_dir_all(folder);
}

#[test]
fn random_states_are_refused_or_resume() {
    let (folder, state) = killed();
    let begin = entries(&state).iter().find(|(name, _)| name == "epoch").unwrap().1.start;
    let mut rng = Rng::new(5);
    for _ in 0..1000 {
        let mut changed = state.clone();
        for _ in 0..1 + rng.bits() % 4 {
            let at = begin + (rng.bits() % (state.len() - begin) as u64) as usize;
            changed[at] = rng.bits() as u8;
        }
        let _ = go_on(&folder, &changed);
    }
    for len in (0..state.len()).step_by(97) {
        assert!(
            go_on(&folder, &state[..len]).is_err(),
            "it was accepted when truncated to {len} of {} bytes",
            state.len()
        );
    }
    let _ = std::fs::remove_dir_all(folder);
}
