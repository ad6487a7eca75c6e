//! Files that may be compressed with gzip, detected by the first two bytes.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::input::{failed, open};
use crate::error::Result;

/// Whether the file is compressed; rewinds the file.
pub(crate) fn is_packed(file: &mut File, path: &Path) -> Result<bool> {
    let mut read = || {
        let mut front = Vec::new();
        Read::by_ref(file).take(2).read_to_end(&mut front)?;
        file.seek(SeekFrom::Start(0))?;
        Ok(front == [0x1f, 0x8b])
    };
    read().map_err(|error| failed(&path.display().to_string(), &error))
}

/// The decompressed bytes of the file.
pub(crate) fn unpacked(path: &Path) -> Result<Box<dyn Read>> {
    let mut file = open(path)?;
    Ok(match is_packed(&mut file, path)? {
        true => Box::new(flate2::read::MultiGzDecoder::new(file)),
        false => Box::new(file),
    })
}
