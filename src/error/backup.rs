//! Errors of backups.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a training run cannot resume from a backup, or cannot write one.
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
    /// An I/O error, such as a full disk or a missing or read-only folder.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// The error of the operating system.
        source: Arc<std::io::Error>,
    },
    /// The file is not a backup, or is damaged.
    #[error("{} is damaged at {place}: expected {expected}, found {found}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// The place in the file.
        place: String,
        /// The expected content.
        expected: String,
        /// The actual content.
        found: String,
    },
    /// The backup was written by another version of cornu, with another layout.
    #[error(
        "{}: expected backup layout {expected}, found {found} of another version of cornu; finish the training with that \
         version, or delete the backup to start again",
        file.display()
    )]
    Version {
        /// The file.
        file: PathBuf,
        /// The layout of this version.
        expected: u32,
        /// The layout of the file.
        found: u32,
    },
    /// The backup belongs to another model, other data or other settings.
    #[error(
        "{} is the backup of another training: expected {what} {there}, found {here}; \
         restore the previous value, or delete the backup to start again",
        file.display()
    )]
    OfAnother {
        /// The file.
        file: PathBuf,
        /// The name of the setting that differs, such as `batch_size`.
        what: String,
        /// The value in the training of the backup.
        there: String,
        /// The value in this training.
        here: String,
    },
    /// Another training run is using the same folder.
    #[error("{} is in use by another running training", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}
