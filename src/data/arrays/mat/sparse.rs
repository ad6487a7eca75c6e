//! Sparse arrays, read as dense ones if the size of the file warrants it.

use ndarray::Array2;

use crate::files::Parsed;

/// Allocates a dense array, for which the file states `len` bytes.
pub(super) fn zeros(name: &str, rows: usize, columns: usize, len: usize) -> Parsed<Array2<f64>> {
    // At most what deflate could decompress to, as for all arrays.
    let most = (len.saturating_mul(1040).saturating_add(1 << 26)) / size_of::<f64>();
    let count = rows.checked_mul(columns).filter(|count| *count <= most);
    // An array without rows may still have too many columns.
    let array = count.and_then(|count| Array2::from_shape_vec((rows, columns), vec![0.0; count]).ok());
    array.ok_or_else(|| {
        format!("`{name}`: a sparse array of {rows} × {columns}, too large to be read as a plain one")
    })
}
