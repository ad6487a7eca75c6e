//! Sparse arrays, which are read as plain ones, where these are no larger than the file warrants.

use ndarray::Array2;

use super::Found;

/// Room for an array of so many rows and columns, of which the file tells `len` bytes.
pub(super) fn zeros(name: &str, rows: usize, columns: usize, len: usize) -> Found<Array2<f64>> {
    let bytes = rows.checked_mul(columns).and_then(|count| count.checked_mul(size_of::<f64>()));
    // As much as deflate could unpack to, as for all else.
    let most = len.saturating_mul(1040).saturating_add(1 << 26);
    match bytes {
        Some(bytes) if bytes <= most => Ok(Array2::zeros((rows, columns))),
        _ => Err(format!(
            "`{name}`: a sparse array of {rows} × {columns}, too large to be read as a plain one"
        )),
    }
}
