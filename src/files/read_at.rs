//! Reads from a file at any place, through `&File`.

use std::fs::File;

/// Fills `to` from this place of the file.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, place: u64, to: &mut [u8]) -> std::io::Result<()> {
    std::os::unix::fs::FileExt::read_exact_at(file, to, place)
}

/// Fills `to` from this place of the file.
#[cfg(not(unix))]
pub(crate) fn read_at(mut file: &File, place: u64, to: &mut [u8]) -> std::io::Result<()> {
    use std::io::{Read, Seek, SeekFrom};
    file.seek(SeekFrom::Start(place))?;
    file.read_exact(to)
}
