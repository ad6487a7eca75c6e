//! Sparse arrays, which are read as plain ones, where these are no larger than the file warrants.

use ndarray::Array2;

use super::elements::Parsed;

/// Room for an array of so many rows and columns, of which the file tells `len` bytes.
pub(super) fn zeros(name: &str, rows: usize, columns: usize, len: usize) -> Parsed<Array2<f64>> {
    // As much as deflate could unpack to, as for all else.
    let most = (len.saturating_mul(1040).saturating_add(1 << 26)) / size_of::<f64>();
    let count = rows.checked_mul(columns).filter(|count| *count <= most);
    // One without rows may still have more columns than there are numbers for.
    let array = count.and_then(|count| Array2::from_shape_vec((rows, columns), vec![0.0; count]).ok());
    array.ok_or_else(|| {
        format!("`{name}`: a sparse array of {rows} × {columns}, too large to be read as a plain one")
    })
}
