//! One named array of a file, after reading.

use ndarray::ArrayD;

/// The content of a named entry of a file.
#[derive(Debug)]
#[allow(dead_code, reason = "each format makes some of them")]
pub(super) enum ArrayValue {
    Numbers(ArrayD<f64>),
    /// Strings, such as class names.
    Words(Vec<String>),
    /// Another type, in words for error messages.
    Other(&'static str),
}

/// Returns the array in row-major order, copying only if needed.
pub(super) fn in_order(array: ArrayD<f64>) -> ArrayD<f64> {
    if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() }
}
