//! A sequence of elements in a MATLAB file.

use crate::files::Parsed;
use crate::files::array::Number;

/// The types of elements that are not plain numbers.
pub(super) const MATRIX: u32 = 14;
pub(super) const PACKED: u32 = 15;

const CUT: &str = "a truncated element";

/// The elements not read yet.
#[derive(Debug, Clone)]
pub(super) struct Elements<'a> {
    rest: &'a [u8],
    big_endian: bool,
}

/// The type and length in a tag.
pub(super) fn tag(bytes: [u8; 8], big_endian: bool) -> (u32, u32) {
    let word = |bytes| if big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) };
    let [a, b, c, d, e, f, g, h] = bytes;
    (word([a, b, c, d]), word([e, f, g, h]))
}

impl<'a> Elements<'a> {
    pub(super) fn new(rest: &'a [u8], big_endian: bool) -> Self {
        Elements { rest, big_endian }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The number of bytes not read yet.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    pub(super) fn big_endian(&self) -> bool {
        self.big_endian
    }

    /// The type and the bytes of the next element.
    pub(super) fn next(&mut self) -> Parsed<(u32, &'a [u8])> {
        let (front, rest) = self.rest.split_first_chunk::<4>().ok_or(CUT)?;
        let word = self.word(*front);
        // Up to four bytes may be stored in the tag itself, with their number in its upper half.
        if word >> 16 != 0 {
            let (data, rest) = rest.split_at_checked(4).ok_or(CUT)?;
            self.rest = rest;
            return Ok((word & 0xffff, data.get(..(word >> 16) as usize).ok_or(CUT)?));
        }
        let (len, rest) = rest.split_first_chunk::<4>().ok_or(CUT)?;
        let (data, rest) = rest.split_at_checked(self.word(*len) as usize).ok_or(CUT)?;
        let padding = if word == PACKED { 0 } else { data.len().wrapping_neg() % 8 };
        self.rest = rest.get(padding..).unwrap_or_default();
        Ok((word, data))
    }

    /// Integers of 32 bits.
    pub(super) fn words(&self, bytes: &[u8]) -> Vec<u32> {
        bytes.as_chunks().0.iter().map(|bytes| self.word(*bytes)).collect()
    }

    fn word(&self, bytes: [u8; 4]) -> u32 {
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// The number type of an element.
pub(super) fn number(kind: u32) -> Parsed<Number> {
    Ok(match kind {
        1 => Number::I8,
        2 => Number::U8,
        3 => Number::I16,
        4 => Number::U16,
        5 => Number::I32,
        6 => Number::U32,
        7 => Number::F32,
        9 => Number::F64,
        12 => Number::I64,
        13 => Number::U64,
        _ => return Err(format!("numbers of the unknown type {kind}")),
    })
}

/// The numbers of an element of any type.
pub(super) fn numbers(kind: u32, data: &[u8], big_endian: bool) -> Parsed<Vec<f64>> {
    let number = number(kind)?;
    let mut values = vec![0.0; data.len() / number.size()];
    number.read_ordered(data, big_endian, &mut values);
    Ok(values)
}
