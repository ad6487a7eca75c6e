//! A page: its head, and its bytes, unpacked.

use super::Found;
use super::footer::Chunk;
use super::thrift::{Field, STRUCT, TRUE, Thrift};
use super::unpack::Codec;
use crate::error::Result;
use crate::files::budget::Budget;
use crate::files::checksum;
use crate::files::input::Input;

/// The longest head; what a page's least and largest value are may stand in it.
const LONGEST: u64 = 1 << 20;

/// What a page's head tells.
#[derive(Debug, Default)]
pub(super) struct Head {
    pub(super) kind: i64,
    size: u64,
    packed: u64,
    crc: Option<u32>,
    pub(super) count: u64,
    pub(super) encoding: i64,
    /// Of pages whose levels are packed as the rest is: how these are written.
    pub(super) levels: i64,
    /// Of those whose levels stand by themselves in front: how many bytes of each kind, and whether the rest is packed.
    pub(super) apart: Option<(u64, u64)>,
    plain: bool,
}

pub(super) const DATA: i64 = 0;
pub(super) const DICTIONARY: i64 = 2;
pub(super) const DATA_2: i64 = 3;

/// The head of the page that begins here, and where its bytes begin.
pub(super) fn head(input: &Input, place: &str, at: u64, chunk: &Chunk) -> Result<(Head, u64)> {
    let left = (chunk.start + chunk.len).saturating_sub(at);
    let mut window = 1 << 12;
    loop {
        let len = left.min(window);
        let mut bytes = vec![0; len as usize];
        input.read(place, at, &mut bytes)?;
        let mut from = Thrift::new(&bytes);
        match read(&mut from) {
            Ok(head) => return Ok((head, at + len - from.left() as u64)),
            Err(_) if len < left && window < LONGEST => window *= 16,
            Err(problem) => return Err(input.damaged(place, format!("a page at byte {at}: {problem}"))),
        }
    }
}

fn read(from: &mut Thrift) -> Found<Head> {
    let mut head = Head { kind: -1, ..Head::default() };
    from.fields(&mut |from, Field { id, kind }| {
        match id {
            1 => head.kind = from.int(kind)?,
            2 => head.size = from.size(kind)?,
            3 => head.packed = from.size(kind)?,
            4 => head.crc = Some(from.int(kind)? as u32),
            5 | 7 if kind == STRUCT => from.fields(&mut |from, field| {
                match field.id {
                    1 => head.count = from.size(field.kind)?,
                    2 => head.encoding = from.int(field.kind)?,
                    3 if id == 5 => head.levels = from.int(field.kind)?,
                    _ => return Ok(false),
                }
                Ok(true)
            })?,
            8 if kind == STRUCT => {
                let mut apart = (0, 0);
                from.fields(&mut |from, Field { id, kind }| {
                    match id {
                        1 => head.count = from.size(kind)?,
                        4 => head.encoding = from.int(kind)?,
                        5 => apart.1 = from.size(kind)?,
                        6 => apart.0 = from.size(kind)?,
                        7 => head.plain = kind != TRUE,
                        _ => return Ok(false),
                    }
                    Ok(true)
                })?;
                head.apart = Some(apart);
            }
            _ => return Ok(false),
        }
        Ok(true)
    })?;
    Ok(head)
}

impl Head {
    /// Where the next page begins.
    pub(super) fn end(&self, start: u64) -> u64 {
        start.saturating_add(self.packed)
    }

    /// How many bytes stand in front of the packed ones.
    fn front(&self) -> u64 {
        self.apart.map_or(0, |(repetitions, levels)| repetitions.saturating_add(levels))
    }

    /// The bytes of the page, unpacked, taken from the budget.
    pub(super) fn bytes(
        &self,
        input: &Input,
        place: &str,
        start: u64,
        chunk: &Chunk,
        budget: &Budget,
    ) -> Result<Vec<u8>> {
        let fail = |problem: &str| input.damaged(place, format!("a page before byte {start}: {problem}"));
        if self.end(start) > chunk.start + chunk.len {
            return Err(fail("it leaves its column"));
        }
        let front = self.front();
        let Some(rest) = self.size.checked_sub(front).filter(|_| front <= self.packed) else {
            return Err(fail("its levels are longer than itself"));
        };
        let packed = input.take(place, start, self.packed, budget)?;
        if self.crc.is_some_and(|told| !checksum::fits(&crc32fast::hash(&packed), &told)) {
            return Err(fail("its checksum is not the one that is told"));
        }
        let (codec, plain) = (chunk.codec, self.plain || chunk.codec == Codec::None);
        if plain {
            return if self.size == self.packed { Ok(packed) } else { Err(fail("stored, but of two sizes")) };
        }
        if self.size > Codec::most(packed.len()) as u64 {
            return Err(fail("its size is more than its bytes can unpack to"));
        }
        budget.take(self.size as usize).map_err(|spent| input.spent(place, spent))?;
        let mut bytes = packed[..front as usize].to_vec();
        if rest > 0 {
            let unpacked = codec.unpack(&packed[front as usize..], rest as usize, &mut bytes);
            unpacked.map_err(|problem| fail(&problem))?;
        }
        budget.give(packed.len());
        Ok(bytes)
    }
}
