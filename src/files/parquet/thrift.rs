//! Thrift's compact protocol, in which Parquet describes its layout.
//!
//! # References
//! <https://github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md>

use crate::files::Parsed;

/// The maximum nesting depth.
const DEEPEST: usize = 32;

pub(super) const TRUE: u8 = 1;
const FALSE: u8 = 2;
const BYTE: u8 = 3;
const I16: u8 = 4;
const I32: u8 = 5;
const I64: u8 = 6;
const DOUBLE: u8 = 7;
const BINARY: u8 = 8;
const LIST: u8 = 9;
const SET: u8 = 10;
const MAP: u8 = 11;
pub(super) const STRUCT: u8 = 12;

/// The unread bytes.
#[derive(Debug, Clone)]
pub(super) struct Thrift<'a> {
    rest: &'a [u8],
}

/// A field of a struct: its number, and the type of its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Field {
    pub(super) id: i16,
    pub(super) kind: u8,
}

impl<'a> Thrift<'a> {
    pub(super) fn new(rest: &'a [u8]) -> Self {
        Thrift { rest }
    }

    /// The number of unread bytes.
    pub(super) fn left(&self) -> usize {
        self.rest.len()
    }

    fn byte(&mut self) -> Parsed<u8> {
        let (&byte, rest) = self.rest.split_first().ok_or("it is truncated")?;
        self.rest = rest;
        Ok(byte)
    }

    /// Reads a variable-length integer: seven bits per byte, the lowest first.
    pub(super) fn unsigned(&mut self) -> Parsed<u64> {
        let mut value = 0;
        for place in 0..10 {
            let byte = self.byte()?;
            value |= u64::from(byte & 0x7f) << (7 * place);
            if byte < 0x80 {
                return Ok(value);
            }
        }
        Err("a number that is too long".into())
    }

    /// Reads a zigzag-encoded integer: 0, -1, 1, -2 ...
    fn signed(&mut self) -> Parsed<i64> {
        let value = self.unsigned()?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    /// Reads an integer of this type.
    pub(super) fn int(&mut self, kind: u8) -> Parsed<i64> {
        match kind {
            BYTE => Ok(i64::from(self.byte()? as i8)),
            I16 | I32 | I64 => self.signed(),
            kind => Err(format!("expected a whole number, found kind {kind}")),
        }
    }

    /// Reads a size or an offset: an integer of at least 0.
    pub(super) fn size(&mut self, kind: u8) -> Parsed<u64> {
        let value = self.int(kind)?;
        value.try_into().map_err(|_| format!("expected a size, found {value}"))
    }

    /// Reads `len` bytes.
    pub(super) fn take(&mut self, len: usize) -> Parsed<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(len).ok_or("truncated bytes")?;
        self.rest = rest;
        Ok(bytes)
    }

    fn bytes(&mut self, kind: u8) -> Parsed<&'a [u8]> {
        if kind != BINARY {
            return Err(format!("expected bytes, found kind {kind}"));
        }
        let len = usize::try_from(self.unsigned()?).map_err(|_| "bytes that are too long")?;
        self.take(len)
    }

    pub(super) fn text(&mut self, kind: u8) -> Parsed<String> {
        let bytes = self.bytes(kind)?;
        Ok(std::str::from_utf8(bytes).map_err(|_| "a name that is not UTF-8")?.into())
    }

    /// Reads the length and the member type of a list. A member takes at least one byte, which bounds the length.
    fn list(&mut self, kind: u8) -> Parsed<(usize, u8)> {
        if kind != LIST && kind != SET {
            return Err(format!("expected a list, found kind {kind}"));
        }
        let head = self.byte()?;
        let count = if head >> 4 == 15 { self.unsigned()? } else { u64::from(head >> 4) };
        match usize::try_from(count) {
            Ok(count) if count <= self.rest.len() => Ok((count, head & 15)),
            _ => Err(format!("a list of {count}, more than there are bytes")),
        }
    }

    /// Reads each member of a list of structs.
    pub(super) fn structs(&mut self, kind: u8, f: &mut dyn FnMut(&mut Self) -> Parsed<()>) -> Parsed<()> {
        match self.list(kind)? {
            (count, STRUCT) => (0..count).try_for_each(|_| f(self)),
            (0, _) => Ok(()),
            (_, kind) => Err(format!("a list of kind {kind}, expected structs")),
        }
    }

    /// Reads the fields of a struct; `f` reads the fields that it knows, and returns whether it did.
    pub(super) fn fields(&mut self, f: &mut dyn FnMut(&mut Self, Field) -> Parsed<bool>) -> Parsed<()> {
        let mut id = 0i16;
        while let Some(field) = self.field(&mut id)? {
            if !f(self, field)? {
                self.skip(field.kind, DEEPEST)?;
            }
        }
        Ok(())
    }

    fn field(&mut self, id: &mut i16) -> Parsed<Option<Field>> {
        let head = self.byte()?;
        if head == 0 {
            return Ok(None);
        }
        *id = match head >> 4 {
            0 => self.signed()? as i16,
            further => id.wrapping_add(i16::from(further)),
        };
        Ok(Some(Field { id: *id, kind: head & 15 }))
    }

    fn skip(&mut self, kind: u8, depth: usize) -> Parsed<()> {
        let depth = depth.checked_sub(1).ok_or("it is nested too deeply")?;
        match kind {
            TRUE | FALSE => {}
            BYTE | I16 | I32 | I64 => _ = self.int(kind)?,
            DOUBLE => self.rest = self.rest.get(8..).ok_or("it is truncated")?,
            BINARY => _ = self.bytes(kind)?,
            LIST | SET => {
                let (count, kind) = self.list(kind)?;
                for _ in 0..count {
                    self.skip_member(kind, depth)?;
                }
            }
            MAP => {
                let count = self.unsigned()?;
                let kinds = if count == 0 { 0 } else { self.byte()? };
                for _ in 0..count {
                    self.skip_member(kinds >> 4, depth)?;
                    self.skip_member(kinds & 15, depth)?;
                }
            }
            STRUCT => {
                let mut id = 0;
                while let Some(field) = self.field(&mut id)? {
                    self.skip(field.kind, depth)?;
                }
            }
            kind => return Err(format!("a value of the unknown kind {kind}")),
        }
        Ok(())
    }

    /// In lists, booleans take a byte; in structs, they are part of the field header.
    fn skip_member(&mut self, kind: u8, depth: usize) -> Parsed<()> {
        match kind {
            TRUE | FALSE => self.byte().map(|_| ()),
            kind => self.skip(kind, depth),
        }
    }
}
