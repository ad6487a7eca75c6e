//! Backups: an interrupted training resumes from its last backup.

use std::fs::File;
use std::path::PathBuf;

use super::context::warn;
use super::failures::Failures;
use super::{CallbackContext, State, Verbose};
use crate::error::{Error, Result};
use crate::save::backup;
use crate::scalar::Scalar;

/// Backs up the whole training to a folder, so that the program can be killed and started again.
///
/// After a crash, a kill or a power failure, the same program resumes from the last backup and ends with the same
/// bits in the weights, the history and the files of the callbacks as an uninterrupted one.
///
/// A backup holds the weights and moving statistics; the optimizer's slots, accumulated gradients, averaged weights
/// and learning rate; the state of the random streams; the epoch and the batch; the loss and metrics of an unfinished
/// epoch; the history and the diagnosis; and the [`state`](crate::callback::Callback::state) of each callback. It is written after all
/// callbacks have run for the batch or epoch. If the program is killed while a backup is written, the previous one
/// remains. Writing temporarily needs as much memory as the file.
///
/// A training that ends as planned or that a callback stops, such as [`EarlyStopping`](super::EarlyStopping), is finished:
/// at the end of `fit` its backup is deleted. The backup stays if `fit` returns an error, or if the training ended with NaN
/// or an infinity: after a divergence that [`TerminateOnNaN`](super::TerminateOnNaN) turned into a stop, and after a stop
/// whose last `loss` or `val_loss` is not finite. No backup is written after a divergence, so that the last one holds the
/// training before it.
///
/// In Keras this is a callback; here it is the setting [`Fit::backup`](crate::Fit::backup).
///
/// The program must be the same. A backup of another model, seed, optimizer, loss, metric, batch size, number of
/// samples or set of callbacks is refused, and so is different data (a sample of the arrays is compared). `epochs`
/// may change, to train longer. A model without a seed takes that of the backup. A custom layer keeps state between
/// steps in a [`Param::fixed`](crate::Param::fixed), a metric in [`Metric::state`]; what a closure captures is not
/// backed up.
///
/// A program with several fits uses one folder per fit and `delete_checkpoint(false)`. When it is started again,
/// finished fits return at once. The setting also protects a trained model if the program dies between the end of `fit`
/// and its use. To train again from the start, delete the folder.
///
/// [`Metric::state`]: crate::metric::Metric::state
///
/// | setter | default |
/// |---|---|
/// | `save_freq` | [`SaveFreq::Epoch`] |
/// | `delete_checkpoint`: deletes the backup of a finished training | true |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// # let folder = std::env::temp_dir().join(format!("cornu-example-backup-{}", std::process::id()));
/// let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
/// let y = ndarray::array![1.0, 3.0, 5.0, 7.0];
/// // The program, which may be killed at any time.
/// let program = |killed_in: Option<usize>| -> Result<(History, f32)> {
///     let mut model = Sequential::new().seed(1).input([1]).add(Dense::new(1).name("F1"));
///     model.compile(Adam::new(0.1), MeanSquaredError::new(), ())?;
///     let kill = LambdaCallback::new().on_epoch_begin(|at| match killed_in {
///         Some(epoch) if at.epoch == epoch => Err(Error::outside(std::io::Error::other("killed"))),
///         _ => Ok(()),
///     });
///     let backup = BackupAndRestore::new(&folder).save_freq(2);
///     let fit = Fit::new().epochs(9).batch_size(1).verbose(Verbose::Silent).callback(kill).backup(backup);
///     let history = model.fit(&x, &y, &fit)?;
///     Ok((history, model.weight("F1/kernel")?[[0, 0]]))
/// };
/// let (history, weight) = program(None)?;
/// assert!(program(Some(5)).is_err());
/// let (history_again, weight_again) = program(None)?;        // resumes in the sixth epoch
/// assert_eq!(weight_again, weight);
/// assert_eq!(history_again.get("loss"), history.get("loss"));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// From `fit`, before any change: [`Error::Backup`] if the folder cannot be created or is in use, or if its backup is
/// damaged or belongs to another run; [`Error::Argument`] for `SaveFreq::Batches(0)`, and for a metric without
/// [`Metric::state`] if backups are made within an epoch. A later backup that cannot be written causes a warning and
/// is recorded in [`failures`](BackupAndRestore::failures).
///
/// # References
/// <https://keras.io/api/callbacks/backup_and_restore/>
#[derive(Debug)]
pub struct BackupAndRestore {
    folder: PathBuf,
    save_freq: SaveFreq,
    delete_checkpoint: bool,
    /// The number of batches since the last backup.
    batches: usize,
    failures: Failures,
}

/// How often [`BackupAndRestore`] makes a backup.
///
/// # Example
/// ```
/// use cornu::callback::SaveFreq;
/// assert_eq!(SaveFreq::from(100), SaveFreq::Batches(100));
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[non_exhaustive]
pub enum SaveFreq {
    /// After each epoch.
    #[default]
    Epoch,
    /// After every given number of batches, counted across epochs.
    Batches(usize),
}

impl From<usize> for SaveFreq {
    fn from(batches: usize) -> Self {
        SaveFreq::Batches(batches)
    }
}

impl BackupAndRestore {
    /// Backs up after each epoch to a folder, which no other training may use.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        BackupAndRestore {
            folder: folder.into(),
            save_freq: SaveFreq::Epoch,
            delete_checkpoint: true,
            batches: 0,
            failures: Failures::default(),
        }
    }

    /// How often to back up: a number of batches, or [`SaveFreq::Epoch`]. Default: after each epoch.
    pub fn save_freq(mut self, save_freq: impl Into<SaveFreq>) -> Self {
        self.save_freq = save_freq.into();
        self
    }

    /// Whether the backup of a finished training is deleted, so that the program starts from scratch next time.
    /// Default: true.
    pub fn delete_checkpoint(mut self, delete: bool) -> Self {
        self.delete_checkpoint = delete;
        self
    }

    /// The path of the backup file.
    pub fn path(&self) -> PathBuf {
        self.folder.join("backup.cornu")
    }

    /// The errors of backups that the last fit could not write, at most 1000.
    pub fn failures(&self) -> &[Error] {
        self.failures.all()
    }

    /// Locks the folder while the returned file is open, and returns the state to resume from, if any.
    pub(crate) fn open(&mut self) -> Result<(File, Option<State>)> {
        if self.save_freq == SaveFreq::Batches(0) {
            return Err(Error::argument("save_freq", "at least 1 batch", 0));
        }
        self.batches = 0;
        self.failures.clear();
        Ok((backup::enter(&self.path())?, backup::read(&self.path())?))
    }

    /// Returns whether backups are made within epochs.
    pub(crate) fn is_within_epochs(&self) -> bool {
        self.save_freq != SaveFreq::Epoch
    }

    /// Counts a batch, and returns whether a backup is due after it.
    pub(crate) fn is_due_after_batch(&mut self) -> bool {
        self.batches += 1;
        let is_due = matches!(self.save_freq, SaveFreq::Batches(every) if self.batches >= every);
        if is_due {
            self.batches = 0;
        }
        is_due
    }

    /// Returns whether a backup is due after an epoch.
    pub(crate) fn is_due_after_epoch(&mut self) -> bool {
        self.save_freq == SaveFreq::Epoch
    }

    /// The batches since the last backup, as part of one.
    pub(crate) fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("batches since backup", &mut self.batches)
    }

    /// Writes the captured state.
    pub(crate) fn write<F: Scalar>(&mut self, at: &CallbackContext<F>, captured: Result<State>) {
        let path = self.path();
        let written = captured.and_then(|state| {
            // Recreate a folder that was deleted.
            std::fs::create_dir_all(&self.folder).map_err(|error| backup::failed(&self.folder, error))?;
            backup::write(&path, &state)
        });
        self.failures.take(at, "a backup", written);
    }

    /// Removes the backup of a finished training, unless it is to be kept.
    pub(crate) fn close(&mut self, verbose: Verbose) {
        if self.delete_checkpoint
            && let Err(error) = backup::remove(&self.path())
        {
            warn(verbose, format_args!("the training is done, but its backup was not removed: {error}"));
        }
    }
}
