//! Attributes that are texts or lists of texts, of fixed or variable length.

use std::collections::HashMap;

use super::super::budget::Budget;
use super::super::input::Input;
use super::header::{each_message, shape};
use super::{ATTRIBUTE, Outcome};
use crate::error::Result;

/// The longest name of an attribute that is compared.
const LONGEST: u64 = 64;

/// Reads the attributes of these names from the header at this address. Keras splits a list that is too long for one
/// attribute into several, `weight_names0`, `weight_names1` and so on, which are joined here.
pub(super) fn texts(
    input: &Input,
    place: &str,
    at: u64,
    wanted: &[&str],
    heaps: &mut GlobalHeaps,
    budget: &Budget,
) -> Outcome<Vec<(String, Vec<String>)>> {
    let mut pieces: Vec<(String, u64, Vec<String>)> = Vec::new();
    each_message(input, place, at, &mut |kind, _, start, size| {
        if kind == ATTRIBUTE {
            pieces.extend(read(input, place, (start, size), wanted, heaps, budget)?);
        }
        Ok(())
    })?;
    pieces.sort_by(|a, b| (&a.0, a.1).cmp(&(&b.0, b.1)));
    let mut texts: Vec<(String, Vec<String>)> = Vec::new();
    for (name, _, piece) in pieces {
        match texts.last_mut() {
            Some((last, texts)) if *last == name => texts.extend(piece),
            _ => texts.push((name, piece)),
        }
    }
    Ok(texts)
}

/// Reads the attribute in the message of `size` bytes at `start`, if its name, without a number at its end, is among
/// `wanted`. Returns that name, the number, and the texts.
fn read(
    input: &Input,
    place: &str,
    (start, size): (u64, u64),
    wanted: &[&str],
    heaps: &mut GlobalHeaps,
    budget: &Budget,
) -> Result<Option<(String, u64, Vec<String>)>> {
    let fail = |problem: &str| Err(input.damaged(place, format!("attribute at byte {start}: {problem}")));
    if size < 9 {
        return fail("it is truncated");
    }
    let (version, flags) = (input.number(place, start, 1)?, input.number(place, start + 1, 1)?);
    let [name_len, type_len, space_len] = [2, 4, 6].map(|at| input.number(place, start + at, 2));
    let (name_len, type_len, space_len) = (name_len?, type_len?, space_len?);
    let padded = |len: u64| if version == 1 { len.next_multiple_of(8) } else { len };
    let name_at = if version == 3 { 9 } else { 8 };
    let type_at = name_at + padded(name_len);
    let space_at = type_at + padded(type_len);
    let data_at = space_at + padded(space_len);
    if !(1..=3).contains(&version) || data_at > size {
        return fail("an unsupported form");
    }
    if name_len > LONGEST {
        return Ok(None);
    }
    let mut name = [0; LONGEST as usize];
    let name = &mut name[..name_len as usize];
    input.read(place, start + name_at, name)?;
    let name = String::from_utf8_lossy(name).trim_end_matches('\0').to_string();
    let base = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if !wanted.contains(&base) {
        return Ok(None);
    }
    let number = name[base.len()..].parse().unwrap_or(0);
    if version > 1 && flags != 0 || type_len < 8 || space_len > 128 {
        return fail("a type that is shared with other objects");
    }
    let mut space = vec![0; space_len as usize];
    input.read(place, start + space_at, &mut space)?;
    let shape = match shape(&space) {
        Ok(shape) => shape,
        Err(problem) => return fail(&problem),
    };
    let (class, kind) =
        (input.number(place, start + type_at, 1)? & 15, input.number(place, start + type_at + 1, 1)? & 15);
    let (width, left) = (input.number(place, start + type_at + 4, 4)?, size - data_at);
    let count = shape.iter().try_fold(1u64, |count, &size| count.checked_mul(size as u64));
    let texts = match (count, class) {
        (Some(0), _) => Vec::new(),
        (Some(count), 3) if width > 0 && count.checked_mul(width).is_some_and(|bytes| bytes <= left) => {
            let bytes = input.take(place, start + data_at, count * width, budget)?;
            budget.take_many::<[String; 2]>(count as usize).map_err(|spent| input.spent(place, spent))?;
            bytes.chunks(width as usize).map(text).collect()
        }
        (Some(count), 9) if kind == 1 && count.checked_mul(16).is_some_and(|bytes| bytes <= left) => {
            budget.take_many::<[String; 2]>(count as usize).map_err(|spent| input.spent(place, spent))?;
            let each = |i| heaps.read(input, place, start + data_at + 16 * i, budget);
            (0..count).map(each).collect::<Result<_>>()?
        }
        _ => return fail("neither a text nor a list of texts"),
    };
    Ok(Some((base.into(), number, texts)))
}

/// The text before the first zero.
fn text(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|&byte| byte == 0).unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// The global heaps that were read: for each heap address, the position and length of each value by its index.
#[derive(Debug, Default)]
pub(super) struct GlobalHeaps {
    known: HashMap<u64, HashMap<u64, (u64, u64)>>,
}

impl GlobalHeaps {
    /// Reads a text of variable length: its length, and the address of a heap and an index in it.
    fn read(&mut self, input: &Input, place: &str, at: u64, budget: &Budget) -> Result<String> {
        let (len, heap) = (input.number(place, at, 4)?, input.number(place, at + 4, 8)?);
        let index = input.number(place, at + 12, 4)?;
        if len == 0 {
            return Ok(String::new());
        }
        let values = match self.known.entry(heap) {
            std::collections::hash_map::Entry::Occupied(known) => known.into_mut(),
            std::collections::hash_map::Entry::Vacant(new) => new.insert(values(input, place, heap, budget)?),
        };
        match values.get(&index) {
            Some(&(start, size)) if len <= size => Ok(text(&input.take(place, start, len, budget)?)),
            _ => Err(input.damaged(place, format!("heap at byte {heap}: no value {index} of {len} bytes"))),
        }
    }
}

/// Finds the values of the global heap at this address.
fn values(input: &Input, place: &str, heap: u64, budget: &Budget) -> Result<HashMap<u64, (u64, u64)>> {
    let fail = |problem: &str| Err(input.damaged(place, format!("heap at byte {heap}: {problem}")));
    if input.number(place, heap, 4)? != u64::from(u32::from_le_bytes(*b"GCOL")) {
        return fail("expected a heap of values");
    }
    let size = input.number(place, heap + 8, 8)?;
    input.part(place, heap, size)?;
    let (mut values, mut at) = (HashMap::new(), 16);
    while at + 16 <= size {
        let (index, bytes) = (input.number(place, heap + at, 2)?, input.number(place, heap + at + 8, 8)?);
        // The free space at the end has the index 0, and a size with its own header.
        if index == 0 {
            break;
        }
        if bytes > size - at - 16 {
            return fail("a value that exceeds it");
        }
        budget.take(64).map_err(|spent| input.spent(place, spent))?;
        values.insert(index, (heap + at + 16, bytes));
        at += 16 + bytes.next_multiple_of(8);
    }
    Ok(values)
}
