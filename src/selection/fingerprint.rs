//! Descriptions of training data, which the ranks compare.

use crate::data::BatchSource;
use crate::error::Shape;
use crate::hash::hash_bits;
use crate::samples::Samples;
use crate::scalar::Scalar;

/// What must be equal on all ranks, by name.
pub(super) type Words = Vec<(String, String)>;

/// Rows of arrays that are compared.
const ROWS: usize = 64;

/// Arrays in words, with a sum over some of their rows.
pub(super) fn of_arrays<F: Scalar>(x: &impl Samples<F>, y: &impl Samples<F>) -> Words {
    let one = |samples: &dyn Samples<F>| {
        let shape = samples.sample_shape();
        let mut row = vec![F::zero(); shape.iter().product()];
        let mut sum = 0;
        for index in (0..samples.count()).step_by(samples.count().div_ceil(ROWS).max(1)) {
            samples.read(index, &mut row);
            sum = hash_bits(sum, &row);
        }
        format!("{} samples of shape {} with the sum {sum:016x}", samples.count(), Shape(&shape))
    };
    [("x", one(x)), ("y", one(y))].map(|(name, here)| (name.into(), here)).into()
}

/// A source in words. It is not read for it.
pub(super) fn of_source<F: Scalar>(source: &impl BatchSource<F>) -> Words {
    let shapes = [source.input_shape(), source.target_shape()].map(|shape| Shape(&shape).to_string());
    vec![("source".into(), format!("{} samples of shape {}", source.count(), shapes.join(" and ")))]
}
