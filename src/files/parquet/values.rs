//! The values of a page, one after another, in each of the ways that they may lie in it.

use super::delta::Delta;
use super::runs::{Runs, bits};
use super::{Found, Item, Physical};

/// The distinct values of a column of a group.
#[derive(Debug, Default)]
pub(super) struct Dictionary {
    pub(super) bytes: Vec<u8>,
    /// Where each lies, of values of different lengths.
    spans: Vec<(u32, u32)>,
}

/// What is still to be read of a page.
#[derive(Debug)]
pub(super) enum Values {
    /// One after another, from this byte or, for `bool`, bit on.
    Plain(usize),
    Dictionary(Runs),
    Bools(Runs),
    Delta(Delta),
    Lengths {
        lengths: Delta,
        at: usize,
    },
    /// So many bytes of the value before, and these.
    Prefixes {
        prefixes: Delta,
        lengths: Delta,
        at: usize,
        value: Vec<u8>,
        left: usize,
    },
    /// The first bytes of all values, then the second bytes ...
    Split {
        at: usize,
        index: usize,
        value: Vec<u8>,
    },
}

const CUT: &str = "values that are cut off";

impl Dictionary {
    pub(super) fn new(bytes: Vec<u8>, count: u64, physical: Physical) -> Found<Self> {
        let mut spans = Vec::new();
        if physical == Physical::Bytes {
            if count > bytes.len() as u64 / 4 {
                return Err("a dictionary that is cut off".into());
            }
            let mut at = 0;
            for _ in 0..count {
                let value = plain_bytes(&bytes, &mut at)?.len();
                spans.push(((at - value) as u32, at as u32));
            }
        }
        Ok(Dictionary { bytes, spans })
    }

    /// How many bytes it takes.
    pub(super) fn size(&self) -> usize {
        self.bytes.len() + self.spans.len() * size_of::<(u32, u32)>()
    }

    fn item(&self, place: u32, physical: Physical) -> Found<Item<'_>> {
        let place = place as usize;
        let span = match physical.size() {
            Some(size) => place.checked_mul(size).and_then(|at| self.bytes.get(at..at.checked_add(size)?)),
            None => self.spans.get(place).map(|&(from, to)| &self.bytes[from as usize..to as usize]),
        };
        Ok(item(physical, span.ok_or_else(|| format!("value {place} of a dictionary that is shorter"))?))
    }
}

impl Values {
    /// The values of a page of this encoding that begin here; they are at most so many.
    pub(super) fn new(encoding: i64, physical: Physical, page: &[u8], at: usize, most: u64) -> Found<Self> {
        let whole = matches!(physical, Physical::I32 | Physical::I64);
        let bytes = matches!(physical, Physical::Bytes | Physical::Fixed(_));
        Ok(match encoding {
            0 if physical == Physical::Bool => Values::Plain(at * 8),
            0 => Values::Plain(at),
            2 | 8 => match page.get(at) {
                Some(&width) => Values::Dictionary(Runs::new(width.into(), at + 1, page.len())?),
                None => Values::Dictionary(Runs::default()),
            },
            3 if physical == Physical::Bool => {
                let mut at = at;
                let end = at + 4 + plain_len(page, &mut at)?;
                if end > page.len() {
                    return Err(CUT.into());
                }
                Values::Bools(Runs::new(1, at, end)?)
            }
            5 if whole => Values::Delta(Delta::new(page, at)?),
            6 if physical == Physical::Bytes => {
                let lengths = Delta::new(page, at)?;
                Values::Lengths { at: lengths.end(page, most)?, lengths }
            }
            7 if bytes => {
                let prefixes = Delta::new(page, at)?;
                let lengths = Delta::new(page, prefixes.end(page, most)?)?;
                let at = lengths.end(page, most)?;
                // What all values may be together: far more than files that mean well have.
                let left = page.len().saturating_mul(256).saturating_add(1 << 20);
                Values::Prefixes { prefixes, lengths, at, value: Vec::new(), left }
            }
            9 if physical.size().is_some() => Values::Split { at, index: 0, value: Vec::new() },
            encoding => return Err(format!("values of the unknown encoding {encoding}")),
        })
    }

    /// The next value.
    pub(super) fn next<'s>(
        &'s mut self,
        page: &'s [u8],
        physical: Physical,
        dictionary: Option<&'s Dictionary>,
    ) -> Found<Item<'s>> {
        match self {
            Values::Plain(bit) if physical == Physical::Bool => {
                let there = *bit < page.len() * 8;
                *bit += 1;
                if there { Ok(Item::Bool(bits(page, *bit - 1, 1) == 1)) } else { Err(CUT.into()) }
            }
            Values::Plain(at) => Ok(item(
                physical,
                match physical.size() {
                    None => plain_bytes(page, at)?,
                    Some(size) => {
                        let from = *at;
                        *at += size;
                        page.get(from..*at).ok_or(CUT)?
                    }
                },
            )),
            Values::Dictionary(runs) => {
                let place = runs.next(page)?;
                dictionary.ok_or("no dictionary before its values")?.item(place, physical)
            }
            Values::Bools(runs) => Ok(Item::Bool(runs.next(page)? == 1)),
            Values::Delta(delta) => match (delta.next(page)?, physical) {
                (value, Physical::I32) => Ok(Item::Int(i64::from(value as i32))),
                (value, _) => Ok(Item::Int(value)),
            },
            Values::Lengths { lengths, at } => {
                let len = size(lengths.next(page)?)?;
                Ok(Item::Bytes(stretch(page, at, len)?))
            }
            Values::Prefixes { prefixes, lengths, at, value, left } => {
                let (prefix, len) = (size(prefixes.next(page)?)?, size(lengths.next(page)?)?);
                if prefix > value.len() {
                    return Err("a value that repeats more than the one before has".into());
                }
                value.truncate(prefix);
                value.extend_from_slice(stretch(page, at, len)?);
                *left = left.checked_sub(value.len()).ok_or("values that unpack to too much")?;
                match physical.size() {
                    Some(size) if size != value.len() => Err("a value of another length".into()),
                    _ => Ok(Item::Bytes(value)),
                }
            }
            Values::Split { at, index, value } => {
                let size = physical.size().ok_or(CUT)?;
                let count = (page.len() - *at) / size;
                if *index >= count {
                    return Err(CUT.into());
                }
                value.clear();
                value.extend((0..size).map(|place| page[*at + place * count + *index]));
                *index += 1;
                Ok(item(physical, value))
            }
        }
    }
}

fn size(value: i64) -> Found<usize> {
    value.try_into().map_err(|_| format!("a length of {value}"))
}

fn plain_len(page: &[u8], at: &mut usize) -> Found<usize> {
    let len = page.get(*at..).and_then(|rest| rest.first_chunk()).ok_or(CUT)?;
    *at += 4;
    Ok(u32::from_le_bytes(*len) as usize)
}

fn plain_bytes<'p>(page: &'p [u8], at: &mut usize) -> Found<&'p [u8]> {
    let len = plain_len(page, at)?;
    stretch(page, at, len)
}

fn stretch<'p>(page: &'p [u8], at: &mut usize, len: usize) -> Found<&'p [u8]> {
    let bytes = at.checked_add(len).and_then(|end| page.get(*at..end)).ok_or(CUT)?;
    *at += len;
    Ok(bytes)
}

/// The value that these bytes are, which are as many as it has.
fn item(physical: Physical, bytes: &[u8]) -> Item<'_> {
    match (physical, bytes) {
        (Physical::I32, &[a, b, c, d]) => Item::Int(i64::from(i32::from_le_bytes([a, b, c, d]))),
        (Physical::F32, &[a, b, c, d]) => Item::Float(f64::from(f32::from_le_bytes([a, b, c, d]))),
        (Physical::I64, &[a, b, c, d, e, f, g, h]) => Item::Int(i64::from_le_bytes([a, b, c, d, e, f, g, h])),
        (Physical::F64, &[a, b, c, d, e, f, g, h]) => {
            Item::Float(f64::from_le_bytes([a, b, c, d, e, f, g, h]))
        }
        _ => Item::Bytes(bytes),
    }
}
