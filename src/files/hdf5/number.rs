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
        let plain = Number::ALL.into_iter().find(|number| message.starts_with(&number.message()));
        plain.or(is_flag(message).then_some(Number::I8))
    }
}

/// Whether the datatype is that of booleans, as h5py writes them: an enumeration of bytes, with padded names before version 3.
fn is_flag(message: &[u8]) -> bool {
    let Some((&class, rest)) = message.split_first() else { return false };
    let names: &[u8] = match class {
        0x18 | 0x28 => b"FALSE\0\0\0TRUE\0\0\0\0\0\x01",
        0x38 => b"FALSE\0TRUE\0\0\x01",
        _ => return false,
    };
    let rest = rest.strip_prefix(&[2, 0, 0, 1, 0, 0, 0]);
    let rest = rest.and_then(|rest| rest.strip_prefix(&Number::I8.message()[..]));
    rest.is_some_and(|rest| rest.starts_with(names))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn booleans_are_numbers() {
        let base = Number::I8.message();
        let types = [
            (0x18, &b"FALSE\0\0\0TRUE\0\0\0\0\0\x01"[..], Some(Number::I8)), // as h5py writes it
            (0x38, b"FALSE\0TRUE\0\0\x01", Some(Number::I8)),
            (0x38, b"RED\0BLUE\0\0\x01", None),
        ];
        for (class, names, expected) in types {
            let message = [&[class, 2, 0, 0, 1, 0, 0, 0], &base[..], names].concat();
            assert_eq!(Number::of(&message), expected);
        }
    }
}
