//! One named array of a file, once it is read.

use ndarray::ArrayD;

/// What a named entry of a file holds.
#[derive(Debug)]
#[allow(dead_code, reason = "each format makes some of them")]
pub(super) enum ArrayValue {
    Numbers(ArrayD<f64>),
    /// Strings, such as class names.
    Words(Vec<String>),
    /// What it is instead, for the message.
    Other(&'static str),
}

/// The array in row-major order; copies only if it is in another.
pub(super) fn in_order(array: ArrayD<f64>) -> ArrayD<f64> {
    if array.is_standard_layout() { array } else { array.as_standard_layout().into_owned() }
}
