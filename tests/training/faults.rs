//! Failures of files. Backups that are damaged, in use or from another training are typed errors before anything
//! changes. Full disks, read-only folders and folders that vanish do not end a training.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::interrupted::{Folder, Interrupt, bits, classes, fit, outcome, outcome_of};
use cornu::callback::{Callback, CallbackContext, State};
use cornu::error::{BackupFault, FileError};
use cornu::ndarray::{Array2, s};
use cornu::prelude::*;

fn network(seed: u64, units: usize, rate: f64) -> Sequential {
    let mut model = Sequential::new()
        .seed(seed)
        .input([6])
        .add(Dense::new(units).activation(Activation::Relu))
        .add(Dense::new(3).activation(Activation::Softmax));
    model.compile(Adam::new(rate), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    model
}

fn weights(model: &Sequential) -> Vec<u64> {
    model.weights().unwrap().iter().flat_map(|(_, weight)| bits(weight.iter())).collect()
}

/// A folder with the backup of a training that was interrupted in its second epoch.
fn interrupted() -> Folder {
    let folder = Folder::new("faults");
    let (x, y) = classes();
    let fit = fit(4).backup(folder.backup().save_freq(2)).callback(Interrupt::After(1, 4).callback());
    assert!(network(1, 5, 0.01).fit(&x, &y, &fit).is_err());
    folder
}

/// Resumes the training from the backup in this folder.
fn go_on(folder: &Folder, model: &mut Sequential, epochs: usize) -> Result<History> {
    let (x, y) = classes();
    let with = fit(epochs).backup(folder.backup().save_freq(2)).callback(Interrupt::Never.callback());
    model.fit(&x, &y, &with)
}

#[test]
fn a_backup_of_another_training_is_refused_with_the_difference() {
    let folder = interrupted();
    let (x, y) = classes();
    let backup = std::fs::read(folder.backup().path()).unwrap();
    #[track_caller]
    fn check(what: &str, there: &str, here: &str, refused: Result<History>) {
        let Err(Error::Backup(fault)) = &refused else { panic!("{refused:?}") };
        let BackupFault::OfAnother { what: w, there: t, here: h, .. } = fault else { panic!("{fault}") };
        assert!(w.starts_with(what) && t.contains(there) && h.contains(here), "{fault}");
    }
    let with = || fit(4).backup(folder.backup().save_freq(2)).callback(Interrupt::Never.callback());
    let model = || network(1, 5, 0.01);
    let mut untouched = model();
    let before = weights(&untouched);
    check("batch_size", "8", "10", untouched.fit(&x, &y, &with().batch_size(10)));
    assert_eq!(weights(&untouched), before);
    check("seed", "1", "2", network(2, 5, 0.01).fit(&x, &y, &with()));
    check("layer 0", "(5)", "(6)", network(1, 6, 0.01).fit(&x, &y, &with()));
    check(
        "optimizer",
        "learning_rate: 0.01",
        "learning_rate: 0.02",
        network(1, 5, 0.02).fit(&x, &y, &with()),
    );
    let (fewer_x, fewer_y) = (x.slice(s![..32, ..]), y.slice(s![..32]));
    check("number of samples", "40", "32", model().fit(&fewer_x, &fewer_y, &with()));
    check("sum over", "", "", model().fit(&x.mapv(|x| x + 1.0), &y, &with()));
    check("sum over", "", "", model().fit(&x, &y, &with().class_weight(ClassWeight::Balanced)));
    check("shuffle", "true", "false", model().fit(&x, &y, &with().shuffle(false)));
    check("initial_epoch", "0", "1", model().fit(&x, &y, &with().initial_epoch(1)));
    check("number of samples that train", "40", "32", model().fit(&x, &y, &with().validation_split(0.2)));
    check("number of samples to validate", "0", "40", model().fit(&x, &y, &with().validation_data(&x, &y)));
    check("validation_batch_size", "None", "Some(4)", model().fit(&x, &y, &with().validation_batch_size(4)));
    check("number of callbacks", "1", "2", model().fit(&x, &y, &with().callback(TerminateOnNaN::new())));
    check("diagnosis", "on", "off", model().fit(&x, &y, &with().diagnose(Diagnose::Off)));
    let mut other = model();
    other
        .compile(Adam::new(0.01), SparseCategoricalCrossentropy::new().from_logits(true), [Accuracy::new()])
        .unwrap();
    check("loss", "false", "true", other.fit(&x, &y, &with()));
    other.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), ()).unwrap();
    check("metrics", "Accuracy", "[]", other.fit(&x, &y, &with()));
    let mut longer = model().add(Dense::new(3).activation(Activation::Softmax));
    longer.compile(Adam::new(0.01), SparseCategoricalCrossentropy::new(), [Accuracy::new()]).unwrap();
    check("number of layers", "2", "3", longer.fit(&x, &y, &with()));
    let mut wide = Sequential::<f64>::with_scalar().seed(1).input([6]).add(Dense::new(3));
    wide.compile(Sgd::new(0.1), MeanSquaredError::new(), ()).unwrap();
    let double = Fit::new().verbose(Verbose::Silent).backup(folder.backup());
    check("number type", "f32", "f64", wide.fit(&x, &Array2::<f64>::zeros((40, 3)), &double));
    // None of these calls has changed the backup.
    assert!(std::fs::read(folder.backup().path()).unwrap() == backup);
    assert!(go_on(&folder, &mut model(), 4).is_ok());
}

/// Stores a number under a given name.
struct Keeps(&'static str, u64);

impl Callback<f32> for Keeps {
    fn state(&mut self, state: &mut State) -> Result<()> {
        state.item(self.0, &mut self.1)
    }
}

#[test]
fn a_callback_with_other_state_is_refused_and_the_model_unchanged() {
    let folder = Folder::new("keeps");
    let (x, y) = classes();
    let with = |name, point: Interrupt| {
        fit(4).callback(Keeps(name, 7)).backup(folder.backup()).callback(point.callback())
    };
    assert!(network(1, 5, 0.01).fit(&x, &y, &with("before", Interrupt::EpochBegin(2))).is_err());
    let mut model = network(1, 5, 0.01);
    let before = weights(&model);
    let refused = model.fit(&x, &y, &with("after", Interrupt::Never));
    let Err(Error::Backup(BackupFault::Damaged { place, found, .. })) = &refused else {
        panic!("{refused:?}")
    };
    assert_eq!((&**place, &**found), ("callback 0/after", "`before`"));
    assert_eq!(weights(&model), before);
}

#[test]
fn a_damaged_backup_is_a_typed_error() {
    let folder = interrupted();
    let path = folder.backup().path();
    let whole = std::fs::read(&path).unwrap();
    let mut model = network(1, 5, 0.01);
    let before = weights(&model);
    let mut check = |bytes: &[u8], what: &str| {
        std::fs::write(&path, bytes).unwrap();
        let refused = go_on(&folder, &mut model, 4);
        assert!(matches!(refused, Err(Error::Backup(BackupFault::Damaged { .. }))), "{what}: {refused:?}");
        assert_eq!(weights(&model), before);
    };
    (0..whole.len()).step_by(97).for_each(|cut| check(&whole[..cut], "cut"));
    check(&[&whole[..], &[0]].concat(), "longer");
    check(b"PK\x03\x04 something else", "foreign");
    let mut rng = Rng::new(1);
    for _ in 0..300 {
        let mut bytes = whole.clone();
        let at = (rng.bits() % bytes.len() as u64) as usize;
        bytes[at] ^= 1 << (rng.bits() % 8);
        check(&bytes, &format!("a bit of byte {at}"));
    }
    std::fs::remove_file(&path).unwrap();
    std::fs::create_dir(&path).unwrap();
    let refused = go_on(&folder, &mut model, 4);
    assert!(matches!(refused, Err(Error::Backup(BackupFault::Io { .. }))), "{refused:?}");
}

/// The checksum that the crate computes for a backup.
fn sum(bytes: &[u8]) -> u64 {
    bytes
        .iter()
        .fold(0xCBF2_9CE4_8422_2325, |sum, byte| (sum ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3))
}

#[test]
fn a_backup_of_another_version_is_distinguished_from_a_damaged_one() {
    let folder = interrupted();
    let path = folder.backup().path();
    let whole = std::fs::read(&path).unwrap();
    let now = u32::from_le_bytes(whole[8..12].try_into().unwrap());
    let mut model = network(1, 5, 0.01);
    let before = weights(&model);
    for other in [now - 1, now + 1] {
        let mut bytes = [&whole[..8], &other.to_le_bytes(), &whole[12..whole.len() - 8]].concat();
        bytes.extend(sum(&bytes).to_le_bytes());
        std::fs::write(&path, &bytes).unwrap();
        let refused = go_on(&folder, &mut model, 4);
        let Err(Error::Backup(BackupFault::Version { file, expected, found })) = &refused else {
            panic!("{refused:?}")
        };
        assert_eq!((file, *expected, *found), (&path, now, other));
        let text = refused.unwrap_err().to_string();
        assert!(text.contains(&format!("found {other} of another version")), "{text}");
        assert_eq!(weights(&model), before);
        assert!(std::fs::read(&path).unwrap() == bytes, "it stays");
    }
    std::fs::write(&path, &whole).unwrap();
    assert!(go_on(&folder, &mut model, 4).is_ok());
}

#[test]
fn a_malicious_backup_with_a_valid_checksum_cannot_panic_or_exhaust_memory() {
    let folder = Folder::new("lies");
    let (x, y) = classes();
    // Without a diagnosis, whose rules trust their own counts.
    let with = |epochs| fit(epochs).diagnose(Diagnose::Off).backup(folder.backup().save_freq(2));
    let interrupt = Interrupt::After(1, 4).callback();
    let stopping = || EarlyStopping::new().monitor("loss").restore_best_weights(true);
    assert!(network(1, 5, 0.01).fit(&x, &y, &with(4).callback(stopping()).callback(interrupt)).is_err());
    let path = folder.backup().path();
    let whole = std::fs::read(&path).unwrap();
    let body = 12..whole.len() - 16;
    let mut rng = Rng::new(2);
    let (mut refused, mut taken) = (0, 0);
    for case in 0..600 {
        let mut bytes = whole.clone();
        let at = body.start + (rng.bits() % (body.len() as u64 - 8)) as usize;
        match case % 3 {
            0 => bytes[at] ^= 1 << (rng.bits() % 8),
            1 => bytes[at] = rng.bits() as u8,
            _ => bytes[at..at + 8].copy_from_slice(&(rng.bits() >> (rng.bits() % 64)).to_le_bytes()),
        }
        let end = bytes.len() - 8;
        let right = sum(&bytes[..end]).to_le_bytes();
        bytes[end..].copy_from_slice(&right);
        // A training that reached its end removed its backup and the folder.
        std::fs::create_dir_all(path.parent().unwrap()).and_then(|()| std::fs::write(&path, &bytes)).unwrap();
        let training = with(2).callback(stopping()).callback(Interrupt::Never.callback());
        match network(1, 5, 0.01).fit(&x, &y, &training) {
            Err(Error::Backup(_)) => refused += 1,
            // Weights may have any value.
            Ok(_) | Err(Error::Diverged { .. }) => taken += 1,
            Err(error) => panic!("{error}"),
        }
    }
    assert!(refused > 100 && taken > 50, "{refused} refused, {taken} taken");
}

#[test]
fn settings_that_prevent_backups_are_refused() {
    let folder = Folder::new("settings");
    let (x, y) = classes();
    let refused = network(1, 5, 0.01).fit(&x, &y, &fit(1).backup(folder.backup().save_freq(0)));
    assert!(matches!(refused, Err(Error::Argument { argument: "save_freq", .. })), "{refused:?}");
    std::fs::write(folder.path("file"), "not a folder").unwrap();
    let mut model = network(1, 5, 0.01);
    let before = weights(&model);
    let below = BackupAndRestore::new(folder.path("file/backup"));
    let refused = model.fit(&x, &y, &fit(1).backup(below));
    assert!(matches!(refused, Err(Error::Backup(BackupFault::Io { .. }))), "{refused:?}");
    assert_eq!(weights(&model), before);
}

#[test]
fn a_folder_serves_one_training_at_a_time() {
    let folder = Folder::new("lock");
    let (x, y) = classes();
    let meddle = LambdaCallback::new().on_epoch_end(|at: &mut CallbackContext<f32>| {
        let second = network(1, 5, 0.01).fit(&x, &y, &fit(1).backup(folder.backup()));
        assert!(
            matches!(second, Err(Error::Backup(BackupFault::InUse { .. }))),
            "epoch {}: {second:?}",
            at.epoch
        );
        Ok(Flow::Continue)
    });
    network(1, 5, 0.01).fit(&x, &y, &fit(2).backup(folder.backup()).callback(meddle)).unwrap();
    network(1, 5, 0.01).fit(&x, &y, &fit(2).backup(folder.backup())).unwrap();
}

/// The error of the operating system.
fn kind(error: &Error) -> std::io::ErrorKind {
    match error {
        Error::Backup(BackupFault::Io { source, .. }) => source.kind(),
        Error::File(FileError::Io { kind, .. }) => *kind,
        Error::Outside(error) => error.downcast_ref::<std::io::Error>().unwrap().kind(),
        error => panic!("{error}"),
    }
}

fn at_epochs<'a>(mut act: impl FnMut(usize) + 'a) -> LambdaCallback<'a> {
    LambdaCallback::new().on_epoch_begin(move |at: &mut CallbackContext<f32>| {
        act(at.epoch);
        Ok(())
    })
}

#[test]
fn a_folder_that_vanishes_for_a_while_loses_nothing() {
    let folder = Folder::new("vanishing");
    let (x, y) = classes();
    let (there, gone) = (folder.path("there"), folder.path("gone"));
    std::fs::create_dir(&there).unwrap();
    let mut backup = BackupAndRestore::new(there.join("backup"));
    let (mut log, path) = (CsvLogger::new(there.join("log.csv")), backup.path());
    let mut seen = Vec::new();
    let move_it = at_epochs(|epoch| {
        seen.push(path.exists());
        match epoch {
            // A file takes its place, below which not even root can create a folder.
            2 => std::fs::rename(&there, &gone).and_then(|()| std::fs::write(&there, "")).unwrap(),
            4 => std::fs::remove_file(&there).and_then(|()| std::fs::rename(&gone, &there)).unwrap(),
            _ => {}
        }
    });
    let mut model = network(1, 5, 0.01);
    let fit_it = fit(6).callback(move_it).callback(&mut log).backup(&mut backup);
    let history = model.fit(&x, &y, &fit_it).unwrap();
    drop(fit_it);
    assert_eq!(seen, [false, true, true, false, false, true]);
    assert_eq!((backup.failures().len(), log.failures().len()), (2, 2));
    assert!(matches!(backup.failures()[0], Error::Backup(BackupFault::Io { .. })), "{:?}", backup.failures());
    assert_eq!(outcome_of(&model, &history), outcome(&|| network(1, 5, 0.01), fit(6), &(&x, &y)));
    let log = std::fs::read_to_string(there.join("log.csv")).unwrap();
    let epochs: Vec<&str> = log.lines().map(|line| line.split(',').next().unwrap()).collect();
    assert_eq!(epochs, ["epoch", "0", "1", "2", "3", "4", "5"]);
}

#[test]
fn a_deleted_folder_is_created_again() {
    let folder = Folder::new("gone");
    let (x, y) = classes();
    let mut backup = folder.backup();
    let path = backup.path();
    let mut seen = Vec::new();
    let remove = at_epochs(|epoch| {
        seen.push(path.exists());
        if epoch == 2 {
            std::fs::remove_dir_all(folder.path("backup")).unwrap();
        }
    });
    let fit = fit(4).callback(remove).backup(&mut backup);
    network(1, 5, 0.01).fit(&x, &y, &fit).unwrap();
    drop(fit);
    assert_eq!(seen, [false, true, true, true]);
    assert!(backup.failures().is_empty(), "{:?}", backup.failures());
}

#[cfg(target_os = "linux")]
#[test]
fn a_log_on_a_full_device_does_not_end_a_training() {
    let (x, y) = classes();
    let mut log = CsvLogger::new("/dev/full");
    let fit = fit(3).callback(&mut log);
    network(1, 5, 0.01).fit(&x, &y, &fit).unwrap();
    drop(fit);
    assert_eq!(log.failures().iter().map(kind).collect::<Vec<_>>(), [std::io::ErrorKind::StorageFull; 4]);
}

/// The folder of a file system that fills up and becomes read-only, in a separate process.
const DISK: &str = "CORNU_FAULTS_DISK";

#[test]
fn full_and_read_only_disks_are_reported_and_retried() {
    let folder = Folder::new("disk");
    let disk = folder.path("");
    // The file system belongs to this process, and disappears with it.
    let run = |script: &str| {
        let mut command = Command::new("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", script]).arg("sh");
        command.arg(&disk).arg(std::env::current_exe().unwrap()).env(DISK, &disk).output()
    };
    let mount = "mount -t tmpfs -o size=1m none \"$1\"";
    match run(mount) {
        Ok(tried) if tried.status.success() => {}
        tried => {
            println!("skipped: no private file system can be mounted here: {tried:?}");
            return;
        }
    }
    let output =
        run(&format!("{mount} && exec \"$2\" --ignored --exact faults::on_a_disk --nocapture")).unwrap();
    let (text, error) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "{text}\n{error}");
    // Each reason is reported once per callback, however often it occurs.
    for (reason, what) in [
        ("No space left on device", "a backup was not written"),
        ("Read-only file system", "a backup was not written"),
        ("Read-only file system", "the CSV log was not written"),
    ] {
        let lines = error.lines().filter(|line| line.starts_with("warning") && line.contains(what));
        let lines: Vec<&str> = lines.filter(|line| line.contains(reason)).collect();
        assert_eq!(lines.len(), 1, "{reason}: {error}");
    }
}

#[test]
#[ignore = "the process that the test of a full disk starts"]
fn on_a_disk() {
    let Some(disk) = std::env::var_os(DISK).map(PathBuf::from) else { return };
    let (x, y) = classes();
    let mut backup = BackupAndRestore::new(disk.join("backup")).delete_checkpoint(false);
    let mut log = CsvLogger::new(disk.join("log.csv"));
    let remount = |how: &str| {
        assert!(
            Command::new("mount")
                .arg("-o")
                .arg(format!("remount,{how}"))
                .arg(&disk)
                .status()
                .unwrap()
                .success()
        );
    };
    let change = at_epochs(|epoch| match epoch {
        1 => fill(&disk.join("filler")),
        3 => std::fs::remove_file(disk.join("filler")).unwrap(),
        5 => remount("ro"),
        7 => remount("rw"),
        _ => {}
    });
    #[cfg(feature = "npy")]
    let mut checkpoint = ModelCheckpoint::new(disk.join("{epoch}.npz").display().to_string());
    let mut model = network(1, 5, 0.01);
    let training = fit(8).verbose(Verbose::Lines).callback(change).callback(&mut log);
    #[cfg(feature = "npy")]
    let training = training.callback(&mut checkpoint);
    let training = training.backup(&mut backup);
    let history = model.fit(&x, &y, &training).unwrap();
    drop(training);
    assert_eq!(outcome_of(&model, &history), outcome(&|| network(1, 5, 0.01), fit(8), &(&x, &y)));
    let kinds: Vec<_> = backup.failures().iter().map(kind).collect();
    use std::io::ErrorKind::{ReadOnlyFilesystem, StorageFull};
    assert_eq!(kinds, [StorageFull, StorageFull, ReadOnlyFilesystem, ReadOnlyFilesystem]);
    assert_eq!(std::fs::read_to_string(disk.join("log.csv")).unwrap().lines().count(), 9);
    #[cfg(feature = "npy")]
    {
        let written: Vec<bool> = (1..9).map(|epoch| disk.join(format!("{epoch}.npz")).exists()).collect();
        assert_eq!(written, [true, false, false, true, true, false, false, true]);
        let kinds: Vec<_> = checkpoint.failures().iter().map(kind).collect();
        assert_eq!(kinds, [StorageFull, StorageFull, ReadOnlyFilesystem, ReadOnlyFilesystem]);
    }
    // The backup of the last epoch is complete, and there are no partial files.
    let names: Vec<_> =
        std::fs::read_dir(disk.join("backup")).unwrap().map(|e| e.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".tmp")), "{names:?}");
    let mut again = network(1, 5, 0.01);
    let training = fit(8).callback(at_epochs(|_| {})).callback(CsvLogger::new(disk.join("log.csv")));
    #[cfg(feature = "npy")]
    let training = training.callback(ModelCheckpoint::new(disk.join("{epoch}.npz").display().to_string()));
    again.fit(&x, &y, &training.backup(backup)).unwrap();
    assert_eq!(weights(&again), weights(&model));
}

/// Writes to this file until the disk is full.
fn fill(path: &Path) {
    use std::io::Write;
    let mut file = std::fs::File::create(path).unwrap();
    while file.write_all(&[0; 4096]).is_ok() {}
}
