//! Files that are whole or not there: written beside, synced, renamed.

use std::fs::{self, File};
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

/// Writes a file by way of `write`. A crash leaves the old file or the new one, whole.
pub(super) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    let beside = beside(path)?;
    let written = (|| {
        let mut file = File::create(&beside)?;
        write(&mut file)?;
        file.sync_all()?;
        drop(file);
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    // The new name lasts once the folder is synced too, where the system can do that.
    if let Some(folder) = path.parent() {
        let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
        File::open(folder).and_then(|folder| folder.sync_all()).or_else(|error| match cfg!(unix) {
            true => Err(error),
            false => Ok(()),
        })?;
    }
    Ok(())
}

/// A name in the same folder that no other process uses.
fn beside(path: &Path) -> Result<PathBuf> {
    let name = path.file_name().ok_or_else(|| Error::other("the path names no file"))?;
    let mut beside = std::ffi::OsString::from(".");
    beside.push(name);
    beside.push(format!(".{}.tmp", std::process::id()));
    Ok(path.with_file_name(beside))
}
