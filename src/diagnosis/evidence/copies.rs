//! A feature that is a copy of the targets.

use crate::scalar::Scalar;
use crate::tensor::Batch;

/// The fewest rows for targets of two values, and for others.
const BINARY_ROWS: usize = 32;
const NUMBER_ROWS: usize = 16;
/// The largest deviation of a copy, relative to the span of the feature: rounding in `f32`.
const ROUNDING: f64 = 1e-5;

/// A feature that equals a target in all sampled rows, up to a factor and an offset.
///
/// # Example
/// ```
/// use cornu::diagnosis::{Evidence, Finding};
/// use cornu::prelude::*;
/// let rule = |e: &Evidence| -> Vec<Finding> {
///     let copy = e.data.copied_target.as_ref().unwrap();
///     assert_eq!((copy.feature, copy.target, copy.rows), (2, 0, 32));
///     Vec::new()
/// };
/// let x = ndarray::Array2::from_shape_fn((64, 3), |(i, j)| ((i * (j + 5)) % 17) as f32);
/// let y = x.column(2).mapv(|x| 2.0 * x + 1.0);
/// let mut model = Sequential::new().seed(1).add(Dense::new(1));
/// model.compile(Adam::new(0.01), MeanSquaredError::new(), ())?;
/// model.fit(&x, &y, &Fit::new().rule(rule).verbose(Verbose::Silent))?;
/// # Ok::<(), cornu::Error>(())
/// ```
#[derive(Debug, Clone, Default, PartialEq)]
#[non_exhaustive]
pub struct CopiedTarget {
    /// The index of the feature.
    pub feature: usize,
    /// The index of the target.
    pub target: usize,
    /// The number of compared rows.
    pub rows: usize,
}

impl CopiedTarget {
    /// The first feature that is a copy of a target. `None` if there are at least as many targets as features, as in an
    /// autoencoder, or if most features are copies.
    pub(crate) fn of<F: Scalar>(x: Batch<F>, y: Batch<F>) -> Option<CopiedTarget> {
        let rows = x.rows();
        if x.width() < 2 || y.width() >= x.width() || rows < NUMBER_ROWS {
            return None;
        }
        (0..y.width()).find_map(|target| {
            let values: Vec<f64> = y.iter().map(|row| row[target].as_f64()).collect();
            let row_of_min = (0..rows).min_by(|a, b| values[*a].total_cmp(&values[*b]))?;
            let row_of_max = (0..rows).max_by(|a, b| values[*a].total_cmp(&values[*b]))?;
            let (low, high) = (values[row_of_min], values[row_of_max]);
            let is_binary = values.iter().all(|value| *value == low || *value == high);
            // A rare class is easily confused with a feature that is rarely set.
            let count_other_than = |end: f64| values.iter().filter(|value| **value != end).count();
            let is_rare = count_other_than(low).min(count_other_than(high)) < (rows / 3).min(16);
            if is_rare || (is_binary && rows < BINARY_ROWS) {
                return None;
            }
            let is_copy = |feature: &usize| {
                let (at_min, at_max) =
                    (x.row(row_of_min)[*feature].as_f64(), x.row(row_of_max)[*feature].as_f64());
                let span = at_max - at_min;
                let agrees = |(row, value): (&[F], &f64)| {
                    let copy = at_min + span * (value - low) / (high - low);
                    (row[*feature].as_f64() - copy).abs() <= ROUNDING * span.abs()
                };
                span != 0.0 && x.iter().zip(&values).all(agrees)
            };
            let feature = (0..x.width()).find(is_copy)?;
            // If most features copy the target, the data is synthetic.
            let copies = (feature..x.width()).filter(is_copy).count();
            (2 * copies <= x.width()).then_some(CopiedTarget { feature, target, rows })
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn copy(x: &[f64], width: usize, y: &[f64]) -> Option<usize> {
        CopiedTarget::of(Batch::new(x, width), Batch::new(y, 1)).map(|copy| copy.feature)
    }

    #[test]
    fn only_exact_copies_count() {
        let y: Vec<f64> = (0..40).map(|i| f64::from(i * i % 23)).collect();
        let rows = |of: &dyn Fn(usize) -> [f64; 2]| (0..40).flat_map(of).collect::<Vec<f64>>();
        assert_eq!(copy(&rows(&|i| [i as f64, 3.0 - 0.5 * y[i]]), 2, &y), Some(1));
        let close = |i: usize| [i as f64, y[i] + if i == 7 { 0.01 } else { 0.0 }];
        assert_eq!(copy(&rows(&close), 2, &y), None);
        // A line has a single feature, which determines its target.
        assert_eq!(copy(&y, 1, &y), None);
        let bits: Vec<f64> = (0..40).map(|i| f64::from(i % 2)).collect();
        let of = |count: usize| copy(&rows(&|i| [i as f64, bits[i]])[..2 * count], 2, &bits[..count]);
        assert_eq!((of(40), of(20)), (Some(1), None));
        let rare: Vec<f64> = (0..40).map(|i| f64::from(u8::from(i == 11))).collect();
        assert_eq!(copy(&rows(&|i| [i as f64, rare[i]]), 2, &rare), None);
    }
}
