//! Atomic replacement of files.
//!
//! The crate `tempfile` creates the temporary file, removes it after a failure, and renames it. Added here: the
//! permissions of a regular file, both syncs, and the removal of files that killed processes left behind.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Error, Result};
use std::path::Path;

use tempfile::Builder;

use crate::error::FileError;

/// Writes a file with `write`. After a crash, `path` holds the old content or the new content, complete.
pub(crate) fn replace(path: &Path, write: impl FnOnce(&mut File) -> Result<()>) -> Result<()> {
    replace_with(path, write, &File::sync_all)
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

/// [`replace`] with `sync` in place of [`File::sync_all`], for files and folders.
fn replace_with(
    path: &Path,
    write: impl FnOnce(&mut File) -> Result<()>,
    sync: &dyn Fn(&File) -> Result<()>,
) -> Result<()> {
    let prefix = prefix(path)?;
    let mut builder = Builder::new();
    builder.prefix(&prefix).suffix(SUFFIX);
    // Opened here, the file has the permissions of any other new file, and an error does not hold its random name.
    let open = |path: &Path| File::options().write(true).create_new(true).open(path);
    let mut file = builder.make_in(folder(path), open)?;
    write(file.as_file_mut())?;
    sync(file.as_file())?;
    file.persist(path)?;
    // The rename survives a loss of power once the folder is synced, which some systems cannot do.
    let _ = File::open(folder(path)).and_then(|folder| sync(&folder));
    Ok(())
}

/// Removes the temporary files of this path that killed processes left behind. Only for a path that no other process
/// writes.
pub(super) fn sweep(path: &Path) -> Result<()> {
    let prefix = prefix(path)?;
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        let name = entry.file_name();
        let (name, prefix) = (name.as_encoded_bytes(), prefix.as_encoded_bytes());
        if name.starts_with(prefix) && name.ends_with(SUFFIX.as_bytes()) {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// The suffix of a temporary file.
const SUFFIX: &str = ".tmp";

/// The prefix of a temporary file, such as `.backup.cornu.`.
fn prefix(path: &Path) -> Result<OsString> {
    let name = path.file_name().ok_or_else(|| Error::other("the path has no file name"))?;
    let mut prefix = OsString::from(".");
    prefix.push(name);
    prefix.push(".");
    Ok(prefix)
}

fn folder(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::io::Write;

    use super::*;

    /// Returns the content of the file and the number of files in its folder at each sync.
    fn seen(name: &str, works: bool) -> (Vec<(String, usize)>, bool, String, usize) {
        let folder = std::env::temp_dir().join(format!("cornu-atomic-{}-{name}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let path = folder.join("file");
        fs::write(&path, "old").unwrap();
        let now = || (fs::read_to_string(&path).unwrap(), fs::read_dir(&folder).unwrap().count());
        let synced = RefCell::new(Vec::new());
        let written = replace_with(&path, |file| file.write_all(b"new, and longer"), &|file| {
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
    fn a_file_is_synced_before_the_rename_and_its_folder_after() {
        let (synced, is_written, text, count) = seen("works", true);
        assert_eq!(synced, [("old".to_string(), 2), ("new, and longer".to_string(), 1)]);
        assert_eq!((is_written, &*text, count), (true, "new, and longer", 1));
    }

    #[test]
    fn a_failed_sync_keeps_the_old_file() {
        let (synced, is_written, text, count) = seen("fails", false);
        assert_eq!(synced, [("old".to_string(), 2)]);
        assert_eq!((is_written, &*text, count), (false, "old", 1));
    }

    #[test]
    fn new_files_have_default_permissions_and_leftovers_are_removed() {
        let folder = tempfile::tempdir().unwrap();
        let (path, plain) = (folder.path().join("file"), folder.path().join("plain"));
        fs::write(folder.path().join(".file.killed.tmp"), "half").unwrap();
        fs::write(&plain, "").unwrap();
        replace(&path, |file| file.write_all(b"new")).unwrap();
        let permissions = |path: &Path| fs::metadata(path).unwrap().permissions();
        assert_eq!(permissions(&path), permissions(&plain));
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 3);
        sweep(&path).unwrap();
        assert_eq!(fs::read_dir(&folder).unwrap().count(), 2);
    }
}
