//! MATLAB files of version 4: for each array a header of five numbers, a name, and the values.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::elements::{number, numbers};
use super::sparse;
use crate::data::arrays::plain::{Located, Plain};
use crate::data::arrays::value::{ArrayValue, in_order};
use crate::error::Result;
use crate::files::Parsed;
use crate::files::budget::Budget;
use crate::files::input::{Input, failed};

/// The header of an array.
struct Mat4Header {
    big_endian: bool,
    /// The number type, as in version 5, and the bytes per number.
    number: (u32, u64),
    kind: u32,
    rows: u64,
    columns: u64,
    complex: bool,
    name: u64,
}

/// Returns whether a file starts like version 4; later versions start with text, which has no zero byte.
pub(in crate::data::arrays) fn begins(front: &[u8]) -> bool {
    front.first_chunk().is_some_and(|front| head(front).is_ok())
}

fn head(front: &[u8; 20]) -> Parsed<Mat4Header> {
    let (words, _) = front.as_chunks::<4>();
    let little = u32::from_le_bytes(words[0]) < 5000;
    let word = |place: usize| {
        if little { u32::from_le_bytes(words[place]) } else { u32::from_be_bytes(words[place]) }
    };
    let kind = word(0);
    let number = match kind / 10 % 10 {
        0 => (9, 8),
        1 => (7, 4),
        2 => (5, 4),
        3 => (3, 2),
        4 => (4, 2),
        5 => (2, 1),
        other => return Err(format!("numbers of the unknown type {other}")),
    };
    let big_endian = match kind / 1000 {
        0 => false,
        1 => true,
        _ => return Err("numbers as a VAX or a Cray writes them".into()),
    };
    let (complex, name) = (word(3), u64::from(word(4)));
    if big_endian == little
        || kind / 100 % 10 != 0
        || kind % 10 > 2
        || complex > 1
        || !(1..=256).contains(&name)
    {
        return Err("no array of version 4".into());
    }
    let (rows, columns) = (word(1).into(), word(2).into());
    Ok(Mat4Header { big_endian, number, kind: kind % 10, rows, columns, complex: complex == 1, name })
}

impl Mat4Header {
    /// The length of the values in bytes.
    fn bytes(&self) -> Option<u64> {
        let count = self.rows.checked_mul(self.columns)?.checked_mul(self.number.1)?;
        count.checked_mul(1 + u64::from(self.complex))
    }

    fn value(&self, name: &str, bytes: &[u8]) -> Parsed<ArrayValue> {
        let (rows, columns) = (self.rows as usize, self.columns as usize);
        let what = if self.kind == 2 { columns > 3 } else { self.complex };
        if what {
            return Ok(ArrayValue::Other("complex numbers; save `real`, `imag` or `abs` of them"));
        }
        let values = numbers(self.number.0, bytes, self.big_endian)?;
        let array = ArrayD::from_shape_vec(IxDyn(&[rows, columns]).f(), values);
        let array =
            in_order(array.map_err(|_| format!("`{name}`: the number of values does not match its shape"))?);
        match self.kind {
            1 => {
                let letter = |code: &f64| char::from_u32(*code as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
                let text = |row: ndarray::ArrayViewD<f64>| row.iter().map(letter).collect::<String>();
                let words = array.outer_iter().map(|row| text(row).trim_end().to_string());
                Ok(ArrayValue::Words(words.collect()))
            }
            2 => {
                // Each row is a row index, a column index, both from 1, and a value; the last row holds the sizes.
                if columns != 3 || rows == 0 {
                    return Err(format!("`{name}`: a sparse array of {columns} columns"));
                }
                let whole = |at: [usize; 2]| array[at].max(0.0) as usize;
                let (height, width) = (whole([rows - 1, 0]), whole([rows - 1, 1]));
                let mut plain = sparse::zeros(name, height, width, bytes.len())?;
                for row in 0..rows - 1 {
                    let place = [whole([row, 0]).wrapping_sub(1), whole([row, 1]).wrapping_sub(1)];
                    let place = plain.get_mut(place);
                    *place.ok_or_else(|| format!("`{name}`: a value outside of {height} × {width}"))? =
                        array[[row, 2]];
                }
                Ok(ArrayValue::Numbers(plain.into_dyn()))
            }
            _ => Ok(ArrayValue::Numbers(array)),
        }
    }
}

/// The names of all arrays.
pub(in crate::data::arrays) fn names(input: &Input) -> Result<Vec<String>> {
    let mut names = Vec::new();
    each(input, &mut |name, _, _| {
        names.push(name);
        Ok(true)
    })?;
    Ok(names)
}

/// The array of this name.
pub(in crate::data::arrays) fn variable(input: &Input, name: &str) -> Result<Option<ArrayValue>> {
    let mut found = None;
    each(input, &mut |known, head, start| {
        if known == name {
            let len = head.bytes().unwrap_or(u64::MAX);
            let bytes = input.take(name, start, len, &Budget::bytes(usize::MAX))?;
            found = Some(head.value(name, &bytes).map_err(|problem| input.damaged(name, problem))?);
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Locates the array with this name.
pub(in crate::data::arrays) fn plain(input: &Input, name: &str) -> Result<Option<Located>> {
    let mut found = None;
    each(input, &mut |known, head, start| {
        if known == name {
            let other = match head.kind {
                0 if head.complex => Some("complex numbers; save `real`, `imag` or `abs` of them"),
                0 => None,
                1 => Some("texts"),
                _ => Some("a sparse array; `read` it, or save `full` of it"),
            };
            let path = input.name();
            found = Some(match other {
                Some(other) => Err(other),
                None => Ok(Plain {
                    name: path.into(),
                    file: std::fs::File::open(path).map_err(|error| failed(path, &error))?,
                    number: number(head.number.0).map_err(|problem| input.damaged(name, problem))?,
                    big_endian: head.big_endian,
                    start,
                    shape: vec![head.rows as usize, head.columns as usize],
                    reversed: true,
                }),
            });
        }
        Ok(found.is_none())
    })?;
    Ok(found)
}

/// Calls `f` with the name, header and start of the values of each array, until it has enough.
fn each(input: &Input, f: &mut dyn FnMut(String, &Mat4Header, u64) -> Result<bool>) -> Result<()> {
    let mut at = 0;
    while at < input.len() {
        let place = format!("array at byte {at}");
        let mut front = [0; 20];
        input.read(&place, at, &mut front)?;
        let head = head(&front).map_err(|problem| input.damaged(&*place, problem))?;
        let mut name = vec![0; head.name as usize];
        input.read(&place, at + 20, &mut name)?;
        let end = name.iter().position(|byte| *byte == 0).unwrap_or(name.len());
        let name = String::from_utf8_lossy(&name[..end]).into_owned();
        let start = at + 20 + head.name;
        let len = head.bytes().ok_or_else(|| input.damaged(&*place, "it exceeds the file"))?;
        input.part(&name, start, len)?;
        if !f(name, &head, start)? {
            return Ok(());
        }
        at = start + len;
    }
    Ok(())
}
