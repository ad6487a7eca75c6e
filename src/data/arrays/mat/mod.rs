//! MATLAB's files of versions 4 to 7, as `save` and scipy's `savemat` write them, packed or not.
//!
//! A file of version 5 and on is a header of 128 bytes and then elements: a type, a length, and as many bytes, padded to eight. An array is an
//! element of elements: class, sizes, name, numbers. A packed element is a zlib stream of one. Nothing is allocated by what
//! an element merely tells: numbers come from bytes that are there, and a stream is unpacked as it comes.
//!
//! # References
//! The MathWorks, *MAT-File Format*, versions 5 and 7.

mod array;
mod elements;
pub(super) mod old;
mod sparse;

use std::io::Read;

use super::Value;
use crate::error::Result;
use crate::files::budget::Budget;
use crate::files::input::Input;
use array::Front;
use elements::{Elements, MATRIX, PACKED};

/// As much of an array as holds its class, sizes and name.
const FRONT: u64 = 4096;

/// A fault and nothing about where it is.
type Found<T> = std::result::Result<T, String>;

/// The names of all arrays and fields of structures, whether they can be read or not.
pub(super) fn names(input: &Input) -> Result<Vec<String>> {
    let mut names = Vec::new();
    each(input, &mut |front, whole| {
        if front.is_struct() {
            let bytes = whole()?;
            names.extend(array::named(&bytes.0, bytes.1)?.into_iter().map(|(name, _)| name));
        } else if !front.name.is_empty() {
            names.push(front.name);
        }
        Ok(true)
    })?;
    names.retain(|name| !name.is_empty());
    Ok(names)
}

/// The variable of this name, or the field of one.
pub(super) fn variable(input: &Input, name: &str) -> Result<Option<Value>> {
    let mut found = None;
    each(input, &mut |front, whole| {
        let inner = name.strip_prefix(&front.name).is_some_and(|rest| rest.starts_with('.'));
        if front.name == name || inner && front.is_struct() {
            let bytes = whole()?;
            let values = array::named(&bytes.0, bytes.1)?;
            found = values.into_iter().find(|(known, _)| known == name).map(|(_, value)| value);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// An array's own bytes, and whether they are big-endian.
type Whole<'a> = &'a dyn Fn() -> Found<(Vec<u8>, bool)>;

/// Goes through the arrays of a file until `f` has enough; each is read whole only where `f` asks for it.
fn each(input: &Input, f: &mut dyn FnMut(Front, Whole) -> Found<bool>) -> Result<()> {
    let mut mark = [0; 2];
    input.read("its head", 126, &mut mark)?;
    let big_endian = mark == *b"MI";
    let mut at = 128;
    while at < input.len() {
        let place = format!("element at byte {at}");
        let mut tag = [0; 8];
        input.read(&place, at, &mut tag)?;
        let (kind, len) = elements::tag(tag, big_endian);
        let start = at + 8;
        input.part(&place, start, len.into())?;
        let bytes = |most: u64| -> Found<Vec<u8>> {
            let told = |error: crate::Error| error.to_string();
            let budget = Budget::bytes(usize::MAX);
            match kind {
                PACKED => {
                    let packed = input.take(&place, start, len.into(), &budget).map_err(told)?;
                    unpacked(&packed, most, big_endian)
                }
                _ => input.take(&place, start, most.min(len.into()), &budget).map_err(told),
            }
        };
        // Of a packed element, the tag of what is within comes first.
        let inner = |mut bytes: Vec<u8>| -> Found<Vec<u8>> {
            if kind != PACKED {
                return Ok(bytes);
            }
            let tag = bytes.first_chunk().ok_or("a packed element of nothing")?;
            match elements::tag(*tag, big_endian) {
                (MATRIX, _) => {
                    bytes.drain(..8);
                    Ok(bytes)
                }
                (kind, _) => Err(format!("a packed element of type {kind}, expected an array")),
            }
        };
        if matches!(kind, PACKED | MATRIX) {
            let fault = |problem: String| input.damaged(&*place, problem);
            let front = bytes(FRONT)
                .and_then(inner)
                .and_then(|bytes| Front::read(&mut Elements::new(&bytes, big_endian)));
            let whole = || -> Found<(Vec<u8>, bool)> {
                let bytes = inner(bytes(u64::MAX)?)?;
                Ok((bytes, big_endian))
            };
            if let Some(front) = front.map_err(fault)?
                && !f(front, &whole).map_err(fault)?
            {
                return Ok(());
            }
        }
        at = start + u64::from(len);
        if kind != PACKED {
            at = at.next_multiple_of(8);
        }
    }
    Ok(())
}

/// What a zlib stream holds, at most so many bytes of it.
fn unpacked(packed: &[u8], most: u64, big_endian: bool) -> Found<Vec<u8>> {
    // What is within tells its length first, which is believed as far as deflate could reach.
    let mut tag = [0; 8];
    let mut front = flate2::read::ZlibDecoder::new(packed);
    front.read_exact(&mut tag).map_err(|error| format!("it cannot be unpacked: {error}"))?;
    let told = elements::tag(tag, big_endian).1 as usize + 8;
    let room = told.min(packed.len().saturating_mul(1040)).min(most as usize);
    let mut bytes = Vec::with_capacity(room);
    let read = flate2::read::ZlibDecoder::new(packed).take(most).read_to_end(&mut bytes);
    read.map(|_| bytes).map_err(|error| format!("it cannot be unpacked: {error}"))
}
