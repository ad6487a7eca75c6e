//! The confusion matrix of a model on data.

use crate::error::{Error, ExpectedTarget, Result};
use crate::metric::ConfusionMatrix;
use crate::model::Sequential;
use crate::samples::{Samples, check_finite, check_not_empty};
use crate::scalar::Scalar;
use crate::training::data::TRAINING;

impl<F: Scalar> Sequential<F> {
    /// The confusion matrix: how often each class of `y` is predicted as each class.
    ///
    /// The predicted class is that of the largest output; a single output above 0.5, or above 0 if the compiled loss
    /// takes logits, predicts class 1.
    ///
    /// # Shapes
    /// Targets are class indices, one per row, or as many columns as the output, of which the largest is the class.
    /// With a single output the classes are 0 and 1. If the output has steps, as in `(steps, classes)`, each step of
    /// each sample is a row.
    ///
    /// # Errors
    /// As [`Sequential::predict`]; [`Error::TargetShape`], [`Error::Length`], [`Error::Label`].
    ///
    /// # Example
    /// ```
    /// use cornu::prelude::*;
    /// use ndarray::array;
    /// let mut model = Sequential::new().input([2]).add(Softmax::new());
    /// model.build()?;
    /// let x = array![[1.0, 0.0], [2.0, 3.0], [0.0, 1.0]];
    /// let matrix = model.confusion_matrix(&x, &array![0, 0, 1])?;
    /// assert_eq!(matrix.counts(), array![[1.0, 1.0], [0.0, 1.0]]);
    /// println!("{matrix}\n{}", matrix.report());
    /// # Ok::<(), cornu::Error>(())
    /// ```
    pub fn confusion_matrix(&self, x: &impl Samples<F>, y: &impl Samples<F>) -> Result<ConfusionMatrix> {
        let output = self.output_shape().ok_or(Error::NotBuilt)?;
        check_not_empty(TRAINING.y, y)?;
        if x.count() != y.count() {
            return Err(Error::Length { x: x.count(), argument: TRAINING.y.into(), found: y.count() });
        }
        let width = target_width(output, &y.sample_shape())?;
        check_finite(TRAINING.y, y)?;
        let classes = output.last().copied().unwrap_or(1).max(2);
        let mut sample = vec![F::zero(); y.sample_shape().iter().product()];
        let mut truth = Vec::new();
        for row in 0..y.count() {
            y.read(row, &mut sample);
            for target in sample.chunks_exact(width) {
                truth.push(class(target, classes).map_err(|found| {
                    let argument = TRAINING.y.into();
                    Error::Label { argument, row, found, classes }
                })?);
            }
        }
        ConfusionMatrix::new(truth, &self.predict_classes(x)?, classes)
    }
}

/// The width of one row of targets: 1 for class indices.
fn target_width(output: &[usize], target: &[usize]) -> Result<usize> {
    let (&width, outer) = output.split_last().unwrap_or((&1, &[]));
    if target == output {
        return Ok(width);
    }
    let indices = [outer, &[1]].concat();
    if target == indices || target == outer {
        return Ok(1);
    }
    Err(Error::TargetShape {
        argument: TRAINING.y,
        loss: "confusion_matrix".into(),
        output: output.to_vec(),
        expected: ExpectedTarget::ClassIndicesOrOutput(indices),
        found: target.to_vec(),
    })
}

/// The class of a row of targets, or the invalid label.
fn class<F: Scalar>(target: &[F], classes: usize) -> std::result::Result<usize, f64> {
    let label = target[0].as_f64();
    match target {
        [_] if label >= 0.0 && label.fract() == 0.0 && label < classes as f64 => Ok(label as usize),
        [_] => Err(label),
        _ => Ok(target.iter().enumerate().fold(0, |best, (i, t)| if *t > target[best] { i } else { best })),
    }
}

#[cfg(test)]
mod tests {
    use ndarray::{Array, Array1, array};

    use super::*;
    use crate::layer::Softmax;

    #[test]
    fn all_forms_of_targets_give_the_same_matrix() {
        let mut model = Sequential::new().input([2, 3]).add(Softmax::new());
        model.build().unwrap();
        let x = Array::from_shape_fn((4, 2, 3), |(i, j, k)| ((7 * i + 3 * j + 5 * k) % 8) as f32);
        let indices = Array::from_shape_fn((4, 2), |(i, j)| (i + j) % 3);
        let hot = Array::from_shape_fn((4, 2, 3), |(i, j, k)| indices[[i, j]] == k);
        let matrix = model.confusion_matrix(&x, &indices).unwrap();
        assert_eq!(matrix.counts().sum(), 8.0);
        assert_eq!(matrix, model.confusion_matrix(&x, &hot).unwrap());
        let column = indices.into_shape_with_order((4, 2, 1)).unwrap();
        assert_eq!(matrix, model.confusion_matrix(&x, &column).unwrap());
    }

    #[test]
    fn a_single_output_has_two_classes_and_invalid_targets_are_refused() {
        let mut model = Sequential::new().input([1]).add(crate::layer::Rescaling::new(1.0));
        model.build().unwrap();
        let x = array![[0.2], [0.7], [0.9]];
        let matrix = model.confusion_matrix(&x, &array![false, true, false]).unwrap();
        assert_eq!(matrix.counts(), array![[1.0, 1.0], [0.0, 1.0]]);
        for (found, y) in [(2.0, array![0.0, 1.0, 2.0]), (0.5, array![0.0, 0.5, 1.0])] {
            let error = model.confusion_matrix(&x, &y);
            assert!(
                matches!(error, Err(Error::Label { found: f, classes: 2, .. }) if f == found),
                "{error:?}"
            );
        }
        let error = model.confusion_matrix(&x, &array![[0, 1], [0, 1], [0, 1]]);
        assert!(matches!(error, Err(Error::TargetShape { .. })), "{error:?}");
        let error = model.confusion_matrix(&x, &Array1::<f32>::zeros(2));
        assert!(matches!(error, Err(Error::Length { x: 3, found: 2, .. })), "{error:?}");
    }
}
