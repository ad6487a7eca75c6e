//! The location of an array's numbers, for reading piece by piece.

use std::path::Path;

use super::array::{Front, fields};
use super::elements::{self, Elements, MATRIX};
use super::variables::each;
use crate::data::arrays::plain::{Located, Plain};
use crate::error::Result;
use crate::files::Parsed;
use crate::files::array::Number;
use crate::files::input::{Input, failed};

/// The bytes of an array that hold everything before its numbers or fields.
const HEAD: u64 = 1 << 16;

/// Locates the variable or field with this name; a compressed one is decompressed first.
pub(in crate::data::arrays) fn plain(
    input: &Input,
    name: &str,
    scratch: Option<&Path>,
) -> Result<Option<Located>> {
    let mut found = None;
    each(input, &mut |front, element| {
        if !front.holds(name) {
            return Ok(true);
        }
        let (file, start) = element.file(scratch)?;
        let own = file.try_clone().map_err(|error| failed(input.name(), &error))?;
        let within = Mat5File { input: Input::file(input.name(), own)?, big_endian: element.big_endian };
        let known = front.name;
        let spot = within.find(&known, start, name, 0).map_err(|problem| element.damaged(problem))?;
        let big_endian = element.big_endian;
        found = spot.map(|spot| {
            spot.map(|Spot { number, start, shape }| Plain {
                name: input.name().into(),
                file,
                number,
                big_endian,
                start,
                shape,
                reversed: true,
            })
        });
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// The start and the type of numbers.
struct Spot {
    number: Number,
    start: u64,
    shape: Vec<usize>,
}

/// A file of nested arrays.
struct Mat5File {
    input: Input<'static>,
    big_endian: bool,
}

impl Mat5File {
    /// Finds an array in the one named `known`, whose bytes start at `start`.
    fn find(
        &self,
        known: &str,
        start: u64,
        name: &str,
        depth: usize,
    ) -> Parsed<Option<std::result::Result<Spot, &'static str>>> {
        let to_text = |error: crate::Error| error.to_string();
        let mut head = vec![0; self.input.len().saturating_sub(start).min(HEAD) as usize];
        self.input.read(known, start, &mut head).map_err(to_text)?;
        let mut parts = Elements::new(&head, self.big_endian);
        let Some(front) = Front::read(&mut parts)? else { return Ok(None) };
        let at = |parts: &Elements| start + (head.len() - parts.len()) as u64;
        if front.has_fields(depth) {
            let fields = fields(&mut parts)?;
            let mut next = at(&parts);
            for field in fields {
                let field = format!("{known}.{field}");
                let mut tag = [0; 8];
                self.input.read(&field, next, &mut tag).map_err(to_text)?;
                let (kind, len) = elements::tag(tag, self.big_endian);
                if kind != MATRIX {
                    return Err(format!("the field `{field}` of type {kind}, expected an array"));
                }
                if name.strip_prefix(&field).is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
                    && let Some(found) = self.find(&field, next + 8, name, depth + 1)?
                {
                    return Ok(Some(found));
                }
                next += 8 + u64::from(len).next_multiple_of(8);
            }
            return Ok(None);
        }
        if known != name {
            return Ok(None);
        }
        if let Some(other) = front.other() {
            return Ok(Some(Err(other)));
        }
        // A few numbers may be stored in the tag itself.
        let tag_at = at(&parts);
        let mut tag = [0; 8];
        self.input.read(known, tag_at, &mut tag).map_err(to_text)?;
        let (kind, len) = elements::tag(tag, self.big_endian);
        let (kind, start, len) = match kind >> 16 {
            0 => (kind, tag_at + 8, u64::from(len)),
            few => (kind & 0xffff, tag_at + 4, u64::from(few).min(4)),
        };
        let number = elements::number(kind)?;
        let count = front.shape.iter().try_fold(1_u64, |all, size| all.checked_mul(*size as u64));
        let bytes = count.and_then(|count| count.checked_mul(number.size() as u64));
        if bytes != Some(len) {
            let (count, shape) = (len / number.size() as u64, &front.shape);
            return Err(format!("`{known}`: {count} numbers for a shape of {shape:?}"));
        }
        self.input.part(known, start, len).map_err(to_text)?;
        Ok(Some(Ok(Spot { number, start, shape: front.shape })))
    }
}
