//! The numeric arrays of a MATLAB 5 file (what `save` and scipy's `savemat` write, compressed or not).
//!
//! A file is a header of 128 bytes and then elements: a type, a length, and as many bytes, padded to eight.
//! A matrix is an element of elements: class, sizes, name, numbers. Sizes are checked against the bytes that
//! are there before anything is allocated.

use std::io::Read;

use cornu::ndarray::ArrayD;
use flate2::read::ZlibDecoder;

/// The most bytes that one compressed variable may unpack to.
const LIMIT: u64 = 1 << 33;

type Fault = &'static str;
const BROKEN: Fault = "this is no whole MATLAB 5 file";

/// The names and values of all real numeric arrays, their axes in reverse, as MATLAB's run down the columns.
pub fn read(bytes: &[u8]) -> Result<Vec<(String, ArrayD<f64>)>, Fault> {
    let big_endian = match bytes.get(126..128) {
        Some(b"IM") => false,
        Some(b"MI") => true,
        _ if bytes.starts_with(b"\x89HDF") || bytes.starts_with(b"MATLAB 7.3") => {
            return Err("this is a MATLAB 7.3 file; save it with `-v7`");
        }
        _ => return Err(BROKEN),
    };
    let mut arrays = Vec::new();
    let mut elements = Elements { rest: &bytes[128..], big_endian };
    while let Some((kind, data)) = elements.next()? {
        let unpacked;
        let (kind, data) = match kind {
            15 => {
                let mut all = Vec::new();
                ZlibDecoder::new(data).take(LIMIT).read_to_end(&mut all).map_err(|_| BROKEN)?;
                unpacked = all;
                Elements { rest: &unpacked, big_endian }.next()?.ok_or(BROKEN)?
            }
            _ => (kind, data),
        };
        if kind == 14 {
            arrays.extend(matrix(Elements { rest: data, big_endian })?);
        }
    }
    Ok(arrays)
}

/// A run of elements.
struct Elements<'a> {
    rest: &'a [u8],
    big_endian: bool,
}

impl<'a> Elements<'a> {
    /// The type and the bytes of the next element.
    fn next(&mut self) -> Result<Option<(u32, &'a [u8])>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let (tag, rest) = self.rest.split_at_checked(4).ok_or(BROKEN)?;
        let tag = self.word(tag);
        // Up to four bytes may stand in the tag itself, their number in its upper half.
        if tag >> 16 != 0 {
            let (data, rest) = rest.split_at_checked(4).ok_or(BROKEN)?;
            self.rest = rest;
            return Ok(Some((tag & 0xFFFF, data.get(..(tag >> 16) as usize).ok_or(BROKEN)?)));
        }
        let (length, rest) = rest.split_at_checked(4).ok_or(BROKEN)?;
        let (data, rest) = rest.split_at_checked(self.word(length) as usize).ok_or(BROKEN)?;
        let padding = if tag == 15 { 0 } else { data.len().wrapping_neg() % 8 };
        self.rest = rest.get(padding..).unwrap_or_default();
        Ok(Some((tag, data)))
    }

    fn word(&self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }
}

/// A matrix, if it is one of real numbers; text, cells, structures and sparse matrices are passed over.
fn matrix(mut parts: Elements) -> Result<Option<(String, ArrayD<f64>)>, Fault> {
    let Some((6, flags)) = parts.next()? else { return Ok(None) };
    let class = parts.word(flags.get(..4).ok_or(BROKEN)?) & 0xFF;
    if !(6..=15).contains(&class) {
        return Ok(None);
    }
    let (_, sizes) = parts.next()?.ok_or(BROKEN)?;
    let mut shape: Vec<usize> = sizes.chunks_exact(4).map(|size| parts.word(size) as usize).collect();
    shape.reverse();
    let (_, name) = parts.next()?.ok_or(BROKEN)?;
    let (kind, data) = parts.next()?.ok_or(BROKEN)?;
    let values = numbers(kind, data, parts.big_endian).ok_or(BROKEN)?;
    let array = ArrayD::from_shape_vec(shape, values).map_err(|_| BROKEN)?;
    Ok(Some((String::from_utf8_lossy(name).into_owned(), array)))
}

/// The numbers of an element, whatever their type.
fn numbers(kind: u32, data: &[u8], big_endian: bool) -> Option<Vec<f64>> {
    macro_rules! cast {
        ($($code:literal $number:ty),*) => {
            match kind {
                $($code => {
                    let number = |bytes: &[u8]| {
                        let bytes = bytes.try_into().ok()?;
                        let number = if big_endian { <$number>::from_be_bytes(bytes) } else { <$number>::from_le_bytes(bytes) };
                        Some(number as f64)
                    };
                    data.chunks_exact(size_of::<$number>()).map(number).collect()
                })*
                _ => None,
            }
        };
    }
    cast!(1 i8, 2 u8, 3 i16, 4 u16, 5 i32, 6 u32, 7 f32, 9 f64, 12 i64, 13 u64)
}
