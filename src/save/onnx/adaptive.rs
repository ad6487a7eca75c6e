//! Adaptive pools, one axis after the other: ONNX has only windows of one size.

use ndarray::Array2;

use super::graph::{Graph, int, ints, long};
use super::place::OnnxLayer;
use crate::error::Result;
use crate::layer::adaptive_cells;
use crate::scalar::Scalar;

/// The cells of all windows side by side, and the largest of each window. The last cell of a short window is repeated.
pub(super) fn max<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let mut y = x.to_string();
    for axis in 0..at.input.len() - 1 {
        let (len, windows) = (at.input[axis], at.output[axis]);
        let cells = |place| adaptive_cells(len, windows, place);
        let size = (0..windows).map(|place| cells(place).len()).max().unwrap_or(1);
        let places = (0..windows).flat_map(|place| {
            let cells = cells(place);
            (0..size).map(move |cell| (cells.start + cell).min(cells.end - 1))
        });
        let side_by_side = graph.pick_along(&y, axis + 1, places);
        let shape = [&at.output[..=axis], &[size], &at.input[axis + 1..]].concat();
        let by_window = graph.reshape(&side_by_side, &shape);
        y = graph.op("ReduceMax", &[&by_window], vec![ints("axes", [long(axis + 2)]), int("keepdims", 0)]);
    }
    Ok(y)
}

/// A product with a matrix for each axis, which has the share of each cell in each window.
pub(super) fn average<F: Scalar>(graph: &mut Graph, at: &OnnxLayer<F>, x: &str) -> Result<String> {
    let (mut y, axes) = (x.to_string(), at.input.len() - 1);
    for axis in 0..axes {
        let (len, windows) = (at.input[axis], at.output[axis]);
        let share = |(place, cell): (usize, usize)| {
            let cells = adaptive_cells(len, windows, place);
            if cells.contains(&cell) { 1.0 / cells.len() as f32 } else { 0.0 }
        };
        let shares = graph.constant("share", &Array2::from_shape_fn((windows, len), share).into_dyn());
        let after = &at.input[axis + 1..];
        if axis + 1 < axes {
            y = graph.reshape(&y, &[&at.output[..axis], &[len, after.iter().product()]].concat());
        }
        y = graph.op("MatMul", &[&shares, &y], vec![]);
        if axis + 1 < axes {
            y = graph.reshape(&y, &[&at.output[..=axis], after].concat());
        }
    }
    Ok(y)
}
