//! What can be wrong with a backup.

use std::path::PathBuf;
use std::sync::Arc;

/// Why a training cannot go on from a backup, or why none could be written.
///
/// # Example
/// ```
/// use cornu::error::{BackupFault, Error};
/// fn is_full(error: &Error) -> bool {
///     let Error::Backup(fault) = error else { return false };
///     matches!(fault, BackupFault::Io { source, .. } if source.kind() == std::io::ErrorKind::StorageFull)
/// }
/// # let _ = is_full;
/// ```
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum BackupFault {
    /// The system could not read or write it: a full disk, a folder that is gone or read-only.
    #[error("{}: {source}", file.display())]
    Io {
        /// The file or folder.
        file: PathBuf,
        /// What the system says.
        source: Arc<std::io::Error>,
    },
    /// The file is no backup, or not as it was written.
    #[error("{} is damaged at {place}: expected {expected}, found {found}", file.display())]
    Damaged {
        /// The file.
        file: PathBuf,
        /// Where in it.
        place: String,
        /// What should be there.
        expected: String,
        /// What is there.
        found: String,
    },
    /// The backup was written by a version of this crate that keeps other things in it, or in another order.
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
    /// The backup is that of another model, of other data or of other settings.
    #[error(
        "{} is the backup of another training, where {what} was {there}; here it is {here}. \
         Give the program back what it had, or remove the backup to start anew",
        file.display()
    )]
    OfAnother {
        /// The file.
        file: PathBuf,
        /// What differs, such as `batch_size`.
        what: String,
        /// What it was in the training that the backup is of.
        there: String,
        /// What it is in this one.
        here: String,
    },
    /// Another training, which is running, writes its backups to the same folder.
    #[error("{} holds the backups of another training that is running", folder.display())]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
}
