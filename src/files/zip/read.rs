//! Reads an archive's directory, and its members.

use super::super::budget::Budget;
use super::super::checksum;
use super::super::input::Input;
use super::{BEYOND, CENTRAL, END, END_64, LOCAL, LOCATOR_64, SIZES_64};
use crate::error::{Error, Result};

/// The longest name of a member.
const LONGEST: u64 = 1024;
const DIRECTORY: &str = "its directory";

/// An archive whose directory is read and makes sense.
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
    /// As it lies in the file, and as it is.
    packed: u64,
    size: u64,
    /// Where its record begins.
    header: u64,
}

/// Where the directory is.
struct Directory {
    start: u64,
    len: u64,
    count: u64,
}

impl<'a> Archive<'a> {
    /// Reads the directory.
    pub(crate) fn open(input: &'a Input<'a>, budget: &Budget) -> Result<Self> {
        let directory = find(input)?;
        let mut members: Vec<Member> = Vec::new();
        let (mut at, end) = (directory.start, directory.start + directory.len);
        for _ in 0..directory.count {
            let spent = budget.take(2 * size_of::<Member>());
            spent.map_err(|spent| input.spent(DIRECTORY, spent))?;
            let (member, next) = read_member(input, at, end, budget)?;
            members.push(member);
            at = next;
        }
        if at != end {
            return Err(input.damaged(DIRECTORY, "its length is not that of its entries"));
        }
        let mut names: Vec<&str> = members.iter().map(|member| &*member.name).collect();
        names.sort_unstable();
        if let Some(twice) = names.windows(2).find(|pair| pair[0] == pair[1]) {
            return Err(input.damaged(DIRECTORY, format!("two members are called {:?}", twice[0])));
        }
        let mut ranges: Vec<(u64, u64)> = members.iter().map(|m| (m.header, m.packed + 30)).collect();
        ranges.sort_unstable();
        if ranges.windows(2).any(|pair| pair[0].0.saturating_add(pair[0].1) > pair[1].0)
            || ranges.last().is_some_and(|last| last.0.saturating_add(last.1) > directory.start)
        {
            return Err(input.damaged(DIRECTORY, "members overlap"));
        }
        Ok(Archive { input, members })
    }

    /// The members' names, in order.
    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.members.iter().map(|member| &*member.name)
    }

    /// A member by its name, whole by its checksum; none where there is none of that name.
    pub(crate) fn member(&self, name: &str, budget: &Budget) -> Result<Option<Input<'a>>> {
        let Some(member) = self.members.iter().find(|member| member.name == name) else { return Ok(None) };
        let packed = self.packed(member)?;
        let content = if member.deflated { inflate(&packed, member, budget)? } else { packed };
        match content.checksum(name)? {
            found if checksum::fits(&found, &member.crc) => Ok(Some(content)),
            found => Err(self.unfit(member, found)),
        }
    }

    /// Where the bytes of a stored member are, and how many; none of one that is deflated, or not there.
    #[cfg(feature = "npy")]
    pub(crate) fn stored(&self, name: &str) -> Result<Option<(u64, u64)>> {
        let member = self.members.iter().find(|member| member.name == name && !member.deflated);
        let Some(member) = member else { return Ok(None) };
        self.packed(member)?;
        Ok(Some((self.start(member)?, member.packed)))
    }

    /// Hands on a member piece by piece, and tells whether there is one of that name; what was handed on is whole only
    /// where this ends well.
    #[cfg(feature = "npy")]
    pub(crate) fn pieces(&self, name: &str, f: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<bool> {
        let Some(member) = self.members.iter().find(|member| member.name == name) else { return Ok(false) };
        let packed = self.packed(member)?;
        let (mut hasher, mut left) = (crc32fast::Hasher::new(), member.size);
        let mut each = |piece: &[u8]| {
            let fail = || self.input.damaged(name, "it is longer than told");
            left = left.checked_sub(piece.len() as u64).ok_or_else(fail)?;
            hasher.update(piece);
            f(piece)
        };
        super::inflate::pieces(&packed, name, &mut each)?;
        match hasher.finalize() {
            _ if left > 0 => Err(self.input.damaged(name, "it is shorter than told")),
            found if checksum::fits(&found, &member.crc) => Ok(true),
            found => Err(self.unfit(member, found)),
        }
    }

    /// The bytes of a member as they lie in the file.
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
            return Err(input.damaged(name, "its record is not that of the directory"));
        }
        input.part(name, self.start(member)?, member.packed)
    }

    /// Where the bytes of a member begin.
    fn start(&self, member: &Member) -> Result<u64> {
        let number = |at: u64| self.input.number(&member.name, member.header + at, 2);
        Ok(member.header + 30 + number(26)? + number(28)?)
    }

    fn unfit(&self, member: &Member, found: u32) -> Error {
        let problem = format!("its checksum is {found:08x}, where {:08x} is told", member.crc);
        self.input.damaged(&*member.name, problem)
    }
}

/// Finds the end record, and by it the directory.
fn find(input: &Input) -> Result<Directory> {
    let cut = || input.damaged("its end", "no zip archive, or one that is cut off");
    let tail = input.len().min(22 + 65535);
    // From the back, in pieces that overlap by a record.
    let mut end = None;
    let mut piece = vec![0; 4096 + 22];
    let mut to = input.len();
    while end.is_none() && to > input.len() - tail {
        let from = to.saturating_sub(piece.len() as u64).max(input.len() - tail);
        let bytes = &mut piece[..(to - from) as usize];
        input.read("its end", from, bytes)?;
        // The comment must reach exactly to the end of the file.
        let fits = |place: &usize| {
            let comment = u16::from_le_bytes([bytes[place + 20], bytes[place + 21]]);
            bytes[*place..].starts_with(&END.to_le_bytes())
                && from + *place as u64 + 22 + u64::from(comment) == input.len()
        };
        end = (0..bytes.len().saturating_sub(21)).rev().find(fits).map(|place| from + place as u64);
        to = if from == input.len() - tail { from } else { from + 21 };
    }
    let end = end.ok_or_else(cut)?;
    let number = |at: u64, bytes| input.number("its end", end + at, bytes);
    let (disk, first, here, count) = (number(4, 2)?, number(6, 2)?, number(8, 2)?, number(10, 2)?);
    let (mut directory, mut last) = (Directory { start: number(16, 4)?, len: number(12, 4)?, count }, end);
    if disk != 0 || first != 0 || here != count {
        return Err(input.damaged("its end", "an archive of several files"));
    }
    if directory.start == BEYOND || directory.len == BEYOND || count == 0xffff {
        let locator = end.checked_sub(20).ok_or_else(cut)?;
        let number = |at: u64, bytes| input.number("its end", at, bytes);
        if number(locator, 4)? != u64::from(LOCATOR_64) {
            return Err(cut());
        }
        last = number(locator + 8, 8)?;
        if last.checked_add(56).is_none_or(|end| end > locator) || number(last, 4)? != u64::from(END_64) {
            return Err(input.damaged("its end", "the record of sizes beyond 4 GiB is not where it is told"));
        }
        directory = Directory {
            start: number(last + 48, 8)?,
            len: number(last + 40, 8)?,
            count: number(last + 32, 8)?,
        };
    }
    match directory.start.checked_add(directory.len) {
        Some(end) if end == last && directory.count <= directory.len / 46 => Ok(directory),
        _ => Err(input.damaged("its end", "the directory is not where it is told")),
    }
}

/// Reads one entry of the directory, and where the next one begins.
fn read_member(input: &Input, at: u64, end: u64, budget: &Budget) -> Result<(Member, u64)> {
    let wrong = |problem: &str| Err(input.damaged(DIRECTORY, format!("at byte {at}: {problem}")));
    if at.checked_add(46).is_none_or(|least| least > end) {
        return wrong("it is cut off");
    }
    let mut fixed = [0; 46];
    input.read(DIRECTORY, at, &mut fixed)?;
    let two = |place: usize| u64::from(u16::from_le_bytes([fixed[place], fixed[place + 1]]));
    let four = |place: usize| two(place) | two(place + 2) << 16;
    let (name_len, extra_len, comment_len) = (two(28), two(30), two(32));
    let next = at + 46 + name_len + extra_len + comment_len;
    if four(0) != u64::from(CENTRAL) || next > end {
        return wrong("no entry of a directory");
    }
    if name_len > LONGEST {
        return wrong("a name of more than 1024 bytes");
    }
    let Ok(name) = String::from_utf8(input.take(DIRECTORY, at + 46, name_len, budget)?) else {
        return wrong("a name that is not UTF-8");
    };
    let climbs = name.split(['/', '\\']).any(|part| part == "..");
    if climbs || name.starts_with(['/', '\\']) || name.contains(['\0', ':']) || name.is_empty() {
        return wrong(&format!("a member called {name:?}, which leads out of the archive"));
    }
    if two(8) & 1 != 0 {
        return wrong(&format!("{name:?} is encrypted"));
    }
    if fixed[5] == 3 && four(38) >> 28 == 0xa {
        return wrong(&format!("{name:?} is a link"));
    }
    let deflated = match two(10) {
        0 => false,
        8 => true,
        method => return wrong(&format!("{name:?} is packed by method {method}; 0 and 8 can be read")),
    };
    let (mut size, mut packed, mut header) = (four(24), four(20), four(42));
    let mut field = at + 46 + name_len;
    let extra_end = field + extra_len;
    while field + 4 <= extra_end && [size, packed, header].contains(&BEYOND) {
        let (id, len) = (input.number(DIRECTORY, field, 2)?, input.number(DIRECTORY, field + 2, 2)?);
        if id == u64::from(SIZES_64) {
            let mut place = field + 4;
            for value in [&mut size, &mut packed, &mut header] {
                if *value == BEYOND && place + 8 <= (field + 4 + len).min(extra_end) {
                    *value = input.number(DIRECTORY, place, 8)?;
                    place += 8;
                }
            }
            break;
        }
        field += 4 + len;
    }
    if !deflated && packed != size {
        return wrong(&format!("{name:?} is stored, but of two sizes"));
    }
    if header.checked_add(packed).is_none_or(|end| end > input.len()) {
        return wrong(&format!("{name:?} leaves the file"));
    }
    let crc = four(16) as u32;
    Ok((Member { name, deflated, crc, packed, size, header }, next))
}

/// Unpacks a member, of the size that is told and within the budget.
fn inflate<'a>(packed: &Input<'a>, member: &Member, budget: &Budget) -> Result<Input<'a>> {
    let name = &*member.name;
    // More than 1032 to one is no deflate stream.
    if member.size / 1032 > member.packed {
        return Err(packed.damaged(name, "its size is more than its bytes can unpack to"));
    }
    let bytes = packed.take(name, 0, member.packed, budget)?;
    // The unpacker's own tables take some 11 kB.
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
        Ok(_) => Err(packed.damaged(name, "it is shorter than told")),
        Err(problem) => Err(packed.damaged(name, format!("it cannot be unpacked: {problem:?}"))),
    }
}
