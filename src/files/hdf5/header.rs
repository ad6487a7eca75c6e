//! Object headers: a list of messages, one of which may point to further messages.

use super::super::input::Input;
use super::{
    Array, CONTINUATION, DATASPACE, DATATYPE, Fault, LAYOUT, NOWHERE, Number, Outcome, SYMBOL_TABLE,
};
use crate::error::Error;
use crate::files::Parsed;

/// An object: a group or an array.
#[derive(Debug)]
pub(super) enum Object {
    /// A group: the addresses of the B-tree of its entries and of the heap of their names.
    Group {
        tree: u64,
        names: u64,
    },
    Array(Array),
}

/// The messages that are skipped, because they affect neither values nor shapes.
const PASSED: [u16; 11] = [0x00, 0x02, 0x04, 0x05, 0x0a, 0x0c, 0x0d, 0x0e, 0x12, 0x13, 0x15];
/// The longest message, and the most messages of an object.
const LONGEST: usize = 512;
const MOST: usize = 4096;

#[derive(Default)]
struct Messages {
    group: Option<(u64, u64)>,
    shape: Option<Vec<usize>>,
    number: Option<Number>,
    /// The address and the length of the values in bytes.
    data: Option<(u64, u64)>,
    unsupported: Option<&'static str>,
}

/// Reads the header at this address; `place` is the path of the object.
pub(super) fn read(input: &Input, place: &str, at: u64) -> Outcome<Object> {
    let fail = |problem: &str| input.damaged(place, format!("header at byte {at}: {problem}")).into();
    let (mut messages, mut buffer) = (Messages::default(), [0; LONGEST]);
    each_message(input, place, at, &mut |kind, flags, start, size| {
        if PASSED.contains(&kind) {
            return Ok(());
        }
        let Some(message) = buffer.get_mut(..size as usize) else {
            return Err(fail("a message that is too long"));
        };
        input.read(place, start, message)?;
        if flags & 2 != 0 {
            return Err(fail("a message that is shared with other objects"));
        }
        messages.take(kind, message, start).map_err(|problem| fail(&problem))
    })?;
    match messages.unsupported {
        Some(problem) => Err(Fault::Unsupported {
            place: place.into(),
            problem: format!("header at byte {at}: {problem}"),
            is_array: true,
        }),
        None => Ok(messages.object(input, place)?),
    }
}

/// Calls `f` with the kind, the flags, the position and the size of each message of the header at this address.
pub(super) fn each_message(
    input: &Input,
    place: &str,
    at: u64,
    f: &mut dyn FnMut(u16, u64, u64, u64) -> Outcome<()>,
) -> Outcome<()> {
    let fail = |problem: &str| input.damaged(place, format!("header at byte {at}: {problem}")).into();
    let mut prefix = [0; 16];
    input.read(place, at, &mut prefix)?;
    if prefix.starts_with(b"OHDR") {
        let problem = "unsupported version 2, which h5py writes only with `libver`";
        return Err(Fault::Unsupported {
            place: place.into(),
            problem: format!("header at byte {at}: {problem}"),
            is_array: false,
        });
    }
    if prefix[0] != 1 {
        return Err(fail("expected an object header"));
    }
    let mut left = usize::from(u16::from_le_bytes([prefix[2], prefix[3]]));
    if left > MOST {
        return Err(fail("more than 4096 messages"));
    }
    let len = u32::from_le_bytes([prefix[8], prefix[9], prefix[10], prefix[11]]);
    let mut blocks = vec![(at + 16, u64::from(len))];
    while let Some((start, len)) = blocks.pop() {
        input.part(place, start, len)?;
        let (mut at, end) = (start, start + len);
        while left > 0 && at + 8 <= end {
            left -= 1;
            let (kind, size) = (input.number(place, at, 2)? as u16, input.number(place, at + 2, 2)?);
            let flags = input.number(place, at + 4, 1)?;
            if at + 8 + size > end {
                return Err(fail("a message beyond its block"));
            }
            if kind == CONTINUATION && size >= 16 && flags & 2 == 0 {
                blocks.push((input.number(place, at + 8, 8)?, input.number(place, at + 16, 8)?));
            } else {
                f(kind, flags, at + 8, size)?;
            }
            at += 8 + size;
        }
    }
    Ok(())
}

fn eight(bytes: &[u8], place: usize) -> u64 {
    bytes.get(place..).and_then(<[u8]>::first_chunk).map_or(NOWHERE, |bytes| u64::from_le_bytes(*bytes))
}

impl Messages {
    /// Reads a message at the address `at`.
    fn take(&mut self, kind: u16, message: &[u8], at: u64) -> Parsed<()> {
        match kind {
            SYMBOL_TABLE if message.len() >= 16 => self.group = Some((eight(message, 0), eight(message, 8))),
            DATASPACE => self.shape = Some(shape(message)?),
            DATATYPE => {
                let number = Number::of(message);
                self.number = Some(number.ok_or_else(|| format!("numbers of {}", type_name(message)))?);
            }
            LAYOUT if message.starts_with(&[3, 2]) => self.unsupported = Some("a chunked array"),
            LAYOUT => self.data = Some(layout(message, at)?),
            0x06 => return Err("unsupported links, which may point to other files".into()),
            0x07 => return Err("an array stored in other files".into()),
            0x0b => self.unsupported = Some("an array with a filter, such as compression"),
            _ => return Err(format!("a message of kind {kind:#x}, which Keras does not write")),
        }
        Ok(())
    }

    fn object(self, input: &Input, place: &str) -> crate::Result<Object> {
        let fail = |problem: String| -> Error { input.damaged(place, problem) };
        if let Some((tree, names)) = self.group {
            return Ok(Object::Group { tree, names });
        }
        let (Some(shape), Some(number), Some((start, bytes))) = (self.shape, self.number, self.data) else {
            return Err(fail("neither a group nor an array".into()));
        };
        let count = shape.iter().try_fold(number.size() as u64, |n, &size| n.checked_mul(size as u64));
        if count != Some(bytes) && !(count == Some(0) && start == NOWHERE) {
            return Err(fail(format!("an array of shape {shape:?} in {bytes} bytes")));
        }
        let start = if bytes == 0 || count == Some(0) { 0 } else { start };
        if start.checked_add(bytes).is_none_or(|end| end > input.len()) {
            return Err(fail(format!("{bytes} bytes from byte {start} exceed the file")));
        }
        Ok(Object::Array(Array { number, shape, start }))
    }
}

/// The shape of a dataspace.
pub(super) fn shape(message: &[u8]) -> Parsed<Vec<usize>> {
    let (rank, first) = match message {
        [1, rank, ..] => (*rank, 8),
        [2, rank, _, kind, ..] if *kind < 2 => (*rank, 4),
        _ => return Err("an unsupported dataspace".into()),
    };
    if rank > 8 {
        return Err(format!("an array of {rank} axes"));
    }
    let sizes = (0..usize::from(rank)).map(|axis| eight(message, first + 8 * axis));
    let sizes = sizes.map(|size| usize::try_from(size).map_err(|_| "an axis that is too long".to_string()));
    sizes.collect()
}

/// The address and the length of the values.
fn layout(message: &[u8], at: u64) -> Parsed<(u64, u64)> {
    match message {
        [3, 0, low, high, data @ ..] => {
            let size = u64::from(u16::from_le_bytes([*low, *high]));
            if data.len() as u64 >= size {
                Ok((at + 4, size))
            } else {
                Err("a truncated compact array".into())
            }
        }
        [3, 1, ..] if message.len() >= 18 => Ok((eight(message, 2), eight(message, 10))),
        _ => Err("an array with an unsupported layout".into()),
    }
}

/// An unsupported type, in words.
fn type_name(message: &[u8]) -> String {
    let bits = message
        .get(4..8)
        .and_then(|size| size.try_into().ok())
        .map_or(0, u32::from_le_bytes)
        .saturating_mul(8);
    let flags = message.get(1).copied().unwrap_or_default();
    let class = match (message.first().map(|class| class & 15), flags & 1) {
        (Some(0 | 1), 1) => "big-endian order",
        (Some(0), _) if flags & 8 == 0 => return format!("type uint{bits}"),
        (Some(0), _) => return format!("type int{bits}"),
        (Some(1), _) => return format!("type float{bits}"),
        (Some(5), _) if bits == 16 => "an opaque type of 16 bits, as which Keras writes bfloat16",
        (Some(3), _) => "texts",
        (Some(6), _) => "a compound type",
        (Some(7), _) => "references",
        (Some(8), _) => "an enumeration, such as true and false",
        (Some(9), _) => "a type of variable length",
        _ => "an unknown type",
    };
    class.into()
}

#[cfg(test)]
mod tests {
    use super::type_name;

    #[test]
    fn unsupported_types_are_named() {
        let name = |class: u8, flags: u8, size: u8| type_name(&[0x10 | class, flags, 0, 0, size, 0, 0, 0]);
        assert_eq!(name(0, 8, 1), "type int8");
        assert_eq!(name(0, 0, 2), "type uint16");
        assert_eq!(name(1, 0x20, 2), "type float16");
        assert!(name(5, 0, 2).ends_with("bfloat16"));
        assert_eq!(type_name(&[]), "an unknown type");
    }
}
