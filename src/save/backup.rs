//! The file of a backup: `magic · version · state · length of the state · checksum`, little-endian.
//!
//! It has its own layout because a backup lives only between a kill and a restart and is read by the program that
//! wrote it. It holds counters and text beside arrays, which a tensor format would keep as JSON in its header, and
//! `BackupAndRestore` thus needs no feature. The checksum protects against corruption and truncation, not against
//! malice.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use super::atomic;
use crate::error::{BackupFault, Result};
use crate::files::checksum;
use crate::hash::{FNV_OFFSET, fnv1a};
use crate::state::State;

/// No text file, and no file after a conversion of line endings, starts with these bytes.
const MAGIC: [u8; 8] = *b"\x89cornu\r\n";
/// The version of the layout and of its meaning. Raise it when a state gains, loses or reorders an item, since items
/// are read in the order in which they were written.
const VERSION: u32 = 3;
const HEAD: usize = MAGIC.len() + 4;
const TAIL: usize = 16;

/// Writes the state to this file atomically.
///
/// # Errors
/// [`BackupFault::Io`] if the system refuses.
pub(crate) fn write(path: &Path, state: &State) -> Result<()> {
    let bytes = state.bytes();
    let head = [&MAGIC[..], &VERSION.to_le_bytes()].concat();
    let length = (bytes.len() as u64).to_le_bytes();
    let sum = fnv1a(fnv1a(fnv1a(FNV_OFFSET, &head), bytes), &length).to_le_bytes();
    let written = atomic::replace(path, |file| {
        file.write_all(&head)?;
        file.write_all(bytes)?;
        file.write_all(&[length, sum].concat())
    });
    written.map_err(|error| failed(path, error))
}

/// Reads the state from this file; none if there is no such file.
///
/// # Errors
/// [`BackupFault::Io`], [`BackupFault::Version`], or [`BackupFault::Damaged`] for a file that is not a complete backup.
pub(crate) fn read(path: &Path) -> Result<Option<State>> {
    let mut file = match File::open(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| failed(path, error))?,
    };
    let damaged = |place: &str, expected: String, found: String| BackupFault::Damaged {
        file: path.into(),
        place: place.into(),
        expected,
        found,
    };
    // Check the header first, so that nothing is allocated for a file that only has the name of a backup.
    let mut bytes = Vec::new();
    let take = |file: &mut File, bytes: &mut Vec<u8>, most: u64| {
        file.take(most).read_to_end(bytes).map_err(|error| failed(path, error))
    };
    take(&mut file, &mut bytes, HEAD as u64)?;
    if bytes.get(..8) != Some(&MAGIC) || bytes.len() < HEAD {
        let found = format!("a file that begins with {:?}", String::from_utf8_lossy(&bytes));
        return Err(damaged("its head", "a backup of cornu".into(), found).into());
    }
    let size = file.metadata().map_err(|error| failed(path, error))?.len();
    take(&mut file, &mut bytes, size.saturating_sub(HEAD as u64))?;
    let Some(end) = bytes.len().checked_sub(TAIL).filter(|end| *end >= HEAD) else {
        return Err(damaged("its end", "a length and a sum".into(), format!("{} bytes", bytes.len())).into());
    };
    let number = |at: usize| bytes[at..at + 8].iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte));
    let (length, found) = (number(end), (end - HEAD) as u64);
    if length != found {
        return Err(damaged("its end", format!("a state of {length} bytes"), format!("{found}")).into());
    }
    let (expected, found) = (number(end + 8), fnv1a(FNV_OFFSET, &bytes[..end + 8]));
    if !checksum::fits(&found, &expected) {
        return Err(damaged("its end", format!("the sum {expected:016x}"), format!("{found:016x}")).into());
    }
    // Read the version only from an intact file; a damaged one may state any.
    let version = u32::from_le_bytes([bytes[8], bytes[9], bytes[10], bytes[11]]);
    if version != VERSION {
        return Err(BackupFault::Version { file: path.into(), expected: VERSION, found: version }.into());
    }
    bytes.truncate(end);
    bytes.drain(..HEAD);
    Ok(Some(State::reading(path, bytes)))
}

/// Creates the folder of this file, locks it while the returned file is open, and removes partial files of killed
/// processes.
///
/// # Errors
/// [`BackupFault::Io`], [`BackupFault::InUse`].
pub(crate) fn enter(path: &Path) -> Result<File> {
    let folder = path.parent().unwrap_or(Path::new(""));
    fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let lock = path.with_extension(LOCK);
    // Reopen the lock read-only, so that it does not keep a file system from being remounted read-only.
    let lock = File::create(&lock).and_then(|_| File::open(&lock)).map_err(|error| failed(&lock, error))?;
    // The system releases the lock when the process dies. If it has no locks, nobody is kept out.
    // A process that another thread is starting holds a copy of the last training's lock until it runs its own program.
    let mut attempts = (0..ATTEMPTS).map(|attempt| {
        std::thread::sleep(PAUSE * attempt.min(1));
        lock.try_lock()
    });
    if attempts.all(|locked| matches!(locked, Err(TryLockError::WouldBlock))) {
        return Err(BackupFault::InUse { folder: folder.into() }.into());
    }
    atomic::sweep(path).map_err(|error| failed(folder, error))?;
    Ok(lock)
}

/// Removes the backup, and the folder if it is then empty.
///
/// # Errors
/// [`BackupFault::Io`] if the system refuses.
pub(crate) fn remove(path: &Path) -> Result<()> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(path, error)),
        _ => {}
    }
    let _ = fs::remove_file(path.with_extension(LOCK));
    let _ = fs::remove_dir(path.parent().unwrap_or(Path::new("")));
    Ok(())
}

const LOCK: &str = "lock";

/// How often a lock is tried, and the time between attempts.
const ATTEMPTS: u32 = 20;
const PAUSE: Duration = Duration::from_millis(10);

/// An error of the system, with its file.
pub(crate) fn failed(path: &Path, error: io::Error) -> crate::Error {
    BackupFault::Io { file: path.into(), source: Arc::new(error) }.into()
}
