//! The arrays of a file of version 5 or later in order, compressed or not.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::Path;

use super::array::{Front, named};
use super::elements::{self, Elements, MATRIX, PACKED};
use crate::data::arrays::value::ArrayValue;
use crate::data::rows::ScratchFile;
use crate::error::{Error, Result};
use crate::files::Parsed;
use crate::files::budget::Budget;
use crate::files::input::{Input, failed};

/// The bytes of an array that hold its class, sizes and name.
const FRONT: u64 = 4096;

/// An array in a file.
pub(super) struct DataElement<'a> {
    input: &'a Input<'a>,
    kind: u32,
    /// Its name in messages.
    place: String,
    /// The byte after its tag, and its length.
    start: u64,
    len: u64,
    pub(super) big_endian: bool,
}

/// Calls `f` with the start of each array until it has enough.
pub(super) fn each(input: &Input, f: &mut dyn FnMut(Front, &DataElement) -> Result<bool>) -> Result<()> {
    let mut mark = [0; 2];
    input.read("its head", 126, &mut mark)?;
    let big_endian = mark == *b"MI";
    let mut at = 128;
    while at < input.len() {
        let place = format!("element at byte {at}");
        let mut tag = [0; 8];
        input.read(&place, at, &mut tag)?;
        let (kind, len) = elements::tag(tag, big_endian);
        let (start, len) = (at + 8, u64::from(len));
        input.part(&place, start, len)?;
        let element = DataElement { input, kind, place, start, len, big_endian };
        if matches!(kind, PACKED | MATRIX)
            && let Some(front) = element.front()?
            && !f(front, &element)?
        {
            return Ok(());
        }
        at = start + len;
        if kind != PACKED {
            at = at.next_multiple_of(8);
        }
    }
    Ok(())
}

impl DataElement<'_> {
    fn front(&self) -> Result<Option<Front>> {
        let bytes = self.bytes(FRONT)?;
        Front::read(&mut Elements::new(&bytes, self.big_endian)).map_err(|problem| self.damaged(problem))
    }

    /// The contents, by name.
    pub(super) fn values(&self) -> Result<Vec<(String, ArrayValue)>> {
        let bytes = self.bytes(u64::MAX)?;
        named(&bytes, self.big_endian).map_err(|problem| self.damaged(problem))
    }

    /// The bytes of the array, at most `most`.
    fn bytes(&self, most: u64) -> Result<Vec<u8>> {
        let budget = Budget::bytes(usize::MAX);
        if self.kind != PACKED {
            return self.input.take(&self.place, self.start, most.min(self.len), &budget);
        }
        // Deflate lengthens this few bytes by no more than this.
        let part = self.len.min(most.saturating_add(1 << 14));
        let packed = self.input.take(&self.place, self.start, part, &budget)?;
        let mut bytes = unpacked(&packed, most, self.big_endian).map_err(|problem| self.damaged(problem))?;
        self.check_inner(&bytes)?;
        bytes.drain(..8);
        Ok(bytes)
    }

    /// A file with the bytes of the array from a position on; a compressed one is decompressed first.
    pub(super) fn file(&self, scratch: Option<&Path>) -> Result<(File, u64)> {
        let fail = |error| failed(self.input.name(), &error);
        let mut file = File::open(self.input.name()).map_err(fail)?;
        if self.kind != PACKED {
            return Ok((file, self.start));
        }
        let to = ScratchFile::new(scratch)?;
        file.seek(SeekFrom::Start(self.start)).map_err(fail)?;
        let mut from = flate2::read::ZlibDecoder::new(file.take(self.len));
        let file = to.fill(&mut from, &|error| self.damaged(broken(error)))?;
        let mut tag = [0; 8];
        let within = Input::file(self.input.name(), file.try_clone().map_err(fail)?)?;
        within.read(&self.place, 0, &mut tag)?;
        self.check_inner(&tag)?;
        Ok((file, 8))
    }

    /// In a compressed element, the tag of the content comes first.
    fn check_inner(&self, bytes: &[u8]) -> Result<()> {
        let tag = bytes.first_chunk().ok_or_else(|| self.damaged("a packed element of nothing".into()))?;
        match elements::tag(*tag, self.big_endian) {
            (MATRIX, _) => Ok(()),
            (kind, _) => Err(self.damaged(format!("a packed element of type {kind}, expected an array"))),
        }
    }

    pub(super) fn damaged(&self, problem: String) -> Error {
        self.input.damaged(&*self.place, problem)
    }
}

fn broken(error: &std::io::Error) -> String {
    format!("decompression failed: {error}")
}

/// The content of a zlib stream, at most `most` bytes.
fn unpacked(packed: &[u8], most: u64, big_endian: bool) -> Parsed<Vec<u8>> {
    // The content states its length first. It is accepted if deflate can expand the bytes to it.
    let mut tag = [0; 8];
    let mut front = flate2::read::ZlibDecoder::new(packed);
    front.read_exact(&mut tag).map_err(|error| broken(&error))?;
    let stated = elements::tag(tag, big_endian).1 as usize + 8;
    let room = stated.min(packed.len().saturating_mul(1040)).min(most as usize);
    let mut bytes = Vec::with_capacity(room);
    let read = flate2::read::ZlibDecoder::new(packed).take(most).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| broken(&error))
}
