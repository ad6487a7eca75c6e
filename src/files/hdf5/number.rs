//! Numeric types in HDF5.

use super::Number;

impl Number {
    /// The datatype message: class and version, flags, size, and bit layout.
    pub(super) fn message(self) -> Vec<u8> {
        let size = self.size() as u8;
        match self {
            Number::F32 => vec![0x11, 0x20, 31, 0, size, 0, 0, 0, 0, 0, 32, 0, 23, 8, 0, 23, 127, 0, 0, 0],
            Number::F64 => {
                vec![0x11, 0x20, 63, 0, size, 0, 0, 0, 0, 0, 64, 0, 52, 11, 0, 52, 0xff, 3, 0, 0]
            }
            Number::F16 => vec![0x11, 0x20, 15, 0, size, 0, 0, 0, 0, 0, 16, 0, 10, 5, 0, 10, 15, 0, 0, 0],
            Number::Bf16 => vec![0x11, 0x20, 15, 0, size, 0, 0, 0, 0, 0, 16, 0, 7, 8, 0, 7, 127, 0, 0, 0],
            _ => {
                let unsigned = matches!(self, Number::U8 | Number::U16 | Number::U32 | Number::U64);
                let signed = if unsigned { 0 } else { 8 };
                vec![0x10, signed, 0, 0, size, 0, 0, 0, 0, 0, 8 * size, 0]
            }
        }
    }

    /// The type of a datatype message, if it is supported.
    pub(super) fn of(message: &[u8]) -> Option<Self> {
        Number::ALL.into_iter().find(|number| message.starts_with(&number.message()))
    }
}
