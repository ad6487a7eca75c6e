//! `.npy` files, written byte by byte.

/// A file of format version 1.0; `kind` is NumPy's name of the number type, such as `<f4`.
pub fn npy(kind: &str, fortran_order: bool, shape: &[usize], data: &[u8]) -> Vec<u8> {
    let shape: String = shape.iter().map(|size| format!("{size}, ")).collect();
    let order = if fortran_order { "True" } else { "False" };
    let header = format!("{{'descr': '{kind}', 'fortran_order': {order}, 'shape': ({shape}), }}");
    // The data starts at a multiple of 64.
    let length = (11 + header.len()).next_multiple_of(64) - 10;
    let header = format!("{header:<width$}\n", width = length - 1);
    [b"\x93NUMPY\x01\x00", &(length as u16).to_le_bytes()[..], header.as_bytes(), data].concat()
}
