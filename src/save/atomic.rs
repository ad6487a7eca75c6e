//! Files that are whole or not there: written beside, synced, renamed.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Error, ErrorKind, Result};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use crate::error::FileError;

/// Writes a file by way of `write`. A crash leaves the old file or the new one, whole.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    replace_by(path, write, &File::sync_all)
}

/// [`replace`] through a buffer, whose error names the file.
pub(crate) fn save(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result<()>,
) -> crate::error::Result<()> {
    let written = replace(path, |file| {
        let mut to = io::BufWriter::new(file);
        write(&mut to)?;
        io::Write::flush(&mut to)
    });
    written.map_err(|error| {
        let (path, message) = (path.display().to_string(), error.to_string());
        FileError::Io { path, kind: error.kind(), message }.into()
    })
}

/// [`replace`], where `sync` makes a file, or the names in a folder, outlast a loss of power.
fn replace_by(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<()>,
    sync: &dyn Fn(&File) -> Result<()>,
) -> Result<()> {
    let (beside, mut file) = create(path)?;
    let written = (|| {
        write(&mut file)?;
        sync(&file)?;
        drop(file);
        fs::rename(&beside, path)
    })();
    if written.is_err() {
        let _ = fs::remove_file(&beside);
        return written;
    }
    // The new name outlasts a loss of power once the folder is synced too, which not every system can do.
    let _ = File::open(folder(path)).and_then(|folder| sync(&folder));
    Ok(())
}

/// How many files this process has written.
static WRITTEN: AtomicU64 = AtomicU64::new(0);

/// Removes what processes that were killed while they wrote this file have left beside it. For a file that no other
/// process writes.
pub(super) fn sweep(path: &Path) -> Result<()> {
    let start = start(path)?;
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let (name, start) = (name.as_encoded_bytes(), start.as_encoded_bytes());
        if name.starts_with(start) && name.ends_with(END.as_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// How the names of half-written files end.
const END: &str = ".tmp";

/// How they start: `.backup.cornu.`.
fn start(path: &Path) -> Result<OsString> {
    let name = path.file_name().ok_or_else(|| Error::other("the path names no file"))?;
    let mut start = OsString::from(".");
    start.push(name);
    start.push(".");
    Ok(start)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// A new file in the same folder, under a name that nobody else uses.
fn create(path: &Path) -> Result<(PathBuf, File)> {
    loop {
        let mut name = start(path)?;
        let number = WRITTEN.fetch_add(1, Ordering::Relaxed);
        name.push(format!("{}-{number}{END}", std::process::id()));
        let beside = path.with_file_name(name);
        match File::create_new(&beside) {
            // Left by a process of the same number that was killed.
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            file => return Ok((beside, file?)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;

    use super::*;

    /// What is in the file, and how many are in its folder, whenever something is synced.
    fn seen(name: &str, works: bool) -> (Vec<(String, usize)>, bool, String, usize) {
        let folder = std::env::temp_dir().join(format!("cornu-atomic-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("file");
        fs::write(&path, "old").unwrap();
        let now = || (fs::read_to_string(&path).unwrap(), fs::read_dir(&folder).unwrap().count());
        let synced = RefCell::new(Vec::new());
        let written = replace_by(&path, |file| file.write_all(b"new, and longer"), &|file| {
            let length = file.metadata()?.is_file().then(|| file.metadata().map_or(0, |about| about.len()));
            assert!(length.is_none_or(|length| length == 15), "synced when {length:?} bytes were written");
            synced.borrow_mut().push(now());
            if works { Ok(()) } else { Err(Error::other("no power")) }
        });
        let (text, count) = now();
        fs::remove_dir_all(&folder).unwrap();
        (synced.into_inner(), written.is_ok(), text, count)
    }

    #[test]
    fn a_file_is_synced_before_its_name_and_the_name_after() {
        let (synced, is_written, text, count) = seen("works", true);
        assert_eq!(synced, [("old".to_string(), 2), ("new, and longer".to_string(), 1)]);
        assert_eq!((is_written, &*text, count), (true, "new, and longer", 1));
    }

    #[test]
    fn a_file_that_cannot_be_synced_leaves_the_old_one() {
        let (synced, is_written, text, count) = seen("fails", false);
        assert_eq!(synced, [("old".to_string(), 2)]);
        assert_eq!((is_written, &*text, count), (false, "old", 1));
    }
}
