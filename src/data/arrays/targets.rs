//! Labels and targets, one per sample, in either orientation.

use ndarray::{Array1, ArrayD, Axis, Ix2};

use crate::data::LabelEncoder;
use crate::files::Parsed;

/// Describes the accepted labels or targets.
pub(super) fn expected(count: usize) -> String {
    format!("{count} labels or targets, one for each sample")
}

/// Moves the samples to the first axis: a column or row of `count` numbers becomes a flat list, and a matrix is
/// transposed if only its last axis has that length.
pub(super) fn aligned(array: ArrayD<f64>, count: usize) -> Parsed<ArrayD<f64>> {
    let shape = array.shape().to_vec();
    let wrong = || format!("shape {shape:?}");
    if array.len() == count && shape.iter().filter(|size| **size != 1).count() <= 1 {
        return Ok(Array1::from_iter(array).into_dyn());
    }
    match &shape[..] {
        [first, ..] if *first == count => Ok(array),
        [_, last] if *last == count => Ok(array.permuted_axes(vec![1, 0]).as_standard_layout().into_owned()),
        _ => Err(wrong()),
    }
}

/// Returns class indices and names: the sorted distinct numbers, or the column of the one in one-hot rows.
pub(super) fn classes(array: ArrayD<f64>, count: usize) -> Parsed<(ArrayD<f64>, Vec<String>)> {
    let array = aligned(array, count)?;
    if array.ndim() == 1 {
        let mut known: Vec<f64> = array.iter().copied().collect();
        if let Some(row) = known.iter().position(|label| !label.is_finite()) {
            return Err(format!("{} at {row}", known[row]));
        }
        known.sort_by(f64::total_cmp);
        known.dedup();
        let place = |label: &f64| known.partition_point(|known| known < label) as f64;
        let names = known.iter().map(f64::to_string).collect();
        return Ok((array.map(place), names));
    }
    let shape = array.shape().to_vec();
    let rows = array.into_dimensionality::<Ix2>().map_err(|_| format!("shape {shape:?}"))?;
    let one = |row: ndarray::ArrayView1<f64>| {
        let place = row.iter().position(|value| *value == 1.0)?;
        (row.iter().filter(|value| **value != 0.0).count() == 1).then_some(place as f64)
    };
    let mut y = Array1::zeros(count);
    for (index, (y, row)) in y.iter_mut().zip(rows.axis_iter(Axis(0))).enumerate() {
        *y = one(row).ok_or_else(|| format!("shape {shape:?}, whose row {index} is not one-hot"))?;
    }
    Ok((y.into_dyn(), (0..shape[1]).map(|class| class.to_string()).collect()))
}

/// Returns class indices and names of words.
pub(super) fn words(words: &[String], count: usize) -> Parsed<(ArrayD<f64>, Vec<String>)> {
    if words.len() != count {
        return Err(format!("{} texts", words.len()));
    }
    let encoder = LabelEncoder::fit(words.to_vec());
    let y = encoder.encode(words.to_vec()).map_err(|error| error.to_string())?;
    Ok((y.mapv(|class| class as f64).into_dyn(), encoder.classes().to_vec()))
}
