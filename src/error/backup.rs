//! Errors of backups.

use std::path::PathBuf;
use std::sync::Arc;

/// The reason why a training cannot resume from a backup, or why a backup could not be written.
///
/// # Example
/// ```
/// use cornu::error::{BackupFault, Error};
/// use std::{io, sync::Arc};
/// let full = Arc::new(io::Error::from(io::ErrorKind::StorageFull));
/// let error = Error::from(BackupFault::Io { file: "runs/backup".into(), source: full });
/// assert!(matches!(error, Error::Backup(BackupFault::Io { .. })));
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BackupFault {
    /// The system could not read or write the backup, for example because the disk is full or the folder is missing.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The error of the system.
        source: Arc<std::io::Error>,
    },
    /// The file is not a backup, or it was changed after it was written.
    #[error("{} is damaged at {place}: expected {expected}, found {found}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The position in the file.
        place: String,
        /// The expected content.
        expected: String,
        /// The content found.
        found: String,
    },
    /// The backup has the layout of another version of this crate.
    #[error(
        "{} is a backup of layout {found}, of another version of cornu; this one reads layout {expected}. End the training by \
         the version that began it, or remove the backup to start anew",
        file.display()
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// The layout that this version reads and writes.
        expected: u32,
        /// The layout of the file.
        found: u32,
    },
    /// The backup belongs to another model, other data or other settings.
    #[error(
        "{} is the backup of another training, where {what} was {there}; here it is {here}. \
         Give the program back what it had, or remove the backup to start anew",
        file.display()
    )]
    OfAnother {
        /// The file.
        file: PathBuf,
        /// The property that differs, such as `batch_size`.
        what: String,
        /// Its value in the training of the backup.
        there: String,
        /// Its value in this training.
        here: String,
    },
    /// Another running training writes its backups to the same folder.
    #[error("{} holds the backups of another training that is running", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}
