//! An array in a file: the position and the type of its values. The crate `half` converts those of 16 bits.

use half::{bf16, f16};

use super::input::Input;
use crate::error::Result;
use crate::scalar::Scalar;

/// An array whose position in the file is checked.
#[derive(Debug, Clone)]
pub(crate) struct Array {
    pub(crate) number: Number,
    pub(crate) shape: Vec<usize>,
    /// The offset of the values, which are in row-major order.
    pub(crate) start: u64,
}

/// The numeric type of the values, little-endian.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Number {
    F32,
    F64,
    F16,
    Bf16,
    I32,
    I64,
    U32,
    I8,
    I16,
    U8,
    U16,
    U64,
}

impl Array {
    /// The number of values.
    pub(crate) fn len(&self) -> usize {
        self.shape.iter().product()
    }

    /// Reads all values into `to`.
    pub(crate) fn fill<F: Scalar>(&self, input: &Input, place: &str, to: &mut [F]) -> Result<()> {
        let size = self.number.size();
        let mut done = 0;
        input.pieces(place, self.start, (self.len() * size) as u64, &mut |piece| {
            let count = piece.len() / size;
            self.number.read_all(piece, &mut to[done..done + count]);
            done += count;
        })
    }
}

impl Number {
    /// The types of weights.
    pub(crate) const ALL: [Number; 7] =
        [Number::F32, Number::F64, Number::F16, Number::Bf16, Number::I32, Number::I64, Number::U32];

    /// The size of a value in bytes.
    pub(crate) fn size(self) -> usize {
        match self {
            Number::I8 | Number::U8 => 1,
            Number::F16 | Number::Bf16 | Number::I16 | Number::U16 => 2,
            Number::F32 | Number::I32 | Number::U32 => 4,
            Number::F64 | Number::I64 | Number::U64 => 8,
        }
    }

    /// The numeric type of the weights of a model.
    pub(crate) fn of_scalar<F: Scalar>() -> Self {
        if F::NAME == "f32" { Number::F32 } else { Number::F64 }
    }

    /// Reads values until `to` is full.
    fn read_all<F: Scalar>(self, bytes: &[u8], to: &mut [F]) {
        match self {
            Number::F32 => each(bytes, to, |bytes| f64::from(f32::from_le_bytes(bytes))),
            Number::F64 => each(bytes, to, f64::from_le_bytes),
            Number::F16 => each(bytes, to, |bytes| f16::from_le_bytes(bytes).to_f64()),
            Number::Bf16 => each(bytes, to, |bytes| bf16::from_le_bytes(bytes).to_f64()),
            Number::I32 => each(bytes, to, |bytes| f64::from(i32::from_le_bytes(bytes))),
            Number::I64 => each(bytes, to, |bytes| i64::from_le_bytes(bytes) as f64),
            Number::U32 => each(bytes, to, |bytes| f64::from(u32::from_le_bytes(bytes))),
            Number::I8 => each(bytes, to, |bytes| f64::from(i8::from_le_bytes(bytes))),
            Number::I16 => each(bytes, to, |bytes| f64::from(i16::from_le_bytes(bytes))),
            Number::U8 => each(bytes, to, |[byte]| f64::from(byte)),
            Number::U16 => each(bytes, to, |bytes| f64::from(u16::from_le_bytes(bytes))),
            Number::U64 => each(bytes, to, |bytes| u64::from_le_bytes(bytes) as f64),
        }
    }

    /// The same for either byte order.
    pub(crate) fn read_ordered<F: Scalar>(self, bytes: &[u8], big_endian: bool, to: &mut [F]) {
        if !big_endian {
            return self.read_all(bytes, to);
        }
        let mut turned = bytes.to_vec();
        turned.chunks_exact_mut(self.size()).for_each(<[u8]>::reverse);
        self.read_all(&turned, to);
    }

    /// Writes values, a few thousand at a time.
    pub(crate) fn emit<F: Scalar>(
        self,
        values: &[F],
        put: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
    ) -> std::io::Result<()> {
        let mut bytes = Vec::with_capacity(values.len().min(4096) * self.size());
        for values in values.chunks(4096) {
            bytes.clear();
            for value in values {
                match self {
                    Number::F64 => bytes.extend(value.as_f64().to_le_bytes()),
                    Number::I32 => bytes.extend((value.as_f64() as i32).to_le_bytes()),
                    _ => bytes.extend((value.as_f64() as f32).to_le_bytes()),
                }
            }
            put(&bytes)?;
        }
        Ok(())
    }
}

fn each<const N: usize, F: Scalar>(bytes: &[u8], to: &mut [F], number: impl Fn([u8; N]) -> f64) {
    let (numbers, _) = bytes.as_chunks();
    to.iter_mut().zip(numbers).for_each(|(to, bytes)| *to = F::of(number(*bytes)));
}

#[cfg(test)]
mod tests {
    use super::Number;

    #[test]
    fn sixteen_bit_floats_are_read() {
        let read = |number: Number, bits: u16| {
            let mut to = [0.0f64];
            number.read_all(&bits.to_le_bytes(), &mut to);
            to[0]
        };
        for (bits, value) in [
            (0x3c00, 1.0),
            (0xc000, -2.0),
            (0x0001, 2f64.powi(-24)),
            (0x7bff, 65504.0),
            (0x3555, 0.333251953125),
        ] {
            assert_eq!(read(Number::F16, bits), value);
        }
        assert!(read(Number::F16, 0x7c00).is_infinite() && read(Number::F16, 0x7e00).is_nan());
        for (bits, value) in [(0x3f80, 1.0), (0xc000, -2.0), (0x0001, 2f64.powi(-133)), (0x3eab, 0.333984375)]
        {
            assert_eq!(read(Number::Bf16, bits), value);
        }
        assert!(read(Number::Bf16, 0x7f80).is_infinite() && read(Number::Bf16, 0x7fc0).is_nan());
    }
}
