//! Positioned reads from a file that several threads share.

use std::fs::File;
use std::io::Result;

/// Fills `to` from this offset of the file on.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, place: u64, to: &mut [u8]) -> Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, to, place)
}

/// Fills `to` from this offset of the file on.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, mut place: u64, mut to: &mut [u8]) -> Result<()> {
    use std::io::ErrorKind;
    while !to.is_empty() {
        match std::os::windows::fs::FileExt::seek_read(file, to, place) {
            Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
            Ok(read) => (place, to) = (place + read as u64, &mut to[read..]),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

/// Fills `to` from this offset of the file on. Threads take turns, because they share the cursor of the file.
#[cfg(not(any(unix, windows)))]
pub(crate) fn read_at(mut file: &File, place: u64, to: &mut [u8]) -> Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    static CURSOR: std::sync::Mutex<()> = std::sync::Mutex::new(());
    let _turn = CURSOR.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(to)
}
