//! Reads the directory of an archive, and its members.

use std::io;

use rawzip::{ErrorKind, ReaderAt, ZipFileHeaderRecord, ZipLocator};

use super::super::budget::Budget;
use super::super::checksum;
use super::super::input::Input;
use super::{LOCAL, LONGEST};
use crate::error::{Error, Result};

/// The part of the directory held in memory; the name, extra fields and comment of a member must fit.
const BUFFER: usize = 1 << 16;
/// The end record before the longest possible comment.
const LONGEST_END: u64 = 22 + 65535;
const DIRECTORY: &str = "its directory";

/// An archive with a checked directory.
#[derive(Debug)]
pub(crate) struct Archive<'a> {
    input: &'a Input<'a>,
    members: Vec<Member>,
}

#[derive(Debug)]
struct Member {
    name: String,
    deflated: bool,
    crc: u32,
    /// The compressed and the decompressed size.
    packed: u64,
    size: u64,
    /// The offset of the local header.
    header: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory.
    pub(crate) fn open(input: &'a Input<'a>, budget: &Budget) -> Result<Self> {
        budget.take(BUFFER).map_err(|spent| input.spent(DIRECTORY, spent))?;
        let mut buffer = vec![0; BUFFER];
        let locator = ZipLocator::new().max_search_space(LONGEST_END);
        let zip = locator
            .locate_in_reader(input, &mut buffer, input.len())
            .map_err(|(_, error)| fault(input, "its end", error))?;
        if zip.end_offset() != input.len() {
            return Err(input.damaged("its end", "bytes after the zip archive"));
        }
        let mut members: Vec<Member> = Vec::new();
        let mut entries = zip.entries(&mut buffer);
        while let Some(entry) = entries.next_entry().map_err(|error| fault(input, DIRECTORY, error))? {
            let spent = budget.take(2 * size_of::<Member>());
            spent.map_err(|spent| input.spent(DIRECTORY, spent))?;
            members.push(Member::new(input, &entry, budget)?);
        }
        if members.len() as u64 != zip.entries_hint() {
            let problem = format!("{} members, expected {}", members.len(), zip.entries_hint());
            return Err(input.damaged(DIRECTORY, problem));
        }
        let start = zip.directory_offset();
        drop(buffer);
        budget.give(BUFFER);
        let mut names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(input.damaged(DIRECTORY, format!("two members are named {:?}", twice[0])));
        }
        let mut ranges: Vec<(u64, u64)> = members.iter().map(|m| (m.header, m.packed + 30)).collect();
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[0].0.saturating_add(pair[0].1) > pair[1].0)
            || ranges.last().is_some_and(|last| last.0.saturating_add(last.1) > start)
        {
            return Err(input.damaged(DIRECTORY, "members overlap"));
        }
        Ok(Archive { input, members })
    }

    /// The names of the members, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| &*member.name)
    }

    /// Reads a member by name, and verifies its checksum; `None` if there is no such member.
    pub(crate) fn member(&self, name: &str, budget: &Budget) -> Result<Option<Input<'a>>> {
        let Some(member) = self.members.iter().find(|member| member.name == name) else { return Ok(None) };
        let packed = self.packed(member)?;
        let content = if member.deflated { inflate(&packed, member, budget)? } else { packed };
        match content.checksum(name)? {
            found if checksum::fits(&found, &member.crc) => Ok(Some(content)),
            found => Err(self.unfit(member, found)),
        }
    }

    /// The offset and the length of a stored member; `None` if it is deflated or does not exist.
    #[cfg(feature = "npy")]
    pub(crate) fn stored(&self, name: &str) -> Result<Option<(u64, u64)>> {
        let member = self.members.iter().find(|member| member.name == name && !member.deflated);
        let Some(member) = member else { return Ok(None) };
        self.packed(member)?;
        Ok(Some((self.start(member)?, member.packed)))
    }

    /// Passes a member to `f` in pieces, and returns whether it exists. The pieces are verified only when this returns
    /// `Ok`.
    #[cfg(feature = "npy")]
    pub(crate) fn pieces(&self, name: &str, f: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let Some(member) = self.members.iter().find(|member| member.name == name) else { return Ok(false) };
        let packed = self.packed(member)?;
        let (mut hasher, mut left) = (crc32fast::Hasher::new(), member.size);
        let mut each = |piece: &[u8]| {
            let fail = || self.input.damaged(name, "it is longer than declared");
            left = left.checked_sub(piece.len() as u64).ok_or_else(fail)?;
            hasher.update(piece);
            f(piece)
        };
        super::inflate::pieces(&packed, name, &mut each)?;
        match hasher.finalize() {
            _ if left > 0 => Err(self.input.damaged(name, "it is shorter than declared")),
            found if checksum::fits(&found, &member.crc) => Ok(true),
            found => Err(self.unfit(member, found)),
        }
    }

    /// The bytes of a member as stored in the file.
    fn packed(&self, member: &Member) -> Result<Input<'a>> {
        let (input, name) = (self.input, &*member.name);
        let number = |at: u64, bytes| input.number(name, member.header + at, bytes);
        let same = number(0, 4)? == u64::from(LOCAL) && number(26, 2)? == member.name.len() as u64;
        let mut own = vec![0; member.name.len()];
        if same {
            input.read(name, member.header + 30, &mut own)?;
        }
        if own != member.name.as_bytes() || (number(8, 2)? == 8) != member.deflated || number(6, 2)? & 1 != 0
        {
            return Err(input.damaged(name, "its local header does not match the directory"));
        }
        input.part(name, self.start(member)?, member.packed)
    }

    /// The offset of the bytes of a member.
    fn start(&self, member: &Member) -> Result<u64> {
        let number = |at: u64| self.input.number(&member.name, member.header + at, 2);
        Ok(member.header + 30 + number(26)? + number(28)?)
    }

    fn unfit(&self, member: &Member, found: u32) -> Error {
        let problem = format!("expected the checksum {:08x}, found {found:08x}", member.crc);
        self.input.damaged(&*member.name, problem)
    }
}

impl Member {
    /// Checks an entry of the directory.
    fn new(input: &Input, entry: &ZipFileHeaderRecord, budget: &Budget) -> Result<Self> {
        let at = entry.central_directory_offset();
        let wrong = |problem: &str| Err(input.damaged(DIRECTORY, format!("at byte {at}: {problem}")));
        let path = entry.file_path();
        let name = path.as_bytes();
        if name.len() > LONGEST {
            return wrong(&format!("a name of more than {LONGEST} bytes"));
        }
        budget.take(name.len()).map_err(|spent| input.spent(DIRECTORY, spent))?;
        let Ok(name) = String::from_utf8(name.to_vec()) else {
            return wrong("a name that is not UTF-8");
        };
        let climbs = name.split(['/', '\\']).any(|part| part == "..");
        if climbs || name.starts_with(['/', '\\']) || name.contains(['\0', ':']) || name.is_empty() {
            return wrong(&format!("a member named {name:?}, which is outside of the archive"));
        }
        if entry.flags().is_encrypted() {
            return wrong(&format!("{name:?} is encrypted"));
        }
        if entry.mode().is_symlink() {
            return wrong(&format!("{name:?} is a link"));
        }
        let deflated = match entry.compression_method().as_u16() {
            0 => false,
            8 => true,
            method => {
                return wrong(&format!("{name:?} is compressed by method {method}; 0 and 8 are supported"));
            }
        };
        let (packed, size) = (entry.compressed_size_hint(), entry.uncompressed_size_hint());
        if !deflated && packed != size {
            return wrong(&format!("{name:?} is stored, but with two sizes"));
        }
        let header = entry.local_header_offset();
        if header.checked_add(packed).is_none_or(|end| end > input.len()) {
            return wrong(&format!("{name:?} exceeds the file"));
        }
        Ok(Member { name, deflated, crc: entry.crc32(), packed, size, header })
    }
}

impl ReaderAt for Input<'_> {
    fn read_at(&self, to: &mut [u8], start: u64) -> io::Result<usize> {
        let len = self.len().saturating_sub(start).min(to.len() as u64) as usize;
        self.read(DIRECTORY, start, &mut to[..len]).map_err(io::Error::other)?;
        Ok(len)
    }
}

/// An error of `rawzip`, or our own error inside it.
fn fault(input: &Input, place: &str, error: rawzip::Error) -> Error {
    match error.into_kind() {
        ErrorKind::IO(error) => error.downcast::<Error>().unwrap_or_else(|error| input.damaged(place, error)),
        kind => input.damaged(place, format!("not a zip archive, or a damaged one: {kind}")),
    }
}

/// Decompresses a member of a checked size, within the budget.
fn inflate<'a>(packed: &Input<'a>, member: &Member, budget: &Budget) -> Result<Input<'a>> {
    let name = &*member.name;
    // A deflate stream expands at most 1032-fold.
    if member.size / 1032 > member.packed {
        return Err(packed.damaged(name, "its declared size is impossible for its compressed size"));
    }
    let bytes = packed.take(name, 0, member.packed, budget)?;
    // The tables of the decompressor take about 11 kB.
    budget
        .take(member.size as usize + 12_000)
        .map_err(|spent| packed.damaged(name, format!("{spent}; store it without compression")))?;
    let mut unpacked = vec![0; member.size as usize];
    let count = miniz_oxide::inflate::decompress_slice_iter_to_slice(
        &mut unpacked,
        std::iter::once(&*bytes),
        false,
        true,
    );
    budget.give(bytes.len() + 12_000);
    match count {
        Ok(count) if count as u64 == member.size => Ok(Input::bytes(packed.name(), unpacked)),
        Ok(_) => Err(packed.damaged(name, "it is shorter than declared")),
        Err(problem) => Err(packed.damaged(name, format!("decompression failed: {problem:?}"))),
    }
}
