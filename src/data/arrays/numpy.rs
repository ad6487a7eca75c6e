//! NumPy's `.npy` and `.npz` formats.

use std::fs::File;
use std::path::Path;

use super::plain::{Located, Plain};
use super::value::ArrayValue;
use crate::data::rows::ScratchFile;
use crate::error::Result;
use crate::files::budget::Budget;
use crate::files::input::{Input, failed};
use crate::files::npy;
use crate::files::zip::Archive;

/// Bounds the decompressed size of a member by what deflate can achieve.
fn budget(input: &Input) -> Budget {
    Budget::bytes(usize::try_from(input.len().saturating_mul(1040) + (1 << 20)).unwrap_or(usize::MAX))
}

/// Returns the names of the arrays in an archive.
pub(super) fn names(input: &Input) -> Result<Vec<String>> {
    let archive = Archive::open(input, &budget(input))?;
    Ok(archive.names().map(|name| name.strip_suffix(".npy").unwrap_or(name).to_string()).collect())
}

/// Reads an array of an archive.
pub(super) fn member(input: &Input, name: &str) -> Result<Option<ArrayValue>> {
    let budget = budget(input);
    let archive = Archive::open(input, &budget)?;
    let long = format!("{name}.npy");
    let content = match archive.member(&long, &budget)? {
        Some(content) => Some(content),
        None => archive.member(name, &budget)?,
    };
    let Some(content) = content else { return Ok(None) };
    Ok(Some(ArrayValue::Numbers(npy::header(&content, name)?.values(&content, name)?)))
}

/// Reads the array of the file, called `x`, or that of another file by its path.
pub(super) fn npy(input: &Input, name: &str) -> Result<Option<ArrayValue>> {
    let array = |input: &Input| npy::header(input, "its header")?.values(input, "its numbers");
    if name == "x" || name == input.name() {
        return Ok(Some(ArrayValue::Numbers(array(input)?)));
    }
    if !name.to_lowercase().ends_with(".npy") {
        return Ok(None);
    }
    Ok(Some(ArrayValue::Numbers(array(&Input::open(std::path::Path::new(name))?)?)))
}

/// Locates the array of the file, called `x`, or that of another file by its path.
pub(super) fn plain_npy(input: &Input, name: &str) -> Result<Option<Located>> {
    if name == "x" || name == input.name() {
        return plain(input, "its header", open(input)?, 0).map(Some);
    }
    if !name.to_lowercase().ends_with(".npy") {
        return Ok(None);
    }
    let input = Input::open(Path::new(name))?;
    plain(&input, "its header", open(&input)?, 0).map(Some)
}

/// Locates an array of an archive; a compressed one is decompressed first.
pub(super) fn plain_member(input: &Input, name: &str, scratch: Option<&Path>) -> Result<Option<Located>> {
    let archive = Archive::open(input, &budget(input))?;
    let long = format!("{name}.npy");
    for member in [&*long, name] {
        if let Some((start, len)) = archive.stored(member)? {
            return plain(&input.part(name, start, len)?, name, open(input)?, start).map(Some);
        }
        let mut to = None;
        let whole = archive.pieces(member, &mut |piece| {
            if to.is_none() {
                to = Some(ScratchFile::new(scratch)?);
            }
            to.as_mut().map_or(Ok(()), |to| to.bytes(piece))
        })?;
        if let Some(to) = to.filter(|_| whole) {
            let file = to.file()?;
            let own = file.try_clone().map_err(|error| failed(input.name(), &error))?;
            return plain(&Input::file(input.name(), own)?, name, file, 0).map(Some);
        }
    }
    Ok(None)
}

/// Locates the array with this header in a file, in which it starts at byte `start`.
fn plain(header: &Input, place: &str, file: File, start: u64) -> Result<Located> {
    let npy = npy::header(header, place)?;
    let (number, shape) = (npy.array.number, npy.array.shape);
    let (name, start) = (header.name().into(), start + npy.array.start);
    Ok(Ok(Plain { name, file, number, big_endian: npy.big_endian, start, shape, reversed: npy.in_columns }))
}

fn open(input: &Input) -> Result<File> {
    File::open(input.name()).map_err(|error| failed(input.name(), &error))
}
