//! HDF5 files that the crate `hdf5-pure` reads. All of them are opened here, the place to refuse crafted ones.

use std::path::Path;

use hdf5_pure::{Dataset, Datatype, DatatypeByteOrder, File, FloatingPointLayout};

use super::Parsed;
use super::array::Number;

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
    let (size, order, float, signed) = match kind {
        Datatype::FloatingPoint { size, byte_order, layout }
            if [FloatingPointLayout::IEEE754_BINARY32, FloatingPointLayout::IEEE754_BINARY64]
                .contains(layout) =>
        {
            (*size, byte_order, true, true)
        }
        Datatype::FixedPoint { size, byte_order, layout }
            if layout.bit_offset == 0 && u32::from(layout.bit_precision) == 8 * size =>
        {
            (*size, byte_order, false, layout.signed)
        }
        _ => return None,
    };
    let number = match (float, signed, size) {
        (true, _, 4) => Number::F32,
        (true, _, 8) => Number::F64,
        (false, true, 1) => Number::I8,
        (false, true, 2) => Number::I16,
        (false, true, 4) => Number::I32,
        (false, true, 8) => Number::I64,
        (false, false, 1) => Number::U8,
        (false, false, 2) => Number::U16,
        (false, false, 4) => Number::U32,
        (false, false, 8) => Number::U64,
        _ => return None,
    };
    match order {
        DatatypeByteOrder::LittleEndian => Some((number, false)),
        DatatypeByteOrder::BigEndian => Some((number, true)),
        _ => None,
    }
}
