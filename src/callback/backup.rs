//! Backups: a training that was killed goes on where its last backup was made.

use std::fs::File;
use std::path::PathBuf;

use super::failures::Failures;
use super::{Callback, CallbackContext, Flow, State};
use crate::error::{Error, Result};
use crate::save::backup;
use crate::scalar::Scalar;

/// Keeps a backup of the whole training in a folder. Started again after a crash, a kill or a loss of power, the same
/// program goes on from it, and ends with the same bits, in the weights, the history and the files of the callbacks, as
/// if nothing had happened.
///
/// A backup holds the weights, moving statistics, what the optimizer keeps for each weight, gradients not used yet, the
/// averaged weights and the learning rate; how far the random streams are; the epoch and the batch; the loss and the
/// metrics of an epoch half done; the history and the diagnosis; and the [`state`](Callback::state) of each callback.
/// It is written after all callbacks were called for the batch or the epoch, wherever this one stands among them. A
/// kill while it is written leaves the one before. Writing takes as much memory as the file, for a moment.
///
/// The program must be the same: a backup of another model, seed, optimizer, loss, metric, batch size, number of
/// samples or callbacks is refused, as are other values in the data (a sample of arrays is compared). `epochs` may be
/// another, to train longer. A model whose seed was not given takes that of the backup. A layer of your own keeps what it
/// needs from step to step in a [`Param::fixed`](crate::Param::fixed), a metric in [`Metric::state`], a closure nowhere:
/// what it has captured starts anew.
///
/// A program with several fits gives each a folder of its own, and keeps the backups with `delete_checkpoint(false)`:
/// fits that are done are then done at once when it is started again. The same helps where a kill between the end of the
/// fit and what the program does with the model would cost the whole training. To train anew, remove the folder.
///
/// [`Metric::state`]: crate::metric::Metric::state
///
/// | setter | default |
/// |---|---|
/// | `save_freq` | [`SaveFreq::Epoch`] |
/// | `delete_checkpoint`: at the end of the fit | true |
///
/// # Example
/// ```
/// use cornu::prelude::*;
/// # let folder = std::env::temp_dir().join(format!("cornu-example-backup-{}", std::process::id()));
/// let x = ndarray::array![[0.0], [1.0], [2.0], [3.0]];
/// let y = ndarray::array![1.0, 3.0, 5.0, 7.0];
/// // The program, which may be killed at any moment.
/// let program = |killed_in: Option<usize>| -> Result<(History, f32)> {
///     let mut model = Sequential::new().seed(1).input([1]).add(Dense::new(1).name("F1"));
///     model.compile(Adam::new(0.1), MeanSquaredError::new(), ())?;
///     let kill = LambdaCallback::new().on_epoch_begin(|at| match killed_in {
///         Some(epoch) if at.epoch == epoch => Err(Error::outside(std::io::Error::other("killed"))),
///         _ => Ok(()),
///     });
///     let backup = BackupAndRestore::new(&folder).save_freq(2);
///     let fit = Fit::new().epochs(9).batch_size(1).verbose(Verbose::Silent).callback(kill).callback(backup);
///     let history = model.fit(&x, &y, &fit)?;
///     Ok((history, model.weight("F1/kernel")?[[0, 0]]))
/// };
/// let (history, weight) = program(None)?;
/// assert!(program(Some(5)).is_err());
/// let (history_again, weight_again) = program(None)?;        // goes on in the sixth epoch
/// assert_eq!(weight_again, weight);
/// assert_eq!(history_again.get("loss"), history.get("loss"));
/// # Ok::<(), Error>(())
/// ```
///
/// # Errors
/// In `fit`, before anything is changed: [`Error::Backup`] where the folder cannot be made or is in use, or its backup
/// is damaged or of another training; [`Error::Argument`] for backups every 0 batches, for two of these callbacks, and
/// for a metric without [`Metric::state`] where backups are made within an epoch. Later on a backup that cannot be
/// written is told, and kept in [`failures`](BackupAndRestore::failures).
///
/// # References
/// <https://keras.io/api/callbacks/backup_and_restore/>
#[derive(Debug)]
pub struct BackupAndRestore {
    folder: PathBuf,
    save_freq: SaveFreq,
    delete_checkpoint: bool,
    batches: usize,
    due: bool,
    failures: Failures,
}

/// When a [`BackupAndRestore`] is made.
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
    /// After every so many batches, counted over all epochs.
    Batches(usize),
}

impl From<usize> for SaveFreq {
    fn from(batches: usize) -> Self {
        SaveFreq::Batches(batches)
    }
}

impl BackupAndRestore {
    /// Backups after each epoch, in this folder, which is this training's alone.
    pub fn new(folder: impl Into<PathBuf>) -> Self {
        BackupAndRestore {
            folder: folder.into(),
            save_freq: SaveFreq::Epoch,
            delete_checkpoint: true,
            batches: 0,
            due: false,
            failures: Failures::default(),
        }
    }

    /// After how many batches, a number, or [`SaveFreq::Epoch`]. Default: after each epoch.
    pub fn save_freq(mut self, save_freq: impl Into<SaveFreq>) -> Self {
        self.save_freq = save_freq.into();
        self
    }

    /// Whether the backup is removed at the end of the fit, so that the program trains anew when it is started again.
    /// Default: true.
    pub fn delete_checkpoint(mut self, delete: bool) -> Self {
        self.delete_checkpoint = delete;
        self
    }

    /// The file of the backup.
    pub fn path(&self) -> PathBuf {
        self.folder.join("backup.cornu")
    }

    /// Why backups of the last fit could not be written; the first thousand.
    pub fn failures(&self) -> &[Error] {
        self.failures.all()
    }

    /// Takes the folder into use for as long as the lock is open. Gives the state to go on from, where there is one.
    pub(crate) fn open(&mut self) -> Result<(File, Option<State>)> {
        if self.save_freq == SaveFreq::Batches(0) {
            return Err(Error::argument("save_freq", "at least 1 batch", 0));
        }
        (self.batches, self.due) = (0, false);
        self.failures.clear();
        Ok((backup::enter(&self.path())?, backup::read(&self.path())?))
    }

    /// Whether backups are made when an epoch is half done.
    pub(crate) fn is_within_epochs(&self) -> bool {
        self.save_freq != SaveFreq::Epoch
    }

    /// Whether a backup is to be made now; asked once for each.
    pub(crate) fn take_due(&mut self) -> bool {
        std::mem::take(&mut self.due)
    }

    /// Writes what was captured.
    pub(crate) fn write<F: Scalar>(&mut self, at: &CallbackContext<F>, captured: Result<State>) {
        let path = self.path();
        let written = captured.and_then(|state| {
            // A folder that has vanished is made anew.
            std::fs::create_dir_all(&self.folder).map_err(|error| backup::failed(&self.folder, error))?;
            backup::write(&path, &state)
        });
        self.failures.take(at, "a backup", written);
    }

    /// Removes the backup of a training that is done, unless it is to stay.
    pub(crate) fn close<F: Scalar>(&mut self, at: &CallbackContext<F>) {
        if self.delete_checkpoint
            && let Err(error) = backup::remove(&self.path())
        {
            at.warn(format_args!("the training is done, but its backup was not removed: {error}"));
        }
    }
}

impl<F: Scalar> Callback<F> for BackupAndRestore {
    fn on_batch_end(&mut self, _: &mut CallbackContext<F>) -> Result<Flow> {
        self.batches += 1;
        if let SaveFreq::Batches(every) = self.save_freq {
            self.due |= self.batches >= every;
        }
        if self.due {
            self.batches = 0;
        }
        Ok(Flow::Continue)
    }

    fn on_epoch_end(&mut self, _: &mut CallbackContext<F>) -> Result<Flow> {
        self.due |= self.save_freq == SaveFreq::Epoch;
        Ok(Flow::Continue)
    }

    fn state(&mut self, state: &mut State) -> Result<()> {
        state.count("batches", &mut self.batches)
    }

    fn backup(&mut self) -> Option<&mut BackupAndRestore> {
        Some(self)
    }
}
