//! A MATLAB array: numbers, text, a structure with fields, or an unsupported class.

use ndarray::{ArrayD, IxDyn, ShapeBuilder};

use super::elements::{Elements, MATRIX, numbers};
use super::sparse;
use crate::data::arrays::value::{ArrayValue, in_order};
use crate::files::Parsed;

/// The maximum depth of nested structures.
const DEEPEST: usize = 16;

const CELL: u32 = 1;
const STRUCT: u32 = 2;
const CHAR: u32 = 4;

/// Class, sizes and name.
#[derive(Debug)]
pub(super) struct Front {
    class: u32,
    complex: bool,
    logical: bool,
    pub(super) shape: Vec<usize>,
    pub(super) name: String,
}

impl Front {
    /// Reads the first three elements; none for an array without them, such as MATLAB's opaque ones.
    pub(super) fn read(parts: &mut Elements) -> Parsed<Option<Self>> {
        if parts.is_empty() {
            return Ok(None);
        }
        let (_, flags) = parts.next()?;
        let flags = *parts.words(flags).first().ok_or("an array without a class")?;
        let class = flags & 0xff;
        if class == 17 {
            return Ok(None);
        }
        let (_, sizes) = parts.next()?;
        let shape = parts.words(sizes).into_iter().map(|size| size as usize).collect();
        let (_, name) = parts.next()?;
        let name = String::from_utf8_lossy(name).into_owned();
        let (complex, logical) = (flags & 0x800 != 0, flags & 0x200 != 0);
        Ok(Some(Front { class, complex, logical, shape, name }))
    }

    pub(super) fn is_struct(&self) -> bool {
        self.class == STRUCT
    }

    /// Returns whether this is the array with this name, or a structure that may have it as a field.
    pub(super) fn holds(&self, name: &str) -> bool {
        let rest = name.strip_prefix(&self.name);
        rest.is_some_and(|rest| rest.is_empty() || self.is_struct() && rest.starts_with('.'))
    }

    /// Returns whether its fields are arrays with names.
    pub(super) fn has_fields(&self, depth: usize) -> bool {
        self.is_struct() && self.shape.iter().all(|size| *size == 1) && depth < DEEPEST
    }

    /// Describes it, if it is not a plain array of real numbers.
    pub(super) fn other(&self) -> Option<&'static str> {
        match self.class {
            CHAR => Some("texts"),
            6..=15 if self.complex => Some("complex numbers; save `real`, `imag` or `abs` of them"),
            6..=15 => None,
            5 if self.complex => Some("a sparse array of complex numbers; save `full` and `abs` of it"),
            5 => Some("a sparse array; `read` it, or save `full` of it"),
            CELL => Some("a cell of things other than texts"),
            STRUCT => Some("an array of structures"),
            3 => Some("an object"),
            _ => Some("a function or another value that is not an array"),
        }
    }
}

/// The names of a structure's fields, which precede them.
pub(super) fn fields(parts: &mut Elements) -> Parsed<Vec<String>> {
    let (_, len) = parts.next()?;
    let len = parts.words(len).first().map_or(0, |len| *len as usize).max(1);
    let (_, names) = parts.next()?;
    let field = |field: &[u8]| {
        let end = field.iter().position(|byte| *byte == 0).unwrap_or(field.len());
        String::from_utf8_lossy(&field[..end]).into_owned()
    };
    Ok(names.chunks(len).map(field).collect())
}

/// The array in these bytes by name, and the fields of a structure by names such as `s.data`.
pub(super) fn named(bytes: &[u8], big_endian: bool) -> Parsed<Vec<(String, ArrayValue)>> {
    let mut found = Vec::new();
    walk(bytes, big_endian, None, 0, &mut found)?;
    Ok(found)
}

fn walk(
    bytes: &[u8],
    big_endian: bool,
    name: Option<String>,
    depth: usize,
    found: &mut Vec<(String, ArrayValue)>,
) -> Parsed<()> {
    let mut parts = Elements::new(bytes, big_endian);
    let Some(front) = Front::read(&mut parts)? else { return Ok(()) };
    let name = name.unwrap_or_else(|| front.name.clone());
    let value = match front.class {
        STRUCT if front.has_fields(depth) => {
            for field in fields(&mut parts)? {
                let (kind, data) = parts.next()?;
                let field = format!("{name}.{field}");
                match kind {
                    MATRIX => walk(data, big_endian, Some(field), depth + 1, found)?,
                    kind => return Err(format!("the field `{field}` of type {kind}, expected an array")),
                }
            }
            return Ok(());
        }
        CELL => cell(&mut parts)?,
        CHAR => ArrayValue::Words(texts(&front, &mut parts)?),
        6..=15 if !front.complex => ArrayValue::Numbers(real(&front, &mut parts)?),
        5 if !front.complex => ArrayValue::Numbers(scattered(&front, &mut parts, bytes.len())?),
        _ => ArrayValue::Other(front.other().unwrap_or_default()),
    };
    found.push((name, value));
    Ok(())
}

/// Real numbers, whose first axis varies fastest.
fn real(front: &Front, parts: &mut Elements) -> Parsed<ArrayD<f64>> {
    let (kind, data) = parts.next()?;
    let values = numbers(kind, data, parts.big_endian())?;
    let (count, shape) = (values.len(), &front.shape);
    let array = ArrayD::from_shape_vec(IxDyn(shape).f(), values);
    let array = array.map_err(|_| format!("`{}`: {count} numbers for a shape of {shape:?}", front.name))?;
    Ok(in_order(array))
}

/// A sparse array: the rows of its values, where each column starts among them, and the values.
fn scattered(front: &Front, parts: &mut Elements, len: usize) -> Parsed<ArrayD<f64>> {
    let [rows, columns] = front.shape[..] else {
        return Err(format!("`{}`: a sparse array of shape {:?}", front.name, front.shape));
    };
    let (_, places) = parts.next()?;
    let (_, starts) = parts.next()?;
    let (kind, data) = parts.next()?;
    let (places, starts) = (parts.words(places), parts.words(starts));
    // MATLAB labels them as doubles even if each is a byte of 0 or 1.
    let values = numbers(if front.logical { 2 } else { kind }, data, parts.big_endian())?;
    let mut array = sparse::zeros(&front.name, rows, columns, len)?;
    for (column, within) in starts.windows(2).enumerate() {
        for at in within[0]..within[1] {
            let (row, value) = (places.get(at as usize), values.get(at as usize));
            let place = row.and_then(|row| array.get_mut([*row as usize, column]));
            let (Some(place), Some(value)) = (place, value) else {
                return Err(format!("`{}`: a value outside of {rows} × {columns}", front.name));
            };
            *place = *value;
        }
    }
    Ok(array.into_dyn())
}

/// A cell array of texts, such as class names.
fn cell(parts: &mut Elements) -> Parsed<ArrayValue> {
    let mut words = Vec::new();
    while !parts.is_empty() {
        let (_, data) = parts.next()?;
        let mut inner = Elements::new(data, parts.big_endian());
        match Front::read(&mut inner)? {
            Some(front) if front.class == CHAR => words.extend(texts(&front, &mut inner)?),
            _ => return Ok(ArrayValue::Other("a cell of things other than texts")),
        }
    }
    Ok(ArrayValue::Words(words))
}

/// The rows of a character array, without trailing blanks.
fn texts(front: &Front, parts: &mut Elements) -> Parsed<Vec<String>> {
    let (kind, data) = parts.next()?;
    let letters: Vec<char> = match kind {
        16 => String::from_utf8_lossy(data).chars().collect(),
        _ => {
            let kind = match kind {
                17 => 4,
                18 => 6,
                kind => kind,
            };
            let codes = numbers(kind, data, parts.big_endian())?;
            let letter = |code: f64| char::from_u32(code as u32).unwrap_or(char::REPLACEMENT_CHARACTER);
            codes.into_iter().map(letter).collect()
        }
    };
    let rows = front.shape.first().copied().unwrap_or(0);
    if rows == 0 || letters.is_empty() {
        return Ok(vec![String::new()]);
    }
    if rows > letters.len() || front.shape.len() > 2 {
        return Err(format!("`{}`: {} letters for a shape of {:?}", front.name, letters.len(), front.shape));
    }
    let row = |row| -> String { letters.iter().skip(row).step_by(rows).collect() };
    Ok((0..rows).map(|index| row(index).trim_end().to_string()).collect())
}
