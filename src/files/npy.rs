//! NumPy files: a header with type, order and shape, and the values.
//!
//! This module parses the header itself: the crate `ndarray-npy` returns whole arrays, of a type that the caller must
//! know, and not the offset of the values, which files larger than memory require.
//!
//! # References
//! <https://numpy.org/doc/stable/reference/generated/numpy.lib.format.html>

use super::array::{Array, Number};
use super::input::Input;
use crate::error::Result;

/// The longest header, as in NumPy.
const LONGEST: usize = 10_000;

/// The position and the order of the values of a `.npy` file.
#[derive(Debug, Clone)]
pub(crate) struct Npy {
    pub(crate) array: Array,
    pub(crate) big_endian: bool,
    /// Whether the values are in Fortran order, if that differs from C order.
    pub(crate) in_columns: bool,
}

/// Reads the header, and checks that the file contains the values.
pub(crate) fn header(input: &Input, name: &str) -> Result<Npy> {
    let npy = promised(input, name)?;
    match npy.bytes() {
        Some(bytes) if bytes <= input.len() - npy.array.start => Ok(npy),
        _ => Err(input.damaged(name, "its length does not match its shape")),
    }
}

/// Reads only the header, without comparing it with the length of the file.
pub(crate) fn promised(input: &Input, name: &str) -> Result<Npy> {
    let fail = |problem: &str| input.damaged(name, problem);
    let mut fixed = [0; 12];
    let len = (fixed.len() as u64).min(input.len()) as usize;
    input.read(name, 0, &mut fixed[..len])?;
    let (front, size) = match fixed {
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', 1, _, low, high, ..] => {
            (10, usize::from(u16::from_le_bytes([low, high])))
        }
        [b'\x93', b'N', b'U', b'M', b'P', b'Y', 2 | 3, _, a, b, c, d] => {
            (12, u32::from_le_bytes([a, b, c, d]) as usize)
        }
        _ => return Err(fail("not a .npy file")),
    };
    if size > LONGEST {
        return Err(fail("a header of more than 10,000 bytes"));
    }
    let mut text = vec![0; size];
    input.read(name, front, &mut text)?;
    let text = std::str::from_utf8(&text).map_err(|_| fail("a header that is not text"))?;
    // The text after a key.
    let after = |key: &str| text.split_once(&format!("'{key}':")).map_or("", |(_, rest)| rest.trim_start());
    let kind = after("descr").split(',').next().unwrap_or_default();
    let kind = kind.trim_matches(['\'', ' ']);
    let number = number(kind).ok_or_else(|| {
        let kind: String = kind.chars().take(40).collect();
        fail(&format!("expected numbers of '<f4', '<f8' or another plain type, found {kind}"))
    })?;
    let in_columns = match after("fortran_order") {
        rest if rest.starts_with("False") => false,
        rest if rest.starts_with("True") => true,
        _ => return Err(fail("a header without `fortran_order`")),
    };
    let sizes = after("shape").strip_prefix('(').and_then(|rest| rest.split_once(')'));
    let (sizes, _) = sizes.ok_or_else(|| fail("a header without `shape`"))?;
    let sizes = sizes.split(',').map(str::trim).filter(|size| !size.is_empty());
    let shape: std::result::Result<Vec<usize>, _> = sizes.map(str::parse).collect();
    let shape = shape.map_err(|_| fail("an invalid shape"))?;
    let start = front + size as u64;
    let in_columns = in_columns && shape.iter().filter(|&&size| size != 1).count() > 1;
    Ok(Npy { array: Array { number, shape, start }, big_endian: kind.starts_with('>'), in_columns })
}

/// The numeric type of a descriptor such as `<f4`.
fn number(kind: &str) -> Option<Number> {
    let (order, kind) = kind.split_at_checked(1)?;
    if !["<", ">", "|", "="].contains(&order) {
        return None;
    }
    Some(match kind {
        "f4" => Number::F32,
        "f8" => Number::F64,
        "f2" => Number::F16,
        "i1" => Number::I8,
        "i2" => Number::I16,
        "i4" => Number::I32,
        "i8" => Number::I64,
        "b1" | "u1" => Number::U8,
        "u2" => Number::U16,
        "u4" => Number::U32,
        "u8" => Number::U64,
        _ => return None,
    })
}

impl Npy {
    /// The length of the values in bytes, if it does not overflow.
    pub(crate) fn bytes(&self) -> Option<u64> {
        let size = self.array.number.size() as u64;
        self.array.shape.iter().try_fold(size, |bytes, &size| bytes.checked_mul(size as u64))
    }

    /// All values in row-major order.
    pub(crate) fn values(&self, input: &Input, name: &str) -> Result<ndarray::ArrayD<f64>> {
        use ndarray::{ArrayD, IxDyn, ShapeBuilder};
        let size = self.array.number.size();
        let mut values = vec![0.0; self.array.len()];
        let mut done = 0;
        input.pieces(name, self.array.start, (self.array.len() * size) as u64, &mut |piece| {
            let count = piece.len() / size;
            self.array.number.read_ordered(piece, self.big_endian, &mut values[done..done + count]);
            done += count;
        })?;
        let shape = IxDyn(&self.array.shape).set_f(self.in_columns);
        let array = ArrayD::from_shape_vec(shape, values);
        let array = array.map_err(|_| input.damaged(name, "a shape with too many elements"))?;
        Ok(if self.in_columns { array.as_standard_layout().into_owned() } else { array })
    }
}
