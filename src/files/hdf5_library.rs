//! HDF5 files that the crate `hdf5-pure` reads. All of them are opened here, the place to refuse crafted ones.

use std::path::Path;

use hdf5_pure::{Dataset, Datatype, DatatypeByteOrder, EnumMember, File, FloatingPointLayout};

use super::Parsed;
use super::array::Number;

/// IEEE's floats of 16 bits, and those of 8 bits of exponent.
const BINARY16: FloatingPointLayout = FloatingPointLayout {
    bit_offset: 0,
    bit_precision: 16,
    exponent_location: 10,
    exponent_size: 5,
    mantissa_location: 0,
    mantissa_size: 10,
    exponent_bias: 15,
};
const BFLOAT16: FloatingPointLayout = FloatingPointLayout {
    exponent_location: 7,
    exponent_size: 8,
    mantissa_size: 7,
    exponent_bias: 127,
    ..BINARY16
};

/// Opens a file, whose values are read when they are asked for.
pub(crate) fn open(path: &Path) -> Parsed<File> {
    File::open_streaming(path).map_err(|error| error.to_string())
}

/// Opens a file in memory.
#[cfg(feature = "keras")]
pub(super) fn from_bytes(bytes: Vec<u8>) -> Parsed<File> {
    File::from_bytes(bytes).map_err(|error| error.to_string())
}

/// The shape of an array, if a file of `len` bytes can hold that much.
pub(crate) fn shape(dataset: &Dataset, len: u64) -> Parsed<Vec<usize>> {
    let text = |error: hdf5_pure::Error| error.to_string();
    let (shape, size) = (dataset.shape().map_err(text)?, dataset.element_size().map_err(text)?);
    let chunk = dataset.chunk_shape().map_err(text)?.unwrap_or_default();
    // Deflate compresses at most 1032 to 1.
    let most = len.saturating_mul(1032);
    for sizes in [&shape, &chunk] {
        let bytes = sizes.iter().try_fold(size, |bytes, &size| bytes.checked_mul(size));
        if bytes.is_none_or(|bytes| bytes > most) {
            return Err(format!("shape {sizes:?} exceeds a file of {len} bytes"));
        }
    }
    shape.iter().map(|&size| size.try_into().map_err(|_| format!("an axis of {size}"))).collect()
}

/// The number type and byte order of an array; none if it is not a plain type.
pub(crate) fn number(kind: &Datatype) -> Option<(Number, bool)> {
    let (size, order, signed) = match kind {
        Datatype::FloatingPoint { byte_order, layout, .. } => {
            let known = [
                (BINARY16, Number::F16),
                (BFLOAT16, Number::Bf16),
                (FloatingPointLayout::IEEE754_BINARY32, Number::F32),
                (FloatingPointLayout::IEEE754_BINARY64, Number::F64),
            ];
            let number = known.iter().find(|(known, _)| known == layout)?.1;
            return ordered(number, byte_order);
        }
        Datatype::Enumeration { base_type, members, .. } if is_flag(members) => {
            return self::number(base_type);
        }
        Datatype::FixedPoint { size, byte_order, layout }
            if layout.bit_offset == 0 && u32::from(layout.bit_precision) == 8 * size =>
        {
            (*size, byte_order, layout.signed)
        }
        _ => return None,
    };
    let number = match (signed, size) {
        (true, 1) => Number::I8,
        (true, 2) => Number::I16,
        (true, 4) => Number::I32,
        (true, 8) => Number::I64,
        (false, 1) => Number::U8,
        (false, 2) => Number::U16,
        (false, 4) => Number::U32,
        (false, 8) => Number::U64,
        _ => return None,
    };
    ordered(number, order)
}

/// Whether an enumeration is that of booleans, as h5py writes them.
pub(crate) fn is_flag(members: &[EnumMember]) -> bool {
    let [first, second] = members else { return false };
    let is = |member: &EnumMember, name: &str, value: u8| member.name == name && member.value == [value];
    is(first, "FALSE", 0) && is(second, "TRUE", 1) || is(first, "TRUE", 1) && is(second, "FALSE", 0)
}

fn ordered(number: Number, order: &DatatypeByteOrder) -> Option<(Number, bool)> {
    match order {
        DatatypeByteOrder::LittleEndian => Some((number, false)),
        DatatypeByteOrder::BigEndian => Some((number, true)),
        _ => None,
    }
}

/// The numbers of an array, or of these rows of it. The crate itself reads no floats of 16 bits.
pub(crate) fn numbers(dataset: &Dataset, rows: Option<(u64, u64)>) -> Result<Vec<f64>, hdf5_pure::Error> {
    match number(&dataset.datatype()?) {
        Some((number @ (Number::F16 | Number::Bf16), big_endian)) => {
            let bytes = match rows {
                Some((first, count)) => dataset.read_raw_rows(first, count)?,
                None => dataset.read_raw()?,
            };
            let mut values = vec![0.0; bytes.len() / number.size()];
            number.read_ordered(&bytes, big_endian, &mut values);
            Ok(values)
        }
        _ => match rows {
            Some((first, count)) => dataset.read_f64_rows(first, count),
            None => dataset.read_f64(),
        },
    }
}
