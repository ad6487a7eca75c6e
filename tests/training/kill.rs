//! A real training process is killed at many moments, also while it writes a backup, and restarted until it is done.
//! Weights, history and log have the same bits as those of a process that was never killed.

use std::fmt::Write;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::interrupted::{Folder, outcome_of};
use cornu::callback::{Callback, CallbackContext, State};
use cornu::ndarray::{Array1, Array2};
use cornu::optimizer::WeightAverage;
use cornu::prelude::*;

/// The folder of the process to kill.
const WORK: &str = "CORNU_KILL_WORK";
/// The number of kills.
const KILLS: usize = 50;

/// A user's callback that sums what it sees.
struct Sum(f64);

impl Callback<f32> for Sum {
    fn on_fit_begin(&mut self, _: &mut CallbackContext<f32>) -> Result<()> {
        self.0 = 0.0;
        Ok(())
    }
    fn on_batch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        self.0 += at.logs.get("loss").unwrap_or(0.0);
        Ok(Flow::Continue)
    }
    fn on_epoch_end(&mut self, at: &mut CallbackContext<f32>) -> Result<Flow> {
        at.logs.set("sum", self.0);
        Ok(Flow::Continue)
    }
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item("sum", &mut self.0)
    }
}

/// The program: everything that has state, and a backup of two megabytes every second batch.
fn program(work: &Path) -> Result<()> {
    let y = Array1::from_iter((0..240).map(|i| i * 7 % 5));
    let x = Array2::from_shape_fn((240, 64), |(i, j)| {
        ((i * 31 + j * 17) % 97) as f32 / 97.0 + if j % 5 == y[i] { 0.3 } else { 0.0 }
    });
    let mut model = Sequential::new()
        .seed(11)
        .input([64])
        .add(Dense::new(512).activation(Activation::Relu))
        .add(BatchNormalization::new())
        .add(Dropout::new(0.3))
        .add(Dense::new(128).activation(Activation::Relu))
        .add(Dense::new(5).activation(Activation::Softmax));
    let rule = Nadam::new(1e-4).average_weights(WeightAverage::new(0.9)).accumulate_gradients(3);
    model.compile(rule, SparseCategoricalCrossentropy::new(), (Accuracy::new(), TopKAccuracy::new().k(2)))?;
    let plateau = ReduceLearningRateOnPlateau::new().factor(0.5).patience(1).monitor("val_accuracy");
    let best = EarlyStopping::new().patience(100).restore_best_weights(true);
    let fit = Fit::new()
        .epochs(12)
        .batch_size(20)
        .validation_split(1.0 / 6.0)
        .verbose(Verbose::Silent)
        .callback(Sum(0.0))
        .backup(BackupAndRestore::new(work.join("backup")).save_freq(2))
        .callback(plateau)
        .callback(best)
        .callback(CsvLogger::new(work.join("log.csv")));
    let history = model.fit(&x, &y, &fit)?;
    // Write the result atomically: to a temporary file, which is renamed.
    let mut text = String::new();
    let _ = write!(text, "{:?}", outcome_of(&model, &history));
    let beside = work.join("bits.new");
    std::fs::write(&beside, text)
        .and_then(|()| std::fs::rename(&beside, work.join("bits")))
        .map_err(Error::outside)
}

#[test]
#[ignore = "the process that the other tests start and kill"]
fn child() {
    if let Some(work) = std::env::var_os(WORK) {
        program(Path::new(&work)).unwrap();
    }
}

fn start(work: &Path) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["--ignored", "--exact", "kill::child"])
        .env(WORK, work)
        .env("RAYON_NUM_THREADS", "1")
        .stdout(Stdio::null())
        .spawn()
        .unwrap()
}

/// Whether a backup is being written, or was when the process was killed.
fn is_writing(work: &Path) -> bool {
    let Ok(files) = std::fs::read_dir(work.join("backup")) else { return false };
    files.flatten().any(|file| file.file_name().to_string_lossy().starts_with(".backup.cornu."))
}

/// The result of a finished training.
fn left(work: &Path) -> Option<(String, String)> {
    let bits = std::fs::read_to_string(work.join("bits")).ok()?;
    Some((bits, std::fs::read_to_string(work.join("log.csv")).unwrap()))
}

#[test]
fn a_killed_and_restarted_process_ends_with_the_same_bits() {
    let undisturbed = Folder::new("whole");
    let began = Instant::now();
    assert!(start(&undisturbed.path("")).wait().unwrap().success());
    let took = began.elapsed();
    let whole = left(&undisturbed.path("")).unwrap();
    assert_eq!(whole.1.lines().count(), 13);

    let mut rng = Rng::new(7);
    let (mut kills, mut in_a_backup, mut resumed, mut ends) = (0, 0, 0, 0);
    while kills < KILLS {
        let folder = Folder::new("killed");
        let work = folder.path("");
        while left(&work).is_none() {
            resumed += usize::from(work.join("backup/backup.cornu").exists());
            let mut process = start(&work);
            if kills == KILLS {
                assert!(process.wait().unwrap().success());
                continue;
            }
            // Kill at any moment; every third time, as soon after that as a backup is being written.
            let moment = Instant::now() + took.mul_f64(0.4 * rng.uniform());
            let (aims, mut killed) = (kills % 3 == 0, false);
            while process.try_wait().unwrap().is_none() {
                if Instant::now() >= moment && (!aims || is_writing(&work)) {
                    process.kill().unwrap(); // SIGKILL, or the equivalent
                    killed = true;
                    break;
                }
                std::thread::sleep(Duration::from_micros(100));
            }
            // A process that finished before the kill does not count.
            if !process.wait().unwrap().success() {
                assert!(killed, "the process failed without a kill");
                kills += 1;
                in_a_backup += usize::from(is_writing(&work));
            }
        }
        ends += 1;
        assert!(left(&work).unwrap() == whole, "other bits after {kills} kills, {in_a_backup} in a backup");
        assert!(!work.join("backup").exists(), "the backup is left");
    }
    println!(
        "{kills} kills, {in_a_backup} of them while a backup was written; {resumed} starts from a backup; {ends} \
         trainings done, all with the same bits; one takes {took:?}"
    );
    assert!(in_a_backup >= 5, "only {in_a_backup} kills while a backup was written");
    assert!(resumed >= 20, "only {resumed} starts from a backup");
}
